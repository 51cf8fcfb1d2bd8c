"""Humay: the open mission system for a small constellation of optical satellites."""

__version__ = "0.1.0"
