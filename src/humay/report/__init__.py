"""`report.html`: a plan and the figures of its run on one self-contained page."""

from humay.report.files import report_html, write_report
from humay.report.page import Assets, report_page

__all__ = ["Assets", "report_html", "report_page", "write_report"]
