"""Calibration looks: deserts, 90-degree yaw, oceans by day and night, the Moon, stars."""

from humay.access.calibration.limits import LIMITS, CalibrationLimits, Limit, limits_from
from humay.access.calibration.plannable import PlannableLooks, find_plannable
from humay.access.calibration.records import KINDS, CalibrationLooks, Kind
from humay.access.calibration.search import find_calibrations
from humay.access.calibration.table import calibration_table
from humay.access.calibration.targets import Site, Star, calibration_sites, calibration_stars

__all__ = [
    "KINDS", "LIMITS", "CalibrationLimits", "CalibrationLooks", "Kind", "Limit", "PlannableLooks",
    "Site", "Star", "calibration_sites", "calibration_stars", "calibration_table",
    "find_calibrations", "find_plannable", "limits_from",
]  # fmt: skip
