"""Pictures of a ground that is known: scenes, and the camera that is flown over them.

`expose` makes a `RawImage` of a window of an acquisition; `SyntheticScene` and `RasterScene` are
what it looks at. Nothing of this is known to the processing.
"""

from humay.imaging.exposure import expose
from humay.imaging.files import dem_bytes
from humay.imaging.layout import Window
from humay.imaging.raster_scene import RasterScene
from humay.imaging.scene import Scene, SpectralBand, SyntheticScene
from humay.imaging.staging import window_ground, with_targets
from humay.imaging.targets import Target, place_targets
from humay.imaging.terrain import Terrain, coarse_terrain, exact_terrain
from humay.imaging.windows import choose_windows

__all__ = [
    "RasterScene",
    "Scene",
    "SpectralBand",
    "SyntheticScene",
    "Target",
    "Terrain",
    "Window",
    "choose_windows",
    "coarse_terrain",
    "dem_bytes",
    "exact_terrain",
    "expose",
    "place_targets",
    "window_ground",
    "with_targets",
]
