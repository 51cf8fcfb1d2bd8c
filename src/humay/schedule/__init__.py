"""Which acquisitions, when, and with which downlinks: a plan, its bound and its reasons.

This stage sees opportunities, contacts and timelines, never orbits: a plan can be tested with six
hand-written windows.
"""

from humay.schedule.document import plan_document
from humay.schedule.improve import ITERATIONS, Effort
from humay.schedule.plan import Plan, PlanInput, make_plan

__all__ = ["ITERATIONS", "Effort", "Plan", "PlanInput", "make_plan", "plan_document"]
