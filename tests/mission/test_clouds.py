"""Cloud rasters: what a cell and a layer mean, and what is refused because it could mean two."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from humay.errors import MissionError, RequestError
from humay.mission import CloudModel, Mission
from humay.time import modified_julian_date
from tests.mission.netcdf3 import Variable, write_netcdf

NAME = 'name = "Azersky and SPOT 6"'
Read = Callable[[str], CloudModel]
MARCH = modified_julian_date(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def read(load: Callable[..., Mission]) -> Read:
    """The model that a mission reads from a file of its folder."""

    def model(name: str) -> CloudModel:
        clouds = load((NAME, f'{NAME}\nclouds = "{name}"')).clouds
        assert clouds is not None
        return clouds

    return model


def at(model: CloudModel, lon_deg: float, lat_deg: float, mjd: float = MARCH) -> float:
    found = model.probability(np.radians([lon_deg]), np.radians([lat_deg]), np.array([mjd]))
    return float(found[0])


def write_tif(
    path: Path,
    layers: Any,
    *,
    west: float = 40.0,
    north: float = 45.0,
    cell: float = 1.0,
    descriptions: Sequence[str] = (),
    unit: str | None = None,
    **more: Any,
) -> None:
    """A GeoTIFF of these layers (k, rows, cols)."""
    values = np.asarray(layers)
    profile = {
        "driver": "GTiff", "dtype": values.dtype, "count": values.shape[0],
        "height": values.shape[1], "width": values.shape[2], "crs": "EPSG:4326",
        "transform": rasterio.Affine(cell, 0.0, west, 0.0, -cell, north),
    }  # fmt: skip
    with rasterio.open(path, "w", **(profile | more)) as file:
        file.write(values)
        for band, text in enumerate(descriptions, start=1):
            file.set_band_description(band, text)
        if unit:
            file.units = [unit] * values.shape[0]


def grid(layers: Any, time: dict[str, Variable], **attributes: Any) -> dict[str, Variable]:
    """Variables of a NetCDF file: a global grid of 90 x 60 deg, its centres at 0 E and 60 N."""
    dimensions = (*time, "lat", "lon")
    return {
        **time,
        "lat": (("lat",), np.array([60.0, 0.0, -60.0]), {"units": "degrees_north"}),
        "lon": (("lon",), np.arange(4) * 90.0, {"units": "degrees_east"}),
        "tcc": (dimensions, np.asarray(layers), attributes),
    }


def counted(layers: int, dtype: str = "f4") -> Any:
    """Numbers 0, 1, 2, ... by layer, row and column."""
    return np.arange(layers * 12).reshape(layers, 3, 4).astype(dtype)


def hours(*values: int, **more: str) -> dict[str, Variable]:
    attributes = {"units": "hours since 2026-03-01 00:00:00"} | more
    return {"time": (("time",), np.array(values, "i4"), attributes)}


# GeoTIFF -----------------------------------------------------------------------------------------


def test_a_cell_holds_all_over_itself_and_at_all_times(read: Read, folder: Path) -> None:
    write_tif(folder / "c.tif", np.array([[[0.1, 0.2], [0.3, np.nan]]], "f4"))
    model = read("c.tif")
    assert [at(model, lon, 44.5) for lon in (40.0, 40.99, 41.01, 42.0)] == [0.1, 0.1, 0.2, 0.2]
    assert at(model, 40.5 - 360, 43.5, MARCH - 20_000) == 0.3
    for lon, lat in ((41.5, 43.5), (39.99, 44.0), (42.01, 44.0), (41.0, 45.01), (41.0, 42.99)):
        assert math.isnan(at(model, lon, lat))


def test_twelve_bands_are_the_months(read: Read, folder: Path) -> None:
    write_tif(folder / "c.tif", np.arange(12, dtype="u1").reshape(12, 1, 1) * 8, unit="%")
    model = read("c.tif")
    for month in range(1, 13):
        first = modified_julian_date(datetime(2027, month, 1, tzinfo=UTC))
        assert at(model, 40.5, 44.5, first) == at(model, 40.5, 44.5, first + 27.9)
        assert at(model, 40.5, 44.5, first) == pytest.approx(0.08 * (month - 1))


def test_bands_with_times_are_a_forecast_that_changes_evenly(read: Read, folder: Path) -> None:
    times = ["2026-03-01T00:00Z", "2026-03-01T06:00:00Z", "2026-03-02T03:00:00+03:00"]
    write_tif(folder / "c.tif", np.array([0.0, 0.6, 0.3], "f4")[:, None, None], descriptions=times)
    model = read("c.tif")
    found = [at(model, 40.5, 44.5, MARCH + hour / 24) for hour in (0, 2, 6, 15, 24)]
    assert np.allclose(found, [0.0, 0.2, 0.6, 0.45, 0.3], atol=1e-6)
    assert math.isnan(at(model, 40.5, 44.5, MARCH - 1e-6))
    assert math.isnan(at(model, 40.5, 44.5, MARCH + 1.00001))


@pytest.mark.parametrize(
    ("values", "unit", "first"),
    [
        (np.array([[[0.25, 1.0]]], "f4"), None, 0.25),
        (np.array([[[25.0, 100.0]]], "f4"), None, 0.25),
        (np.array([[[25, 80]]], "u1"), None, 0.25),
        (np.array([[[1.0, 0.5]]], "f4"), "%", 0.01),
        (np.array([[[1, 0]]], "u1"), "1", 1.0),
        (np.array([[[1, 100]]], "i2"), "percent", 0.01),
        (np.array([[[-1e-4, 1.0004]]], "f4"), "1", 0.0),  # packing
    ],
)
def test_fractions_and_percent_become_fractions(
    read: Read, folder: Path, values: Any, unit: str | None, first: float
) -> None:
    write_tif(folder / "c.tif", values, unit=unit)
    assert at(read("c.tif"), 40.5, 44.5) == first


def test_a_bound_of_thirty_percent_takes_thirty_percent_in(read: Read, folder: Path) -> None:
    """0.3 is no number of a computer's: 0.30000001 in single precision."""
    for values in (np.array([[[0.3]]], "f4"), np.array([[[30]]], "u1")):
        write_tif(folder / "c.tif", values)
        assert at(read("c.tif"), 40.5, 44.5) <= 0.3


