"""Real element sets that several tests take."""

from __future__ import annotations

from pathlib import Path

from humay.mission import TleOrbit

# The public catalogue of 2019-10-30.
SPOT_6 = (
    "1 38755U 12047A   19303.08272605 -.00000060  00000-0 -30989-5 0  9990",
    "2 38755  98.1980   8.4889 0000909  81.1977 278.9329 14.58563161380015",
)
SPOT_7 = (
    "1 40053U 14034A   19303.11654248  .00001178  00000-0  26330-3 0  9995",
    "2 40053  98.2135   8.3331 0001054  68.4868 291.6410 14.58559748283956",
)
FLEET = "\n".join(["SPOT 6", *SPOT_6, "SPOT 7", *SPOT_7, ""])


def checked(line: str) -> str:
    """The line with the checksum it should have (digits count as they are, a minus as 1)."""
    total = 0
    for character in line[:68]:
        total += int(character) if character in "0123456789" else int(character == "-")
    return line[:68] + str(total % 10)


# The same two satellites and the ISS at later dates, as space-track.org and celestrak.org published
# them: revolution numbers by which one set can be held against the other.
LATER_SETS = {
    "SPOT 6": [
        (
            "1 38755U 12047A   26096.23426606  .00000498  00000+0  11693-3 0  9997",
            "2 38755  98.2167 164.3679 0001434  83.0887 277.0475 14.58566315722563",
        ),
        (
            "1 38755U 12047A   26103.30009036  .00000033  00000-0  17026-4 0  9991",
            "2 38755  98.2160 171.3556 0001307  84.6756 275.4592 14.58587829723598",
        ),
        (
            "1 38755U 12047A   26114.27654466  .00000019  00000+0  14062-4 0  9992",
            "2 38755  98.2139 182.2081 0001235  83.9835 276.1505 14.58520198725194",
        ),
    ],
    "SPOT 7": [
        (
            "1 40053U 14034A   26096.26650635  .00000571  00000+0  12606-3 0  9990",
            "2 40053  98.0687 160.5936 0001636  90.3404 269.7985 14.60896284626635",
        ),
        (
            "1 40053U 14034A   26103.32115929  .00000080  00000-0  25685-4 0  9996",
            "2 40053  98.0681 167.4707 0001611  86.4686 273.6700 14.60901601627665",
        ),
        (
            "1 40053U 14034A   26114.27980034  .00000154  00000+0  40654-4 0  9993",
            "2 40053  98.0658 178.1521 0001589  78.9103 281.2277 14.60908833629262",
        ),
    ],
    "ISS": [
        (
            "1 25544U 98067A   18116.90063980  .00002062  00000-0  38334-4 0  9997",
            "2 25544  51.6421 274.3807 0002753  23.4906  50.8634 15.54167550110549",
        ),
        (
            "1 25544U 98067A   18135.61844383  .00002728  00000-0  48567-4 0  9998",
            "2 25544  51.6402 181.0633 0004018  88.8954  22.2246 15.54059185113452",
        ),
    ],
}


def tle(*sets: tuple[str, str]) -> TleOrbit:
    """The sets as a mission gives them."""
    text = "\n".join(line for pair in sets for line in pair)
    return TleOrbit(path=Path("fleet.tle"), text=text)
