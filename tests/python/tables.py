"""Operator tables for tests: made with the twin's classes, turned native by `native`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from turnout import _native
from turnout.catalog import PolicyNames, load_operators
from turnout.reference.catalog import Operator, Slot

ROOT = Path(__file__).resolve().parents[2]


def curve(power: float = 1.0) -> list[float]:
    return [(k / 64) ** power for k in range(65)]


def op(
    id: str, *, generates: bool = False, fix: float = 1.0, break_: float = 1.0, slots: int = 1, power: float = 1.0
) -> Operator:
    return Operator(
        id=id,
        generates=generates,
        fix=fix,
        break_=break_,
        curve=curve(power),
        slots=[Slot(role=f"r{s}", weight=1.0 / slots) for s in range(slots)],
    )


def stop() -> Operator:
    return Operator(id="early_stop", stops=True)


def native(operators: list[Operator]) -> list[_native.Operator]:
    return [_native.Operator(**{**asdict(o), "slots": [_native.Slot(**asdict(s)) for s in o.slots]}) for o in operators]


def default_operators() -> list[_native.Operator]:
    """The table that ships, from its source file."""
    return load_operators((ROOT / "models/src/operators.toml").read_bytes(), PolicyNames())