# NetCDF ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "values"),
    [
        ("hours since 2026-03-01 00:00:00", [0, 6]),
        ("Hours since 2026-3-1", [0, 6]),
        ("seconds since 2026-03-01T00:00:00Z", [0, 21_600]),
        ("days since 2026-02-01 12:00 UTC", [27.5, 27.75]),
        ("minutes since 1970-01-01 00:00:00.0", [29_538_720, 29_539_080]),
    ],
)
def test_the_times_of_a_netcdf_file_are_read(
    read: Read, folder: Path, units: str, values: list[float]
) -> None:
    """CF conventions 1.11, section 4.4; 2026-03-01 is day 20,513 after 1970-01-01."""
    time: dict[str, Variable] = {"time": (("time",), np.array(values, "f8"), {"units": units})}
    write_netcdf(folder / "c.nc", grid(counted(2) / 24, time, units="1"))
    model = read("c.nc")
    assert model.mjd_utc is not None
    assert np.allclose(model.mjd_utc, [MARCH, MARCH + 0.25], atol=1e-8)
    assert at(model, 0, 60) == 0.0
    assert at(model, 180, 0, MARCH + 0.125) == pytest.approx((6 / 24 + 18 / 24) / 2, abs=1e-6)
    assert at(model, -91, -89) == pytest.approx(11 / 24, abs=1e-6)


