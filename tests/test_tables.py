"""The reference tables against published numbers, other programs and the tables' own history."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import astropy_iers_data
import erfa
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from humay.arrays import FloatArray
from humay.errors import TableError
from humay.tables import (
    DATA,
    GROUND_DRIFT_M_PER_DAY,
    GROUND_M_PER_RAD,
    GROUND_M_PER_UT1_S,
    RAD_PER_ARCSEC,
    EarthOrientation,
    LeapSeconds,
    border_lines,
    earth_orientation,
    geoid_height_m,
    land_outlines,
    leap_seconds,
    read_earth_orientation,
    read_leap_seconds,
    relief_height_m,
)

REPOSITORY = Path(__file__).resolve().parents[1]
HeightFunction = Callable[[ArrayLike, ArrayLike], FloatArray]
LONGITUDES = st.floats(-np.pi, np.pi)
LATITUDES = st.floats(-np.pi / 2, np.pi / 2)


def mjd_of(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal() - date(1858, 11, 17).toordinal()


# ---------------------------------------------------------------- leap seconds


def test_leap_seconds_are_those_of_sofa() -> None:
    """ERFA (SOFA) carries its own table, iauDat: compared on the 1st and 15th of every month."""
    for year in range(1972, 2026):
        for month in range(1, 13):
            for day in (1, 15):
                found = leap_seconds().tai_minus_utc_s(mjd_of(year, month, day))
                assert found == erfa.dat(year, month, day, 0.0), (year, month, day)


def test_a_leap_second_counts_from_midnight() -> None:
    """IERS Bulletin C 52: from 2017 January 1, 0 h UTC, UTC-TAI = -37 s; before it -36 s."""
    last_of_2016 = mjd_of(2017, 1, 1)
    found = leap_seconds().tai_minus_utc_s([[last_of_2016 - 1e-9, last_of_2016]])
    assert found.tolist() == [[36.0, 37.0]]


@pytest.mark.parametrize("mjd", [41316.999, -1e9, np.nan])
def test_utc_before_1972_is_refused(mjd: float) -> None:
    with pytest.raises(TableError, match="leap seconds begin at MJD 41317"):
        leap_seconds().tai_minus_utc_s([50000.0, mjd])


def test_leap_seconds_say_until_when_they_are_known() -> None:
    assert leap_seconds().expires > date(2026, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("File expires on", "File expired on", "no line 'File expires on"),
        ("28 June", "31 June", "expected lines"),
        ("57754.0    1  1 2017       37", "57754.0    1  1 2017", "expected lines"),
        ("57754.0", "5x754.0", "expected lines"),
        ("57754.0", "41318.0", "not in order"),
    ],
)
def test_a_damaged_leap_second_file_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    whole = Path(astropy_iers_data.IERS_LEAP_SECOND_FILE).read_text(encoding="ascii")
    whole = re.sub(r"expires on .*", "expires on 28 June 2027", whole)
    assert old in whole
    damaged = tmp_path / "Leap_Second.dat"
    damaged.write_text(whole.replace(old, new), encoding="ascii")
    with pytest.raises(TableError, match=message):
        read_leap_seconds(damaged)


def test_an_empty_leap_second_table_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "Leap_Second.dat"
    empty.write_text("#  File expires on 28 June 2027\n", encoding="ascii")
    with pytest.raises(TableError, match="at least one"):
        read_leap_seconds(empty)


# ---------------------------------------------------------------- Earth orientation


def test_earth_orientation_has_the_published_values() -> None:
    """Vallado et al., AIAA 2006-6753, example of 2004-04-06: UT1-UTC -0.4399619 s, pole
    x -0.140682", y 0.333309", from another IERS series: 2 cm on the ground is allowed."""
    ut1_minus_utc_s, x_rad, y_rad = earth_orientation().at(mjd_of(2004, 4, 6))
    assert abs(ut1_minus_utc_s - -0.4399619) * GROUND_M_PER_UT1_S < 0.02
    assert abs(x_rad / RAD_PER_ARCSEC - -0.140682) < 0.0006
    assert abs(y_rad / RAD_PER_ARCSEC - 0.333309) < 0.0006


@pytest.mark.slow
def test_earth_orientation_is_what_astropy_reads() -> None:
    """astropy's own reader of the same file, all days and columns."""
    from astropy.utils import iers

    theirs = iers.IERS_A.read(astropy_iers_data.IERS_A_FILE)
    ours = earth_orientation()
    assert len(theirs) == ours.mjd_utc.size
    assert np.array_equal(theirs["MJD"].value, ours.mjd_utc)
    assert np.array_equal(theirs["UT1_UTC_A"].value, ours.ut1_minus_utc_s)
    for name, column_rad in (("PM_x_A", ours.polar_x_rad), ("PM_y_A", ours.polar_y_rad)):
        assert np.allclose(theirs[name].value * RAD_PER_ARCSEC, column_rad, rtol=0, atol=1e-15)
    measured = theirs["UT1Flag_A"] == "I"
    assert ours.last_measured_mjd == theirs["MJD"].value[measured].max()


