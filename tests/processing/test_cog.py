"""COGs: valid, the same bytes however they were cut, and never half there."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from rio_cogeo.cogeo import cog_validate

from humay.errors import OutputError
from humay.processing.store import CogLayout, FileFacts, open_cog, read_small, write_cog
from humay.processing.thumbnail import thumbnail_bytes
from tests.processing.products import MS, PAN, pixels


def blocks(
    image: NDArray[Any], step: tuple[int, int], order: int
) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """An image cut into blocks, in a random order."""
    corners = [
        (row, col)
        for row in range(0, image.shape[1], step[0])
        for col in range(0, image.shape[2], step[1])
    ]
    for i in np.random.default_rng(order).permutation(len(corners)):
        row, col = corners[i]
        yield row, col, image[:, row : row + step[0], col : col + step[1]]


@pytest.mark.parametrize("layout", [PAN, MS], ids=["pan", "ms"])
def test_a_cog_passes_the_strict_validation_and_says_what_its_numbers_mean(
    layout: CogLayout, tmp_path: Path
) -> None:
    path, image = tmp_path / "a.tif", pixels(layout)
    file = write_cog(path, layout, [(0, 0, image)])
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
    with rasterio.open(path) as raster:
        assert np.array_equal(raster.read(), image)
        assert raster.descriptions == layout.bands
        assert raster.scales == (1e-4,) * len(layout.bands)
        assert raster.offsets == (0.0,) * len(layout.bands)
        assert raster.nodatavals == (0,) * len(layout.bands)
        assert raster.crs.to_epsg() == 32639
        assert tuple(raster.transform)[:6] == layout.transform
        assert raster.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"] == "ZSTD"
        assert raster.tags(ns="IMAGE_STRUCTURE")["PREDICTOR"] == "2"
        assert set(raster.block_shapes) == {(512, 512)}
        assert set(raster.tags()) <= {"AREA_OR_POINT", "OVR_RESAMPLING_ALG"}  # no date, no version
    content = path.read_bytes()
    assert file == FileFacts.of(content)
    assert file.checksum == "1220" + hashlib.sha256(content).hexdigest()
    assert os.listdir(tmp_path) == ["a.tif"]


@settings(max_examples=12, deadline=None)
@given(
    step=st.tuples(st.integers(20, 300), st.integers(20, 300)),
    order=st.integers(0, 2**31),
    threads=st.integers(1, 3),
)
def test_the_bytes_depend_on_neither_blocks_nor_threads(
    step: tuple[int, int], order: int, threads: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, image = tmp_path_factory.mktemp("cog"), pixels(MS)
    write_cog(folder / "whole.tif", MS, [(0, 0, image)])
    with (
        open_cog(folder / "cut.tif", MS, threads=threads) as write,
        ThreadPoolExecutor(threads) as pool,
    ):
        list(pool.map(lambda block: write(*block), blocks(image, step, order)))
    assert (folder / "cut.tif").read_bytes() == (folder / "whole.tif").read_bytes()


def test_overviews_average_without_nodata(tmp_path: Path) -> None:
    """By hand: each overview pixel is the rounded mean of the valid ones of its four."""
    path, image = tmp_path / "a.tif", pixels(PAN)
    write_cog(path, PAN, [(0, 0, image)])
    with rasterio.open(path, overview_level=0) as raster:
        found = raster.read(1).astype(int)
    four = image[0].reshape(550, 2, 450, 2).astype(int)
    count = (four > 0).sum(axis=(1, 3))
    mean = four.sum(axis=(1, 3)) / np.maximum(count, 1)
    assert {0, 1, 2, 3, 4} >= set(np.unique(count)) > {0, 4}  # the edge of nodata is in there
    assert np.array_equal(found > 0, count > 0)
    assert np.abs(found - mean).max() <= 0.5


def test_what_no_block_covers_is_nodata(tmp_path: Path) -> None:
    layout = replace(PAN, rows=600, cols=700, nodata=7)
    write_cog(tmp_path / "a.tif", layout, [(100, 200, np.full((1, 50, 60), 99, np.uint16))])
    with rasterio.open(tmp_path / "a.tif") as raster:
        image = raster.read(1)
    assert np.count_nonzero(image == 99) == 50 * 60
    assert np.count_nonzero(image == 7) == 600 * 700 - 50 * 60
    assert np.all(image[100:150, 200:260] == 99)


def test_floats_keep_every_bit(tmp_path: Path) -> None:
    layout = replace(PAN, rows=520, cols=530, dtype="float32", nodata=float("nan"), scale=1.0)
    image = np.random.default_rng(3).normal(size=(1, 520, 530)).astype(np.float32)
    image[0, :9, :9] = np.nan
    write_cog(tmp_path / "a.tif", layout, [(0, 0, image)])
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert raster.read().tobytes() == image.tobytes()
    assert cog_validate(tmp_path / "a.tif", strict=True, quiet=True)[0]


def test_an_error_while_blocks_are_made_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"old")

    def failing() -> Iterator[tuple[int, int, NDArray[Any]]]:
        yield 0, 0, pixels(MS)[:, :10]
        raise RuntimeError("a cosmic ray")

    with pytest.raises(RuntimeError, match="ray"):
        write_cog(path, MS, failing())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.tif"]


LIMITED = """
    import resource, signal, sys
    from pathlib import Path
    from humay.errors import OutputError
    from humay.processing.store import write_cog
    from tests.processing.products import MS, pixels

    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    try:
        write_cog(Path(sys.argv[1]), MS, [(0, 0, pixels(MS))])
    except OutputError as error:
        print(error)
