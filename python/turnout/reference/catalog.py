"""Twin of the catalog room: slots, operators and their curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

KNOTS = 65


@dataclass(frozen=True)
class Slot:
    """One call slot. Fields as in the native Slot."""

    role: str = "answerer"
    calls: int = 1
    rounds: int = 1
    in_mult: float = 1.0
    in_extra: float = 0.0
    out_mult: float = 1.0
    weight: float = 1.0
    uses_tools: bool = False


@dataclass(frozen=True)
class Operator:
    """An operator. Fields as in the native Operator."""

    id: str
    generates: bool = False
    stops: bool = False
    parallel: bool = False
    distinct: bool = False
    fix: float = 0.0
    break_: float = 0.0
    curve: list[float] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    min_llms: int = 1
    needs_llm: int = 0
    needs_capability: int = 0
    measured: bool = False
    source: str = ""


def curve_at(curve: Sequence[float], c: float) -> float:
    """Value at c of a curve that is given by 65 equidistant knots over [0, 1], linear between."""
    x = c * (KNOTS - 1)
    k = min(int(x), KNOTS - 2)
    return curve[k] + (x - k) * (curve[k + 1] - curve[k])