def test_a_leap_second_is_not_smeared() -> None:
    """Time signals carried DUT1 (UT1-UTC to 0.1 s) of -0.4 s to the end of 2016, +0.6 s after it
    (IERS Bulletin D): noon of the last day belongs to the first, not half way to the second."""
    new_year = mjd_of(2017, 1, 1)
    noon_s, last_s, first_s = earth_orientation().at(new_year + np.array([-0.5, -1e-9, 0.0]))[0]
    assert np.round([noon_s, last_s, first_s], 1).tolist() == [-0.4, -0.4, 0.6]
    assert first_s - last_s == pytest.approx(1.0, abs=1e-9)


@given(mjd=st.floats(41684.0, 61000.0), step_days=st.floats(0.0, 1.0))
def test_ut1_runs_smoothly_and_stays_near_utc(mjd: float, step_days: float) -> None:
    """UTC is kept within 0.9 s of UT1 (ITU-R TF.460); the day was at most 4.1 ms too long."""
    both = np.array([mjd, mjd + step_days])
    ut1_minus_utc_s = earth_orientation().at(both)[0]
    ut1_minus_tai_s = ut1_minus_utc_s - leap_seconds().tai_minus_utc_s(both)
    assert np.abs(ut1_minus_utc_s).max() < 0.9
    assert abs(np.diff(ut1_minus_tai_s)[0]) <= 0.0041 * step_days + 1e-12


def test_earth_orientation_keeps_the_shape_it_is_asked_in() -> None:
    mjd = np.linspace(50000.0, 51000.0, 24).reshape(2, 3, 4)
    for many in (*earth_orientation().at(mjd), earth_orientation().ground_error_m(mjd)):
        assert many.shape == (2, 3, 4)
    one = [float(column) for column in earth_orientation().at(mjd[1, 2, 3])]
    assert one == [column[1, 2, 3] for column in earth_orientation().at(mjd)]


def test_values_are_held_after_the_end_of_the_table() -> None:
    table = earth_orientation()
    at_end, later = table.at(table.end_mjd), table.at(table.end_mjd + 1000.0)
    assert at_end == later
    assert 300 < table.end_mjd - table.last_measured_mjd < 400  # a year of predictions


@pytest.mark.parametrize("mjd", [41683.9, 0.0, np.nan])
def test_days_before_the_table_are_refused(mjd: float) -> None:
    with pytest.raises(TableError, match="Earth orientation begins at MJD 41684"):
        earth_orientation().at([50000.0, mjd])
    with pytest.raises(TableError, match="Earth orientation begins at MJD 41684"):
        earth_orientation().ground_error_m(mjd)


def ground_drift_m(table: EarthOrientation, lag_days: int) -> FloatArray:
    """Ground error of holding a measured day's values for `lag_days`, from every measured day."""
    measured = table.mjd_utc <= table.last_measured_mjd
    mjd = table.mjd_utc[measured]
    ut1_minus_tai_s = table.ut1_minus_utc_s[measured] - table.leap_seconds.tai_minus_utc_s(mjd)
    pole_rad = np.stack([table.polar_x_rad, table.polar_y_rad], axis=-1)[measured]
    pole_path_rad = np.linalg.norm(pole_rad[lag_days:] - pole_rad[:-lag_days], axis=-1)
    ut1_drift_s = np.abs(ut1_minus_tai_s[lag_days:] - ut1_minus_tai_s[:-lag_days])
    return np.asarray(GROUND_M_PER_UT1_S * ut1_drift_s + GROUND_M_PER_RAD * pole_path_rad)


@pytest.mark.parametrize("lag_days", [1, 2, 3, 5, 7, 10, 14, 20, 30, 45, 60, 90, 180, 365, 720])
def test_the_drift_law_holds_for_99_of_100_starts_and_is_not_slack(lag_days: int) -> None:
    drift_m = ground_drift_m(earth_orientation(), lag_days)
    law_m = GROUND_DRIFT_M_PER_DAY * lag_days
    assert drift_m.size > 18_000
    assert np.mean(drift_m <= law_m) >= 0.99
    assert np.percentile(drift_m, 99) > 0.75 * law_m


