"""What `humay process` is given: raw images and elevation models, good and spoilt."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import rasterio
from rasterio import Affine

from humay.errors import HumayError
from humay.processing import Recipe, process_file
from tests.chain.small import NAMES, Small, built, item_of


@pytest.fixture(scope="module")
def small() -> Small:
    return built()


@pytest.fixture
def copy(small: Small, tmp_path: Path) -> Path:
    """A raw image to spoil."""
    return Path(shutil.copytree(small.raw(0), tmp_path / "raw"))


def refused(image: Path, dem: Path, *parts: str, recipe: Recipe | None = None) -> None:
    """One line with these parts, and nothing left where the products would be."""
    out = image.parent / "out"
    with pytest.raises(HumayError) as told:
        process_file(image, dem, out, Recipe() if recipe is None else recipe)
    for part in parts:
        assert part in str(told.value), (part, str(told.value))
    assert "\n" not in str(told.value)
    assert not out.exists() or not list(out.rglob("*"))


# ---------------------------------------------------------------- the way back


def test_a_product_made_alone_leads_back_to_its_raw_image(small: Small, tmp_path: Path) -> None:
    """By a relative way, also through a link, and for image.json as for its folder."""
    (tmp_path / "linked").symlink_to(small.raw(0))
    for i, image in enumerate((tmp_path / "linked", small.raw(0) / "image.json")):
        (made,) = process_file(
            image, small.dem(0), tmp_path / str(i), Recipe(level="L1C"), vertical="egm96"
        )
        via = next(link for link in item_of(made)["links"] if link["rel"] == "via")
        assert not os.path.isabs(via["href"])
        assert (made.folder / via["href"]).samefile(small.raw(0) / "image.json")


def test_the_dem_may_be_any_raster_of_the_place_with_any_name(small: Small, tmp_path: Path) -> None:
    """Written anew in another order of rows and with its name: the pixels stay the same."""
    with rasterio.open(small.dem(0)) as source:
        profile, heights, t = source.profile, source.read(), source.transform
    upwards = Affine(t.a, 0.0, t.c, 0.0, -t.e, t.f + t.e * heights.shape[1])
    with rasterio.open(tmp_path / "höhen.tif", "w", **(profile | {"transform": upwards})) as turned:
        turned.write(heights[:, ::-1])
    (made,) = process_file(
        small.raw(0), tmp_path / "höhen.tif", tmp_path / "out", Recipe(level="L1C")
    )
    same = small.product("L1C")
    assert made.item["properties"]["humay:dem"] == "höhen.tif"
    with (
        rasterio.open(made.folder / "pan.tif") as ours,
        rasterio.open(same.folder / "pan.tif") as theirs,
    ):
        assert ours.transform == theirs.transform
        off = ours.read(1).astype(np.int32) - theirs.read(1)
    assert np.abs(off).max() <= 1
    assert (off != 0).mean() < 0.01


# ---------------------------------------------------------------- spoilt raw images


def spoil_file(folder: Path, name: str, content: bytes) -> None:
    """Change a file and its digest: only what it holds is wrong then."""
    (folder / name).write_bytes(content)
    document = json.loads((folder / "image.json").read_text())
    document["sha256"][name] = hashlib.sha256(content).hexdigest()
    (folder / "image.json").write_text(json.dumps(document))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads((folder / "image.json").read_text())
    change(document)
    (folder / "image.json").write_text(json.dumps(document))


def without_band(folder: Path, band: str) -> None:
    """The calibration has forgotten a band."""
    table = pq.read_table(folder / "calibration.parquet")
    sink = io.BytesIO()
    pq.write_table(table.filter(pc.not_equal(table["band"], pa.scalar(band))), sink)
    spoil_file(folder, "calibration.parquet", sink.getvalue())


def cut(folder: Path, name: str, *, told: bool) -> None:
    content = (folder / name).read_bytes()[:2_000]
    if told:
        spoil_file(folder, name, content)
    else:
        (folder / name).write_bytes(content)


def outdated(document: dict[str, Any]) -> None:
    for chip in document["chips"]:
        chip["calibration"]["valid_to"] = "2019-10-30T00:00:00Z"


SPOILS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "cut short": (
        lambda f: cut(f, "pan-4.tif", told=False),
        ("pan-4.tif", "2000 bytes with sha256", "cut short or changed"),
    ),
    "cut short before its digest was taken": (
        lambda f: cut(f, "red-4.tif", told=True),
        ("red-4.tif", "cannot be read as an image"),
    ),
    "a chip is missing": (
        lambda f: (f / "nir-4.tif").unlink(), ("nir-4.tif: cannot be read (No such file",),
    ),
    "a band without calibration": (
        lambda f: without_band(f, "nir"),
        ("calibration.parquet", "0 detectors of band 'nir' chip 4", "expected"),
    ),
    "no Parquet": (
        lambda f: spoil_file(f, "trajectory.parquet", b"PAR1 this is none PAR1"),
        ("trajectory.parquet: is no Parquet",),
    ),
    "a calibration out of date": (
        lambda f: edit(f, outdated), ("has calibration", "valid from", "expected one valid at"),
    ),
    "no PAN": (
        lambda f: edit(f, lambda d: d.update(
            chips=[c for c in d["chips"] if c["band"] != "pan"],
            bands=[b for b in d["bands"] if b["name"] != "pan"],
        )),
        ("expected the same bands, one of them 'pan'",),
    ),
    "not JSON": (lambda f: (f / "image.json").write_text("{"), ("image.json: is no JSON",)),
    "another format": (
        lambda f: edit(f, lambda d: d.update(format="humay-raw-9")),
        ("format is 'humay-raw-9', expected 'humay-raw-1'",),
    ),
    "a key is missing": (
        lambda f: edit(f, lambda d: d.pop("navigation")), ("image.json: 'navigation' is missing",),
    ),
    "a time that is none": (
        lambda f: edit(f, lambda d: d["source"].update(delivered="tomorrow")), ("'tomorrow'",),
    ),
    "a way out of the folder": (
        lambda f: edit(f, lambda d: d["chips"][0].update(file="../../../etc/passwd")),
        ("'../../../etc/passwd' is outside of the image's folder",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILS)
def test_a_spoilt_raw_image_is_refused_in_one_line(what: str, copy: Path, small: Small) -> None:
    change, parts = SPOILS[what]
    change(copy)
    refused(copy, small.dem(0), *parts)


def test_an_image_that_is_not_there_is_named(small: Small, tmp_path: Path) -> None:
    refused(tmp_path / "none", small.dem(0), f"{tmp_path}/none: cannot be read: No such file")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", small.dem(0), "empty/image.json: cannot be read (No such file")


def test_a_level_of_colours_is_refused_to_pan_alone(copy: Path, small: Small) -> None:
    edit(
        copy,
        lambda d: d.update(
            chips=[c for c in d["chips"] if c["band"] == "pan"],
            bands=[b for b in d["bands"] if b["name"] == "pan"],
        ),
    )
    refused(copy, small.dem(0), "has PAN only, expected colours", recipe=Recipe(level="L2P"))
    (made,) = process_file(copy, small.dem(0), copy.parent / "out", Recipe())
    assert made.id == f"{NAMES[0]}_L1C"


def test_what_a_raw_image_says_itself_is_not_taken_from_others(copy: Path, small: Small) -> None:
    words = "which says its own pixel and time, expected none besides"
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    refused(copy, small.dem(0), words, recipe=Recipe(pixel_m=2.0))
    refused(copy, small.dem(0), words, recipe=Recipe(acquired=moment))


# ---------------------------------------------------------------- spoilt elevations


def heights_with(small: Small, path: Path, change: Callable[[Any], Any], **profile: object) -> Path:
    """The DEM of the first picture, changed."""
    with rasterio.open(small.dem(0)) as source:
        heights, kept = change(source.read()), dict(source.profile)
    kept |= {"count": heights.shape[0], "height": heights.shape[1], "width": heights.shape[2]}
    with rasterio.open(path, "w", **(kept | profile)) as file:
        file.write(heights)
    return path


def test_a_dem_of_elsewhere_is_told_with_what_is_needed(copy: Path, small: Small) -> None:
    refused(copy, small.dem(1), "DEM ", "A0002.tif: covers lon 30.8", "the image needs lon 60.3")


def test_a_dem_that_covers_half_is_told_with_what_is_missing(
    copy: Path, small: Small, tmp_path: Path
) -> None:
    """The southern rows are cut off: about half of the picture, between latitudes."""
    half = heights_with(small, tmp_path / "half.tif", lambda h: h[:, : h.shape[1] // 2])
    south = item_of(small.product("L1C"))["bbox"][1]
    refused(copy, half, "half.tif: the DEM covers lon", "of it is missing", f"lat {south:.2f}")


def test_voids_under_the_picture_are_refused_and_others_are_not(
    copy: Path, small: Small, tmp_path: Path
) -> None:
    def with_void(at: int) -> Callable[[Any], Any]:
        def change(heights: Any) -> Any:
            middle = heights.shape[1] // 2 if at < 0 else at
            heights[0, middle, heights.shape[2] // 2 if at < 0 else at] = -32_768
            return heights

        return change

    inside = heights_with(small, tmp_path / "void.tif", with_void(-1), nodata=-32_768)
    refused(copy, inside, "void.tif: 1 heights are missing", "where the image needs them")
    beside = heights_with(small, tmp_path / "beside.tif", with_void(2), nodata=-32_768)
    assert process_file(copy, beside, tmp_path / "fine", Recipe(level="L1C"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.tif", b"heights: 1, 2, 3", "cannot be read as a raster"),
        ("empty.tif", b"", "cannot be read as a raster"),
        ("none.tif", None, "No such file"),
        ("N46E060.hgt", b"\0" * 1000, "cannot be read as a raster"),
    ],
)
def test_what_is_no_raster_is_no_dem(
    name: str, content: bytes | None, words: str, copy: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused(copy, tmp_path / name, f"DEM {tmp_path / name}", words)


def test_a_picture_is_no_dem(copy: Path, small: Small, tmp_path: Path) -> None:
    three = heights_with(small, tmp_path / "rgb.tif", lambda h: np.concatenate([h, h, h]))
    refused(copy, three, "has 3 bands, expected one of heights")
    bare = heights_with(small, tmp_path / "bare.tif", lambda h: h, crs=None)
    refused(copy, bare, "has no coordinate system, expected a georeferenced raster")


def test_a_dem_that_is_cut_short_is_refused(copy: Path, small: Small, tmp_path: Path) -> None:
    content = small.dem(0).read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[: len(content) // 2])
    refused(copy, tmp_path / "cut.tif", "cut.tif: cannot be read")


def test_heights_are_not_taken_for_others_than_their_file_says(copy: Path, small: Small) -> None:
    with pytest.raises(HumayError, match="says that its heights are egm96, asked to take them as"):
        process_file(copy, small.dem(0), copy.parent / "out", Recipe(), vertical="ellipsoid")
