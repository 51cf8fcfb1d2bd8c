"""The plan in plain words: sentences, figures and tables that need no script to be read.

Everything from the plan passes through `html.escape`: names come from request files of strangers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import TypeAlias

from humay.report.data import Json, field, moment

OUTCOMES = {"served": "served", "partly": "served in part", "left out": "left out"}

REASONS = {
    "period": ("Outside its period", "The plan does not touch the time the request asks for."),
    "no_opportunity": ("Never in reach", "No satellite comes close enough within its limits."),
    "margin": ("Window too short", "Only windows shorter than the uncertainty of the orbit."),
    "imaged": ("Imaged before", "An earlier plan has imaged it already."),
    "outage": ("In an outage", "The satellite is kept for something else at that time."),
    "uplink": ("No command in time", "No station can send the command early enough."),
    "keep_out": ("Too near the Sun", "The satellite would look at Sun, Moon or Earth."),
    "slew": ("No room beside better ones", "The satellite would not have turned in time."),
    "imaging_time": ("Imaging time used up", "The camera has run as long as it may."),
    "memory": ("Memory full", "The data would not fit on board."),
    "downlink": ("No downlink", "The data could not be brought to the ground."),
    "energy": ("Battery too low", "The battery would fall below its floor."),
    "separation": ("Too near to another look", "Looks must lie further apart than that."),
    "completion": ("Worth nothing in part", "What fits of it does not count without the rest."),
}


def summary(plan: Json) -> str:
    """What became of the requests, and how good the plan is, in one sentence."""
    requests = plan["requests"]
    if not requests:
        return "This plan has no requests, so there is nothing to image."
    count = Counter(r["outcome"] for r in requests)
    noun = "request" if len(requests) == 1 else "requests"
    part = f", {count['partly']:,} in part" if count["partly"] else ""
    return f"{count['served']:,} of {len(requests):,} {noun} served{part}; {worth(plan)}"


def worth(plan: Json) -> str:
    """The value of the plan beside what can be proved about the best possible one."""
    objective = plan["objective"]
    value, bound, gap = objective["value"], objective["bound"], objective["gap"]
    if bound is None or gap is None:
        return f"plan value {value:,.1f}, without a bound."
    if gap <= 0:
        return f"plan value {value:,.1f}, proved to be the best possible."
    return (
        f"plan value {value:,.1f}, at most {bound:,.1f} can be proved possible: "
        f"within {percent(gap)}."
    )


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def span(plan: Json) -> str:
    """From when to when, and how long."""
    start, end = moment(plan["start"], "the plan's start"), moment(plan["end"], "the plan's end")
    hours = (end - start).total_seconds() / 3600
    length = f"{hours / 24:g} days" if hours >= 48 and hours % 24 == 0 else f"{hours:g} hours"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, {length}"


def age(plan: Json) -> tuple[str, str]:
    """How old the oldest elements get, and the error to expect from it at the start and the end."""
    satellites = plan["satellites"]
    if not satellites:
        return "none", "no satellites"
    oldest = max(max(s["age_days"]) for s in satellites)
    first_m = min(s["orbit_sigma_m"][0] for s in satellites)
    last_m = max(s["orbit_sigma_m"][1] for s in satellites)
    error = f"{length_text(first_m)} to {length_text(last_m)} error along track (1 sigma)"
    return f"up to {oldest:.1f} days", error


def length_text(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 1000 else f"{metres:.0f} m"


def notes(plan: Json, figures: Json) -> str:
    """Notes of the plan and of the run, each once."""
    texts = dict.fromkeys([*plan.get("notes", ()), *figures.get("notes", ())])
    items = "".join(f"<li>{escape(str(text))}</li>" for text in texts)
    return f'<h2>What to keep in mind</h2><ul class="notes">{items}</ul>' if items else ""


def outcome_bar(plan: Json) -> str:
    """Shares of served, partly and left out as one bar with its legend."""
    total = len(plan["requests"])
    if not total:
        return ""
    count = Counter(r["outcome"] for r in plan["requests"])
    x, bars, legend = 0.0, "", ""
    for outcome, words in OUTCOMES.items():
        width = 100 * count[outcome] / total
        kind = outcome.replace(" ", "-")
        bars += f'<rect class="fill-{kind}" x="{x:.3f}" width="{width:.3f}" height="10"/>'
        legend += f'<li><i class="mark {kind}"></i><b>{count[outcome]:,}</b> {words}</li>'
        x += width
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'{bars}</svg><ul class="legend">{legend}</ul>'
    )


def check_section(figures: Json) -> str:
    """The checker's verdict in full."""
    if "check" not in figures:
        return "<p>The plan was not checked in this run.</p>"
    if not figures["check"]:
        return (
            "<p>Valid. The checker, which shares no code with the planner, propagated the orbits "
            "again and derived windows, attitudes, contacts, eclipses, memory and battery from the "
            "plan and the mission alone. It found no violation.</p>"
        )
    items = "".join(f"<li>{escape(str(v))}</li>" for v in figures["check"])
    return f'<p>The plan breaks its own rules:</p><ol class="violations">{items}</ol>'


Tile: TypeAlias = tuple[str, str, str, str]
"""A key figure: title, class for the style sheet, value, what it rests on. None is a stranger's."""


