"""Opportunities, contacts and timelines as Arrow tables, and back; no files here.

Columns carry their unit, times are UTC, and a record about the whole stands in the metadata.
"""
