"""Twin of the operators room: difficulty -> layers of operators (DAAO, arXiv 2509.11079, with explicit rules).

Same order of floating-point operations as the core, so scores and probabilities agree to the bit.
"""

from __future__ import annotations

import bisect
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from turnout.reference.catalog import Operator, Slot, curve_at

MAX_NODES = 32
USABLE, TOO_FEW_LLMS, LLM_POLICY, CAPABILITY_KIND, DISABLED = range(5)
CUT_POINTS, CEIL = range(2)
DISTINCT_STEP = 0.3  # logits
NOMINAL_INPUT, NOMINAL_OUTPUT, OUTPUT_PRICE_RATIO = 128.0, 256.0, 4.0


class Uniform(Protocol):
    """A generator of numbers in [0, 1), as Philox."""

    def uniform(self) -> float: ...


@dataclass(frozen=True)
class Config:
    """Fields as in the native OperatorsConfig."""

    layers: int = 4
    depth_rule: int = CUT_POINTS
    cut_points: list[float] = field(default_factory=lambda: [0.25, 0.5, 0.75])
    activation_threshold: float = 0.3
    temperature: float = 0.01
    cost_weight: float = 0.02
    reference_ability: float = 1.5
    max_stages: int = 8
    max_uses: int = 1


class Choice(NamedTuple):
    operator: int
    layer: int
    score: float  # float32
    probability: float  # float32


@dataclass
class Allocation:
    """Layers of operators for one query."""

    depth: int
    layers: int = 0
    stopped_early: bool = False
    choices: list[Choice] = field(default_factory=list)
    scores: list[list[float]] = field(default_factory=list)
    probabilities: list[list[float]] = field(default_factory=list)


def float32(x: float) -> float:
    return float(struct.unpack("f", struct.pack("f", x))[0])


def depth(config: Config, d: float) -> int:
    """1 + the number of cut points <= d; or DAAO's ceil(d * L), at least 1."""
    if config.depth_rule == CEIL:
        return min(max(math.ceil(d * config.layers), 1), config.layers)
    return 1 + bisect.bisect_right(config.cut_points, d)


def p_correct(ability: float, d: float) -> float:
    """sigmoid(ability - logit(d))."""
    odds = math.exp(ability) * (1.0 - d)
    return odds / (odds + d)


def competence(oper: Operator, ability: float, d: float) -> float:
    """Of the operator's LLMs, were they the best one, or (distinct) the best and those next to it."""
    if not oper.distinct:
        return p_correct(ability, d)
    total = 0.0
    for slot in oper.slots:
        total += slot.weight * p_correct(ability, d)
        ability -= DISTINCT_STEP
    return total


def quality_after(oper: Operator, p: float, c: float) -> float:
    """The composition rule."""
    g = curve_at(oper.curve, c)
    return p * (1.0 - oper.break_ * (1.0 - g)) + (1.0 - p) * oper.fix * g


def _cost(slot: Slot) -> float:
    tokens_in = slot.in_mult * NOMINAL_INPUT + slot.in_extra
    return slot.calls * (tokens_in + OUTPUT_PRICE_RATIO * slot.out_mult * NOMINAL_OUTPUT)


def relative_cost(oper: Operator) -> float:
    """In direct calls of a query of 128 tokens with an answer of 256, output priced at 4 times input."""
    total = 0.0
    for slot in oper.slots:
        total += _cost(slot)
    return total / _cost(Slot())


def score(config: Config, oper: Operator, quality: float, c: float) -> float:
    """What the operator adds to the quality reached so far, less its cost; early stop adds nothing."""
    if oper.stops:
        return 0.0
    return quality_after(oper, quality, c) - quality - config.cost_weight * relative_cost(oper)


def softmax(scores: Sequence[float], open_: Sequence[bool], temperature: float) -> list[float]:
    """Over the open operators; all 0 when none is open."""
    if not any(open_):
        return [0.0] * len(scores)
    highest = max(s for s, o in zip(scores, open_, strict=True) if o)
    powers = [math.exp((s - highest) / temperature) if o else 0.0 for s, o in zip(scores, open_, strict=True)]
    total = 0.0
    for power in powers:
        total += power
    return [power / total for power in powers]


def _best(scores: Sequence[float], candidates: Sequence[int]) -> int:
    return max(candidates, key=lambda i: (scores[i], -i))


def _sample(scores: Sequence[float], probabilities: Sequence[float], candidates: Sequence[int], rng: Uniform) -> int:
    mass = 0.0
    for i in candidates:
        mass += probabilities[i]
    target, reached = rng.uniform() * mass, 0.0
    for i in candidates:
        reached += probabilities[i]
        if reached > target:
            return i
    return _best(scores, candidates)  # all that is left may have underflowed to probability 0


def allocate(
    config: Config, operators: Sequence[Operator], masks: Sequence[int], d: float, rng: Uniform | None = None
) -> Allocation:
    """In each layer, operators until their probabilities sum to the threshold; the first of all must generate."""
    out = Allocation(depth(config, d))
    c = [competence(oper, config.reference_ability, d) for oper in operators]
    quality, nodes = 0.0, 0
    for layer in range(out.depth):
        used = [sum(1 for choice in out.choices if choice.operator == i) for i in range(len(operators))]
        open_ = [mask == USABLE and n < config.max_uses for mask, n in zip(masks, used, strict=True)]
        if not any(open_):
            break
        scores = [score(config, oper, quality, c[i]) for i, oper in enumerate(operators)]
        probabilities = softmax(scores, open_, config.temperature)
        before, reached = len(out.choices), 0.0
        while reached < config.activation_threshold and len(out.choices) < config.max_stages:
            first = not out.choices
            candidates = [i for i, o in enumerate(open_) if o and (operators[i].generates or not first)]
            if not candidates:
                break
            i = _best(scores, candidates) if rng is None else _sample(scores, probabilities, candidates, rng)
            open_[i] = False
            if nodes + len(operators[i].slots) > MAX_NODES:
                continue  # its slots no longer fit: not taken
            out.choices.append(Choice(i, layer, float32(scores[i]), float32(probabilities[i])))
            if operators[i].stops:
                out.stopped_early = True
                break
            nodes += len(operators[i].slots)
            quality = quality_after(operators[i], quality, c[i])
            reached += probabilities[i]
        if len(out.choices) == before:
            break
        out.layers = layer + 1
        out.scores.append([float32(s) for s in scores])
        out.probabilities.append([float32(p) for p in probabilities])
        if out.stopped_early or len(out.choices) >= config.max_stages:
            break
    return out


def mask_of(oper: Operator, llm_policy: Sequence[int], usable: Sequence[bool], capability_kinds: int) -> int:
    """Why the operator cannot be used with this pool and catalog; USABLE if it can."""

    def offering(needs: int) -> int:
        return sum(1 for policy, ok in zip(llm_policy, usable, strict=True) if ok and needs & ~policy == 0)

    if oper.stops:
        return USABLE
    if offering(0) < oper.min_llms:
        return TOO_FEW_LLMS
    if oper.needs_llm and offering(oper.needs_llm) < oper.min_llms:
        return LLM_POLICY
    return CAPABILITY_KIND if oper.needs_capability & ~capability_kinds else USABLE