def test_rows_from_south_to_north_and_longitudes_from_the_west_are_the_same_map(
    read: Read, folder: Path
) -> None:
    layers, time = counted(2) / 24, hours(0, 6)
    write_netcdf(folder / "a.nc", grid(layers, time, units="1"))
    other = grid(np.roll(layers[:, ::-1], 2, axis=2), time, units="1")
    other["lat"] = (("lat",), np.array([-60.0, 0.0, 60.0]), {"units": "degrees_north"})
    other["lon"] = (("lon",), np.arange(4) * 90.0 - 180.0, {"units": "degrees_east"})
    write_netcdf(folder / "b.nc", other)
    a, b = read("a.nc"), read("b.nc")
    lon, lat = np.meshgrid(np.arange(-180, 360, 37.0), np.arange(-89, 90, 17.0))
    for mjd in (MARCH, MARCH + 0.2):
        found = [m.probability(np.radians(lon), np.radians(lat), np.array(mjd)) for m in (a, b)]
        assert np.array_equal(found[0], found[1])
        assert not np.isnan(found[0]).any()


def test_packed_numbers_and_gaps_are_unpacked(read: Read, folder: Path) -> None:
    packed = counted(1, "i2")[0]
    packed[0, 0] = -99
    values = grid(packed, {}, units="%", scale_factor=np.float32(2.0),
                  add_offset=np.float32(10.0), _FillValue=np.int16(-99))  # fmt: skip
    write_netcdf(folder / "c.nc", values)
    model = read("c.nc")
    assert math.isnan(at(model, 0, 60))
    assert at(model, 90, 60) == 0.12


def test_months_come_by_their_dimension_or_by_a_climatology(read: Read, folder: Path) -> None:
    layers = np.roll(counted(12) / 200, -3, axis=0)  # from April on
    months = np.roll(np.arange(1, 13, dtype="i4"), -3)
    write_netcdf(folder / "a.nc", grid(layers, {"month": (("month",), months, {})}, units="1"))
    middle = [(datetime(2000 + (m < 4), m, 15, tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)).days
              for m in months.tolist()]  # fmt: skip
    about = {"units": "days since 2000-01-01", "climatology": "climatology_bounds"}
    time: dict[str, Variable] = {"time": (("time",), np.array(middle, "f8"), about)}
    bounds: Variable = (("time", "nv"), np.zeros((12, 2)), {})
    write_netcdf(folder / "b.nc", grid(layers, time, units="1") | {"climatology_bounds": bounds})
    for name in ("a.nc", "b.nc"):
        model = read(name)
        assert model.mjd_utc is None
        for month in range(1, 13):
            mjd = modified_julian_date(datetime(2026, month, 20, tzinfo=UTC))
            assert at(model, 0, 60, mjd) == pytest.approx(12 * (month - 1) / 200, abs=1e-6)


def test_of_several_variables_the_total_cloud_cover_is_taken(read: Read, folder: Path) -> None:
    time = hours(0, 6)
    variables = grid(counted(2) / 24, time, units="1", standard_name="cloud_area_fraction")
    low: Variable = (("time", "lat", "lon"), counted(2) / 48, {"units": "1"})
    write_netcdf(folder / "c.nc", {**variables, "lcc": low})
    assert at(read("c.nc"), 90, 60) == pytest.approx(1 / 24, abs=1e-6)


@pytest.mark.parametrize("first", ["member", "time"])
@pytest.mark.parametrize("name", ["number", "lot"])
def test_an_ensemble_is_as_cloudy_as_its_members_on_average(
    read: Read, folder: Path, first: str, name: str
) -> None:
    """Three members at two times, in either order, one of them clear throughout, known by the
    name of their dimension or by its standard name."""
    rng = np.random.default_rng(1)
    members, time = rng.random((3, 2, 3, 4)).astype("f4"), hours(0, 6)
    members[0] = 0.0
    about = {"standard_name": "realization"} if name == "lot" else {}
    lots: dict[str, Variable] = {name: ((name,), np.arange(3, dtype="i4"), about)}
    layers = members if first == "member" else members.swapaxes(0, 1)
    write_netcdf(
        folder / "c.nc", grid(layers, lots | time if first == "member" else time | lots, units="1")
    )
    model = read("c.nc")
    assert model.probabilities.shape == (2, 3, 4)
    for k in range(2):
        by_hand = (float(members[1, k, 0, 0]) + float(members[2, k, 0, 0])) / 3
        assert at(model, 0, 60, MARCH + 0.25 * k) == pytest.approx(by_hand, abs=1e-6)


