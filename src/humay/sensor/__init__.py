"""What an image says of itself: pixels, when and where they looked, what their numbers mean.

Simulated and real images meet here. `imaging` makes `RawImage`s, `processing` uses them; neither
knows the other. Real images with rational coefficients are `RpcImage`s.
"""

from humay.sensor.files import raw_files, read_raw, trajectory_bytes
from humay.sensor.model import SensorModel
from humay.sensor.pushbroom import Pushbroom, heading_rad
from humay.sensor.real.files import read_geom, read_rpc, read_rpc_image, read_window
from humay.sensor.real.rpc_image import BandRadiometry, PixelFile, RpcImage, View
from humay.sensor.records import BandFacts, Calibration, Chip, RawImage
from humay.sensor.rpc import Rpc, Scaling
from humay.sensor.rpc_fit import RpcResidual, fit_rpc

__all__ = [
    "BandFacts", "BandRadiometry", "Calibration", "Chip", "PixelFile", "Pushbroom", "RawImage",
    "Rpc", "RpcImage", "RpcResidual", "Scaling", "SensorModel", "View", "fit_rpc", "heading_rad",
    "raw_files", "read_geom", "read_raw", "read_rpc", "read_rpc_image", "read_window",
    "trajectory_bytes",
]  # fmt: skip
