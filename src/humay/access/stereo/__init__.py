"""Stereo and tri-stereo: opportunities that belong together, and when each look may be.

`sweeps` lays opportunities out for compiled code, `motion` says what two looks are compared by,
`limits` how far they meet what is asked, `spans` when one may follow the other, `regions` all of
it, `best` where it is met best.
"""

from humay.access.stereo.records import Slices, StereoSets
from humay.access.stereo.search import find_stereo
from humay.access.stereo.table import stereo_table

__all__ = ["Slices", "StereoSets", "find_stereo", "stereo_table"]
