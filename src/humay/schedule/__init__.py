"""Which acquisitions, when, and with which downlinks: a plan, its bound and its reasons.

This stage sees opportunities, contacts and timelines, never orbits: a plan can be tested with six
hand-written windows.
"""

from humay.schedule.aboard import aboard_at, gbit_aboard, gone_with
from humay.schedule.answers import answers_document, answers_text
from humay.schedule.difference import difference_document, plan_difference, told
from humay.schedule.document import plan_document
from humay.schedule.explain import (
    Displacement,
    Explanation,
    Window,
    explain_request,
    explanation_document,
    explanation_text,
)
from humay.schedule.held import rows_of
from humay.schedule.improve import Effort
from humay.schedule.plan import Plan, PlanInput, make_plan
from humay.schedule.previous import (
    MOST_CHANGED,
    STABILITY,
    Freeze,
    Previous,
    Promise,
    Urgency,
    freeze,
)
from humay.schedule.setbacks import Aftermath, aftermath, aftermath_text, mission_with
from humay.schedule.takeover import (
    counted_on,
    cut_as,
    flown_before,
    imaged_before,
    mission_at,
    state_at,
    taken_looks,
)
from humay.schedule.urgent import Answer, Inserted, insert_urgent

__all__ = [
    "MOST_CHANGED",
    "STABILITY",
    "Aftermath",
    "Answer",
    "Displacement",
    "Effort",
    "Explanation",
    "Freeze",
    "Inserted",
    "Plan",
    "PlanInput",
    "Previous",
    "Promise",
    "Urgency",
    "Window",
    "aboard_at",
    "aftermath",
    "aftermath_text",
    "answers_document",
    "answers_text",
    "counted_on",
    "cut_as",
    "difference_document",
    "explain_request",
    "explanation_document",
    "explanation_text",
    "flown_before",
    "freeze",
    "gbit_aboard",
    "gone_with",
    "imaged_before",
    "insert_urgent",
    "make_plan",
    "mission_at",
    "mission_with",
    "plan_difference",
    "plan_document",
    "rows_of",
    "state_at",
    "taken_looks",
    "told",
]
