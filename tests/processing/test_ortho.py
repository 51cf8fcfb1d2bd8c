"""The ortho against the point-by-point computation, against GDAL, against another view."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.warp import Resampling, reproject

from humay.arrays import FloatArray
from humay.errors import ProcessingError
from humay.processing.dem import Dem
from humay.processing.files import CountPixels
from humay.processing.grid import OutputGrid, Window, grid_for, window_of
from humay.processing.lattice import exact_positions, fit_lattice
from humay.processing.ortho import ArrayPixels, Image, Source, ortho_band, plan_ortho
from humay.processing.resample import SATURATED
from humay.sensor import Pushbroom, Rpc, SensorModel, read_rpc, read_rpc_image
from tests.processing.flights import LINE_S, PIXEL_RAD, flight, pushbroom

JITTER_HZ = 23.3  # 134 lines of SPOT 6
PATCH, REACH = 32, 54  # of the matching between two views


def coordinates(shape: tuple[int, int]) -> tuple[Image, Image]:
    """Images whose pixels hold their own row, and their own column."""
    row, col = np.indices(shape, dtype=np.float32)
    return row, col


def worst_error_px(model: SensorModel, shape: tuple[int, int], grid: OutputGrid, dem: Dem) -> float:
    """Of the ortho of coordinate-coded images, over 40,000 of its pixels."""
    row, col = (
        ortho_band([Source(model=model, pixels=ArrayPixels(values=image))], grid, dem).values
        for image in coordinates(shape)
    )
    i, j = np.random.default_rng(7).integers([[0], [0]], [[grid.rows], [grid.cols]], (2, 40_000))
    exact = exact_positions(model, grid, dem, i.astype(np.float64), j.astype(np.float64))
    off = np.hypot(row[i, j] - exact[0], col[i, j] - exact[1])
    assert np.isfinite(off).mean() > 0.4
    return float(np.nanmax(off))


def crop(ventoux: Path, side: str) -> tuple[Rpc, NDArray[np.uint16]]:
    """One view of Mont Ventoux: 500 x 500 pixels of a scene, and their RPC."""
    with rasterio.open(ventoux / f"{side}_image.tif") as image:
        pixels = image.read(1)
        t = image.transform
    return read_rpc(ventoux / f"{side}_image.geom").cropped(t.f, t.c), pixels


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_an_rpc_image_is_laid_where_every_single_pixel_says(ventoux: Path, srtm: Dem) -> None:
    """A coordinate-coded Pleiades image over relief of some 100 m."""
    rpc, pixels = crop(ventoux, "left")
    grid = grid_for([rpc], [pixels.shape], srtm, pixel_m=0.5)
    assert worst_error_px(rpc, pixels.shape, grid, srtm) < 0.002


@pytest.mark.parametrize(("roll", "pitch"), [(0.1, 0.0), (-0.4, 0.3)])
def test_a_shaking_pushbroom_is_laid_where_every_single_pixel_says(
    hills: Dem, roll: float, pitch: float
) -> None:
    way = flight(
        roll_rad=roll, pitch_rad=pitch, seconds=2.0, step_s=1 / 256,
        jitter_rad=0.1 * PIXEL_RAD, jitter_hz=JITTER_HZ,
    )  # fmt: skip
    model = pushbroom(way, (600, 500))
    grid = grid_for([model], [(600, 500)], hills, pixel_m=1.5, snap_m=6.0)
    assert worst_error_px(model, (600, 500), grid, hills) < 0.01


def test_the_bound_that_is_stated_holds(hills: Dem) -> None:
    """At places of all kinds, not only where the fit looked; and it is not idly large."""
    way = flight(seconds=2.0, step_s=1 / 256, jitter_rad=0.3 * PIXEL_RAD, jitter_hz=40.0)
    shape = (600, 500)
    model = pushbroom(way, shape)
    grid = grid_for([model], [shape], hills, pixel_m=1.5, snap_m=6.0)
    window = window_of(model, shape, hills, grid)
    rng = np.random.default_rng(4)
    row = window.row + rng.uniform(0, window.shape[0] - 1, 50_000)
    col = window.col + rng.uniform(0, window.shape[1] - 1, 50_000)
    exact = exact_positions(model, grid, hills, row, col)
    seen = (exact[0] > 0) & (exact[0] < 599) & (exact[1] > 0) & (exact[1] < 499)
    for tolerance in (0.3, 0.03, 0.003):
        lattice = fit_lattice(model, shape, grid, window, hills, tolerance_px=tolerance)
        found = lattice.positions(row, col, hills.posts_m)
        worst = np.max(np.hypot(found[0] - exact[0], found[1] - exact[1])[seen])
        assert worst <= 1.05 * lattice.bound_px <= 1.05 * tolerance
        assert worst > 0.05 * lattice.bound_px


def test_a_model_that_is_a_parabola_in_height_is_met_at_any_height(hills: Dem) -> None:
    """Nodes know three heights, so curvature in height costs nothing: 40 px of it here."""

    class Curved(Pushbroom):
        def project(
            self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
        ) -> tuple[FloatArray, FloatArray]:
            row, col = super().project(lon_rad, lat_rad, np.zeros(()))
            return row + 1e-3 * (height_m - 600.0) ** 2, col

    shape = (120, 100)
    flat = pushbroom(flight(seconds=1.0), shape)
    model = Curved(**{name: getattr(flat, name) for name in flat.__dataclass_fields__})
    grid = grid_for([flat], [shape], hills, pixel_m=1.5)
    window = window_of(flat, shape, hills, grid)
    lattice = fit_lattice(model, shape, grid, window, hills, tolerance_px=0.01)
    i, j = np.random.default_rng(8).uniform([[0], [0]], [[100.0], [100.0]], (2, 5_000))
    row, col = i + window.row, j + window.col
    found = lattice.positions(row, col, hills.posts_m + np.float32(200.0))
    lon, lat = grid.places(row, col)
    exact = model.project(lon, lat, hills.ellipsoidal_m(lon, lat) + 200.0)
    assert np.max(np.abs(found[0] - exact[0])) < 0.02


def test_a_model_that_jumps_is_refused(hills: Dem) -> None:
    class Broken(Pushbroom):
        def project(
            self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
        ) -> tuple[FloatArray, FloatArray]:
            row, col = super().project(lon_rad, lat_rad, height_m)
            return row, col + (row > 30)

    whole = pushbroom(flight(seconds=1.0), (60, 50))
    model = Broken(
        trajectory=whole.trajectory, first_line_s=whole.first_line_s,
        line_period_s=whole.line_period_s, along=whole.along, across=whole.across,
    )  # fmt: skip
    grid = grid_for([model], [(60, 50)], hills, pixel_m=1.5)
    source = Source(model=model, pixels=ArrayPixels(values=coordinates((60, 50))[0]))
    with pytest.raises(ProcessingError, match=r"not smooth: .* expected 0\.01 at most"):
        plan_ortho([source], grid, hills)


def test_a_model_that_ends_soon_after_its_image_is_taken_and_one_that_ends_with_it_is_not(
    hills: Dem,
) -> None:
    """The nodes around the image need an answer: 60 lines on do, 4 do not."""
    shape = (900, 100)
    row = ArrayPixels(values=coordinates(shape)[0])

    def planned(lines: int) -> float:
        way = flight(seconds=(900 + 2 * lines) * LINE_S, step_s=4 * LINE_S)
        source = Source(model=pushbroom(way, shape), pixels=row)
        grid = grid_for([source.model], [shape], hills, pixel_m=1.5)
        return plan_ortho([source], grid, hills).bound_px

    assert planned(60) < 0.01
    with pytest.raises(ProcessingError, match="ends within 16 pixels of the edge"):
        planned(4)


def test_every_source_has_to_be_covered(hills: Dem) -> None:
    shape = (60, 50)
    model = pushbroom(flight(seconds=1.0), shape)
    grid = grid_for([model], [shape], hills, pixel_m=1.5)
    source = Source(model=model, pixels=ArrayPixels(values=coordinates(shape)[0]))
    with pytest.raises(ProcessingError, match="100% of it is missing"):
        plan_ortho([source], grid, replace(hills, origin=(0.0, 4e6)))


# ---------------------------------------------------------------- the same bytes


def speckled(shape: tuple[int, int]) -> ArrayPixels:
    rng = np.random.default_rng(5)
    values = rng.uniform(0.0, 1.0, shape).astype(np.float32)
    values[100:104, 50:60] = np.nan
    flags = (rng.uniform(size=shape) > 0.999).astype(np.uint8)
    return ArrayPixels(values=values, flags=flags)


def test_tiles_and_threads_change_no_bit(hills: Dem) -> None:
    shape = (330, 280)
    model = pushbroom(flight(seconds=1.0, step_s=1 / 128), shape)
    grid = grid_for([model], [shape], hills, pixel_m=1.5)
    plan = plan_ortho([Source(model=model, pixels=speckled(shape))], grid, hills)
    results = [
        [
            np.concatenate(parts)
            for parts in zip(
                *((b.values, b.flags) for b in plan.blocks(threads=threads, block_rows=rows)),
                strict=True,
            )
        ]
        for threads, rows in ((1, 256), (2, 256), (5, 7), (1, 1000))
    ]
    assert results[0][0].shape == grid.shape
    for values, flags in results[1:]:
        assert values.tobytes() == results[0][0].tobytes()
        assert flags.tobytes() == results[0][1].tobytes()


def test_blocks_are_made_when_they_are_asked_for(hills: Dem) -> None:
    """So that memory does not grow with the product: no more than a few are ever waiting."""
    shape = (330, 280)
    model = pushbroom(flight(seconds=1.0, step_s=1 / 128), shape)
    grid = grid_for([model], [shape], hills, pixel_m=1.5)
    plan = plan_ortho([Source(model=model, pixels=speckled(shape))], grid, hills)
    asked: list[Window] = []

    class Watched(type(plan)):  # type: ignore[misc]  # a record made to count
        def tile(self, tile: Window) -> tuple[Image, NDArray[np.uint8]]:
            asked.append(tile)
            return plan.tile(tile)

    watched = Watched(grid=plan.grid, dem=plan.dem, placed=plan.placed)
    blocks = watched.blocks(threads=2, block_rows=8)
    next(blocks)
    across = -(-grid.cols // 256)
    assert len(asked) <= across + max(4, across)


# ---------------------------------------------------------------- chips, edges, flags


def chips(hills: Dem) -> tuple[list[Source], OutputGrid, Source]:
    """Three chips of 120 columns that overlap by 20, and the whole row of 320 they belong to."""
    way = flight(seconds=1.0, step_s=1 / 128)
    whole = pushbroom(way, (100, 320), first_col=-160.0)
    row, col = coordinates((100, 320))
    values = np.sin(row / 9) + np.cos(col / 7)
    parts = []
    for k, own in enumerate([(0, 110), (10, 110), (10, 120)]):
        model = pushbroom(way, (100, 120), first_col=-160.0 + 100 * k)
        pixels = ArrayPixels(values=np.ascontiguousarray(values[:, 100 * k : 100 * k + 120]))
        parts.append(Source(model=model, pixels=pixels, own_columns=own))
    grid = grid_for([whole], [(100, 320)], hills, pixel_m=1.5)
    return parts, grid, Source(model=whole, pixels=ArrayPixels(values=values))


def test_butted_chips_make_the_picture_of_one_long_row(hills: Dem) -> None:
    parts, grid, whole = chips(hills)
    one, many = (ortho_band(sources, grid, hills).values for sources in ([whole], parts))
    assert np.array_equal(np.isnan(one), np.isnan(many))
    assert np.nanmax(np.abs(one - many)) < 2e-3  # two lattices, each within its 0.01 px


def test_each_chip_fills_its_own_columns(hills: Dem) -> None:
    parts, grid, whole = chips(hills)
    named = [
        replace(part, pixels=ArrayPixels(values=np.full((100, 120), k, dtype=np.float32)))
        for k, part in enumerate(parts)
    ]
    chip = ortho_band(named, grid, hills).values
    pixel = np.indices(grid.shape).astype(np.float64)
    _, col = exact_positions(whole.model, grid, hills, pixel[0], pixel[1])
    seen = np.isfinite(chip)
    expected = np.where(col < 109.5, 0, np.where(col < 209.5, 1, 2))
    clear = seen & (np.abs(col - 109.5) > 0.02) & (np.abs(col - 209.5) > 0.02)
    assert np.allclose(chip[clear], expected[clear], rtol=0, atol=1e-6)
    assert set(np.unique(expected[clear])) == {0, 1, 2}


@pytest.mark.parametrize("block_rows", [16, 256])
def test_the_flags_of_a_pixel_are_those_of_the_chip_that_made_it(
    hills: Dem, block_rows: int
) -> None:
    """A flag of the left chip beyond the seam is none of the right one's, whatever the tile."""
    parts, grid, _ = chips(hills)
    flags = np.zeros((100, 120), np.uint8)
    flags[:, 113:] = SATURATED  # columns that the next chip answers for
    spot = np.zeros((100, 120), np.uint8)
    spot[90, 100] = SATURATED  # so that in some tiles the next chip has a flag, far away
    given = [flags, spot, np.zeros((100, 120), np.uint8)]
    sources = [
        replace(part, pixels=ArrayPixels(values=part.pixels.part(slice(0, 100), slice(0, 120))[0],
                                         flags=flag))
        for part, flag in zip(parts, given, strict=True)
    ]  # fmt: skip
    plan = plan_ortho(sources, grid, hills)
    made = np.concatenate([block.flags for block in plan.blocks(block_rows=block_rows)])
    assert 0 < np.count_nonzero(made) <= 40  # round the spot alone: four pixels each way


