"""What the ground is made of, and how much of a footprint lies on either side of an edge."""

from __future__ import annotations

from humay.compiled import kernel

MATERIALS = (
    "open_water", "coastal_water", "turbid_water", "green_grass", "green_leaf", "yellow_leaf",
    "yellow_flower", "purple_flower", "dry_grass", "cheatgrass", "stubble", "meadow", "sagebrush",
    "pine_forest", "aspen_forest", "oak_scrub", "playa", "sediment", "brown_sand", "beach_sand",
    "red_soil", "basalt", "limestone", "asphalt", "concrete", "red_brick", "dark_shingle",
    "painted_metal", "green_fibreglass", "green_tarp", "blue_tarp",
)  # fmt: skip
"""What everything is made of, in the order in which the kernel takes reflectances."""
(
    OPEN_WATER, COASTAL_WATER, TURBID_WATER, GREEN_GRASS, GREEN_LEAF, YELLOW_LEAF,
    YELLOW_FLOWER, PURPLE_FLOWER, DRY_GRASS, CHEATGRASS, STUBBLE, MEADOW, SAGEBRUSH,
    PINE_FOREST, ASPEN_FOREST, OAK_SCRUB, PLAYA, SEDIMENT, BROWN_SAND, BEACH_SAND,
    RED_SOIL, BASALT, LIMESTONE, ASPHALT, CONCRETE, RED_BRICK, DARK_SHINGLE,
    PAINTED_METAL, GREEN_FIBREGLASS, GREEN_TARP, BLUE_TARP,
) = range(len(MATERIALS))  # fmt: skip


@kernel
def covered(distance: float, footprint: float) -> float:
    """Share of a footprint on the positive side of an edge `distance` away."""
    return min(max(0.5 + distance / footprint, 0.0), 1.0)


@kernel
def strip(distance: float, half: float, footprint: float) -> float:
    """Share of a footprint within `half` of a line `distance` away."""
    reach = 0.5 * footprint
    inside = min(distance + reach, half) - max(distance - reach, -half)
    return max(inside, 0.0) / footprint


@kernel
def laid(
    value: float, contrast: float, cover: float, layer: float, rough: float
) -> tuple[float, float]:
    """Reflectance and contrast after a layer has been laid over `cover` of the footprint."""
    return value + cover * (layer - value), contrast + cover * (rough - contrast)
