"""When satellites see what: opportunities, contacts, and the timeline a plan is laid on."""

from humay.access.absence import explain_absences
from humay.access.calibration import (
    KINDS,
    CalibrationLimits,
    CalibrationLooks,
    PlannableLooks,
    calibration_table,
    find_calibrations,
    find_plannable,
)
from humay.access.contacts import find_contacts
from humay.access.eclipses import find_eclipses, shadow_spans
from humay.access.files import (
    plot_bytes,
    read_contacts,
    read_opportunities,
    read_pointing,
    read_timelines,
    table_bytes,
)
from humay.access.lines import GroundLine, attitude_and_rate, body_from_gcrf, line_from_lonlath
from humay.access.links import Link, find_links
from humay.access.looks import Nadir
from humay.access.notes import accuracy_notes
from humay.access.opportunities import find_opportunities, stream_opportunities
from humay.access.pointing import find_pointing
from humay.access.records import Contacts, Eclipses, Opportunities, Pointing, Timeline
from humay.access.stereo import StereoSets, find_stereo, stereo_table
from humay.access.strips import Strip
from humay.access.tables.contacts import contacts_table
from humay.access.tables.eclipses import eclipses_table
from humay.access.tables.opportunities import opportunities_table
from humay.access.tables.timelines import timeline_table
from humay.access.timeline import find_timeline
from humay.access.views.common import Backdrop
from humay.access.views.notebook import show

__all__ = [
    "KINDS", "Backdrop", "CalibrationLimits", "CalibrationLooks", "Contacts", "Eclipses",
    "GroundLine", "Link", "Nadir", "Opportunities", "PlannableLooks", "Pointing", "StereoSets",
    "Strip", "Timeline",
    "accuracy_notes", "attitude_and_rate", "body_from_gcrf", "calibration_table",
    "contacts_table", "eclipses_table", "explain_absences", "find_calibrations", "find_contacts",
    "find_eclipses", "find_links", "find_opportunities", "find_plannable", "find_pointing",
    "find_stereo",
    "find_timeline", "line_from_lonlath", "opportunities_table", "plot_bytes", "read_contacts",
    "read_opportunities", "read_pointing", "read_timelines", "shadow_spans", "show",
    "stereo_table", "stream_opportunities", "table_bytes", "timeline_table",
]  # fmt: skip
