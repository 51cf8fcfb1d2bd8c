"""Mission files: what loads, what each key becomes, and what is refused with which words."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from humay.errors import MissionError
from humay.mission import (
    Mission,
    OmmOrbit,
    RasterDem,
    SunSynchronousOrbit,
    TleOrbit,
    load_mission,
)
from humay.mission.camera import BAND, CAMERA, RADIOMETRY, Band, Camera, Radiometry
from humay.mission.keys import REQUIRED, Key, SameAs, Table
from humay.mission.kinds import Number, Place
from humay.mission.mission import MISSION, MISSION_FILE, RUN, RunSettings
from humay.mission.request import REQUEST, Request
from humay.mission.satellite import POWER, SATELLITE, SUN_SYNCHRONOUS, Power, Satellite
from humay.mission.station import STATION, Station

Load = Callable[..., Mission]


def refusal(load: Load, *changes: tuple[str, str]) -> str:
    """The one line that refuses a changed mission, without the folder."""
    with pytest.raises(MissionError) as caught:
        load(*changes)
    message = str(caught.value)
    assert "\n" not in message
    return message[message.index("mission.toml") :]


def test_the_mission_file_of_the_design_loads_as_printed(mission: Mission) -> None:
    """Values of the example in the design, converted by hand."""
    assert mission.name == "Azersky and SPOT 6"
    assert mission.max_element_age_days == 20.0
    assert mission.heights.source == "relief"
    satellite = mission.satellite("spot-7")
    assert satellite.max_off_nadir_rad == pytest.approx(math.pi / 6, rel=1e-15)
    assert satellite.slew_rate_rad_s == pytest.approx(3.5 * math.pi / 180, rel=1e-15)
    assert satellite.slew_acceleration_rad_s2 == pytest.approx(0.7 * math.pi / 180, rel=1e-15)
    assert satellite.memory_bit == 1e12
    assert satellite.downlink_bit_s == 3e8
    assert (satellite.imaging_limits[0].seconds, satellite.imaging_limits[0].per_s) == (600, 5930)
    assert (satellite.orbit_sigma.at_epoch_m, satellite.orbit_sigma.per_day_m) == (300, 500)
    assert satellite.camera is mission.cameras[0]
    station = mission.station("baku")
    assert station.lon_rad == pytest.approx(0.8703956979, abs=1e-10)  # 49.87 deg
    assert (station.height_m, station.setup_s, station.uplink) == (30.0, 0.0, True)


def test_what_a_mission_does_not_say_has_the_documented_default(mission: Mission) -> None:
    satellite = mission.satellites[0]
    assert satellite.max_roll_rad == satellite.max_pitch_rad == satellite.max_off_nadir_rad
    assert satellite.min_sun_elevation_rad == 0.0
    assert satellite.memory_used_bit == 0.0
    assert (satellite.antenna, satellite.idle_attitude) == ("steerable", "nadir")
    assert satellite.camera.scene_length_m == 20_000.0
    assert mission.run is not None
    assert mission.run.release == mission.run.start


def test_run_holds_an_absolute_span_and_the_path_beside_the_mission(mission: Mission) -> None:
    run = mission.run
    assert run is not None
    assert run.requests == mission.path.parent / "requests.geojson"
    assert run.start == datetime(2019, 11, 1, tzinfo=UTC)
    assert run.end - run.start == timedelta(days=3)
    assert (run.seed, run.render) == (1, 6)


def test_power_is_in_joules_and_its_panel_normal_has_length_one(mission: Mission) -> None:
    power = mission.satellites[0].power
    assert power is not None
    assert power.battery_j == 180 * 3600
    assert power.panel_normal == (0.0, 0.0, -1.0)  # written as 0, 0, -2
    assert power.initial_charge == 1.0


def test_elements_are_kept_as_text_with_their_path(mission: Mission) -> None:
    orbit = mission.satellites[0].orbit
    assert isinstance(orbit, TleOrbit)
    assert orbit.path.name == "spot67.tle"
    assert orbit.text.startswith("SPOT 6\n1 38755U")
    assert orbit.catalogue_number is None


def test_an_omm_and_a_catalogue_number_are_taken_as_orbits(load: Load, folder: Path) -> None:
    (folder / "omm.xml").write_text("<ndm/>")
    orbit = load(('tle = "spot67.tle"', 'omm = "omm.xml"')).satellites[0].orbit
    assert orbit == OmmOrbit(path=folder / "omm.xml", text="<ndm/>")
    numbered = load(('tle = "spot67.tle"', 'tle = "spot67.tle"\ncatalogue_number = 40053'))
    assert numbered.satellites[0].orbit.catalogue_number == 40053  # type: ignore[union-attr]


def test_a_sun_synchronous_orbit_is_read_in_si(load: Load) -> None:
    design = (
        "sun_synchronous = {altitude_km = 600, local_time = 10:30:00, phase_deg = 180, "
        'epoch = "2026-03-01T04:00:00+04:00"}'
    )
    orbit = load(('tle = "spot67.tle"', design)).satellites[0].orbit
    assert orbit == SunSynchronousOrbit(
        altitude_m=600_000.0,
        local_time_s=37_800.0,
        phase_rad=math.pi,
        epoch=datetime(2026, 3, 1, tzinfo=UTC),
    )


def test_a_mission_without_run_and_stations_is_enough_for_opportunities(
    load: Load, mission_text: str
) -> None:
    run, stations = mission_text.index("[run]"), mission_text.index("[station")
    bare = mission_text[:run] + mission_text[mission_text.index("[satellite") : stations]
    mission = load(text=bare)
    assert mission.run is None
    assert mission.stations == ()


def test_an_unknown_name_of_a_satellite_or_station_is_answered_with_the_nearest(
    mission: Mission,
) -> None:
    with pytest.raises(MissionError, match=r"no satellite 'spot7', did you mean 'spot-7'\?"):
        mission.satellite("spot7")
    with pytest.raises(MissionError, match=r"no station 'bakou', did you mean 'baku'\?"):
        mission.station("bakou")
    with pytest.raises(MissionError, match="no band 'nir', expected one of: pan, blue"):
        mission.cameras[0].band("nir")


def test_two_satellites_of_one_name_are_refused(mission: Mission) -> None:
    with pytest.raises(MissionError, match="2 satellites are named 'spot-7', expected one"):
        Mission(
            name="twins",
            path=mission.path,
            satellites=mission.satellites * 2,
            stations=(),
            cameras=mission.cameras,
            heights=mission.heights,
        )


REFUSALS = [
    # keys
    (
        ("max_off_nadir_deg", "max_of_nadir_deg"),
        "mission.toml: [satellite.spot-7] unknown key 'max_of_nadir_deg', "
        "did you mean 'max_off_nadir_deg'?",
    ),
    (
        ("settle_s = 3.0", ""),
        "mission.toml: [satellite.spot-7] key 'settle_s' is missing, expected a number at least 0 "
        "and at most 3600: from the end of a slew to imaging",
    ),
    (
        ("settle_s = 3.0", "settle_s = 3.0\nbattery_wh = 180.0"),
        "mission.toml: [satellite.spot-7] unknown key 'battery_wh', expected it in "
        "[satellite.spot-7.power]",
    ),
    (
        ("[station.baku]", "[sattelite.baku]"),
        "mission.toml: unknown key 'sattelite', did you mean 'satellite'?",
    ),
    (
        ("per_s = 5930", "per_day = 5930"),
        "mission.toml: [satellite.spot-7.imaging_limits.1] unknown key 'per_day', "
        "did you mean 'per_s'?",
    ),
    (
        ("bits = 12\nresponse_nm = [450, 745]", "response_nm = [450, 745]"),
        "mission.toml: [camera.naomi.band.pan] key 'bits' is missing, expected a whole number at "
        "least 1 and at most 16: of one recorded pixel",
    ),
    (
        ("seed = 1\n", "sed = 1\n"),
        "mission.toml: [run] unknown key 'sed', did you mean 'seed'?",
    ),
    (
        ("[camera.naomi.band.pan]", "[camera.naomi.band.panchromatic]"),
        "mission.toml: [camera.naomi.band] table 'pan' is missing, expected it among those found: "
        "panchromatic, blue",
    ),
    # types
    (
        ("settle_s = 3.0", 'settle_s = "three"'),
        "mission.toml: [satellite.spot-7] settle_s is 'three', expected a number at least 0 and at "
        "most 3600",
    ),
    (
        ("settle_s = 3.0", "settle_s = true"),
        "mission.toml: [satellite.spot-7] settle_s is true, expected a number at least 0 and at "
        "most 3600",
    ),
    (
        ("render = 6 ", "render = 6.5 "),
        "mission.toml: [run] render is 6.5, expected a whole number at least 0",
    ),
    (
        ('camera = "naomi"', "camera = 7"),
        "mission.toml: [satellite.spot-7] camera is 7, expected a text of one line, not empty",
    ),
    (
        ("orbit_sigma_m = {at_epoch = 300, per_day = 500}", "orbit_sigma_m = 300"),
        "mission.toml: [satellite.spot-7.orbit_sigma_m] is 300, expected a table",
    ),
    (
        ("imaging_limits = [{seconds = 600, per_s = 5930}]", "imaging_limits = 600"),
        "mission.toml: [satellite.spot-7] imaging_limits is 600, expected a list of tables",
    ),
    (
        ("response_nm = [450, 745]", "response_nm = [745, 450]"),
        "mission.toml: [camera.naomi.band.pan] response_nm is [745, 450], expected two numbers, "
        "the lower one first, from 200 to 15000",
    ),
    # numbers that are none
    (
        ("settle_s = 3.0", "settle_s = nan"),
        "mission.toml: [satellite.spot-7] settle_s is nan, expected a number at least 0 and at "
        "most 3600",
    ),
    (
        ("memory_gbit = 1000.0", "memory_gbit = inf"),
        "mission.toml: [satellite.spot-7] memory_gbit is inf, expected a number more than 0",
    ),
    (
        ("memory_gbit = 1000.0", f"memory_gbit = 1{'0' * 400}"),
        "mission.toml: [satellite.spot-7] memory_gbit is a whole number of 1329 bits, expected a "
        "number more than 0",
    ),
    # impossible limits
    (
        ("focal_length_m = 4.216", "focal_length_m = -4.216"),
        "mission.toml: [camera.naomi] focal_length_m is -4.216, expected a number more than 0 and "
        "at most 1000",
    ),
    (
        ("max_off_nadir_deg = 30.0", "max_off_nadir_deg = 90.0"),
        "mission.toml: [satellite.spot-7] max_off_nadir_deg is 90.0, expected a number more than 0 "
        "and less than 90",
    ),
    (
        ("settle_s = 3.0", "settle_s = 3.0\nmin_sun_elevation_deg = 91"),
        "mission.toml: [satellite.spot-7] min_sun_elevation_deg is 91, expected a number at least "
        "-90 and at most 90",
    ),
    (
        ("settle_s = 3.0", "settle_s = -1"),
        "mission.toml: [satellite.spot-7] settle_s is -1, expected a number at least 0 and at most "
        "3600",
    ),
    (
        ("seconds = 600", "seconds = 6000"),
        "mission.toml: [satellite.spot-7.imaging_limits.1] imaging limit: seconds is 6000, "
        "expected at most per_s (5930)",
    ),
    (
        ("min_elevation_deg = 5.0", "min_elevation_deg = 90"),
        "mission.toml: [station.baku] min_elevation_deg is 90, expected a number at least -10 and "
        "less than 90",
    ),
    (
        ("memory_gbit = 1000.0", "memory_gbit = 1000.0\nmemory_used_gbit = 1200"),
        "mission.toml: satellite 'spot-7': memory_used_gbit is 1200, expected at most memory_gbit "
        "(1000)",
    ),
    (
        ("max_depth_of_discharge = 0.3", "max_depth_of_discharge = 1.2"),
        "mission.toml: [satellite.spot-7.power] max_depth_of_discharge is 1.2, expected a number "
        "more than 0 and at most 1",
    ),
    (
        ("max_depth_of_discharge = 0.3", "max_depth_of_discharge = 0.0"),
        "mission.toml: [satellite.spot-7.power] max_depth_of_discharge is 0.0, expected a number "
        "more than 0 and at most 1",
    ),
    (
        ("max_depth_of_discharge = 0.3", "max_depth_of_discharge = 0.3\ninitial_charge = 0.5"),
        "mission.toml: [satellite.spot-7.power] power: initial_charge is 0.5, expected at least "
        "1 - max_depth_of_discharge (0.7)",
    ),
    (
        ("panel_normal = [0.0, 0.0, -2.0]", "panel_normal = [0, 0, 0]"),
        "mission.toml: [satellite.spot-7.power] panel_normal is [0, 0, 0], expected three numbers "
        "that are not all zero",
    ),
    (
        ("height_m = 30.0", "height_m = 30.0\nuplink = false\ndownlink = false"),
        "mission.toml: station 'baku': uplink and downlink are both false, expected one at least",
    ),
    (
        (
            "height_m = 30.0",
            "height_m = 30.0\nmask = [{azimuth_deg = 90, elevation_deg = 5}, "
            "{azimuth_deg = 45, elevation_deg = 5}]",
        ),
        "mission.toml: station 'baku': mask has azimuth_deg 45 after 90, expected rising azimuths",
    ),
    (
        ("height_m = 30.0", "height_m = 30.0\nantenna = 3"),
        "mission.toml: [station.baku] unknown key 'antenna', expected one of: lon_deg, lat_deg, "
        "height_m, min_elevation_deg, max_elevation_deg, mask, setup_s, antenna_rate_deg_s, "
        "passes_per_day, downlink_mbit_s, rate_by_elevation, uplink, "
        "downlink",
    ),
    (
        ("settle_s = 3.0", 'settle_s = 3.0\nantenna = "steered"'),
        'mission.toml: [satellite.spot-7] antenna is \'steered\', expected "steerable" or "fixed"',
    ),
    # times
    (
        ("start = 2019-11-01T00:00:00Z", "start = 2019-11-01T00:00:00"),
        "mission.toml: [run] start is 2019-11-01T00:00:00, expected a time with Z like "
        "2026-03-01T06:30:00Z",
    ),
    (
        ("start = 2019-11-01T00:00:00Z", 'start = "2019-11-01T00:00:00"'),
        "mission.toml: [run] start is '2019-11-01T00:00:00', expected a time with Z like "
        "2026-03-01T06:30:00Z",
    ),
    (
        ("start = 2019-11-01T00:00:00Z", "start = 2019-11-01"),
        "mission.toml: [run] start is 2019-11-01, expected a time with Z like 2026-03-01T06:30:00Z",
    ),
    (
        ("seed = 1\n", "seed = 1\nrelease = 2019-11-04T00:00:00Z\n"),
        "mission.toml: run: release is 2019-11-04T00:00:00+00:00, expected before the end of the "
        "run (2019-11-04T00:00:00+00:00)",
    ),
    # references
    (
        ('camera = "naomi"', 'camera = "noami"'),
        "mission.toml: [satellite.spot-7] camera is 'noami', no such camera, did you mean 'naomi'?",
    ),
    (
        ('tle = "spot67.tle"', ""),
        "mission.toml: [satellite.spot-7] has no orbit, expected exactly one of tle, omm, "
        "sun_synchronous",
    ),
    (
        ('tle = "spot67.tle"', 'tle = "spot67.tle"\nomm = "spot67.tle"'),
        "mission.toml: [satellite.spot-7] has tle and omm, expected exactly one of tle, omm, "
        "sun_synchronous",
    ),
    (
        ('tle = "spot67.tle"', 'omm = "spot67.tle"\ncatalogue_number = 40053'),
        "mission.toml: [satellite.spot-7] has catalogue_number without tle, expected both or none",
    ),
    # names
    (
        ("[station.baku]", '[station."baku/1"]'),
        "mission.toml: [station] has the name 'baku/1', expected 1 to 100 printable characters "
        "without / or \\ and without blanks around them",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS, ids=[m for _, m in REFUSALS])
def test_a_wrong_mission_is_refused_with_where_found_and_expected(
    load: Load, change: tuple[str, str], message: str
) -> None:
    assert refusal(load, change) == message


@pytest.mark.parametrize("key", ["requests", "tle", "dem"])
def test_a_missing_file_is_refused_with_the_key_that_asked_for_it(load: Load, key: str) -> None:
    change = {
        "requests": ('requests = "requests.geojson"', 'requests = "lost.x"'),
        "tle": ('tle = "spot67.tle"', 'tle = "lost.x"'),
        "dem": ("[run]", 'dem = "lost.x"\n[run]'),
    }[key]
    table = {"requests": "run", "tle": "satellite.spot-7", "dem": "mission"}[key]
    message = refusal(load, change)
    assert message.startswith(
        f"mission.toml: [{table}] {key} is 'lost.x', expected a file; there is none at "
    )


def test_a_name_no_file_can_have_is_refused(load: Load) -> None:
    message = refusal(load, ('tle = "spot67.tle"', f'tle = "{"x" * 300}"'))
    assert message.startswith("mission.toml: [satellite.spot-7] tle is 'xxx")
    assert message.endswith("..., expected a file: File name too long")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("[mission]\nname = \n", ":2:8: Invalid value"),
        ("[mission", ":1:9: Expected ']' at the end of a table declaration"),
        ("[mission]\nname = 'a'\nname = 'b'\n", ":3:11: Cannot overwrite a value"),
        ("a = " + "[" * 5000, ": is nested too deeply"),
        ("a = 1" + "0" * 5000, ":1:5006: Exceeds the limit"),
        ("", ": key 'mission' is missing"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_line_and_column(
    load: Load, text: str, start: str
) -> None:
    with pytest.raises(MissionError) as caught:
        load(text=text)
    assert f"mission.toml{start}" in str(caught.value)


def test_bytes_that_are_no_text_are_refused_with_their_line(folder: Path) -> None:
    path = folder / "mission.toml"
    path.write_bytes(b'[mission]\nname = "\xff"\n')
    with pytest.raises(MissionError, match=r"mission\.toml: line 2 has byte 0xff, expected UTF-8"):
        load_mission(path)


def test_elements_that_are_no_text_are_refused_with_the_key(load: Load, folder: Path) -> None:
    (folder / "spot67.tle").write_bytes(b"\x89PNG")
    assert refusal(load) == (
        "mission.toml: [satellite.spot-7] tle 'spot67.tle': line 1 has byte 0x89, expected UTF-8 "
        "text"
    )


def test_a_file_that_cannot_be_opened_is_refused_and_not_raised(folder: Path) -> None:
    with pytest.raises(MissionError, match=r"none\.toml: cannot be read: No such file"):
        load_mission(folder / "none.toml")
    with pytest.raises(MissionError, match="cannot be read: Is a directory"):
        load_mission(folder)


def test_an_endless_file_is_refused_after_as_much_as_a_mission_may_have() -> None:
    with pytest.raises(MissionError, match="has 10 MB, expected at most 10 MB"):
        load_mission("/dev/zero")


def test_a_byte_order_mark_does_no_harm(folder: Path, mission_text: str) -> None:
    path = folder / "mission.toml"
    path.write_text(mission_text, encoding="utf-8-sig")
    assert load_mission(path).name == "Azersky and SPOT 6"


def test_a_raster_that_is_none_is_refused_as_the_dem(load: Load) -> None:
    message = refusal(load, ("[run]", 'dem = "spot67.tle"\n[run]'))
    assert message.startswith("mission.toml: [mission] dem ")
    assert "cannot be read as a raster" in message


def one_edit_away(name: str, rng: random.Random) -> str:
    """The name with one letter dropped, doubled, changed or two swapped."""
    i = rng.randrange(len(name) - 1)
    return rng.choice(
        [
            name[:i] + name[i + 1 :],
            name[:i] + name[i] * 2 + name[i + 1 :],
            name[:i] + rng.choice("xyzq_") + name[i + 1 :],
            name[:i] + name[i + 1] + name[i] + name[i + 2 :],
        ]
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_no_misspelt_key_ever_loads(
    load: Load, mission_text: str, data: st.DataObject, seed: int
) -> None:
    """Any key of the file, one edit away: refused by its wrong name, or as a missing one."""
    lines = mission_text.splitlines()
    keyed = [i for i, line in enumerate(lines) if " = " in line]
    i = data.draw(st.sampled_from(keyed))
    name = lines[i].split(" = ")[0]
    wrong = one_edit_away(name, random.Random(seed))
    assume(wrong != name)
    lines[i] = lines[i].replace(name, wrong, 1)
    with pytest.raises(MissionError) as caught:
        load(text="\n".join(lines))
    assert f"unknown key {wrong!r}, did you mean" in str(caught.value)


def numbers(table: Table) -> list[Key]:
    return [key for key in table.keys if type(key.kind) is Number]


TABLES: list[tuple[Table, type]] = [
    (SATELLITE, Satellite),
    (POWER, Power),
    (SUN_SYNCHRONOUS, SunSynchronousOrbit),
    (STATION, Station),
    (CAMERA, Camera),
    (BAND, Band),
    (RADIOMETRY, Radiometry),
    (MISSION, Mission),
    (RUN, RunSettings),
    (REQUEST, Request),
]


@pytest.mark.parametrize(("table", "record"), TABLES, ids=[t.label for t, _ in TABLES])
def test_record_and_key_agree_on_every_default(table: Table, record: type) -> None:
    """A record made by hand and one read from a file must not differ in what was not said."""
    place = Place(file="x", error=MissionError)
    defaults = {field.name: field.default for field in fields(record)}
    compared = 0
    for key in table.keys:
        default = defaults.get(key.field_name, MISSING)
        if key.field_name not in defaults or isinstance(key.default, SameAs):
            continue
        compared += 1
        if key.default is REQUIRED:
            assert default is MISSING, key.name
        elif key.default is None:
            assert default is None, key.name
        else:
            assert key.read(key.default, place) == default, key.name
    assert compared


@given(data=st.data())
def test_units_go_there_and_back(data: st.DataObject) -> None:
    """What a key reads, divided by its unit again, is the written number to 4e-16."""
    key = data.draw(st.sampled_from([key for table, _ in TABLES for key in numbers(table)]))
    kind = key.kind
    assert isinstance(kind, Number)
    low = next(v for v in (kind.at_least, kind.above, -1e9) if v is not None)
    high = next(v for v in (kind.at_most, kind.below, 1e9) if v is not None)
    written = data.draw(st.floats(low, high, allow_subnormal=False))
    assume(kind.holds(written, 1.0))
    read = key.read(written, Place(file="x", error=MissionError))
    assert read / key.unit.factor == pytest.approx(written, rel=4e-16, abs=1e-300)
    assert key.fault(read) == ""  # the record takes what the loader took


@pytest.mark.parametrize(
    ("name", "written", "field", "si"),
    [
        ("max_off_nadir_deg", 180 / math.pi, "max_off_nadir_rad", 1.0),
        ("slew_rate_deg_s", 180 / math.pi, "slew_rate_rad_s", 1.0),
        ("slew_acceleration_deg_s2", 180 / math.pi, "slew_acceleration_rad_s2", 1.0),
        ("memory_gbit", 2.0, "memory_bit", 2e9),  # decimal giga, as links and sizes are stated
        ("downlink_mbit_s", 2.0, "downlink_bit_s", 2e6),
        ("settle_s", 2.0, "settle_s", 2.0),
    ],
)
def test_each_unit_at_the_end_of_a_key_becomes_si(
    name: str, written: float, field: str, si: float
) -> None:
    key = SATELLITE.key(name)
    assert key.field_name == field
    assert key.read(written, Place(file="x", error=MissionError)) == pytest.approx(si, rel=1e-15)


def test_every_table_of_the_file_is_declared_once() -> None:
    assert MISSION_FILE.names == (
        "mission", "run", "satellite", "camera", "station", "objective", "outage",
        "calibration",
    )  # fmt: skip


def test_a_record_made_by_hand_checks_itself_in_si() -> None:
    with pytest.raises(MissionError) as caught:
        Station(name="x", lon_rad=0.0, lat_rad=2.0, height_m=0.0, min_elevation_rad=0.1)
    assert str(caught.value) == (
        "station 'x': lat_rad is 2.0, expected a number at least -90 and at most 90 in lat_deg"
    )
    with pytest.raises(MissionError, match="camera 'naomi': bands are"):
        Camera(name="naomi", focal_length_m=1.0, aperture_m=1.0, bands=())


def test_a_dem_that_is_named_becomes_the_height_model(load: Load, data_dir: Path) -> None:
    dem = data_dir / "imagery" / "dem" / "N44E005.hgt"
    assert load(("[run]", f'dem = "{dem}"\n[run]')).heights == RasterDem(path=dem)