def test_a_pixel_is_made_only_from_a_whole_support(hills: Dem) -> None:
    """Between the second pixel and the last but one, along both axes, and nowhere else."""
    shape = (60, 50)
    model = pushbroom(flight(seconds=1.0), shape)
    grid = grid_for([model], [shape], hills, pixel_m=1.5)
    source = Source(model=model, pixels=ArrayPixels(values=np.ones(shape, np.float32)))
    seen = np.isfinite(ortho_band([source], grid, hills).values)
    pixel = np.indices(grid.shape).astype(np.float64)
    row, col = exact_positions(model, grid, hills, pixel[0], pixel[1])
    depth = np.minimum.reduce([row - 1, 58 - row, col - 1, 48 - col])
    assert np.array_equal(seen[np.abs(depth) > 0.01], depth[np.abs(depth) > 0.01] > 0)
    assert seen.any()
    assert not seen.all()


def test_flags_reach_every_pixel_made_from_a_flagged_one(hills: Dem) -> None:
    shape = (60, 50)
    flags = np.zeros(shape, np.uint8)
    flags[30, 20], flags[31, 20] = 1, 2
    model = pushbroom(flight(seconds=1.0), shape)
    grid = grid_for([model], [shape], hills, pixel_m=1.5)
    pixels = ArrayPixels(values=np.ones(shape, np.float32), flags=flags)
    ortho = ortho_band([Source(model=model, pixels=pixels)], grid, hills)
    pixel = np.indices(grid.shape).astype(np.float64)
    row, col = exact_positions(model, grid, hills, pixel[0], pixel[1])
    for bit, line in ((1, 30), (2, 31)):
        near = (np.abs(row - line) < 1.99) & (np.abs(col - 20) < 1.99)
        far = (np.abs(row - line) > 2.01) | (np.abs(col - 20) > 2.01)
        assert near.sum() > 5
        assert np.all(ortho.flags[near] & bit)
        assert not np.any(ortho.flags[far] & bit)


