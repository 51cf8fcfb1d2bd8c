"""The search: islands of ruin-and-recreate, the same plan for the same seed."""

from humay.schedule.core.search.islands import search

__all__ = ["search"]
