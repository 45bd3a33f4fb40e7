"""One task of a `TaskDag`, and what callers may say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turnout.core import InputError
from turnout.dag.columns import coupling as number
from turnout.schema import did_you_mean, fail

State = Literal["pending", "running", "done", "failed", "skipped", "cancelled"]
STATES: tuple[State, ...] = ("pending", "running", "done", "failed", "skipped", "cancelled")
Dependents = Literal["block", "skip"]
Inputs = Iterable[str] | Mapping[str, float | str]


class Task(NamedTuple):
    """What a `TaskDag` says of one task.

    Attributes
    ----------
    id : int
        In the order of addition; no id is used twice.
    name, operator, device_class : str
    seconds, cost : float
        Expected.
    priority : int
        Higher first.
    skills : int
        Bits that its agent must have.
    state : str
        One of `STATES`.
    agent : str
        Of the attempt that runs or ran last; empty while none has it.
    attempts : int
        That were started.
    inputs : tuple of (str, float)
        The tasks that it runs after, with the coupling of each.
    """

    id: int
    name: str
    operator: str
    device_class: str
    seconds: float
    cost: float
    priority: int
    skills: int
    state: State
    agent: str
    attempts: int
    inputs: tuple[tuple[str, float], ...]


class Columns(NamedTuple):
    """A `TaskDag` as arrays.

    Attributes
    ----------
    names : list of str
    edges : int32[E, 2]
        (from, to): places in `names`.
    seconds : float64[V]
    coupling : float64[E]
    """

    names: list[str]
    edges: NDArray[np.int32]
    seconds: NDArray[np.float64]
    coupling: NDArray[np.float64]


ATTRIBUTES = ("operator", "device_class", "seconds", "cost", "priority", "skills")


def pairs(inputs: Inputs) -> list[tuple[str, float]]:
    """Inputs with their couplings; 0 where none is given."""
    if isinstance(inputs, str):
        raise fail(InputError, "inputs", f"expected names, got the string {inputs!r}")
    if isinstance(inputs, Mapping):
        return [(name, number(value, f"inputs.{name}")) for name, value in inputs.items()]
    if not isinstance(inputs, Iterable) or isinstance(inputs, bytes):
        raise fail(InputError, "inputs", f"expected names, got {type(inputs).__name__}")
    return [(name, 0.0) for name in inputs]


def check_attributes(names: Iterable[str]) -> None:
    """Raises unless a task has attributes of these names."""
    for name in names:
        if name not in ATTRIBUTES:
            raise fail(InputError, name, f"a task has no such attribute{did_you_mean(name, ATTRIBUTES)}")


def attributes(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """(operator, device_class, seconds, cost, priority, skills) of a new task."""
    check_attributes(fields)
    return tuple(fields.get(name, value) for name, value in zip(ATTRIBUTES, ("", "", 0.0, 0.0, 0, 0), strict=True))