def key_figures(tiles: Iterable[Tile]) -> str:
    """The handful of figures that are looked for first."""
    return "".join(
        f'<div><dt>{title}</dt><dd class="{kind}">{value}<small>{detail}</small></dd></div>'
        for title, kind, value, detail in tiles
    )


def plan_tiles(plan: Json, figures: Json) -> list[Tile]:
    """What was planned, how good it is and whether it may be trusted."""
    imaging_s = sum(s["imaging_s"] for s in plan["satellites"])
    data_gbit = sum(a["data_gbit"] for a in plan["acquisitions"])
    sent_gbit = sum(
        item["gbit"]
        for downlink in plan["downlinks"]
        for item in field(downlink, "items", "a downlink")
        if item["acquisition"] is not None
    )
    verdict, kind, detail = verdict_words(figures)
    return [
        ("Acquisitions", "", f"{len(plan['acquisitions']):,}", f"{imaging_s:,.0f} s of imaging"),
        ("Images", "", f"{data_gbit:,.1f} Gbit", f"{sent_gbit:,.1f} of them brought down"),
        ("Plan value", "", f"{plan['objective']['value']:,.1f}", "sum of what is served is worth"),
        ("Gap", "", gap_text(plan), "to what can be proved possible"),
        ("Age of the elements", "", *age(plan)),
        ("Independent check", kind, verdict, detail),
    ]


def verdict_words(figures: Json) -> tuple[str, str, str]:
    """The checker's verdict in a word, its class for the style sheet, and what it rests on."""
    if "check" not in figures:
        return "not done", "", "this plan was not checked"
    count = len(figures["check"])
    if not count:
        return "\u2713 valid", "good", "no rule is broken"
    return "\u2717 invalid", "bad", f"{count:,} violation{'s' if count > 1 else ''}, listed below"


def gap_text(plan: Json) -> str:
    gap = plan["objective"]["gap"]
    return "unknown" if gap is None else percent(gap)


def reasons_section(plan: Json) -> str:
    """How often each reason came up, with one request as its example."""
    unserved = [r for r in plan["requests"] if r["reason"] is not None]
    if not unserved:
        return "<p>No request was left out.</p>"
    count = Counter(r["reason"]["code"] for r in unserved)
    most = max(count.values())
    first = {r["reason"]["code"]: r for r in reversed(unserved)}
    return "".join(
        reason_item(code, number, number / most, first[code])
        for code, number in count.most_common()
    )


def reason_item(code: str, number: int, share: float, example: Json) -> str:
    title, meaning = REASONS.get(code, (code, ""))
    return (
        f'<article class="reason"><h3>{escape(title)} <b>{number:,}</b></h3>'
        '<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="fill-left-out" width="{100 * share:.2f}" height="4"/></svg>'
        f"<p>{escape(meaning)}</p>"
        f'<p class="example"><b class="name">{escape(str(example["name"]))}</b>: '
        f"{escape(str(example['reason']['text']))}</p>"
        f'<button type="button" class="quiet" data-reason="{escape(code)}">'
        "Show them in the table</button></article>"
    )


def satellites_table(plan: Json) -> str:
    if not plan["satellites"]:
        return '<p class="empty">This plan has no satellites.</p>'
    head = ("Satellite", "Elements of", "Age, days", "Error along track, 1 sigma", "Imaging, s",
            "Acquisitions", "Brought down, Gbit")  # fmt: skip
    return table(head, [satellite_row(s) for s in plan["satellites"]])


def satellite_row(satellite: Json) -> list[str]:
    first, last = satellite["age_days"]
    near_m, far_m = satellite["orbit_sigma_m"]
    epoch = moment(satellite["orbit_epoch"], f"orbit_epoch of {satellite['name']!r}")
    return [
        str(satellite["name"]), f"{epoch:%Y-%m-%d %H:%M:%S} UTC", f"{first:.2f} to {last:.2f}",
        f"{length_text(near_m)} to {length_text(far_m)}", f"{satellite['imaging_s']:,.1f}",
        f"{satellite['acquisitions']:,}", f"{satellite['downlinked_gbit']:,.1f}",
    ]  # fmt: skip


def run_table(plan: Json, figures: Json) -> str:
    """Objective, seed and counts of the run: nothing that depends on the clock of the machine."""
    objective = plan["objective"]
    bound = objective["bound"]
    release = moment(plan["release"], "the plan's release")
    rows = [
        ["Plan value", f"{objective['value']:,.3f}"],
        ["Upper bound", "none" if bound is None else f"{bound:,.3f}"],
        ["Gap", gap_text(plan)],
        ["How the bound was found", str(objective["method"])],
        ["Plan released", f"{release:%Y-%m-%d %H:%M} UTC"],
        ["Seed", str(plan["seed"])],
        ["Iterations", f"{plan['iterations']:,}"],
        ["Passes booked", f"{len(plan['passes']):,}"],
        ["Downlinks", f"{len(plan['downlinks']):,}"],
    ]
    counts = [
        [name.replace("_", " ").capitalize(), number_text(value)]
        for name, value in figures.get("counts", {}).items()
    ]
    return table(("Figure", "Value"), rows + counts)


def number_text(value: object) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "".join(
        f'<tr><th scope="row" class="name">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<table class="plain"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>'
