"""Hard rules of one caller: which LLMs, operators and capabilities a plan may use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_NONE_IS_ALL = ("allow", "kinds", "grants")


def _names(value: Iterable[str] | None, field: str) -> tuple[str, ...] | None:
    if value is None:
        return None if field in _NONE_IS_ALL else ()
    if isinstance(value, str):
        raise TypeError(f"constraints.{field}: expected a list of names, got the string {value!r}")
    names = tuple(value)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"constraints.{field}: expected names, got {type(name).__name__}")
    return names


@dataclass(frozen=True)
class Constraints:
    """Hard rules: never traded against utility. Reuse one object: it is compiled once a router.

    Parameters
    ----------
    allow : iterable of str, optional
        The only LLMs that may be used; default: all of the pool.
    deny : iterable of str
        LLMs that may not be used; wins over `allow`.
    needs : iterable of str
        Policy names that every LLM of the plan must offer, as in ``["vision", "json"]``.
    disable_operators : iterable of str
        Operators that may not be used.
    kinds : iterable of str, optional
        Kinds of capability that may be proposed (``tool``, ``agent``, ``code``, ``retrieval``); default: all.
    grants : iterable of str, optional
        Policy names that the caller grants to tools and agents, as in ``["network"]``; one that requires more is not
        proposed. Default: everything is granted.
    cost_bias : float
        Similarity lost per USD of a capability's call, >= 0.

    Raises
    ------
    TypeError
        A string where a list of names is expected; a cost bias that is no number.
    """

    allow: Iterable[str] | None = None
    deny: Iterable[str] = ()
    needs: Iterable[str] = ()
    disable_operators: Iterable[str] = ()
    kinds: Iterable[str] | None = None
    grants: Iterable[str] | None = None
    cost_bias: float = 0.0

    def __post_init__(self) -> None:
        for field in ("allow", "deny", "needs", "disable_operators", "kinds", "grants"):
            object.__setattr__(self, field, _names(getattr(self, field), field))
        if not isinstance(self.cost_bias, int | float):
            raise TypeError(f"constraints.cost_bias: expected a number, got {type(self.cost_bias).__name__}")
