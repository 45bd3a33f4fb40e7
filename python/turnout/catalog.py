"""What can be chosen: operators, tools and agents from TOML files, and the names of policy bits.

An operator of `operators.toml`::

    [[operators]]
    id = "review"
    fix = 0.4                     # share of wrong answers that it repairs when its LLMs are competent
    break = 0.08                  # share of right answers that it spoils when they are not
    curve = "identity"            # or { logit_shift = 0.15 }, or { points = [[0, 0], [0.5, 0.6], [1, 1]] }
    needs_llm = ["json"]          # policy names that its LLMs must offer
    needs_capability = ["code"]   # kinds of which the catalog must hold one
    measured = true               # the numbers come from recorded outcomes; default: priors
    source = "where the numbers come from"
    slots = [{ role = "critic", in_extra = 256 }, { role = "editor", in_extra = 384 }]

A tool or agent of `capabilities.toml`::

    [[capabilities]]
    id = "web_search"
    kind = "tool"                 # or "agent", "code", "retrieval"
    description = "Searches the web."
    requires = ["network"]        # policy names that a caller must grant
    usd_per_call = 0.001
    seconds = 0.8
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

import msgspec

from turnout import _native
from turnout.core import ConfigError, InputError
from turnout.schema import check_at_most, check_name, did_you_mean, fail, from_toml

KINDS: tuple[str, ...] = tuple(_native.kind_names())
"""Kinds of capability, in the order of their bits."""

LLM_POLICIES = ("vision", "json", "tools")
CAPABILITY_POLICIES = ("network", "code_execution", "write", "private_data", "payment")
MAX_POLICIES = 32
MAX_USD_PER_CALL = 1e4  # of a tool or agent; why there are limits: turnout/pool.py
MAX_SECONDS = 1e6

KNOTS: int = _native.curve_knots


class PolicyNames:
    """Names of the policy bits: the predefined ones first, then the host's own in order of appearance, 32 in all.

    For an LLM a bit says what it offers (``vision``, ``json``, ``tools``), for a tool or agent what a caller must grant
    (``network``, ``code_execution``, ``write``, ``private_data``, ``payment``).
    """

    def __init__(self) -> None:
        self._names = list(LLM_POLICIES + CAPABILITY_POLICIES)

    @property
    def names(self) -> tuple[str, ...]:
        """All names; the index is the bit."""
        return tuple(self._names)

    def bits(self, names: Iterable[str], path: str) -> int:
        """The bits of `names`; a new name takes the next free bit.

        Raises
        ------
        ConfigError
            A name that is blank or not printable, or a 33rd one; names `path`.
        """
        return sum({1 << self._declare(name, f"{path}[{i}]") for i, name in enumerate(names)})

    def known_bits(self, names: Iterable[str], path: str) -> int:
        """The bits of names that a pool, an operator or a capability has declared.

        Raises
        ------
        InputError
            An unknown name; names `path` and what is close.
        """
        return sum({1 << self._look_up(name, path) for name in names})

    def names_of(self, bits: int) -> tuple[str, ...]:
        """The names of `bits`, in the order of the bits."""
        return tuple(name for i, name in enumerate(self._names) if bits >> i & 1)

    def _declare(self, name: str, path: str) -> int:
        if name in self._names:
            return self._names.index(name)
        check_name(name, path)
        if len(self._names) == MAX_POLICIES:
            raise fail(ConfigError, path, f"{name!r} would be the 33rd policy name; there are {MAX_POLICIES} bits")
        self._names.append(name)
        return len(self._names) - 1

    def _look_up(self, name: str, path: str) -> int:
        if name in self._names:
            return self._names.index(name)
        hint = did_you_mean(name, self._names) or f"; known are {', '.join(self._names)}"
        raise fail(InputError, path, f"{name!r} is not a policy name{hint}")


Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class SlotEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One call slot; an LLM is assigned to each.

    Attributes
    ----------
    role : str
    calls, rounds : int
        How often it is called (cost), of which one after the other (time).
    in_mult, in_extra : float
        Prompt tokens of a call = in_mult * query tokens + in_extra.
    out_mult : float
        Output tokens of a call, as a multiple of the LLM's direct answer.
    weight : float, optional
        Share in the operator's competence; default: equal shares.
    uses_tools : bool
    """

    role: str
    calls: Count = 1
    rounds: Count = 1
    in_mult: float = 1.0
    in_extra: float = 0.0
    out_mult: float = 1.0
    weight: float | None = None
    uses_tools: bool = False


class CurveEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`logit_shift`: g = sigmoid(logit(c) + shift); or `points`: (c, g) pairs from c = 0 to 1, linear between."""

    logit_shift: float | None = None
    points: list[tuple[float, float]] | None = None


class OperatorEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[operators]]`` table; see the module's text and docs/operators.md."""

    id: str
    source: str
    generates: bool = False
    stops: bool = False
    parallel: bool = False
    distinct: bool = False
    fix: float | None = None
    break_: float | None = msgspec.field(default=None, name="break")
    curve: str | CurveEntry = "identity"
    slots: list[SlotEntry] = []
    min_llms: Count | None = None
    needs_llm: list[str] = []
    needs_capability: list[str] = []
    measured: bool = False


class OperatorTable(msgspec.Struct, forbid_unknown_fields=True):
    """`operators.toml`."""

    operators: list[OperatorEntry]


class CapabilityEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[capabilities]]`` table. `seconds` and `usd_per_call` are of one call."""

    id: str
    kind: str
    description: str
    requires: list[str] = []
    usd_per_call: float = 0.0
    seconds: float = 0.0


class CapabilityTable(msgspec.Struct, forbid_unknown_fields=True):
    """`capabilities.toml`."""

    capabilities: list[CapabilityEntry] = []


def logit_shift(c: float, shift: float) -> float:
    """Competence moved by `shift` on the logit scale; 0 and 1 stay."""
    if c <= 0.0 or c >= 1.0:
        return min(max(c, 0.0), 1.0)
    return 1.0 / (1.0 + math.exp(-(math.log(c / (1.0 - c)) + shift)))


def interpolate(points: Sequence[tuple[float, float]], c: float) -> float:
    """Linear interpolation in points that ascend from c = 0 to c = 1."""
    after = next(i for i in range(1, len(points)) if points[i][0] >= c)
    (c0, g0), (c1, g1) = points[after - 1], points[after]
    return g0 + (c - c0) / (c1 - c0) * (g1 - g0)


def knots(g: Callable[[float], float]) -> list[float]:
    """The curve g as its values at 65 equidistant competences."""
    return [g(k / (KNOTS - 1)) for k in range(KNOTS)]


def _check_points(points: Sequence[tuple[float, float]], path: str) -> None:
    if len(points) < 2 or points[0][0] != 0.0 or points[-1][0] != 1.0:
        raise fail(ConfigError, path, "expected (c, g) pairs from c = 0 to c = 1")
    for i, (c, g) in enumerate(points):
        at = f"{path}[{i}]"
        if not 0.0 <= g <= 1.0:
            raise fail(ConfigError, f"{at}[1]", f"expected a number in [0, 1], got {g:g}")
        if i > 0 and not c > points[i - 1][0]:
            raise fail(
                ConfigError, f"{at}[0]", f"expected more than the one before it ({points[i - 1][0]:g}), got {c:g}"
            )
        if i > 0 and g < points[i - 1][1]:
            raise fail(
                ConfigError, f"{at}[1]", f"expected at least the one before it ({points[i - 1][1]:g}), got {g:g}"
            )


def curve_of(entry: str | CurveEntry, path: str) -> list[float]:
    """The knots of a curve as the TOML file states it.

    Returns
    -------
    list of float
        65 values over c = 0 .. 1, non-decreasing.

    Raises
    ------
    ConfigError
        An unknown form, points that do not ascend from 0 to 1, or values that fall or leave [0, 1].
    """
    if isinstance(entry, str):
        if entry != "identity":
            raise fail(ConfigError, path, f"expected identity, logit_shift or points, got {entry!r}")
        return knots(lambda c: c)
    if (entry.logit_shift is None) == (entry.points is None):
        raise fail(ConfigError, path, "expected exactly one of logit_shift and points")
    if entry.points is not None:
        points = entry.points
        _check_points(points, f"{path}.points")
        return knots(lambda c: interpolate(points, c))
    shift = entry.logit_shift or 0.0
    if not math.isfinite(shift):
        raise fail(ConfigError, f"{path}.logit_shift", f"expected a finite number, got {shift:g}")
    return knots(lambda c: logit_shift(c, shift))


def _weights(slots: Sequence[SlotEntry], path: str) -> list[float]:
    given = [slot.weight for slot in slots if slot.weight is not None]
    if given and len(given) < len(slots):
        raise fail(ConfigError, path, "expected a weight for every slot or for none")
    return given or [1.0 / max(1, len(slots))] * len(slots)


def _slots(entry: OperatorEntry, path: str) -> list[_native.Slot]:
    return [
        _native.Slot(
            role=slot.role,
            calls=slot.calls,
            rounds=slot.rounds,
            in_mult=slot.in_mult,
            in_extra=slot.in_extra,
            out_mult=slot.out_mult,
            weight=weight,
            uses_tools=slot.uses_tools,
        )
        for slot, weight in zip(entry.slots, _weights(entry.slots, f"{path}.slots"), strict=True)
    ]


def _kind(name: str, path: str) -> int:
    if name not in KINDS:
        raise fail(ConfigError, path, f"expected one of {', '.join(KINDS)}, got {name!r}")
    return KINDS.index(name)


def _given(value: float | None, path: str) -> float:
    if value is None:
        raise fail(ConfigError, path, "expected a number in [0, 1], got none")
    return value


def _operator(entry: OperatorEntry, policies: PolicyNames, path: str) -> _native.Operator:
    check_name(entry.id, f"{path}.id")
    if not entry.source.strip():
        raise fail(ConfigError, f"{path}.source", "expected where the numbers come from, got ''")
    if entry.stops:
        return _native.Operator(
            id=entry.id, stops=True, generates=entry.generates, slots=_slots(entry, path), source=entry.source
        )
    kinds = {1 << _kind(name, f"{path}.needs_capability[{i}]") for i, name in enumerate(entry.needs_capability)}
    return _native.Operator(
        id=entry.id,
        generates=entry.generates,
        parallel=entry.parallel,
        distinct=entry.distinct,
        fix=_given(entry.fix, f"{path}.fix"),
        break_=_given(entry.break_, f"{path}.break"),
        curve=curve_of(entry.curve, f"{path}.curve"),
        slots=_slots(entry, path),
        min_llms=entry.min_llms or (max(1, len(entry.slots)) if entry.distinct else 1),
        needs_llm=policies.bits(entry.needs_llm, f"{path}.needs_llm"),
        needs_capability=sum(kinds),
        measured=entry.measured,
        source=entry.source,
    )


def _capability(entry: CapabilityEntry, policies: PolicyNames, path: str) -> _native.Capability:
    check_name(entry.id, f"{path}.id")
    check_at_most(entry.usd_per_call, MAX_USD_PER_CALL, f"{path}.usd_per_call")
    check_at_most(entry.seconds, MAX_SECONDS, f"{path}.seconds")
    return _native.Capability(
        id=entry.id,
        kind=_kind(entry.kind, f"{path}.kind"),
        description=entry.description,
        requires=policies.bits(entry.requires, f"{path}.requires"),
        usd_per_call=entry.usd_per_call,
        seconds=entry.seconds,
    )


def _below(root: str, error: ConfigError) -> ConfigError:
    """The core's error with the file in front of its path."""
    message = str(error).removeprefix(f"{error.path}: ")
    below = fail(ConfigError, f"{root}.{error.path}", message)
    assert isinstance(below, ConfigError)
    return below


