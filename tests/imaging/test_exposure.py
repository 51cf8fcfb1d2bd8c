"""What an exposure shows, against the model of each pixel and against brute force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from humay.arrays import FloatArray
from humay.errors import ImagingError
from humay.files import write_all
from humay.imaging.chips import GUESS_M, Block, ChipView, blocks, chip_views
from humay.imaging.exposure import expose, product_pixel_m
from humay.imaging.layout import Window
from humay.imaging.rays import rays_of
from humay.mission import Band
from humay.sensor import Chip, RawImage, raw_files, read_raw
from tests.imaging.exposures import (
    DrawnScene,
    acquisition,
    band,
    camera,
    degrees_of,
    flat,
    hills,
    metres,
    satellite,
)
from tests.sensor.flown import EPOCH, flight

WINDOW = Window(first_column=448, columns=192, first_line=4500, lines=160)
VIEWS = {("pan", 1): 0, ("pan", 2): 1, ("red", 1): 2, ("red", 2): 3}


def view(name: str, chip: int, scene: DrawnScene, off_nadir_deg: float = 20.0) -> ChipView:
    strip = acquisition(off_nadir_deg)
    return chip_views(strip, satellite(), scene, seed=1)[VIEWS[name, chip]]


def radiance(eye: ChipView, block: Block) -> FloatArray:
    return eye.radiance(block, eye.facts([block.cell])[0])[0]


def ground_of(eye: ChipView, row: FloatArray, col: FloatArray) -> tuple[FloatArray, ...]:
    """Longitude, latitude and height that pixels (rows, cols) see, a ray each."""
    rays = rays_of(eye.model, row[:, None], col, eye.lattice.chart, GUESS_M)
    height = rays.met(eye.scene.height_m)
    return *eye.model.locate(row[:, None], col, height), height


def full_radiance(eye: ChipView, row: FloatArray, lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Of ground with reflectance 1."""
    return eye.light.at_nodes(eye.scene, lon, lat, eye.model.line_time_s(row))[1]


@pytest.mark.parametrize(("name", "chip"), [("pan", 1), ("pan", 2), ("red", 1)])
def test_a_pixel_shows_what_its_line_of_sight_meets(name: str, chip: int) -> None:
    """Ground painted with its own coordinates, over relief: within 0.02 pixels, all of them.

    A blur that is centred leaves a linear painting as it is.
    """
    size_m = 2.5 if name == "pan" else 10.0
    for axis in (0, 1):

        def ramp(e: FloatArray, n: FloatArray, axis: int = axis) -> FloatArray:
            return np.asarray(0.5 + 1e-4 * (e, n)[axis])

        scene = DrawnScene(height=hills, paint=ramp)
        eye = view(name, chip, scene)
        block = Block(lines=(1024, 1084), columns=(32, 112))
        row, col = np.arange(1024.0, 1084.0), np.arange(32.0, 112.0)
        lon, lat, _ = ground_of(eye, row, col)
        shown = (radiance(eye, block) / full_radiance(eye, row, lon, lat) - 0.5) / 1e-4
        assert np.abs(shown - metres(lon, lat)[axis]).max() < 0.02 * size_m


@pytest.mark.parametrize(("name", "chip"), [("pan", 1), ("pan", 2), ("red", 1), ("red", 2)])
def test_a_point_lands_where_the_image_s_own_model_says(name: str, chip: int) -> None:
    """The centroid of a small bright spot, against `project` of the written chip: 0.02 pixels."""
    raw = expose(acquisition(20.0), satellite(), DrawnScene(height=hills), WINDOW, seed=1)
    own = next(c for c in raw.chips if (c.band, c.index) == (name, chip))
    model = own.model(acquisition(20.0).true)
    lon, lat = model.locate(
        np.asarray(own.shape[0] / 2 + 0.3), np.asarray(own.shape[1] / 2 - 0.2), np.asarray(400.0)
    )
    east, north = (float(x) for x in metres(lon, lat))
    height = float(hills(np.asarray(east), np.asarray(north)))
    size = 3.0 if name == "pan" else 12.0

    def spot(e: FloatArray, n: FloatArray) -> FloatArray:
        return np.asarray(np.exp(-((e - east) ** 2 + (n - north) ** 2) / (2 * size**2)))

    eye = view(name, chip, DrawnScene(height=hills, paint=spot))
    row, col = (float(x) for x in model.project(lon, lat, np.asarray(height)))
    first_line = round((own.first_line_s - eye.model.first_line_s) / own.line_period_s)
    seen = _mosaic(eye, (first_line, first_line + own.shape[0]),
                   (own.first_detector, own.first_detector + own.shape[1]))  # fmt: skip
    rows, cols = np.arange(own.shape[0]), np.arange(own.shape[1])
    assert (seen.sum(axis=1) @ rows) / seen.sum() == pytest.approx(row, abs=0.02)
    assert (seen.sum(axis=0) @ cols) / seen.sum() == pytest.approx(col, abs=0.02)


