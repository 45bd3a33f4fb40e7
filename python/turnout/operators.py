"""Difficulty -> layers of operators: DAAO's layered allocator (arXiv 2509.11079) with its rules explicit.

Rules and numbers: docs/operators.md. A readable twin: `turnout.reference.operators`.
"""

from __future__ import annotations

from collections.abc import Sequence

from turnout import _native
from turnout._native import Allocation, OperatorsConfig, Philox

CUT_POINTS, CEIL = 0, 1
"""Depth rules: 1 + the number of cut points <= d; DAAO's ceil(d * L), at least 1."""

MASKS: tuple[str, ...] = tuple(_native.mask_names())
"""Why an operator cannot be used; index 0 is ``usable``."""

__all__ = [
    "CEIL",
    "CUT_POINTS",
    "MASKS",
    "Allocation",
    "OperatorsConfig",
    "allocate",
    "competence",
    "depth",
    "mask_operators",
    "quality_after",
    "relative_costs",
    "validate",
]


def validate(config: OperatorsConfig, operators: Sequence[_native.Operator]) -> None:
    """Checks a configuration against an operator table.

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``operators.cut_points[1]``.
    """
    _native.validate_operators_config(config, list(operators))


def depth(config: OperatorsConfig, difficulty: float) -> int:
    """How many layers a query of this difficulty gets.

    Parameters
    ----------
    config : OperatorsConfig
    difficulty : float
        In [0, 1].

    Returns
    -------
    int
        1 .. ``config.layers``.

    Raises
    ------
    InputError
        `difficulty` is not in [0, 1].
    ConfigError
        The configuration does not hold together.
    """
    return int(_native.depth(config, difficulty))


def competence(operator: _native.Operator, reference_ability: float, difficulty: float) -> float:
    """The competence that scores suppose of an operator's LLMs.

    Parameters
    ----------
    operator : Operator
    reference_ability : float
        Of the best LLM, in logits: its P(correct) is sigmoid(reference_ability - logit(difficulty)). The LLMs of an
        operator whose slots take distinct ones are supposed 0.3 logits less able each.
    difficulty : float
        In [0, 1].

    Returns
    -------
    float
        Weighted mean of P(correct) over the slots.
    """
    return float(_native.competence(operator, reference_ability, difficulty))


def quality_after(operator: _native.Operator, p: float, c: float) -> float:
    """The composition rule: p (1 - break (1 - g)) + (1 - p) fix g, with g = curve(c).

    Parameters
    ----------
    operator : Operator
    p : float
        Probability that the answer is right before, in [0, 1]; 0 at the start of a plan.
    c : float
        Competence: the weighted mean of P(correct) of the operator's LLMs, in [0, 1].
    """
    return float(_native.quality_after(operator, p, c))


def relative_costs(operators: Sequence[_native.Operator]) -> list[float]:
    """Cost of each operator in direct calls, for 128 prompt and 256 output tokens, output priced at 4 times input."""
    return list(_native.relative_costs(list(operators)))


def mask_operators(
    operators: Sequence[_native.Operator],
    llm_policy: Sequence[int],
    usable: Sequence[bool] | None = None,
    capability_kinds: int = 0,
) -> list[str]:
    """Which operators a pool and a catalog can run.

    Parameters
    ----------
    operators : sequence of Operator
    llm_policy : sequence of int
        Policy bits that each LLM of the pool offers.
    usable : sequence of bool, optional
        Which LLMs the caller's rules leave; default: all.
    capability_kinds : int
        Bits of the kinds (`turnout.catalog.KINDS`) of which the catalog holds at least one.

    Returns
    -------
    list of str
        One of `MASKS` an operator.
    """
    flags = [True] * len(llm_policy) if usable is None else list(usable)
    return [MASKS[code] for code in _native.mask_operators(list(operators), list(llm_policy), flags, capability_kinds)]


def allocate(
    config: OperatorsConfig,
    operators: Sequence[_native.Operator],
    difficulty: float,
    masks: Sequence[str] | None = None,
    rng: Philox | None = None,
) -> Allocation:
    """Layers of operators for one query.

    Parameters
    ----------
    config : OperatorsConfig
    operators : sequence of Operator
    difficulty : float
        In [0, 1].
    masks : sequence of str, optional
        As `mask_operators` returns; default: all usable.
    rng : Philox, optional
        Sample operators without replacement; default: greedy, by descending score, ties to the lower index.

    Returns
    -------
    Allocation
        ``choices`` in the order in which they run; ``scores`` and ``probabilities``, float32 [layers, operators].

    Raises
    ------
    InputError, ConfigError
        With the path to the culprit.
    """
    codes = [0] * len(operators) if masks is None else [MASKS.index(mask) for mask in masks]
    return _native.allocate(config, list(operators), codes, difficulty, rng)