"""


def limited(path: Path, most_bytes: int) -> str:
    """What is said when no file may grow beyond a size."""
    code = textwrap.dedent(LIMITED)
    return subprocess.run(
        [sys.executable, "-c", code, str(path), str(most_bytes)],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip


def test_a_file_that_cannot_grow_is_refused_before_the_work(tmp_path: Path) -> None:
    said = limited(tmp_path / "a.tif", MS.raw_bytes - 1)
    assert said == f"{tmp_path / 'a.tif'}: could not be written (File too large); nothing is left\n"
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_no_limit_on_size_leaves_half_a_file(tmp_path: Path) -> None:
    """GDAL loses what fails while it closes a file: a cut last tile was taken for a COG."""
    noise = tmp_path / "noise.tif"
    layout = replace(MS, rows=700, cols=700)
    image = np.random.default_rng(5).integers(1, 65_535, (4, 700, 700), dtype=np.uint16)
    size = write_cog(noise, layout, [(0, 0, image)]).size
    assert size > layout.raw_bytes  # noise does not compress: the limit strikes in the COG
    whole, path = noise.read_bytes(), tmp_path / "a.tif"
    outcomes = set()
    for most in [*np.linspace(layout.raw_bytes, size, 8).astype(int), size - 1, size - 9]:
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
            try:
                write_cog(path, layout, [(0, 0, image)])
            except OutputError:
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        refused = os.waitstatus_to_exitcode(status) == 1
        assert refused == (most < size)
        assert refused == (not path.exists())
        assert refused or path.read_bytes() == whole
        outcomes.add(refused)
        path.unlink(missing_ok=True)
    assert outcomes == {True, False}
    assert os.listdir(tmp_path) == ["noise.tif"]


@pytest.mark.slow
def test_a_full_disk_is_said_in_one_line(small_disk: Path) -> None:
    """And before the first block is asked for."""

    asked = []

    def blocks_asked_for() -> Iterator[tuple[int, int, NDArray[Any]]]:
        asked.append(0)
        yield 0, 0, pixels(PAN)

    with pytest.raises(OutputError, match=r"a\.tif: could not be written \(.*space.*\); nothing"):
        write_cog(small_disk / "a.tif", PAN, blocks_asked_for())
    assert asked == []
    assert os.listdir(small_disk) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where the machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small disk here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_memory_is_less_than_the_picture(tmp_path: Path) -> None:
    """288 megapixels, 576 MB. Half of them take 260 MB beyond what is loaded, twice as many 320."""
    code = textwrap.dedent("""
        import sys
        import numpy as np
        from dataclasses import replace
        from pathlib import Path
        from humay.processing.store import write_cog
        from tests.processing.products import PAN

        def memory_mb(name):  # not ru_maxrss, which outlives exec
            return int(Path("/proc/self/status").read_text().partition(name)[2].split()[0]) / 1024

        layout = replace(PAN, rows=48_000, cols=6_000)
        tile = (np.arange(512 * 6000) % 977).astype(np.uint16).reshape(1, 512, 6000)
        tiles = ((row, 0, tile[:, :48_000 - row]) for row in range(0, 48_000, 512))
        before = memory_mb("VmRSS:")
        write_cog(Path(sys.argv[1]), layout, tiles)
        print(memory_mb("VmHWM:") - before)
    """)
    command = [sys.executable, "-c", code, str(tmp_path / "a.tif")]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert 128 < float(said.stdout) < 400


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": 0}, "0 x 900 pixels"),
        ({"bands": ()}, "expected names"),
        ({"bands": ("<pan>",)}, "expected names"),
        ({"dtype": "complex64"}, "data type is 'complex64'"),
        ({"transform": (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)}, "real grid"),
        ({"crs": "EPSG:0"}, "expected one like EPSG:32639"),
        ({"nodata": 70_000}, "a value of uint16"),
        ({"nodata": 0.5}, "a value of uint16"),
        ({"scale": 0.0}, "give no values"),
        ({"overview_resampling": "cubic"}, "overviews are made by 'cubic'"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(PAN, **change)


@pytest.mark.parametrize(
    ("row", "col", "shape", "kind"),
    [(0, 0, (2, 4, 4), np.uint16), (-1, 0, (1, 4, 4), np.uint16), (0, 897, (1, 4, 4), np.uint16),
     (0, 0, (1, 4, 4), np.int16)],
)  # fmt: skip
def test_a_block_that_does_not_fit_is_refused(
    row: int, col: int, shape: tuple[int, int, int], kind: type, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="block"):
        write_cog(tmp_path / "a.tif", PAN, [(row, col, np.ones(shape, kind))])
    assert os.listdir(tmp_path) == []


# Thumbnails --------------------------------------------------------------------------------------


def decoded(jpeg: bytes) -> NDArray[Any]:
    with MemoryFile(jpeg) as memory, memory.open() as raster:
        assert raster.driver == "JPEG"
        return np.asarray(raster.read())


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_thumbnail_is_stretched_between_the_percentiles_of_its_valid_pixels() -> None:
    """A ramp of 0 to 10,000 (0 is nodata): 2 % is 200, 98 % is 9,800, and in between a line."""
    ramp = np.tile(np.linspace(0, 10_000, 1500), (900, 1))
    jpeg = thumbnail_bytes(ramp[None].astype(np.uint16), nodata=0)
    found = decoded(jpeg).astype(float)
    assert found.shape == (1, 300, 500)
    wanted = np.clip((np.linspace(0, 10_000, 1500)[1::3] - 200) / 9600 * 255, 0, 255)
    assert np.abs(found[0, 150] - wanted).max() < 4  # JPEG
    assert jpeg == thumbnail_bytes(ramp[None].astype(np.uint16), nodata=0)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_thumbnail_shows_nodata_black_and_grey_grey() -> None:
    image = np.full((3, 400, 400), 4000, np.uint16)
    image[:, :, 200:] = 8000
    image[:, :100] = 0
    found = decoded(thumbnail_bytes(image, nodata=0)).astype(int)
    assert found[:, :90].max() < 12
    assert found[:, 150:, 210:].min() > 240
    assert np.ptp(found[:, 150:, 210:], axis=0).max() <= 3
    assert decoded(thumbnail_bytes(image[:1] * 0, nodata=0)).max() == 0


def test_a_small_reading_is_an_average_without_nodata(tmp_path: Path) -> None:
    image = pixels(MS)
    write_cog(tmp_path / "a.tif", MS, [(0, 0, image)])
    small = read_small(tmp_path / "a.tif", 45)
    five = np.where(image > 0, image, np.nan).astype(float).reshape(4, 55, 5, 45, 5)
    valid = np.isfinite(five).all(axis=(2, 4))
    assert np.abs(small - five.mean(axis=(2, 4)))[valid].max() <= 0.5
