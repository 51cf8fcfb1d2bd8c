"""The check stage: a plan in, what is wrong with it out, by code that no planner shares."""

from humay.check.checker import check_plan
from humay.check.files import load_plan
from humay.check.previous import as_it_was, as_stated, rebuilt_request, still_asked
from humay.check.violations import Violation, verdict

__all__ = [
    "Violation",
    "as_it_was",
    "as_stated",
    "check_plan",
    "load_plan",
    "rebuilt_request",
    "still_asked",
    "verdict",
]