# ---------------------------------------------------------------- evidence from outside


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_pixels_agree_with_gdal(ventoux: Path, srtm: Dem) -> None:
    """GDAL's warper with the same RPC, DEM and cubic, exact at each pixel: two programs that share
    nothing. Measured 0.003 DN rms and 0.04 at worst of a picture that spreads by 150 DN.

    Its DEM is ours, written in heights above the ellipsoid: GDAL adds no geoid to a .hgt.
    """
    rpc, pixels = crop(ventoux, "left")
    grid = grid_for([rpc], [pixels.shape], srtm, pixel_m=0.5)
    source = Source(model=rpc, pixels=ArrayPixels(values=pixels.astype(np.float32)))
    ours = ortho_band([source], grid, srtm).values
    theirs = gdal_ortho(rpc, pixels, grid, srtm)
    both = np.isfinite(ours) & (theirs > 0)
    assert both.mean() > 0.5
    off = ours[both] - theirs[both]
    assert np.std(ours[both]) > 100
    assert np.sqrt(np.mean(off**2)) < 0.02
    assert np.max(np.abs(off)) < 0.2


def gdal_ortho(
    rpc: Rpc, pixels: NDArray[np.uint16], grid: OutputGrid, dem: Dem
) -> NDArray[np.float32]:
    """What GDAL makes of it. Its RPC counts from the corner of the first pixel."""
    from rasterio.rpc import RPC

    theirs = RPC(
        err_bias=None, err_rand=None,
        line_off=rpc.row.offset, line_scale=rpc.row.scale,
        samp_off=rpc.col.offset, samp_scale=rpc.col.scale,
        long_off=rpc.lon_deg.offset, long_scale=rpc.lon_deg.scale,
        lat_off=rpc.lat_deg.offset, lat_scale=rpc.lat_deg.scale,
        height_off=rpc.height_m.offset, height_scale=rpc.height_m.scale,
        line_num_coeff=list(rpc.row_num), line_den_coeff=list(rpc.row_den),
        samp_num_coeff=list(rpc.col_num), samp_den_coeff=list(rpc.col_den),
    )  # fmt: skip
    result = np.zeros(grid.shape, np.float32)
    (dx, dy), (x, y) = dem.step, dem.origin
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "crs": dem.crs,
        "height": dem.posts_m.shape[0], "width": dem.posts_m.shape[1],
        "transform": rasterio.Affine(dx, 0, x - dx / 2, 0, dy, y - dy / 2),
    }  # fmt: skip
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(dem.posts_m, 1)
        reproject(
            pixels.astype(np.float32), result, rpcs=theirs,
            dst_crs=grid.crs, dst_transform=rasterio.Affine(*grid.affine),
            resampling=Resampling.cubic, tolerance=0.0, RPC_DEM=memory.name,
            src_crs="EPSG:4326",
        )  # fmt: skip
    return result


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_two_views_agree_over_the_srtm_tile_and_only_with_the_geoid(
    ventoux: Path, srtm: Dem
) -> None:
    """Within 8 px of 0.5 m, which is SRTM's own error; without the geoid they are 40 px apart."""
    with_geoid = distance_px(ventoux, srtm)
    without = distance_px(ventoux, replace(srtm, vertical="ellipsoid"))
    assert with_geoid < 8
    assert 30 < without < 50