def _mosaic(eye: ChipView, lines: tuple[int, int], columns: tuple[int, int]) -> FloatArray:
    """Noise-free radiance of a rectangle of a chip."""
    whole = np.empty((lines[1] - lines[0], columns[1] - columns[0]))
    for block in blocks(lines, columns):
        rows = slice(block.lines[0] - lines[0], block.lines[1] - lines[0])
        cols = slice(block.columns[0] - columns[0], block.columns[1] - columns[0])
        whole[rows, cols] = radiance(eye, block)
    return whole


@pytest.mark.parametrize("name", ["pan", "red"])
def test_radiance_is_that_of_brute_force(name: str) -> None:
    """16 x 16 samples a pixel, each with a ray of its own, over relief: within 0.3 %."""
    size_m = 2.5 if name == "pan" else 10.0

    def pattern(e: FloatArray, n: FloatArray) -> FloatArray:
        return np.asarray(
            0.3 + 0.2 * np.sin(e / (3 * size_m)) * np.cos(n / (2.5 * size_m))
            + 0.05 * np.sin((e + 2 * n) / (4 * size_m))
        )  # fmt: skip

    eye = view(name, 1, DrawnScene(height=hills, paint=pattern))
    block = Block(lines=(1024, 1030), columns=(40, 46))
    facts = eye.facts([block.cell])[0]
    fast, bound_px = eye.radiance(block, facts)
    fine = (np.arange(16 * 12) + 0.5) / 16 - 3.5  # from three pixels before to three behind
    lon, lat, _ = ground_of(eye, 1024 + fine, 40 + fine)
    light = full_radiance(eye, 1024 + fine, lon, lat) * pattern(*metres(lon, lat))
    quarters = light.reshape(48, 4, 48, 4).mean(axis=(1, 3))
    taps = eye.blur.taps(facts.smear)
    for i in range(6):
        for j in range(6):
            near = quarters[4 * i + 2 : 4 * i + 26, 4 * j + 2 : 4 * j + 26]
            assert fast[i, j] > 1
            assert fast[i, j] == pytest.approx(float((taps * near).sum()), rel=3e-3)
    assert bound_px < 0.05


def test_light_is_neither_lost_nor_made() -> None:
    """Wherever in its pixel a spot lies, the sum over the image is the same, within 0.2 %."""
    sums = []
    for shift in (0.0, 0.6, 1.1, 1.9):
        middle = 20.0 + shift

        def spot(e: FloatArray, n: FloatArray, middle: float = middle) -> FloatArray:
            return np.asarray(np.exp(-((e - middle) ** 2 + (n + middle) ** 2) / 18.0))

        eye = view("pan", 1, DrawnScene(paint=spot), 0.0)
        row, col = eye.model.project(*(np.asarray(x) for x in (*degrees_of(20, -20), 20.0)))
        i, j = int(row) - 20, int(col) - 20
        sums.append(_mosaic(eye, (i, i + 44), (j, j + 44)).sum())
    assert np.ptp(sums) / np.mean(sums) < 2e-3


