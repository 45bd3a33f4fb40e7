"""Constraints by name -> the native masks of one router."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from turnout import _native
from turnout.assemble import Parts
from turnout.catalog import KINDS
from turnout.constraints import Constraints
from turnout.core import InputError
from turnout.schema import did_you_mean, fail

_EVERYTHING = 0xFFFFFFFF


def _index(name: str, known: Sequence[str], field: str, what: str) -> int:
    if name in known:
        return known.index(name)
    raise fail(InputError, f"constraints.{field}", f"{name!r} is not {what}{did_you_mean(name, known)}")


def _flags(names: Iterable[str] | None, known: Sequence[str], field: str, what: str) -> list[bool]:
    if names is None:
        return []
    flags = [False] * len(known)
    for name in names:
        flags[_index(name, known, field, what)] = True
    return flags


def _kinds(kinds: Iterable[str] | None) -> int:
    if kinds is None:
        return _EVERYTHING
    return sum({1 << _index(kind, KINDS, "kinds", "a kind of capability") for kind in kinds})


def compile_constraints(constraints: Constraints, parts: Parts) -> _native.Constraints:
    """Looks every name up.

    Raises
    ------
    InputError
        An unknown name; names the field, as in ``constraints.deny``, and what is close to it.
    """
    router, policies = parts.native, parts.policies
    if not constraints.cost_bias >= 0.0 or constraints.cost_bias == float("inf"):
        raise fail(InputError, "constraints.cost_bias", f"expected a number >= 0, got {constraints.cost_bias}")
    grants = constraints.grants
    return _native.Constraints(
        allowed=_flags(constraints.allow, router.llms, "allow", "an LLM of the pool"),
        denied=_flags(constraints.deny, router.llms, "deny", "an LLM of the pool"),
        disabled=_flags(constraints.disable_operators, router.operators, "disable_operators", "an operator"),
        needs=policies.known_bits(constraints.needs, "constraints.needs"),
        kinds=_kinds(constraints.kinds),
        granted=_EVERYTHING if grants is None else policies.known_bits(grants, "constraints.grants"),
        cost_bias=float(constraints.cost_bias),
    )
