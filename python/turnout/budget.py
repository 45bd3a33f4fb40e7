"""Ledgers that hold under concurrency, and what follows from what is left.

>>> from turnout.budget import Ledger
>>> ledger = Ledger()
>>> run = ledger.open("acme/search/run-17", usd=5.0, tokens=1e6, calls=200)
>>> with run.reserve(usd=0.01, tokens=2000, calls=1, ttl=60) as hold:
...     hold.commit(usd=0.004, tokens=1480)
Settlement(counted=True, late=False, overrun=False)
>>> run.remaining.usd, run.pressure
(4.996, 0.995)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout._native import (
    Account,
    Amount,
    Philox,
    Refusal,
    Reservation,
    Settlement,
    TurnControl,
    TurnHistogram,
    terminal_bound,
)
from turnout.core import BudgetExceeded, InputError
from turnout.schema import check_name, did_you_mean, fail

__all__ = [
    "DIMENSIONS",
    "UNITS",
    "Account",
    "Action",
    "Amount",
    "Bands",
    "BudgetExceeded",
    "Ledger",
    "Pacer",
    "Philox",
    "Refusal",
    "Reservation",
    "Settlement",
    "TurnControl",
    "TurnHistogram",
    "decide",
    "effective_value",
    "lambda_of",
    "select",
    "selection_probabilities",
    "terminal_bound",
    "unified_cost",
]

Clock = Callable[[], float]
Action = Literal["go_on", "dig", "pivot", "stop"]
Floats = npt.NDArray[np.float64]

DIMENSIONS = ("usd", "tokens", "seconds", "calls")
UNITS = (1e9, 1.0, 1e6, 1.0)  # whole units a dollar, token, second, call: what a ledger counts in


class Ledger:
    """A tree of accounts. What an account spends and holds counts in each of its ancestors too.

    Any thread may use it and its accounts.

    Parameters
    ----------
    clock : callable, optional
        () -> seconds, of any origin; it may jump. Default: the steady clock.
    max_accounts : int
        Open at once, at most 2**20.
    max_reservations : int
        Held at once, at most 2**16. Reservations that expired are remembered, for a late commit, in what is left.

    Raises
    ------
    ConfigError
        With the path ``ledger.max_accounts`` or ``ledger.max_reservations``.
    """

    def __init__(self, clock: Clock | None = None, *, max_accounts: int = 4096, max_reservations: int = 4096) -> None:
        if clock is not None and not callable(clock):
            raise fail(InputError, "clock", "expected a callable that returns seconds")
        self._native = _native.Ledger(clock, max_accounts, max_reservations)

    def open(
        self,
        path: str,
        *,
        usd: float | None = None,
        tokens: float | None = None,
        seconds: float | None = None,
        calls: float | None = None,
    ) -> Account:
        """Opens an account; ancestors that are not open are opened without limits.

        Parameters
        ----------
        path : str
            Names from the root down, as in ``acme/search/run-17``; at most 16, each of at most 256 bytes.
        usd, tokens, seconds, calls : float, optional
            Limits of the account with its descendants, rounded down to whole units; None is no limit.

        Raises
        ------
        InputError
            With the path ``name`` (no name, or it is open), ``limits.usd`` and so on, ``account`` (too deep), or
            ``ledger.max_accounts`` (full). Nothing is opened then.
        """
        if not isinstance(path, str):
            raise fail(InputError, "name", f"expected a str, got {type(path).__name__}")
        for name in path.split("/"):
            check_name(name, "name", InputError)
        return self._native.open(path, usd, tokens, seconds, calls)

    def account(self, path: str) -> Account:
        """The open account with this path.

        Raises
        ------
        InputError
            With the path ``account``.
        """
        found = self._native.find(path)
        if found is None:
            raise fail(InputError, "account", f"{path!r} is not open{did_you_mean(path, self)}")
        return found

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._native.find(path) is not None

    def __iter__(self) -> Iterator[str]:
        """Paths of the open accounts, sorted."""
        return (state[0] for state in self._native.snapshot())

    @property
    def held(self) -> int:
        """How many reservations are held now."""
        return self._native.held()

    @property
    def counts(self) -> dict[str, int]:
        """Calls so far: reserved, refused, committed, released, expired, late, overrun, stale.

        ``reserved - expired - committed - released + late`` reservations are held. Late are commits and releases of
        what had expired, stale those that found nothing.
        """
        return self._native.counts()

    def sweep(self) -> int:
        """Gives back what has expired, as every other call does first; how many reservations that were."""
        return self._native.sweep()

    def snapshot(self) -> dict[str, Any]:
        """The whole ledger as plain data, for JSON.

        ``accounts`` is a tree, all at one instant: path, limits, spent, held, overrun (of spent, what went beyond its
        reservation), each a dict over `DIMENSIONS`, and children. Numbers are exact below 2**53 units; a limit of None
        is none.
        """
        nodes: dict[str, dict[str, Any]] = {}
        roots: list[dict[str, Any]] = []
        for path, *columns in self._native.snapshot():
            node: dict[str, Any] = {
                "path": path,
                **dict(zip(_COLUMNS, map(_values, columns), strict=True)),
                "children": [],
            }
            nodes[path] = node
            parent = nodes.get(path.rpartition("/")[0])
            (roots if parent is None else parent["children"]).append(node)
        return {"accounts": roots, "held": self.held, "counts": self.counts}

    def describe(self) -> str:
        """A line an account, by path: what is spent, held and allowed."""
        return "\n".join(_line(*state) for state in self._native.snapshot())

    def __repr__(self) -> str:
        return f"<Ledger: {sum(1 for _ in self)} accounts, {self.held} reservations held>"


_COLUMNS = ("limits", "spent", "held", "overrun")


def _values(units: Sequence[int | None]) -> dict[str, float | None]:
    return {d: None if u is None else u / k for d, u, k in zip(DIMENSIONS, units, UNITS, strict=True)}


def _line(path: str, limits: Sequence[int | None], *columns: Sequence[int]) -> str:
    spent, held, _ = map(_values, columns)
    parts = [
        f"{d} {spent[d]:g} spent, {held[d]:g} held, {'no limit' if limit is None else f'of {limit:g}'}"
        for d, limit in _values(limits).items()
        if limit is not None or spent[d] or held[d]
    ]
    return f"{path}: {'; '.join(parts) or 'nothing'}"


def lambda_of(base: float, pressure: float, floor: float = 0.01) -> float:
    """``base / max(pressure, floor)``: how much a dollar weighs when this share of the budget remains.

    Raises
    ------
    InputError
        With the path ``base`` (below 0), ``pressure`` (outside of [0, 1]) or ``floor`` (outside of (0, 1]).
    """
    return _native.budget_lambda(base, pressure, floor)


def effective_value(value_usd: float, pressure: float, floor: float = 0.0) -> float:
    """``value_usd * max(pressure, floor)``: what a correct answer is worth when this share of the budget remains.

    It rises with pressure; at pressure 1 it is `value_usd`, the same bits. lambda is 1 / value_usd, so this is
    `lambda_of` said the other way round.

    Raises
    ------
    InputError
        With the path to the number that is out of range.
    """
    return _native.effective_value(value_usd, pressure, floor)


class Bands(NamedTuple):
    """Least remaining shares of each action; below the last, stop. The defaults are a judgement."""

    go_on: float = 0.5
    dig: float = 0.25
    pivot: float = 0.1


def decide(share: float, bands: Bands | None = None) -> Action:
    """What to do with the remaining share of a budget (BATS): go on as planned, dig deeper where you already look,
    pivot to the cheapest way to an answer, or stop and answer.

    Raises
    ------
    ConfigError
        The bands do not fall from at most 1 to at least 0.
    InputError
        `share` is outside of [0, 1].
    """
    return _native.budget_action(share, *(bands or Bands()))


def unified_cost(
    *,
    tokens_in: float = 0.0,
    tokens_out: float = 0.0,
    usd_per_mtok_in: float = 0.0,
    usd_per_mtok_out: float = 0.0,
    calls: Sequence[float] = (),
    usd_per_call: Sequence[float] = (),
) -> float:
    """USD of a trace: the price of its tokens + the sum over tools of calls * price (BATS).

    Raises
    ------
    InputError
        With the path to a number that is negative or not finite.
    """
    return _native.unified_cost(
        tokens_in, tokens_out, usd_per_mtok_in, usd_per_mtok_out, list(calls), list(usd_per_call)
    )


class Pacer(_native.Pacer):
    """Spending over time against a plan.

    A credit is filled as the plan goes, emptied by spending, and never above `burst`: over any time, what is admitted
    is at most what is planned for it + `burst`. A jump forward lets at most one burst more through; what a clock shows
    again after a jump back is planned again.

    Parameters
    ----------
    plan : sequence of (seconds, total)
        `total` is planned to have been spent this many seconds after the start; linear from (0, 0) and between points.
        Seconds rise, totals do not fall. Nothing more is planned after the last.
    burst : float
        In the plan's unit, > 0.
    start : float, optional
        The clock's time at which the plan begins; default: now.
    clock : callable, optional
        () -> seconds; default: the steady clock.

    Raises
    ------
    InputError
        With the path, as in ``plan[2].total``.
    """

    def __init__(
        self,
        plan: Sequence[tuple[float, float]],
        *,
        burst: float,
        start: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(list(plan), burst, start, clock)


def selection_probabilities(values: Floats, r: float) -> Floats:
    """Probability of each node of a search frontier, proportional to V^(1/r) (BAVT), in logarithms.

    Parameters
    ----------
    values : float64[N]
        Of each node, >= 0.
    r : float
        Remaining share of the budget, in [0, 1]. 1 is proportional to the values; 0 the largest value only, shared
        equally where several are. Nodes are alike where all values are 0.

    Raises
    ------
    InputError
        With the path ``values``, ``values[3]`` or ``r``.
    """
    return _native.selection_probabilities(values, r)


def select(values: Floats, r: float, rng: Philox) -> int:
    """One draw from `selection_probabilities`: the first node whose cumulative probability exceeds a uniform number."""
    return _native.budget_select(values, r, rng)
