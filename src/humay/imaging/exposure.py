"""`expose`: what the camera would record of a scene, from where it really was and looked.

The work is cut into blocks that are independent of each other, see `chips.py`: the bytes are the
same for any window and any number of threads, and the memory is that of a few blocks and of the
image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from humay.earth import geodetic_from_itrf
from humay.errors import ImagingError
from humay.imaging.chips import Block, BlockFacts, ChipView, blocks
from humay.imaging.detector import noise_key
from humay.imaging.layout import Window, across_polynomial, along_tangent
from humay.imaging.optics import Smear, mtf_nyquist
from humay.imaging.pieces import Piece, find_pieces
from humay.imaging.scene import Scene
from humay.mission import Camera, Satellite
from humay.sensor import BandFacts, Calibration, Chip, RawImage
from humay.spacecraft import Acquisition

Source = Mapping[str, str | int | float | None]


def expose(
    acquisition: Acquisition,
    satellite: Satellite,
    scene: Scene,
    window: Window,
    *,
    seed: int,
    threads: int = 1,
    source: Source | None = None,
) -> RawImage:
    """A window of an acquisition as the camera records it of a scene.

    Lines of sight follow the way truly flown; the image carries the measured one. Coarser bands
    record the whole lines and columns that hold the window's ground, cut where the strip begins
    and ends. `source` is what the image says besides of where it comes from: mission, plan. Raises
    `ImagingError` for what cannot be exposed.
    """
    camera = satellite.camera
    _check(acquisition, satellite, window)
    pieces = find_pieces(acquisition, satellite, scene, window, seed=seed)
    images, facts, bound_px = _record(acquisition, satellite.name, pieces, seed, threads)
    return RawImage(
        name=acquisition.id,
        satellite=satellite.name,
        camera=camera.name,
        trajectory=acquisition.measured,
        navigation=satellite.navigation,
        bands={piece.view.band.name: _band_facts(piece.view) for piece in pieces},
        chips=tuple(
            _chip(piece, dn, acquisition, satellite, seed)
            for piece, dn in zip(pieces, images, strict=True)
        ),
        product_pixel_m=product_pixel_m(camera, acquisition),
        mtf_nyquist=_mtf(pieces, facts),
        source={
            **(source or {}),
            **{name: getattr(acquisition, name) for name in (
                "request", "strip", "opportunity", "orbit", "anx_offset_s",
            )},
            "acquisition": acquisition.id,
            "seed": seed,
            **{f"window_{name}": value for name, value in asdict(window).items()},
            **_motion_figures(pieces, facts),
            "node_bound_px": bound_px,
        },
    )  # fmt: skip


def product_pixel_m(camera: Camera, acquisition: Acquisition) -> float:
    """The PAN pixel on maps: the camera's, or its sampling at nadir rounded down to two digits."""
    if camera.product_pixel_m is not None:
        return camera.product_pixel_m
    middle_s = 0.5 * (acquisition.start_s + acquisition.end_s)
    _, _, altitude_m = geodetic_from_itrf(acquisition.true.position(np.asarray(middle_s)))
    sampling_m = float(camera.gsd_m(altitude_m))
    digit = 10.0 ** (math.floor(math.log10(sampling_m)) - 1)
    return round(math.floor(sampling_m / digit + 1e-9) * digit, 6)


def _check(acquisition: Acquisition, satellite: Satellite, window: Window) -> None:
    camera = satellite.camera
    if acquisition.satellite != satellite.name:
        raise ImagingError(
            f"{acquisition.id}: was flown by {acquisition.satellite!r}, expected {satellite.name!r}"
        )
    if not camera.has_radiometry:
        raise ImagingError(
            f"camera {camera.name!r}: has no radiometry, expected it for an exposure"
        )
    window.check(camera, acquisition)