def test_the_ground_error_is_centimetres_when_measured_and_grows_after_the_end() -> None:
    table = earth_orientation()
    assert table.ground_error_m(mjd_of(2019, 11, 1)) < 0.02
    assert 10.0 < table.ground_error_m(table.end_mjd) < 60.0
    ahead = table.ground_error_m(table.end_mjd + np.array([0.0, 1e-6, 10.0, 20.0]))
    assert ahead[1] - ahead[0] < 1e-5  # no step at the end
    assert ahead[3] - ahead[2] == pytest.approx(10.0 * GROUND_DRIFT_M_PER_DAY)


@pytest.mark.parametrize(
    ("line", "start", "new", "message"),
    [
        (100, 58, b"-0.47x1234", "bytes 59-68"),
        (100, 7, b"41700.00", "days are missing"),
        (100, 58, b"       nan", "not a number"),
        (100, 186, b"\n", r":101: the line is not 187"),
    ],
)
def test_a_damaged_earth_orientation_file_is_refused(
    tmp_path: Path, line: int, start: int, new: bytes, message: str
) -> None:
    whole = bytearray(Path(astropy_iers_data.IERS_A_FILE).read_bytes())
    at = line * 188 + start
    whole[at : at + len(new)] = new
    if new == b"\n":
        whole[at + 1] = ord(" ")
    damaged = tmp_path / "finals2000A.all"
    damaged.write_bytes(whole)
    with pytest.raises(TableError, match=message):
        read_earth_orientation(damaged, leap_seconds())


@pytest.mark.parametrize("lines", [0, 0.5, 1])
def test_a_cut_earth_orientation_file_is_refused(tmp_path: Path, lines: float) -> None:
    whole = Path(astropy_iers_data.IERS_A_FILE).read_bytes()
    damaged = tmp_path / "finals2000A.all"
    damaged.write_bytes(whole[: int(188 * lines)])
    with pytest.raises(TableError, match=r"whole lines|under 2 days"):
        read_earth_orientation(damaged, leap_seconds())


def test_tables_cannot_be_changed_by_who_reads_them() -> None:
    for record in (earth_orientation(), leap_seconds()):
        arrays = [value for value in vars(record).values() if isinstance(value, np.ndarray)]
        assert arrays
        assert not any(array.flags.writeable for array in arrays)
    with pytest.raises(ValueError, match="read-only"):
        land_outlines()[0][0, 0] = 0.0


def test_leap_seconds_of_unequal_length_are_refused() -> None:
    with pytest.raises(TableError, match="2 days and 1 offsets"):
        LeapSeconds(
            mjd_utc=np.array([1.0, 2.0]), offset_s=np.array([10.0]), expires=date(2027, 1, 1)
        )


# ---------------------------------------------------------------- geoid


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "published_m"),
    [
        (38.6281550, 269.7791550, -31.628),
        (-14.6212170, 305.0211140, -2.969),
        (46.8743190, 102.4487290, -43.575),
        (-23.6174460, 133.8747120, 15.871),
        (38.6254730, 359.9995000, 50.066),
        (-0.4667440, 0.0023000, 17.329),
    ],
)
def test_the_geoid_is_that_of_nga(lat_deg: float, lon_deg: float, published_m: float) -> None:
    """NGA, EGM96 program F477, OUTPUT.DAT: the full series, where we are bilinear on 15'."""
    found_m = geoid_height_m(np.radians(lon_deg), np.radians(lat_deg))
    assert found_m == pytest.approx(published_m, abs=0.06)


@given(lon_rad=LONGITUDES, lat_rad=LATITUDES, turns=st.integers(-3, 3))
def test_the_geoid_wraps_and_stays_in_its_range(lon_rad: float, lat_rad: float, turns: int) -> None:
    """NGA's grid WW15MGH runs from -106.99 m, south of India, to +85.39 m, at New Guinea."""
    here = geoid_height_m(lon_rad, lat_rad)
    assert -107.0 <= here <= 85.4
    assert geoid_height_m(lon_rad + turns * 2 * np.pi, lat_rad) == pytest.approx(here, abs=1e-6)


def test_the_geoid_has_one_value_at_each_pole() -> None:
    """First and last row of NGA's grid WW15MGH: 13.606 m and -29.534 m."""
    lon_rad = np.linspace(-np.pi, np.pi, 100)
    assert np.allclose(geoid_height_m(lon_rad, np.pi / 2), 13.606, atol=0.005)
    assert np.allclose(geoid_height_m(lon_rad, -np.pi / 2), -29.534, atol=0.005)


