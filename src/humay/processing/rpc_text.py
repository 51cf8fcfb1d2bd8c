"""RPC00B as the text file that GDAL, OTB and others read beside an image (`NAME_RPC.TXT`)."""

from __future__ import annotations

from humay.sensor import Rpc

_OFFSETS = (("LINE", "row"), ("SAMP", "col"), ("LAT", "lat_deg"), ("LONG", "lon_deg"),
            ("HEIGHT", "height_m"))  # fmt: skip
_TERMS = (("LINE_NUM_COEFF", "row_num"), ("LINE_DEN_COEFF", "row_den"),
          ("SAMP_NUM_COEFF", "col_num"), ("SAMP_DEN_COEFF", "col_den"))  # fmt: skip


def rpc_text(rpc: Rpc) -> bytes:
    """One `NAME: value` a line, all digits kept; (0, 0) is the centre of the first pixel."""
    lines = []
    for part in ("OFF", "SCALE"):
        for name, axis in _OFFSETS:
            scaling = getattr(rpc, axis)
            value = scaling.offset if part == "OFF" else scaling.scale
            lines.append(f"{name}_{part}: {value!r}")
    for name, field in _TERMS:
        lines += [f"{name}_{i}: {float(x)!r}" for i, x in enumerate(getattr(rpc, field), start=1)]
    return ("\n".join(lines) + "\n").encode("ascii")