def _record(
    acquisition: Acquisition,
    satellite: str,
    pieces: Sequence[Piece],
    seed: int,
    threads: int,
) -> tuple[list[NDArray[np.uint16]], list[dict[tuple[int, int], BlockFacts]], float]:
    """The pixels of each piece, the facts of its blocks, and the largest bound on geometry."""
    images = [np.empty(piece.shape, dtype=np.uint16) for piece in pieces]
    keys = [
        noise_key(seed, satellite, acquisition.id, piece.view.band.name, piece.view.span.index)
        for piece in pieces
    ]
    facts = [_facts(piece) for piece in pieces]

    def work(task: tuple[int, Block]) -> float:
        k, block = task
        piece, view = pieces[k], pieces[k].view
        radiance, bound_px = view.radiance(block, facts[k][block.cell])
        dn = view.detectors.read_out(radiance, keys[k], block.lines[0], block.columns[0])
        images[k][piece.place(block)] = dn
        return bound_px

    tasks = [
        (k, block) for k, piece in enumerate(pieces) for block in blocks(piece.lines, piece.columns)
    ]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        bound_px = max(pool.map(work, tasks))
    return images, facts, bound_px


def _facts(piece: Piece) -> dict[tuple[int, int], BlockFacts]:
    cells = sorted({block.cell for block in blocks(piece.lines, piece.columns)})
    return dict(zip(cells, piece.view.facts(cells), strict=True))


def _chip(
    piece: Piece,
    dn: NDArray[np.uint16],
    acquisition: Acquisition,
    satellite: Satellite,
    seed: int,
) -> Chip:
    view, camera = piece.view, satellite.camera
    band, span, model = view.band, view.span, view.model
    first = piece.columns[0]
    return Chip(
        band=band.name,
        index=span.index,
        first_detector=first,
        own_columns=piece.own_columns,
        first_line_s=float(model.line_time_s(np.asarray(piece.lines[0]))),
        line_period_s=model.line_period_s,
        along=np.array([along_tangent(camera, band, span.index), 0.0]),
        across=across_polynomial(camera, band, span.first + first),
        dn=dn,
        calibration=_calibration(piece, acquisition, satellite, seed),
    )


def _calibration(
    piece: Piece, acquisition: Acquisition, satellite: Satellite, seed: int
) -> Calibration:
    view = piece.view
    return view.detectors.calibration(
        view.band.name,
        view.span.index,
        columns=piece.columns,
        satellite=satellite.name,
        seed=seed,
        epoch=acquisition.epoch,
    )


def _band_facts(view: ChipView) -> BandFacts:
    return BandFacts(
        name=view.band.name,
        response_m=view.band.response_m,
        solar_irradiance_w_m2_um=view.light.irradiance_w_m2_um,
    )


def _mtf(
    pieces: Sequence[Piece], facts: Sequence[Mapping[tuple[int, int], BlockFacts]]
) -> dict[str, float]:
    """Modulation at Nyquist of each band, for the mean motion over its first piece."""
    mtf: dict[str, float] = {}
    for piece, each in zip(pieces, facts, strict=True):
        smears = [asdict(fact.smear) for fact in each.values()]
        mean = {name: float(np.mean([smear[name] for smear in smears])) for name in smears[0]}
        mtf.setdefault(piece.view.band.name, mtf_nyquist(piece.view.blur.taps(Smear(**mean))))
    return mtf


def _motion_figures(
    pieces: Sequence[Piece], facts: Sequence[Mapping[tuple[int, int], BlockFacts]]
) -> dict[str, float]:
    """The largest drift over the stages (pixels) and mismatch of speed of all blocks."""
    drift, mismatch = 0.0, 0.0
    for piece, each in zip(pieces, facts, strict=True):
        stages = piece.view.band.tdi_stages
        for fact in each.values():
            drift = max(drift, stages * abs(fact.smear.drift_px))
            mismatch = max(mismatch, abs(fact.smear.speed_px - 1))
    return {"drift_px": drift, "speed_mismatch": mismatch}