def distance_px(ventoux: Path, dem: Dem) -> float:
    """Between the orthos of both views: the median over patches that are found again for sure."""
    left, right = (crop(ventoux, side) for side in ("left", "right"))
    grid = grid_for([left[0], right[0]], [left[1].shape, right[1].shape], dem, pixel_m=0.5)
    a, b = (
        ortho_band([Source(model=m, pixels=ArrayPixels(values=p.astype(np.float32)))], grid, dem)
        for m, p in (left, right)
    )
    found = [
        match(a.values[row : row + PATCH, col : col + PATCH], around)
        for row in range(REACH, grid.rows - REACH - PATCH, 48)
        for col in range(REACH, grid.cols - REACH - PATCH, 48)
        if np.isfinite(a.values[row : row + PATCH, col : col + PATCH]).all()
        and np.isfinite(
            around := b.values[row - REACH : row + PATCH + REACH, col - REACH : col + PATCH + REACH]
        ).mean() > 0.8
    ]  # fmt: skip
    sure = [distance for distance, correlation in found if correlation > 0.8]
    assert len(sure) >= 8
    return float(np.median(sure))


def match(patch: Image, around: Image) -> tuple[float, float]:
    """How far from the middle of `around` the patch correlates best, and how well."""
    windows = np.lib.stride_tricks.sliding_window_view(around, patch.shape)
    unit = (patch - patch.mean()) / (patch.std() * patch.size)
    correlation = np.einsum("ijkl,kl->ij", windows, unit) / windows.std(axis=(2, 3))
    best = np.unravel_index(int(np.nanargmax(correlation)), correlation.shape)
    return float(np.hypot(*(np.array(best) - REACH))), float(correlation[best])


