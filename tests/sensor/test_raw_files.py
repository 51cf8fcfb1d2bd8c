"""A raw image survives its files, and spoilt files are refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from humay.errors import SensorError
from humay.files import write_all
from humay.mission import Navigation
from humay.sensor import BandFacts, Calibration, Chip, RawImage, raw_files, read_raw
from tests.sensor.flown import flight


def calibration(cols: int) -> Calibration:
    return Calibration(
        version="2019-10",
        valid_from=datetime(2019, 10, 1, tzinfo=UTC),
        valid_to=datetime(2019, 12, 1, tzinfo=UTC),
        dark_dn=np.linspace(10, 11, cols),
        response=np.linspace(0.98, 1.02, cols),
        radiance_per_dn=0.09,
        saturation_dn=4095,
        gain_e_dn=20.0,
        read_noise_e=60.0,
    )


def chip(band: str, index: int, shape: tuple[int, int]) -> Chip:
    rng = np.random.default_rng(len(band) + index)
    return Chip(
        band=band,
        index=index,
        first_detector=100,
        own_columns=(0, shape[1] - 2),
        first_line_s=0.25,
        line_period_s=316e-6,
        along=np.array([1e-3, 0.0]),
        across=np.array([-0.02, 3.08e-6]),
        dn=rng.integers(0, 4096, shape, dtype=np.uint16),
        calibration=calibration(shape[1]),
    )


def image() -> RawImage:
    return RawImage(
        name="A0001",
        satellite="spot-7",
        camera="naomi",
        trajectory=flight(),
        navigation=Navigation(),
        bands={
            "pan": BandFacts(
                name="pan", response_m=(450e-9, 745e-9), solar_irradiance_w_m2_um=1600.0
            ),
            "red": BandFacts(
                name="red", response_m=(625e-9, 695e-9), solar_irradiance_w_m2_um=1550.0
            ),
        },
        chips=(chip("pan", 1, (40, 60)), chip("pan", 2, (40, 64)), chip("red", 1, (10, 30))),
        product_pixel_m=1.5,
        mtf_nyquist={"pan": 0.1, "red": 0.3},
        source={"acquisition": "A0001", "orbit": 27500},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_all(tmp_path / "A0001", raw_files(image()))
    return tmp_path / "A0001"


def test_an_image_comes_back_as_it_was_and_writes_the_same_bytes(folder: Path) -> None:
    back = read_raw(folder)
    assert raw_files(back) == raw_files(image())
    assert np.array_equal(back.of_band("pan")[1].dn, image().of_band("pan")[1].dn)
    assert np.array_equal(back.trajectory.body_from_gcrf, image().trajectory.body_from_gcrf)
    assert back.source == image().source


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "image.json"
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return spoil


def cut(name: str) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return spoil


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a TIFF cut short": (cut("pan-2.tif"), "pan-2.tif.*cut short"),
    "a way cut short": (cut("trajectory.parquet"), "trajectory.parquet.*cut short"),
    "a file gone": (lambda f: (f / "red-1.tif").unlink(), "red-1.tif: cannot be read"),
    "no JSON": (lambda f: (f / "image.json").write_text("{"), "is no JSON"),
    "deep JSON": (lambda f: (f / "image.json").write_text("[" * 200_000), "image.json"),
    "another format": (edit(lambda d: d.update(format="x")), "format is 'x'"),
    "a missing key": (edit(lambda d: d.pop("camera")), "'camera' is missing"),
    "a path outside": (
        edit(lambda d: d["chips"][0].update(file="../a.tif")),
        "outside of the image's folder",
    ),
    "a band without calibration": (
        edit(lambda d: d["chips"][2].update(band="nir")),
        "0 detectors of band 'nir'",
    ),
    "a band without pixels": (
        edit(lambda d: d["chips"].pop()),
        "expected the same bands",
    ),
    "a calibration that has run out": (
        edit(lambda d: d["chips"][0]["calibration"].update(valid_to="2019-11-01T00:00:00Z")),
        "expected one valid at",
    ),
    "another time than its lines": (
        edit(lambda d: d.update(acquired="2050-01-01T00:00:00Z")),
        "acquired is '2050-01-01T00:00:00Z', the lines say 2019",
    ),
    "a pixel of no size": (edit(lambda d: d.update(product_pixel_m=0)), "product_pixel_m is 0"),
    "no satellite": (edit(lambda d: d.update(satellite="")), "satellite or camera are empty"),
    "a chip twice": (edit(lambda d: d["chips"].append(d["chips"][0])), "there twice"),
    "half columns": (
        edit(lambda d: d["chips"][0].update(own_columns=[0.5, 3.2])),
        "own_columns are 0.5 to 3.2",
    ),
    "saturated below nothing": (
        edit(lambda d: d["chips"][0]["calibration"].update(saturation_dn=-1)),
        "saturation_dn is -1",
    ),
    "a radiance beyond every sun": (
        edit(lambda d: d["chips"][0]["calibration"].update(radiance_per_dn=1e30)),
        "radiance_per_dn is 1e",
    ),
    "an epoch at the end of time": (
        edit(lambda d: d.update(epoch="9999-12-31T23:59:59.9Z")),
        "wrong kind",
    ),
    "no contrast": (
        edit(lambda d: d["bands"][0].update(mtf_nyquist=0)),
        "mtf_nyquist of 'pan' is 0",
    ),
    "text for a number": (
        edit(lambda d: d["chips"][0].update(line_period_s="x")),
        "wrong kind",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_image_is_refused_in_one_line(case: str, folder: Path) -> None:
    spoil, message = SPOILT[case]
    spoil(folder)
    with pytest.raises(SensorError, match=message) as refusal:
        read_raw(folder)
    assert "\n" not in str(refusal.value)
    assert "A0001" in str(refusal.value)


def test_radiance_and_noise_follow_the_calibration() -> None:
    """By hand: (1010 - 10) / 1 x 0.09 = 90; sqrt(20 x 1010 + 60^2 + 400 / 12) / 20 x 0.09."""
    one = calibration(2)
    dn = np.array([[1010, 1011]], dtype=np.uint16)
    flat = Calibration(**{**vars(one), "response": np.ones(2), "dark_dn": np.full(2, 10.0)})
    radiance = flat.radiance(dn)
    assert radiance[0, 0] == pytest.approx(90.0)
    assert flat.noise(radiance)[0, 0] == pytest.approx(154.38 / 20 * 0.09, rel=1e-4)
    assert flat.saturated(np.array([[4094, 4095]], dtype=np.uint16)).tolist() == [[False, True]]