@pytest.mark.parametrize("height_m", [geoid_height_m, relief_height_m])
@pytest.mark.parametrize(("lon_rad", "lat_rad"), [(0.0, 1.6), (0.0, np.nan), (np.inf, 0.0)])
def test_places_off_the_earth_are_refused(
    height_m: HeightFunction, lon_rad: float, lat_rad: float
) -> None:
    with pytest.raises(ValueError, match=r"latitudes reach|longitude is not a finite"):
        height_m([0.1, lon_rad], [0.1, lat_rad])


@pytest.mark.parametrize("height_m", [geoid_height_m, relief_height_m])
def test_heights_are_the_same_for_one_place_and_for_many(height_m: HeightFunction) -> None:
    lon_rad, lat_rad = np.linspace(-4, 4, 5)[:, None], np.linspace(-1.5, 1.5, 7)
    many = height_m(lon_rad, lat_rad)
    assert many.shape == (5, 7)
    assert many.tolist() == [[float(height_m(x[0], y)) for y in lat_rad] for x in lon_rad]


# ---------------------------------------------------------------- relief


@pytest.mark.parametrize(
    ("place", "lon_deg", "lat_deg", "published_m", "within_m"),
    [
        # flat enough for a 9 km grid
        ("El Alto airport (SLLP), aerodrome elevation", -68.1922, -16.5133, 4061, 60),
        ("Denver airport (KDEN), aerodrome elevation", -104.673, 39.862, 1656, 60),
        ("Summit Station, Greenland, NSF", -38.4595, 72.5789, 3216, 60),
        ("Amundsen-Scott Station, South Pole, NSF", 0.0, -90.0, 2835, 60),
        ("Concordia Station, Dome C, IPEV", 123.35, -75.10, 3233, 60),
        ("Vostok Station, AARI", 106.83, -78.46, 3488, 60),
        ("Caspian Sea, Kazhydromet 2020", 51.0, 40.0, -28, 3),
        ("Lake Superior, NOAA low water datum", -87.5, 47.7, 183, 15),
        ("Ganja airport (UBBG), aerodrome elevation", 46.3175, 40.7378, 330, 60),
        ("Nakhchivan airport (UBBN), aerodrome elevation", 45.4584, 39.1888, 873, 60),
        ("Baku airport (UBBB), aerodrome elevation", 50.0467, 40.4675, 3, 30),
        ("the Atlantic", -30.0, 30.0, 0, 0),
        # a valley, a town below a plateau, a summit: what the grid cannot show
        ("Khinalug village, State Reserve of Xinaliq", 48.1267, 41.1781, 2180, 500),
        ("La Paz, Plaza Murillo", -68.1336, -16.4957, 3640, 500),
        ("Dead Sea, shore", 35.5, 31.5, -430, 200),
    ],
)
def test_the_relief_is_near_known_heights(
    place: str, lon_deg: float, lat_deg: float, published_m: float, within_m: float
) -> None:
    found_m = float(relief_height_m(np.radians(lon_deg), np.radians(lat_deg)))
    assert abs(found_m - published_m) <= within_m, f"{place}: {found_m:.0f} m"


def test_the_relief_differs_from_srtm_by_what_the_grid_costs(data_dir: Path) -> None:
    """SRTM tile N44E005, the Alps around Mont Ventoux: measured 216 m rms. The grid alone costs
    211 m: so much do exact means of 5' cells of the tile itself, interpolated alike, differ."""
    srtm_m = np.fromfile(data_dir / "imagery" / "dem" / "N44E005.hgt", ">i2").reshape(1201, 1201)
    srtm_m = srtm_m[::5, ::5].astype(np.float64)
    steps = np.radians(np.arange(0, 1201, 5) / 1200)
    found_m = relief_height_m(np.radians(5.0) + steps, np.radians(45.0) - steps[:, None])
    difference_m = (found_m - srtm_m)[srtm_m > -500]  # -32768: no data
    assert difference_m.size > 0.99 * srtm_m.size
    assert np.sqrt(np.mean(difference_m**2)) < 225.0
    assert abs(np.mean(difference_m)) < 14.0  # half a step: no bias, no shift of the datum