def test_the_matching_of_this_test_finds_shifts() -> None:
    """Else two views would seem to agree because nothing is ever found."""
    scene = np.random.default_rng(6).normal(size=(200, 200)).astype(np.float32)
    around = scene[40 : 40 + PATCH + 2 * REACH, 40 : 40 + PATCH + 2 * REACH]
    patch = scene[40 + REACH + 30 :, 40 + REACH - 40 :][:PATCH, :PATCH]
    distance, correlation = match(patch, around)
    assert distance == 50.0
    assert correlation == pytest.approx(1.0, abs=1e-5)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_an_image_is_read_from_its_file_where_it_is_needed(ventoux: Path, srtm: Dem) -> None:
    """The same as from memory; the file's transform says where in the scene it begins."""
    rpc, pixels = crop(ventoux, "left")
    image = read_rpc_image(ventoux / "left_image.tif")
    grid = grid_for([image.rpc], [image.shape], srtm, pixel_m=1.0)
    sources = (
        Source(model=rpc, pixels=ArrayPixels(values=pixels.astype(np.float32))),
        Source(model=image.rpc, pixels=CountPixels(image=image, band=image.bands[0])),
    )
    memory, file = (ortho_band([source], grid, srtm).values for source in sources)
    assert np.array_equal(memory, file, equal_nan=True)
    with pytest.raises(ProcessingError, match="has no band 'swir'"):
        CountPixels(image=image, band="swir")