# Refusals ----------------------------------------------------------------------------------------


def _tif(values: Any, **more: Any) -> Callable[[Path], None]:
    return lambda folder: write_tif(folder / "c.x", values, **more)


def _nc(variables: dict[str, Variable]) -> Callable[[Path], object]:
    return lambda folder: write_netcdf(folder / "c.x", variables)


NUMBER: dict[str, Variable] = {"n": (("n",), np.array([1, 2], "i4"), {})}
ONE = np.array([[[0.5]]], "f4")
REFUSALS: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: (folder / "c.x").write_text("clouds"), "cannot be read as a raster"),
    (_tif(ONE, crs="EPSG:32639"), "has no even grid of longitude and latitude"),
    (_tif(ONE, crs=None, transform=None), "has no even grid of longitude and latitude"),
    (_tif(ONE, cell=400.0), "spans 400 deg of longitude, expected up to 360"),
    (_tif(np.zeros((1, 9, 1), "f4"), north=0.0, cell=12.0), "spans lat -108 to 0, expected -90"),
    (_tif(np.zeros((3, 1, 1), "f4")), "has 3 bands without times, expected 1, 12 for the months"),
    (
        _tif(np.zeros((2, 1, 1), "f4"), descriptions=["2026-03-01T00:00Z", "later"]),
        "has 1 of 2 bands with a time, expected all or none",
    ),
    (_tif(ONE, descriptions=["2026-03-01T00:00Z"]), "has 1 times, expected two or more in rising"),
    (
        _tif(np.zeros((2, 1, 1), "f4"), descriptions=["2026-03-02T00:00Z", "2026-03-01T00:00Z"]),
        "has 2 times, expected two or more in rising order",
    ),
    (
        _tif(np.zeros((12, 1, 1), "f4"), descriptions=["Dec", *["Jan"] * 11]),
        "has bands of the months [12, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], expected 1 to 12",
    ),
    (_tif(np.array([[[0, 1]]], "u1")), "has no unit and numbers up to 1, which may be fractions"),
    (_tif(np.array([[[0, 1.5]]], "f4")), "has no unit and numbers up to 1.5, which may be"),
    (_tif(np.array([[[0, 120]]], "u1")), "has numbers from 0 to 120, expected 0 to 100"),
    (_tif(np.array([[[-0.2, 1]]], "f4")), "has numbers from -0.2 to 1, expected 0 to 1"),
    (_tif(np.array([[[0, 50]]], "f4"), unit="1"), "has numbers from 0 to 50, expected 0 to 1"),
    (_tif(ONE, unit="okta"), "has numbers in 'okta', expected '1' or '%'"),
    (_tif(np.array([[[np.nan]]], "f4")), "has no number anywhere, expected probabilities"),
    (_nc(grid(counted(1), hours(0), units="%")), "has the dimensions time (1), expected one of"),
    (
        _nc(grid(counted(2), hours(0, 6, units="fortnights since 2026-03-01"), units="%")),
        "has times in 'fortnights since 2026-03-01', expected like 'hours since",
    ),
    (
        _nc(grid(counted(2), hours(0, 6, units="hours since 2026-02-30"), units="%")),
        "has times in 'hours since 2026-02-30', expected a date that exists",
    ),
    (
        _nc(grid(counted(2), hours(0, 6, units="days since 0001-01-01"), units="%")),
        "expected a date of the Gregorian calendar",
    ),
    (
        _nc(grid(counted(2), hours(0, 6, calendar="360_day"), units="%")),
        "has the calendar '360_day', expected the standard one",
    ),
    (_nc(grid(counted(2), hours(6, 6), units="%")), "has 2 times, expected two or more in rising"),
    (
        _nc(grid(counted(2), {"month": (("month",), np.array([1, 2], "i4"), {})}, units="%")),
        "has the months [1.0, 2.0], expected 1 to 12, each once",
    ),
    (
        _nc(grid(counted(2)[None], hours(0) | NUMBER)),
        "has times in '', expected like 'hours since 2026-03-01 00:00'",
    ),
    (
        _nc(grid(np.zeros((2, 2, 3, 4), "f4"), hours(0, 6) | NUMBER)),
        "has the dimensions time (2), n (2), expected one of times or months",
    ),
    (
        _nc({**grid(counted(2), hours(0, 6)), "lcc": (("time", "lat", "lon"), counted(2), {})}),
        "has the variables tcc, lcc on a map, expected one, or one with the standard name",
    ),
]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(("make", "message"), REFUSALS, ids=[m for _, m in REFUSALS])
def test_a_raster_that_could_mean_two_things_or_none_is_refused(
    read: Read, folder: Path, make: Callable[[Path], object], message: str
) -> None:
    make(folder)
    with pytest.raises(MissionError) as caught:
        read("c.x")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_cut_short_is_refused(read: Read, folder: Path) -> None:
    write_tif(folder / "c.tif", np.random.default_rng(1).random((1, 64, 64)).astype("f4"))
    content = (folder / "c.tif").read_bytes()
    (folder / "c.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(MissionError, match=r"cannot be read"):
        read("c.tif")


def test_a_missing_file_is_refused(read: Read) -> None:
    with pytest.raises(MissionError, match=r"clouds is 'lost\.nc', expected a file"):
        read("lost.nc")


def test_what_is_not_known_is_refused_with_the_name_of_the_request(
    read: Read, folder: Path
) -> None:
    write_netcdf(folder / "c.nc", grid(counted(2) / 24, hours(0, 6), units="1"))
    model, place = read("c.nc"), np.radians([10.0, 10.0])
    times = np.array([MARCH, MARCH + 0.5])
    [known] = model.known_probability(["a"], place[:1], place[:1], times[:1])
    assert known == round(4 / 24, 6)
    with pytest.raises(RequestError) as caught:
        model.known_probability(["a", "b"], place, place, times)
    assert str(caught.value).startswith(
        "request 'b': no probability of clouds at lon 10.0000, lat 10.0000 on 2026-03-01T12:00:00Z"
    )
    assert str(caught.value).endswith(
        "expected lon -45 to 315, lat -90 to 90, 2026-03-01T00:00:00Z to 2026-03-01T06:00:00Z"
    )


@given(lon=st.floats(-360, 720), lat=st.floats(-90, 90), cell=st.sampled_from([1.0, 2.5, 7.5]))
def test_every_place_has_a_cell_of_a_global_raster(lon: float, lat: float, cell: float) -> None:
    """Each cell says which it is, in the six decimals there are."""
    rows, cols = round(180 / cell), round(360 / cell)
    found = round(at(numbered(rows, cols), lon, lat) * 1e6)
    row, col = divmod(found, cols)
    across = ((lon + 180) / cell - (col + 0.5) + cols / 2) % cols - cols / 2
    assert abs((90 - lat) / cell - (row + 0.5)) <= 0.5 + 1e-6
    assert abs(across) <= 0.5 + 1e-6


@cache
def numbered(rows: int, cols: int) -> CloudModel:
    number = np.arange(rows * cols).reshape(1, rows, cols) * 1e-6
    return CloudModel(
        path=Path("c"), probabilities=number.astype("f4"), west_deg=-180.0, north_deg=90.0,
        cell_lon_deg=360 / cols, cell_lat_deg=180 / rows,
    )  # fmt: skip
