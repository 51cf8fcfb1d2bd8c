"""What part of a request's worth each part of it that is imaged brings: straight, whole or along a
curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from humay.mission.kinds import Kind, Number, Place, Schema, Unfit

Node: TypeAlias = tuple[float, float]
"""A share of the request, and the share of its worth that this much of it brings."""

Completion: TypeAlias = Literal["linear", "whole"] | tuple[Node, ...]
"""Straight; nothing before all of it; or straight between nodes from (0, 0) to (1, 1)."""

_MOST_NODES = 100
_SHARE = Number(at_least=0, at_most=1)


@dataclass(frozen=True)
class CompletionKind(Kind):
    """`"linear"`, `"whole"`, or nodes in order."""

    words = (
        '"linear", "whole" or a list of [share, worth] from [0, 0] to [1, 1], shares rising and'
        " worths not falling"
    )

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        if isinstance(value, str):
            return value in ("linear", "whole")
        return isinstance(value, tuple) and _is_curve(value)

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, list):
            return super().read(value, inside)
        if not all(isinstance(node, list) and len(node) == 2 for node in value):
            raise Unfit
        return super().read(
            tuple(tuple(_SHARE.read(part, inside) for part in node) for node in value), inside
        )

    def schema(self) -> Schema:
        share = _SHARE.schema()
        node = {"type": "array", "items": share, "minItems": 2, "maxItems": 2}
        return {
            "anyOf": [
                {"enum": ["linear", "whole"]},
                {"type": "array", "items": node, "minItems": 2, "maxItems": _MOST_NODES},
            ]
        }


def _is_curve(nodes: Sequence[Any]) -> bool:
    shaped = all(
        isinstance(node, tuple) and len(node) == 2 and all(_SHARE.holds(v, 1.0) for v in node)
        for node in nodes
    )
    return (
        shaped
        and 2 <= len(nodes) <= _MOST_NODES
        and tuple(nodes[0]) == (0.0, 0.0)
        and tuple(nodes[-1]) == (1.0, 1.0)
        and all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(nodes))
    )
