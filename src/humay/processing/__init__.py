"""From raw or real images to products: reflectance on a map, sharpened, with a STAC item each.

`make_products` takes a `RawImage`, `make_real_product` an `RpcImage`, `process_file` the path of
either. This stage never sees the scene that an image was simulated from.
"""

from humay.processing.dem import Dem, VerticalDatum
from humay.processing.files import read_dem
from humay.processing.grid import OutputGrid, grid_for, needed_bounds
from humay.processing.inputs import process_file
from humay.processing.item import Link
from humay.processing.location import circular_error, predict_location
from humay.processing.ortho import ArrayPixels, Source, ortho_band, plan_ortho
from humay.processing.prepared import Prepared
from humay.processing.products import make_products, product_id
from humay.processing.real import make_real_product
from humay.processing.writing import Level, Made, Recipe

__all__ = [
    "ArrayPixels", "Dem", "Level", "Link", "Made", "OutputGrid", "Prepared", "Recipe", "Source",
    "VerticalDatum", "circular_error", "grid_for", "make_products", "make_real_product",
    "needed_bounds", "ortho_band", "plan_ortho", "predict_location", "process_file", "product_id",
    "read_dem",
]  # fmt: skip