def test_an_even_scene_gives_the_radiance_of_the_formula() -> None:
    """E sin(h) / (pi d2) (path + t r); h and d from an almanac.

    Baku, 2019-11-02 08:30 UTC: declination -14.69 deg, hour angle 1.47 deg west, so
    h = 34.88 deg; distance 0.9925 au (Meeus, Astronomical Algorithms, chapter 25).
    """
    eye = view("red", 1, DrawnScene(path=0.03, transmittance=0.8), 0.0)
    assert eye.light.distance_au == pytest.approx(0.9925, abs=2e-4)
    full = eye.light.irradiance_w_m2_um * np.sin(np.radians(34.88)) / (np.pi * 0.9925**2)
    shown = radiance(eye, Block(lines=(1152, 1160), columns=(20, 40)))
    assert np.allclose(shown, full * (0.03 + 0.8 * 0.2), rtol=2e-3)
    assert np.ptp(shown) / shown.mean() < 1e-4


def test_slopes_are_lit_as_the_scene_says_and_the_air_is_not() -> None:
    """A field that turns away from the Sun, shading 0.25, under air that adds 0.03."""

    class Shaded(DrawnScene):
        def shading(
            self, lon_rad: FloatArray, lat_rad: FloatArray, sun_itrf_unit: FloatArray
        ) -> FloatArray:
            return 0.25 * super().shading(lon_rad, lat_rad, sun_itrf_unit)

    block = Block(lines=(1152, 1160), columns=(20, 40))
    lit, turned, air = (
        radiance(view("red", 1, scene, 0.0), block)
        for scene in (
            DrawnScene(path=0.03), Shaded(path=0.03), DrawnScene(path=0.03, transmittance=0.0)
        )
    )  # fmt: skip
    assert np.allclose(turned - air, 0.25 * (lit - air), rtol=1e-9)
    assert np.all(air > 0)


def test_any_number_of_threads_gives_the_same_bytes() -> None:
    scene = DrawnScene(height=hills, paint=lambda e, n: 0.3 + 0.1 * np.sin(e / 9) * np.cos(n / 7))
    one, two = (
        raw_files(expose(acquisition(20.0), satellite(), scene, WINDOW, seed=1, threads=threads))
        for threads in (1, 3)
    )
    assert one == two


def test_windows_agree_to_the_bit_where_they_overlap() -> None:
    """With the noise, on the same detectors; one begins inside the other's blocks and nodes."""
    scene = DrawnScene(height=hills, paint=lambda e, n: 0.3 + 0.1 * np.sin(e / 9) * np.cos(n / 7))
    other = Window(first_column=467, columns=140, first_line=4561, lines=123)
    a, b = (
        expose(acquisition(20.0), satellite(), scene, window, seed=1) for window in (WINDOW, other)
    )
    for mine, theirs in zip(a.chips, b.chips, strict=True):
        both = _overlap(mine, theirs), _overlap(theirs, mine)
        assert both[0].size > 300
        assert np.array_equal(*both)
        assert both[0].std() > 1


def _overlap(mine: Chip, theirs: Chip) -> NDArray[np.uint16]:
    """The part of a chip's pixels that another window of the same chip has too."""
    skip = round((theirs.first_line_s - mine.first_line_s) / mine.line_period_s)
    rows = slice(max(0, skip), min(mine.shape[0], skip + theirs.shape[0]))
    first = theirs.first_detector - mine.first_detector
    cols = slice(max(0, first), min(mine.shape[1], first + theirs.shape[1]))
    return mine.dn[rows, cols]


@pytest.fixture(scope="module")
def raw() -> RawImage:
    scene = DrawnScene(height=hills, paint=lambda e, n: 0.3 + 0.1 * np.sin(e / 9) * np.cos(n / 7))
    return expose(acquisition(20.0), satellite(), scene, WINDOW, seed=1, source={"mission": "Test"})


