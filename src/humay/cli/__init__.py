"""The `humay` command: one verb a stage, files in and files out.

Results go to stdout or `-o`, talk goes to stderr. Exit status: 0 done, 1 the job failed or its
input is refused (one line says where, what was found, what was expected), 2 wrong use.
"""

from humay.cli import picturing, planning
from humay.cli.app import app, main

__all__ = ["app", "main", "picturing", "planning"]
