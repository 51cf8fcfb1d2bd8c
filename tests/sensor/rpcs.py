"""Every file with an RPC among the test data, and places in the domain of one."""

from __future__ import annotations

import numpy as np

from humay.arrays import FloatArray
from humay.sensor.rpc import Rpc

IMAGES = (
    "pleiades_reunion_pair/img_01.tif",
    "pleiades_reunion_pair/img_02.tif",
    "quickbird_basic1b/qb2_basic1b.tif",
    "worldview3_rpc/wv3_20.NTF",
)
DIMAPS = (
    "pleiades_ventoux/RPC_PHR1B_P_201308051042194_SEN_690908101-001.XML",
    "sensor_models/RPC_P1BP--2017092838284574CP.XML",
    "sensor_models/RPC_P1BP--2017092838319324CP.XML",
    "sensor_models/RPC_PHR1B_P_201709281038045_SEN_PRG_FC_178608-001.XML",
    "sensor_models/RPC_PHR1B_P_201709281038393_SEN_PRG_FC_178609-001.XML",
)
GEOMS = (
    "pleiades_gizeh/img1.geom",
    "pleiades_gizeh/img2.geom",
    "pleiades_ventoux/left_image.geom",
    "pleiades_ventoux/lowres_color_image.geom",
    "pleiades_ventoux/right_image.geom",
    "pleiades_ventoux/right_image_bias.geom",
    "sensor_models/ikonos-1.geom",
    "sensor_models/phr_xs.geom",
    "sensor_models/spot6-1.geom",
    "sensor_models/wv2-1.geom",
)
ALL = (*IMAGES, *DIMAPS, *GEOMS)


def places_in_domain(rpc: Rpc, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Longitudes, latitudes (rad) and heights (m), evenly random, the same for the same RPC."""
    x, y, h = np.random.default_rng(3).uniform(-1.0, 1.0, (3, count))
    return (
        np.radians(rpc.lon_deg.value(x)),
        np.radians(rpc.lat_deg.value(y)),
        rpc.height_m.value(h),
    )