@given(lon_rad=LONGITUDES, lat_rad=LATITUDES, turns=st.integers(-3, 3))
def test_the_relief_wraps_and_stays_on_the_earth(
    lon_rad: float, lat_rad: float, turns: int
) -> None:
    here = relief_height_m(lon_rad, lat_rad)
    assert -430.0 <= here <= 8849.0  # from the Dead Sea to Mount Everest
    assert relief_height_m(lon_rad + turns * 2 * np.pi, lat_rad) == pytest.approx(here, abs=1e-3)


def test_the_sea_is_never_below_zero() -> None:
    """Points of the open sea: a grid of the Pacific and the Atlantic away from all land."""
    for west, east, south, north in ((-170, -130, -50, -30), (-50, -35, 20, 50)):
        lon_deg, lat_deg = np.meshgrid(np.arange(west, east, 0.3), np.arange(south, north, 0.3))
        assert np.all(relief_height_m(np.radians(lon_deg), np.radians(lat_deg)) == 0.0)


# ---------------------------------------------------------------- shores and borders


def is_land(lon_deg: float, lat_deg: float) -> bool:
    point = shapely.Point(lon_deg, lat_deg)
    around = [ring for ring in land_outlines() if shapely.Polygon(ring).covers(point)]
    return len(around) % 2 == 1


@pytest.mark.parametrize(
    ("place", "lon_deg", "lat_deg", "land"),
    [
        ("Baku", 49.84, 40.37, True),
        ("Neft Daslari, offshore", 50.83, 40.21, False),
        ("the middle of the Caspian Sea", 51.0, 42.0, False),
        ("Pirallahi island", 50.33, 40.47, True),
        ("the Black Sea", 35.0, 43.0, False),
        ("Chukotka, west of 180", 179.5, 67.5, True),
        ("Chukotka, east of 180", -179.5, 67.5, True),
        ("the South Pole", 0.0, -89.9, True),
        ("the North Pole", 0.0, 89.9, False),
        ("Null Island", 0.0, 0.0, False),
        ("Canberra", 149.1, -35.3, True),
    ],
)
def test_land_is_land_and_sea_is_sea(
    place: str, lon_deg: float, lat_deg: float, land: bool
) -> None:
    assert is_land(lon_deg, lat_deg) == land, place


def test_shores_are_closed_rings_that_never_cross_the_map() -> None:
    assert len(land_outlines()) > 1000
    for ring in land_outlines():
        assert ring.shape[1:] == (2,)
        assert np.array_equal(ring[0], ring[-1])
        assert np.all(np.abs(ring) <= (180.0, 90.0))
        across = np.abs(np.diff(ring[:, 0])) > 180.0
        assert np.all(ring[:-1][across, 1] == -90.0)  # only Antarctica, along the pole


@pytest.mark.parametrize(
    ("place", "lon_deg", "lat_deg"),
    [
        ("Astara, Azerbaijan and Iran", 48.87, 38.44),
        ("Red Bridge, Azerbaijan and Georgia", 45.07, 41.33),
        ("Basel, three countries", 7.589, 47.590),
    ],
)
def test_borders_pass_by_known_crossings(place: str, lon_deg: float, lat_deg: float) -> None:
    borders = shapely.MultiLineString([shapely.LineString(line) for line in border_lines()])
    assert borders.distance(shapely.Point(lon_deg, lat_deg)) < 0.05, place


def test_no_border_is_drawn_inside_ukraine_or_cyprus() -> None:
    """UN General Assembly 68/262 and Security Council 541 (1983)."""
    borders = shapely.MultiLineString([shapely.LineString(line) for line in border_lines()])
    for perekop_and_cyprus in (shapely.box(33, 45.2, 36, 46.4), shapely.box(32, 34.5, 34.6, 35.8)):
        assert not borders.intersects(perekop_and_cyprus)


# ---------------------------------------------------------------- what is shipped


def test_every_table_says_where_it_comes_from() -> None:
    tables = sorted(path for path in DATA.rglob("*") if path.is_file())
    tables = [path for path in tables if path.name != "SOURCE.md"]
    assert {path.name for path in tables} >= {"geoid.npz", "relief.npz", "outlines.npz"}
    for path in tables:
        source = (path.parent / "SOURCE.md").read_text(encoding="utf-8")
        for field in ("Origin", "Version", "Licence", "Made by", "SHA-256"):
            assert re.search(rf"^\* {field}: \S", source, re.MULTILINE), f"{path}: no {field}"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"`{digest}` {path.name}" in source, f"{path}: SHA-256 is {digest}"
        script = re.search(r"\* Made by: `(\S+\.py) (\w+)`", source)
        assert script is not None
        assert (REPOSITORY / script[1]).is_file()


def test_the_tables_stay_small() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 10e6
