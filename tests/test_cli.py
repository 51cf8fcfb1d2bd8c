"""The command as a user meets it: exit statuses, one-line refusals, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

HUMAY = Path(sys.executable).parent / "humay"
START = "2026-06-01T00:00:00Z"


def humay(
    *words: object, limit_bytes: int | None = None, threads: int = 2
) -> subprocess.CompletedProcess[str]:
    """Run the installed command; `limit_bytes` stands for a disk that is full after so many."""
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))

    def narrow() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes or 0, limit_bytes or 0))

    return subprocess.run(
        [HUMAY, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=narrow if limit_bytes is not None else None,
        env=os.environ | counts,
        check=False,
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `pair` example as `humay init` writes it, but for the pictures."""
    folder = tmp_path_factory.mktemp("pair") / "mission"
    done = humay("init", folder, "--example", "pair")
    assert done.returncode == 0, done.stderr
    spoil(folder / "mission.toml", "render = 2", "render = 0")
    return folder


@pytest.fixture
def copy(pair: Path, tmp_path: Path) -> Path:
    """A copy of the example to spoil."""
    return Path(shutil.copytree(pair, tmp_path / "mission"))


@pytest.fixture(scope="module")
def plan(pair: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Its plan of two days."""
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    done = humay(
        "plan", pair / "mission.toml", pair / "requests.geojson", "--start", START, "--hours", 48,
        "-o", path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def refusal(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Exit 1, one line on stderr with these parts, no traceback, nothing on stdout."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("humay: ")
    for part in parts:
        assert part in done.stderr, (part, done.stderr)


def test_help_and_import_are_quick() -> None:
    """0.5 s for the help, 0.3 s for the import: the best of three on a busy machine."""

    def best(*command: object) -> float:
        times = []
        for _ in range(3):
            began = time.perf_counter()
            subprocess.run([str(word) for word in command], capture_output=True, check=True)
            times.append(time.perf_counter() - began)
        return min(times)

    bare = best(sys.executable, "-c", "pass")
    assert best(HUMAY, "--help") < 0.5
    assert best(sys.executable, "-c", "import humay") - bare < 0.3


def test_wrong_use_is_exit_status_2() -> None:
    assert humay("opportunities").returncode == 2
    assert humay("fly-to-the-moon").returncode == 2
    assert humay("contacts", "m.toml", "--start", START, "--days", "-1").returncode == 2


def test_a_request_to_explain_that_is_not_asked_for_is_refused(pair: Path, tmp_path: Path) -> None:
    name = json.loads((pair / "requests.geojson").read_text())["features"][0]["properties"]["name"]
    done = humay(
        "plan", pair / "mission.toml", pair / "requests.geojson", "--start", START, "--hours", 1,
        "-o", tmp_path / "plan.json", "--explain", f"{name}x",
    )  # fmt: skip
    refusal(done, "--explain", f"no request '{name}x'", f"did you mean '{name}'?")
    assert not (tmp_path / "plan.json").exists()


def test_a_run_without_pictures_leaves_the_same_files_for_one_thread_and_two(
    copy: Path, tmp_path: Path
) -> None:
    runs = [tmp_path / "a", tmp_path / "b"]
    for threads, out in enumerate(runs, start=1):
        done = humay("run", copy / "mission.toml", "-o", out, "--quiet", threads=threads)
        assert done.returncode == 0, done.stderr
        assert {p.name for p in out.iterdir()} == {
            "opportunities.parquet", "plan.json", "flight", "catalogue.db", "run.json",
            "report.html",
        }  # fmt: skip
    for name in (
        "opportunities.parquet", "plan.json", "flight/flight.json", "flight/telemetry.parquet",
        "catalogue.db", "report.html",
    ):  # fmt: skip
        assert (runs[0] / name).read_bytes() == (runs[1] / name).read_bytes(), name
    timings = json.loads((runs[0] / "run.json").read_text())["timings"]
    assert timings["total"]["cpu_s"] > 0


def test_a_plan_made_from_files_is_the_plan_made_at_once(
    pair: Path, plan: dict[str, Any], tmp_path: Path
) -> None:
    """Opportunities, contacts and timeline go through Parquet, times rounded to microseconds."""
    mission, requests = pair / "mission.toml", pair / "requests.geojson"
    span = ("--start", START, "--days", 2)
    for words in (
        ("opportunities", mission, requests, *span, "-o", tmp_path / "o.parquet"),
        ("contacts", mission, *span, "-o", tmp_path / "c.parquet"),
        ("timeline", mission, *span, "-o", tmp_path / "t.parquet"),
    ):
        done = humay(*words)
        assert done.returncode == 0, done.stderr
    done = humay(
        "plan", mission, requests, "--start", START, "--hours", 48,
        "--opportunities", tmp_path / "o.parquet", "--contacts", tmp_path / "c.parquet",
        "--timeline", tmp_path / "t.parquet", "-o", tmp_path / "plan.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "plan.json").read_text())
    assert again["objective"]["value"] == plan["objective"]["value"]
    assert [a["opportunity"] for a in again["acquisitions"]] == [
        a["opportunity"] for a in plan["acquisitions"]
    ]
    done = humay("check", mission, requests, tmp_path / "plan.json")
    assert (done.returncode, done.stdout) == (0, "valid\n")


@pytest.mark.parametrize("suffix", ["parquet", "geojson", "csv", "czml"])
def test_opportunities_come_in_the_format_of_the_suffix(
    pair: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"o.{suffix}"
    done = humay(
        "opportunities", pair / "mission.toml", pair / "requests.geojson", "--start", START,
        "--days", 1, "-o", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    count = int(done.stdout.split(": ")[1].split()[0])
    assert count > 10
    if suffix == "parquet":
        assert pq.read_table(out).num_rows == count
    elif suffix == "csv":
        lines = out.read_text().splitlines()
        assert len(lines) == count + 1
        assert lines[0].startswith('"opportunity_id","satellite","request","strip","start"')
    elif suffix == "czml":
        packets = json.loads(out.read_text())
        spans = [p["availability"] for p in packets if p["id"].startswith("sight/")]
        assert sum(len(s) if isinstance(s, list) else 1 for s in spans) == count
    else:
        document = json.loads(out.read_text())
        assert len(document["features"]) == count
        assert "days old at the start" in document["humay"]["notes"][0]


def test_contacts_come_with_a_map(pair: Path, tmp_path: Path) -> None:
    out, plot = tmp_path / "c.ics", tmp_path / "c.PNG"
    done = humay(
        "contacts", pair / "mission.toml", "--start", START, "--days", 1, "-o", out, "--plot", plot,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    count = out.read_text().count("BEGIN:VEVENT")
    assert count > 2
    assert done.stdout == f"{out}: {count} contacts\n{plot}: {count} contacts\n"
    assert plot.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_an_unknown_picture_is_refused_before_the_work(tmp_path: Path) -> None:
    words = ("nowhere.toml", "--start", START, "--days", 400, "--plot", tmp_path / "map.jpg")
    refusal(humay("contacts", *words), "map.jpg: the name ends in '.jpg', expected one of .svg")


def test_a_polygon_over_the_antimeridian_is_served(copy: Path, tmp_path: Path) -> None:
    ring = [[179, -17], [-179, -17], [-179, -18], [179, -18], [179, -17]]
    done = ask(copy, tmp_path, {"type": "Polygon", "coordinates": [ring]})
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["features"]
    assert rows
    places = [lon for row in rows for lon, _, _ in row["geometry"]["coordinates"]]
    assert all(abs(abs(lon) - 180) < 5 for lon in places)


def test_a_polygon_round_the_pole_is_answered_with_its_reason(copy: Path, tmp_path: Path) -> None:
    ring = [[-180, 88], [-60, 88], [60, 88], [180, 88], [180, 90], [-180, 90], [-180, 88]]
    done = ask(copy, tmp_path, {"type": "Polygon", "coordinates": [ring]}, verb="plan")
    assert done.returncode == 0, done.stderr
    (request,) = json.loads((tmp_path / "plan.json").read_text())["requests"]
    assert request["outcome"] == "left out"
    assert "out of reach" in request["reason"]["text"]


def test_an_empty_request_file_gives_an_empty_result_that_says_so(
    copy: Path, tmp_path: Path
) -> None:
    (copy / "requests.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    done = humay("run", copy / "mission.toml", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "0 acquisitions; of 0 requests" in done.stdout


def ask(
    folder: Path, out: Path, geometry: dict[str, Any], *, verb: str = "opportunities", **more: Any
) -> subprocess.CompletedProcess[str]:
    """One request of this geometry."""
    feature = {"type": "Feature", "geometry": geometry, "properties": {"name": "a"} | more}
    path = folder / "asked.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    words = ["--days", 3, "--json"] if verb == "opportunities" else ["--hours", 24]
    output = [] if verb == "opportunities" else ["-o", out / "plan.json"]
    return humay(verb, folder / "mission.toml", path, "--start", START, *words, *output)


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))


SPOILS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "an unknown key": (
        lambda f: spoil(f / "mission.toml", "max_off_nadir_deg", "max_of_nadir_deg"),
        ("mission.toml", "'max_of_nadir_deg'", "did you mean 'max_off_nadir_deg'"),
    ),
    "a negative focal length": (
        lambda f: spoil(f / "mission.toml", "focal_length_m = ", "focal_length_m = -"),
        ("mission.toml", "focal_length_m is -", "more than 0"),
    ),
    "two requests of one name": (
        lambda f: write_requests(f, [point("a", 10, 10), point("a", 20, 20)]),
        ("'a'", "features 1 and 2"),
    ),
    "swapped coordinates": (
        lambda f: write_requests(f, [point("a", 40.4, 149.87)]),
        ("149.87", "swapped"),
    ),
    "a NaN": (
        lambda f: (f / "requests.geojson").write_text(
            json.dumps({"type": "FeatureCollection", "features": [point("a", float("nan"), 4)]})
        ),
        ("requests.geojson", "NaN"),
    ),
    "a self-crossing polygon": (
        lambda f: write_requests(
            f,
            [
                {
                    "type": "Feature",
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]],
                    },
                    "properties": {"name": "bow tie"},
                }
            ],
        ),
        ("bow tie", "cross"),
    ),
    "an impossible limit": (
        lambda f: spoil(f / "mission.toml", "max_off_nadir_deg = ", "max_off_nadir_deg = 9"),
        ("max_off_nadir_deg is 9", "less than 90"),
    ),
}


def point(name: str, lon: float, lat: float) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "geometry": geometry, "properties": {"name": name}}


def write_requests(folder: Path, features: list[dict[str, Any]]) -> None:
    (folder / "requests.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )


@pytest.mark.parametrize("what", SPOILS)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(
    what: str, copy: Path, tmp_path: Path
) -> None:
    change, parts = SPOILS[what]
    change(copy)
    done = humay("run", copy / "mission.toml", "-o", tmp_path / "out")
    refusal(done, *parts)
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_elements_with_a_wrong_checksum_or_too_old_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mission"
    assert humay("init", folder).returncode == 0
    span = ("--days", 1, "-o", tmp_path / "c.csv")
    spoil(folder / "spot67.tle", "0  9990", "0  9991")
    refusal(
        humay("contacts", folder / "mission.toml", "--start", "2019-11-01T00:00Z", *span),
        "spot67.tle:2", "checksum digit is '1' but the line sums to 0",
    )  # fmt: skip
    spoil(folder / "spot67.tle", "0  9991", "0  9990")
    refusal(
        humay("contacts", folder / "mission.toml", "--start", "2019-12-01T00:00Z", *span),
        "days from the planned span", "max_element_age_days",
    )  # fmt: skip
    spoil(folder / "mission.toml", "[mission]\n", "[mission]\nmax_element_age_days = 60\n")
    done = humay("contacts", folder / "mission.toml", "--start", "2019-12-01T00:00Z", *span)
    assert done.returncode == 0, done.stderr
    assert "days old at the start" in done.stderr


def test_a_full_disk_is_told_and_nothing_half_written_is_left(copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    done = humay("run", copy / "mission.toml", "-o", out, limit_bytes=20_000)
    refusal(done, str(out), "could not be written", "nothing is left")
    assert not (tmp_path / "deep").exists()
    out.mkdir(parents=True)
    (out / "plan.json").write_text("yesterday's")
    refusal(humay("run", copy / "mission.toml", "-o", out, limit_bytes=20_000), "nothing is left")
    assert [p.name for p in out.iterdir()] == ["plan.json"]
    assert (out / "plan.json").read_text() == "yesterday's"


def test_after_the_end_of_the_orientation_table_the_error_is_told(
    copy: Path, tmp_path: Path
) -> None:
    """UT1 is held; an orbit by definition has no elements that could be too old."""
    done = humay(
        "contacts", copy / "mission.toml", "--start", "2029-01-01T00:00Z", "--days", 1,
        "-o", tmp_path / "c.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "UT1 and the pole are held" in done.stderr
    error_m = float(done.stderr.split("at the end about ")[1].split(" m")[0])
    assert 100 < error_m < 3000


@pytest.mark.parametrize("what", ["the plan that flies", "what is compared", "its own book"])
def test_a_plan_is_not_written_over_what_is_read_or_over_its_own_book(
    what: str, pair: Path, tmp_path: Path
) -> None:
    old, requests = tmp_path / "old.json", pair / "requests.geojson"
    old.write_text("what flies")
    again = "plan", pair / "mission.toml", requests, "--previous", old, "-o"
    words = {
        "the plan that flies": (*again, old),
        "what is compared": (*again, tmp_path / "new.json", "--compare", tmp_path / "new.json"),
        "its own book": (*again, old.with_name("x.json"), "--urgent", requests,
                         "--book", old.with_name("x.json")),
    }  # fmt: skip
    refusal(humay(*words[what]), "is read or written by this command, expected another name")
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
    assert old.read_text() == "what flies"


def test_a_seed_that_no_plan_can_record_is_wrong_use(pair: Path, tmp_path: Path) -> None:
    again = "plan", pair / "mission.toml", pair / "requests.geojson", "-o", tmp_path / "p.json"
    done = humay(*again, "--start", START, "--hours", 1, "--seed", 2**32)
    assert done.returncode == 2
    assert "4294967295" in done.stderr


def test_init_does_not_write_over_anything(pair: Path) -> None:
    refusal(humay("init", pair), "not empty")
    refusal(humay("init", pair.parent / "new", "--example", "atlantis"), "atlantis", "azersky")


# The planner's own plan, spoilt in one place each -------------------------------------------------


def shorten_a_slew(plan: dict[str, Any]) -> None:
    slew = next(s for s in busiest(plan) if s["mode"] == "slew" and s["angle_deg"] > 10)
    for phase in slew["phases"]:
        phase["duration_s"] *= 0.9


def move_a_strip(plan: dict[str, Any]) -> None:
    from humay.time import format_utc, parse_utc

    acquisition = plan["acquisitions"][0]
    for key in ("start", "end"):
        moment = parse_utc(acquisition[key])
        acquisition[key] = format_utc(moment.replace(minute=(moment.minute + 5) % 60))


def drop_a_downlink(plan: dict[str, Any]) -> None:
    carrying = [d for d in plan["downlinks"] if any(i["acquisition"] for i in d["items"])]
    plan["downlinks"].remove(carrying[0])


def share_an_antenna(plan: dict[str, Any]) -> None:
    """The first pass of one satellite takes the contact's whole time, the other's included."""
    for a in plan["passes"]:
        a["start"], a["end"] = a["contact_start"], a["contact_end"]


def image_before_any_uplink(plan: dict[str, Any]) -> None:
    for p in plan["passes"]:
        p["uplink"] = False


def busiest(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return max(plan["attitude"].values(), key=len)


@pytest.mark.parametrize(
    ("mutate", "code"),
    [
        (shorten_a_slew, "slew"),
        (move_a_strip, "window"),
        (drop_a_downlink, "downlink"),
        (share_an_antenna, "antenna"),
        (image_before_any_uplink, "uplink"),
    ],
)
def test_a_spoilt_plan_is_called_invalid_with_its_reason(
    mutate: Callable[[dict[str, Any]], None],
    code: str,
    pair: Path,
    plan: dict[str, Any],
    tmp_path: Path,
) -> None:
    spoilt = json.loads(json.dumps(plan))
    mutate(spoilt)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(spoilt))
    done = humay("check", pair / "mission.toml", pair / "requests.geojson", path, "--json")
    assert done.returncode == 1
    assert code in {violation["code"] for violation in json.loads(done.stdout)}


def test_a_plan_that_a_smaller_satellite_could_not_carry_out_is_invalid(tmp_path: Path) -> None:
    """One whose memory is nearly full at the start; then one with a tenth of the battery."""
    folder = tmp_path / "mission"
    assert humay("init", folder).returncode == 0
    mission, requests, path = (
        folder / n for n in ("mission.toml", "requests.geojson", "plan.json")
    )
    done = humay(
        "plan", mission, requests, "--start", "2019-11-01T00:00Z", "--hours", 72, "-o", path
    )
    assert done.returncode == 0, done.stderr
    as_it_was = mission.read_text()
    for pattern, new, code in (
        (r"memory_used_gbit = 700.0", "memory_used_gbit = 999.99", "memory"),
        (r"battery_wh = (\d)\d", r"battery_wh = \1", "energy"),
    ):
        spoilt, count = re.subn(pattern, new, as_it_was)
        assert count > 0
        mission.write_text(spoilt)
        done = humay("check", mission, requests, path, "--json")
        assert done.returncode == 1, done.stderr
        assert code in {violation["code"] for violation in json.loads(done.stdout)}