def test_chips_cover_the_window_once_with_columns_of_their_own(raw: RawImage) -> None:
    """The seam of PAN at 512, of the coarse band at 128; overlaps of 32 and 8 detectors."""
    for name, ratio in (("pan", 1), ("red", 4)):
        left, right = raw.of_band(name)
        assert left.own_columns == (0, 64 // ratio)
        assert left.shape[1] == (64 + 16) // ratio
        assert right.own_columns == (16 // ratio, (16 + 128) // ratio)
        assert right.first_detector == 0


def test_every_chip_sees_the_ground_of_the_window(raw: RawImage) -> None:
    """Its corners, at their heights, lie in the array of each band, and not far inside."""
    strip = acquisition(20.0)
    pan = raw.of_band("pan")
    for side, corner in ((0, (0.0, 0.0)), (1, (0.0, -1.0))):
        chip = pan[side]
        col = chip.own_columns[0] if side == 0 else chip.own_columns[1] - 1
        for row in (20.0, chip.shape[0] - 20.0):
            lon, lat = chip.model(strip.true).locate(
                np.asarray(row), np.asarray(float(col)), np.asarray(400.0)
            )
            red = raw.of_band("red")[side]
            r, c = red.model(strip.true).project(lon, lat, np.asarray(400.0))
            assert 0 <= r + 0.5 <= red.shape[0], corner
            assert -1.0 < c + 0.5 < red.shape[1] + 1.0


def test_the_image_is_what_its_files_say(raw: RawImage, tmp_path: Path) -> None:
    write_all(tmp_path / "A0001", raw_files(raw))
    again = read_raw(tmp_path / "A0001")
    assert raw_files(again) == raw_files(raw)
    assert again.source["mission"] == "Test"
    assert again.source["window_first_line"] == 4500
    assert again.source["acquisition"] == "A0001"
    for chip, read in zip(raw.chips, again.chips, strict=True):
        assert np.array_equal(chip.dn, read.dn)


def test_the_image_tells_how_it_was_smeared(raw: RawImage) -> None:
    drift, mismatch = raw.source["drift_px"], raw.source["speed_mismatch"]
    bound = raw.source["node_bound_px"]
    assert isinstance(drift, float)
    assert isinstance(mismatch, float)
    assert isinstance(bound, float)
    assert 0 < drift < 0.5
    assert 0 < mismatch < 0.5
    assert 0 < bound < 0.05
    assert 0.05 < raw.mtf_nyquist["pan"] < raw.mtf_nyquist["red"] < 0.6


def test_a_whole_strip_is_a_window_too() -> None:
    """A third of a second; the band that looks ahead has missed the ground of the first lines."""
    strip = acquisition(0.0, seconds=0.3)
    lines = 949
    whole = Window(first_column=0, columns=1024, first_line=0, lines=lines)
    image = expose(strip, satellite(), DrawnScene(), whole, seed=1, threads=2)
    assert {chip.shape[0] for chip in image.of_band("pan")} <= {lines - 16, lines - 15}
    red = image.of_band("red")[0]
    assert red.first_line_s == pytest.approx(0.5 * 4 * 316e-6)
    lead = (2e-3 * 4.216 / 52e-6 + 4) / 0.985  # lines ahead, each 1.5 % less than a pixel
    assert red.shape[0] == pytest.approx(lines / 4 - lead, abs=2)


def test_pixels_on_maps_are_the_nadir_sampling_rounded_down() -> None:
    """694 km x 13 um / 4.216 m = 2.14 m."""
    assert product_pixel_m(camera(), acquisition()) == 2.1
    assert product_pixel_m(camera(product_pixel_m=1.5), acquisition()) == 1.5
    assert product_pixel_m(camera(focal_length_m=20.0, line_period_s=None, bands=(_plain(),)),
                           acquisition()) == 0.45  # fmt: skip


def _plain() -> Band:
    return replace(band("pan"), radiometry=None)


def test_what_cannot_be_exposed_is_refused() -> None:
    scene = DrawnScene(height=flat)
    with pytest.raises(ImagingError, match="was flown by 'spot-7', expected 'spot-6'"):
        expose(acquisition(), replace(satellite(), name="spot-6"), scene, WINDOW, seed=1)
    night = replace(acquisition(), true=flight(), epoch=EPOCH)
    with pytest.raises(ImagingError, match=r"the Sun is -\d\d\.\d+ deg above the horizon"):
        expose(night, satellite(), scene, WINDOW, seed=1)
    with pytest.raises(ImagingError, match="has no radiometry"):
        expose(acquisition(), satellite(bands=(_plain(),)), scene, WINDOW, seed=1)
    with pytest.raises(ImagingError, match="window ends at line 9600"):
        expose(acquisition(), satellite(), scene, replace(WINDOW, first_line=9440), seed=1)
    with pytest.raises(ImagingError, match=r"leaves 0 lines of .* to band 'red' chip 1"):
        expose(acquisition(), satellite(), scene, replace(WINDOW, first_line=0), seed=1)
