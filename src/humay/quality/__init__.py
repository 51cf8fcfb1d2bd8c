"""How good finished products are: their pixels against the scene that they show.

The scene is drawn on the map grid of the product; no camera, orbit or elevation model is known
here, so that what made a product cannot excuse itself.
"""

from humay.errors import QualityError
from humay.quality.coverage import Coverage, Pixels, coverage_of_prediction
from humay.quality.location import POINTS, compare_products, measure_location
from humay.quality.noise import measure_noise
from humay.quality.radiometry import (
    Patch,
    PatchNoise,
    PatchReflectance,
    RadiometryResult,
    measure_reflectance,
)
from humay.quality.records import LocationResult, Place, Point, Rejected

__all__ = [
    "POINTS",
    "Coverage",
    "LocationResult",
    "Patch",
    "PatchNoise",
    "PatchReflectance",
    "Pixels",
    "Place",
    "Point",
    "QualityError",
    "RadiometryResult",
    "Rejected",
    "compare_products",
    "coverage_of_prediction",
    "measure_location",
    "measure_noise",
    "measure_reflectance",
]
