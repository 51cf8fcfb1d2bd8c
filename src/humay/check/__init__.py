"""The check stage: a plan in, what is wrong with it out, by code that no planner shares."""

from humay.check.checker import check_plan
from humay.check.files import load_plan
from humay.check.violations import Violation, verdict

__all__ = ["Violation", "check_plan", "load_plan", "verdict"]
