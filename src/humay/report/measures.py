"""Numbers in the words of the page, with the sign, the digits and the unit that they need."""

from __future__ import annotations

NO_VALUE = "\u2013"


def number(value: float | None, digits: int = 0) -> str:
    return NO_VALUE if value is None else minus(f"{value:z,.{digits}f}")


def minus(text: str) -> str:
    """The hyphen of a negative number as the sign it means."""
    return text.replace("-", "\u2212")


def percentage(share: float | None) -> float | None:
    return None if share is None else 100 * share


def metres(value: float | None) -> str:
    """A length with as many digits as it needs, from centimetres to kilometres."""
    if value is None:
        return NO_VALUE
    if abs(value) >= 1000:
        return f"{number(value / 1000, 1)} km"
    return f"{number(value, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)} m"


def size(count: int) -> str:
    """Decimal bytes, as file managers and disks count."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


def plural(count: int, noun: str, nouns: str = "") -> str:
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"
