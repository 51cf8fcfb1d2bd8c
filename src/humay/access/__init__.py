"""When satellites see what: opportunities, contacts, and the timeline a plan is laid on."""

from humay.access.absence import explain_absences
from humay.access.contacts import find_contacts
from humay.access.files import (
    contacts_table,
    opportunities_table,
    read_contacts,
    read_opportunities,
    read_pointing,
    read_timelines,
    table_bytes,
    timeline_table,
)
from humay.access.lines import GroundLine, attitude_and_rate, body_from_gcrf, line_from_lonlath
from humay.access.looks import Nadir, Places, Windows, find_windows
from humay.access.notes import accuracy_notes
from humay.access.opportunities import find_opportunities
from humay.access.pointing import find_pointing
from humay.access.records import Contacts, Opportunities, Pointing, Timeline
from humay.access.strips import Strip, cut_into_strips
from humay.access.timeline import find_timeline

__all__ = [
    "Contacts", "GroundLine", "Nadir", "Opportunities", "Places", "Pointing", "Strip",
    "Timeline", "Windows", "accuracy_notes", "attitude_and_rate", "body_from_gcrf",
    "contacts_table", "cut_into_strips", "explain_absences", "find_contacts",
    "find_opportunities", "find_pointing", "find_timeline", "find_windows", "line_from_lonlath",
    "opportunities_table", "read_contacts", "read_opportunities", "read_pointing",
    "read_timelines", "table_bytes", "timeline_table",
]  # fmt: skip