def load_operators(data: bytes, policies: PolicyNames, root: str = "operators") -> list[_native.Operator]:
    """Reads `operators.toml`.

    Parameters
    ----------
    data : bytes
        The file's content, UTF-8.
    policies : PolicyNames
        Takes new names of ``needs_llm``.
    root : str
        What errors call the file.

    Returns
    -------
    list of Operator
        Checked by the core.

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``operators.operators[3].slots[0].calls``.
    """
    entries = from_toml(data, OperatorTable, root).operators
    operators = [_operator(entry, policies, f"{root}.operators[{i}]") for i, entry in enumerate(entries)]
    try:
        _native.validate_operators(operators)
    except ConfigError as error:
        raise _below(root, error) from None
    return operators


def load_capabilities(data: bytes, policies: PolicyNames, root: str = "capabilities") -> list[_native.Capability]:
    """Reads `capabilities.toml`; parameters and errors as of `load_operators`. An empty file is an empty catalog."""
    entries = from_toml(data, CapabilityTable, root).capabilities
    capabilities = [_capability(entry, policies, f"{root}.capabilities[{i}]") for i, entry in enumerate(entries)]
    try:
        _native.validate_capabilities(capabilities)
    except ConfigError as error:
        raise _below(root, error) from None
    return capabilities


def validate(
    llms: Sequence[_native.Llm],
    operators: Sequence[_native.Operator],
    capabilities: Sequence[_native.Capability] = (),
) -> None:
    """Checks everything that can be chosen, as a router does when it is made.

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``pool.llms[2].usd_per_mtok_in``.
    """
    _native.validate_llms(list(llms))
    _native.validate_operators(list(operators))
    _native.validate_capabilities(list(capabilities))
