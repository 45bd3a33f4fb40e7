"""Depth rules, masks, scores, activation, early stop: parity with the twin and every rule at its edge."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tables
from turnout import _native, operators
from turnout.core import ConfigError, InputError
from turnout.reference import operators as twin
from turnout.reference.catalog import Operator, Slot
from turnout.reference.core import Philox


def config(**changes: Any) -> _native.OperatorsConfig:
    return _native.OperatorsConfig(**{"cut_points": [0.25, 0.5, 0.75], **changes})


def native_config(c: twin.Config) -> _native.OperatorsConfig:
    return _native.OperatorsConfig(**dataclasses.asdict(c))


def draws(allocation: Any) -> list[tuple[int, int]]:
    return [(c.operator, c.layer) for c in allocation.choices]


def ids(table: list[Any], allocation: Any) -> list[str]:
    return [table[c.operator].id for c in allocation.choices]


# Depth ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("d", "layers"),
    [
        (0.0, 1),
        (math.nextafter(0.25, 0), 1),
        (0.25, 2),
        (0.4, 2),
        (0.5, 3),
        (math.nextafter(0.75, 0), 3),
        (0.75, 4),
        (1.0, 4),
    ],
)
def test_depth_counts_the_cut_points_that_d_reaches(d: float, layers: int) -> None:
    assert operators.depth(config(), d) == layers


@pytest.mark.parametrize(
    ("d", "layers"), [(0.0, 1), (1e-300, 1), (0.25, 1), (0.2500001, 2), (0.5, 2), (0.75, 3), (0.7500001, 4), (1.0, 4)]
)
def test_daao_rule_is_the_ceiling_and_at_least_one(d: float, layers: int) -> None:
    assert operators.depth(config(depth_rule=operators.CEIL), d) == layers


def test_equal_cut_points_skip_a_depth_and_those_at_the_ends_hold() -> None:
    assert [operators.depth(config(cut_points=[0.5, 0.5, 0.5]), d) for d in (0.49, 0.5)] == [1, 4]
    assert [operators.depth(config(cut_points=[0.0, 1.0, 1.0]), d) for d in (0.0, 0.99, 1.0)] == [2, 2, 4]
    assert operators.depth(config(layers=1, cut_points=[]), 1.0) == 1


@pytest.mark.parametrize("d", [-0.01, 1.01, math.nan, math.inf])
def test_a_difficulty_outside_of_the_unit_interval_is_refused(d: float) -> None:
    for rule in (operators.CUT_POINTS, operators.CEIL):
        with pytest.raises(InputError, match="difficulty"):
            operators.depth(config(depth_rule=rule), d)
    with pytest.raises(InputError, match="difficulty"):
        operators.allocate(config(), tables.default_operators(), d)


# Configuration --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"layers": 0}, "operators.layers"),
        ({"layers": 9, "cut_points": [0.1] * 8}, "operators.layers"),
        ({"cut_points": [0.5]}, "operators.cut_points"),
        ({"cut_points": [0.5, 0.4, 0.9]}, "operators.cut_points[1]"),
        ({"cut_points": [0.5, math.nan, 0.9]}, "operators.cut_points[1]"),
        ({"cut_points": [0.5, 0.6, 1.5]}, "operators.cut_points[2]"),
        ({"cut_points": [-0.1, 0.6, 1.0]}, "operators.cut_points[0]"),
        ({"activation_threshold": 0.0}, "operators.activation_threshold"),
        ({"activation_threshold": 1.01}, "operators.activation_threshold"),
        ({"activation_threshold": math.nan}, "operators.activation_threshold"),
        ({"temperature": 0.0}, "operators.temperature"),
        ({"temperature": -1.0}, "operators.temperature"),
        ({"temperature": math.nan}, "operators.temperature"),
        ({"temperature": math.inf}, "operators.temperature"),
        ({"cost_weight": -0.1}, "operators.cost_weight"),
        ({"cost_weight": math.nan}, "operators.cost_weight"),
        ({"cost_weight": 1e300}, "operators.cost_weight"),
        ({"reference_ability": math.nan}, "operators.reference_ability"),
        ({"reference_ability": 51.0}, "operators.reference_ability"),
        ({"max_stages": 0}, "operators.max_stages"),
        ({"max_stages": 17}, "operators.max_stages"),
        ({"max_uses": 0}, "operators.max_uses"),
        ({"depth_rule": 2}, "operators.depth_rule"),
    ],
)
def test_a_wrong_configuration_names_the_culprit(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as error:
        operators.validate(config(**changes), tables.default_operators())
    assert error.value.path == path


def test_the_edges_of_a_configuration_hold() -> None:
    for changes in (
        {"layers": 8, "cut_points": [0.0] * 7},
        {"activation_threshold": 1.0},
        {"temperature": 5e-324},
        {"temperature": 1e300},
        {"cost_weight": 0.0},
        {"max_stages": 16},
        {"reference_ability": -50.0},
        {"depth_rule": operators.CEIL, "cut_points": []},
    ):
        operators.validate(config(**changes), tables.default_operators())
        assert operators.allocate(config(**changes), tables.default_operators(), 0.5).choices


# Composition ----------------------------------------------------------------------------------------------------------


def test_the_composition_rule() -> None:
    review = tables.native([tables.op("review", fix=0.4, break_=0.1)])[0]
    assert operators.quality_after(review, 0.5, 0.8) == pytest.approx(0.5 * (1 - 0.1 * 0.2) + 0.5 * 0.4 * 0.8)
    assert operators.quality_after(review, 0.0, 0.8) == pytest.approx(0.32)
    fresh = tables.native([tables.op("fresh")])[0]
    for p in (0.0, 0.3, 1.0):
        assert operators.quality_after(fresh, p, 0.8) == pytest.approx(0.8)
    for bad in ((-0.1, 0.5), (0.5, 1.1), (math.nan, 0.5)):
        with pytest.raises(InputError):
            operators.quality_after(fresh, *bad)
    with pytest.raises(InputError, match="no curve"):
        operators.quality_after(tables.native([tables.stop()])[0], 0.5, 0.5)


unit = st.floats(0, 1)


@given(fix=unit, break_=unit, power=st.floats(0.2, 5), p=st.tuples(unit, unit), c=st.tuples(unit, unit))
def test_quality_is_a_probability_and_rises_with_p_and_with_c(
    fix: float, break_: float, power: float, p: tuple[float, float], c: tuple[float, float]
) -> None:
    oper = tables.native([tables.op("o", fix=fix, break_=break_, power=power)])[0]
    (p0, p1), (c0, c1) = sorted(p), sorted(c)
    low, high = operators.quality_after(oper, p0, c0), operators.quality_after(oper, p1, c1)
    assert -1e-12 <= low <= high + 1e-12 <= 1 + 2e-12


def test_competence_is_item_response_and_distinct_llms_are_less_able() -> None:
    one = tables.native([tables.op("one", slots=2)])[0]
    assert operators.competence(one, 0.0, 0.3) == pytest.approx(0.7)
    assert operators.competence(one, 1.0, 0.5) == pytest.approx(1 / (1 + math.exp(-1)))
    assert (operators.competence(one, 1.0, 0.0), operators.competence(one, 1.0, 1.0)) == (1.0, 0.0)
    pair = tables.native([dataclasses.replace(tables.op("pair", slots=2), distinct=True)])[0]
    assert operators.competence(pair, 1.0, 0.5) == pytest.approx(sum(1 / (1 + math.exp(-a)) for a in (1.0, 0.7)) / 2)
    assert operators.competence(pair, 1.0, 0.0) == 1.0
    with pytest.raises(InputError, match="difficulty"):
        operators.competence(one, 0.0, math.nan)


def test_costs_are_in_direct_calls() -> None:
    direct = tables.op("direct", generates=True)
    five = dataclasses.replace(direct, slots=[Slot(calls=5)])
    prompts = dataclasses.replace(direct, slots=[Slot(in_mult=2.0, in_extra=128.0, out_mult=0.5)])
    assert operators.relative_costs(tables.native([direct, five, prompts, tables.stop()])) == [
        1.0,
        5.0,
        (384 + 512) / 1152,
        0.0,
    ]


# Masks ----------------------------------------------------------------------------------------------------------------


def test_masks_say_what_is_missing() -> None:
    table = [
        tables.op("direct", generates=True),
        dataclasses.replace(tables.op("trio", slots=3), min_llms=3),
        dataclasses.replace(tables.op("tools"), needs_llm=0b100),
        dataclasses.replace(tables.op("pair_with_tools"), needs_llm=0b100, min_llms=2),
        dataclasses.replace(tables.op("code"), needs_capability=0b100),
        dataclasses.replace(tables.op("code_and_tool"), needs_capability=0b101),
        tables.stop(),
    ]
    masks = operators.mask_operators(tables.native(table), [0b100, 0b001, 0b111], capability_kinds=0b100)
    assert masks == ["usable", "usable", "usable", "usable", "usable", "capability_kind", "usable"]
    fewer = operators.mask_operators(tables.native(table), [0b100, 0b001, 0b111], [True, True, False], 0b001)
    assert fewer == ["usable", "too_few_llms", "usable", "llm_policy", "capability_kind", "capability_kind", "usable"]
    none = operators.mask_operators(tables.native(table), [0, 0, 0], [False] * 3)
    assert none == ["too_few_llms"] * 6 + ["usable"]


def test_flags_that_do_not_fit_the_pool_are_refused() -> None:
    with pytest.raises(InputError, match="usable"):
        operators.mask_operators([], [0, 0], [True])
    with pytest.raises(InputError, match="masks: expected one an operator"):
        _native.allocate(config(), tables.default_operators(), [0], 0.5)
    with pytest.raises(InputError, match=r"masks\[0\]"):
        _native.allocate(config(), tables.native([tables.op("direct", generates=True)]), [5], 0.5)


# Allocation -----------------------------------------------------------------------------------------------------------


def allocate(
    table: list[Operator], d: float = 0.5, masks: list[str] | None = None, rng: Any = None, **changes: Any
) -> Any:
    return operators.allocate(config(**{"max_uses": 16, **changes}), tables.native(table), d, masks, rng)


def test_the_first_operator_of_a_plan_generates() -> None:
    """Even when another one scores more: the plan begins with the best that generates."""
    table = [tables.op("weak", generates=True, fix=0.1), tables.op("strong"), tables.stop()]
    allocation = allocate(table, d=0.0, activation_threshold=1.0, temperature=1.0)
    assert ids(table, allocation) == ["weak", "strong", "early_stop"]
    assert allocation.choices[0].probability < allocation.choices[1].probability
    for seed in range(50):
        assert allocate(table, d=0.0, rng=_native.Philox(seed)).choices[0].operator == 0


def test_without_a_usable_generator_there_is_no_plan() -> None:
    table = [tables.op("direct", generates=True), tables.op("review")]
    for masks in (["disabled", "usable"], ["too_few_llms", "disabled"]):
        allocation = allocate(table, masks=masks)
        assert (allocation.choices, allocation.layers, allocation.depth) == ([], 0, 3)


def test_a_single_operator_fills_every_layer() -> None:
    table = [tables.op("direct", generates=True)]
    allocation = allocate(table, d=0.9)
    assert draws(allocation) == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert allocation.probabilities == [[1.0]] * 4


def test_masked_operators_have_probability_zero_and_are_never_drawn() -> None:
    table = [tables.op("a", generates=True), tables.op("b", generates=True, power=0.5), tables.op("c", generates=True)]
    for rng in (None, _native.Philox(3)):
        allocation = allocate(table, d=0.9, masks=["usable", "llm_policy", "usable"], rng=rng, activation_threshold=1.0)
        assert {c.operator for c in allocation.choices} == {0, 2}
        assert all(row[1] == 0.0 for row in allocation.probabilities)


def test_ties_go_to_the_lower_index() -> None:
    table = [tables.op(name, generates=True) for name in "abcd"]
    assert draws(allocate(table, d=0.0, activation_threshold=0.5)) == [(0, 0), (1, 0)]
    assert draws(allocate(table, d=0.0, activation_threshold=0.75)) == [(0, 0), (1, 0), (2, 0)]


@pytest.mark.parametrize(
    ("threshold", "taken"), [(1e-9, 1), (0.25, 1), (math.nextafter(0.25, 1), 2), (0.5, 2), (1.0, 4)]
)
def test_operators_are_taken_until_their_probabilities_reach_the_threshold(threshold: float, taken: int) -> None:
    table = [tables.op(name, generates=True) for name in "abcd"]
    assert len(allocate(table, d=0.0, activation_threshold=threshold).choices) == taken


def test_threshold_one_takes_every_operator_that_is_usable() -> None:
    table = [tables.op(str(i), generates=True, power=1 + i / 7) for i in range(7)]
    for rng in (None, _native.Philox(1)):
        assert sorted(c.operator for c in allocate(table, d=0.2, activation_threshold=1.0, rng=rng).choices) == list(
            range(7)
        )


def test_early_stop_as_the_first_of_a_layer_ends_the_plan() -> None:
    table = [tables.op("direct", generates=True), tables.op("costly", fix=0.01, break_=0.0), tables.stop()]
    allocation = allocate(table, d=0.9)
    assert ids(table, allocation) == ["direct", "early_stop"]
    assert (allocation.depth, allocation.layers, allocation.stopped_early) == (4, 2, True)
    assert allocation.scores[1][2] == 0.0
    without = allocate(table, d=0.9, masks=["usable", "usable", "disabled"])
    assert without.layers == 4 and not without.stopped_early


def test_early_stop_never_begins_a_plan() -> None:
    table = [tables.stop(), tables.op("useless", generates=True, fix=1e-6)]
    assert ids(table, allocate(table, d=1.0)) == ["useless", "early_stop"]


def test_a_plan_has_at_most_max_stages_operators() -> None:
    table = [tables.op(str(i), generates=True) for i in range(5)]
    for most in (1, 3, 16):
        allocation = allocate(table, d=0.9, activation_threshold=1.0, max_stages=most)
        assert len(allocation.choices) == min(most, 20)


def test_an_operator_whose_slots_no_longer_fit_is_not_taken() -> None:
    table = [tables.op("wide", generates=True, slots=20), tables.op("narrow", generates=True, slots=12, power=2.0)]
    allocation = allocate(table, d=0.9, max_stages=16, cost_weight=0.0)
    assert ids(table, allocation) == ["wide", "narrow"]  # 32 slots; then nothing fits
    assert allocation.layers == 2 and not allocation.stopped_early
    full = [tables.op("full", generates=True, slots=32), tables.stop()]
    assert ids(full, allocate(full, d=0.9, cost_weight=0.0, masks=["usable", "usable"])) == ["full", "early_stop"]


def test_scores_are_gains_at_the_quality_reached_less_cost() -> None:
    table = [tables.op("direct", generates=True), tables.op("review", fix=0.4, break_=0.1)]
    allocation = allocate(table, d=0.3, cost_weight=0.01, reference_ability=0.0, cut_points=[0.1, 0.9, 0.9])
    assert draws(allocation) == [(0, 0), (1, 1)]
    assert allocation.scores[0] == pytest.approx([0.7 - 0.01, 0.4 * 0.7 - 0.01])
    again, reviewed = 0.0, 0.7 * (1 - 0.1 * 0.3) + 0.3 * 0.4 * 0.7 - 0.7
    assert allocation.scores[1] == pytest.approx([again - 0.01, reviewed - 0.01])


@pytest.mark.parametrize(
    ("most", "plan"),
    [
        (1, ["direct", "review"]),
        (2, ["direct", "review", "review", "direct"]),
        (3, ["direct", "review", "review", "review"]),
    ],
)
def test_an_operator_is_used_at_most_max_uses_times(most: int, plan: list[str]) -> None:
    table = [tables.op("direct", generates=True), tables.op("review", fix=0.4, break_=0.1)]
    assert ids(table, allocate(table, d=0.9, max_uses=most)) == plan


def test_repeats_score_less() -> None:
    table = [tables.op("direct", generates=True), tables.op("review", fix=0.4, break_=0.1)]
    allocation = allocate(table, d=0.9)
    scores = [row[1] for row in allocation.scores[1:]]
    assert ids(table, allocation) == ["direct", "review", "review", "review"]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 3


# Sampling -------------------------------------------------------------------------------------------------------------


def test_sampling_follows_the_distribution() -> None:
    table = [
        tables.op("a", generates=True, fix=1.0),
        tables.op("b", generates=True, fix=0.99),
        tables.op("c", generates=True, fix=0.97),
    ]
    options = {"d": 0.0, "activation_threshold": 1e-9, "reference_ability": 0.0}
    expected = allocate(table, **options).probabilities[0]
    rng, counts, n = _native.Philox(11), [0, 0, 0], 4000
    for _ in range(n):
        counts[allocate(table, rng=rng, **options).choices[0].operator] += 1
    chi_square = sum((k - n * p) ** 2 / (n * p) for k, p in zip(counts, expected, strict=True))
    assert min(expected) > 0.02 and chi_square < 13.8  # 0.999 quantile, two degrees of freedom


def test_sampling_is_without_replacement_and_repeats_with_the_seed() -> None:
    table = tables.default_operators()
    for seed in range(60):
        first, again = (
            operators.allocate(config(temperature=0.1), table, 0.8, rng=_native.Philox(seed)) for _ in range(2)
        )
        assert draws(first) == draws(again)
        assert len(set(draws(first))) == len(first.choices)
    assert len({tuple(draws(operators.allocate(config(), table, 0.8, rng=_native.Philox(s)))) for s in range(60)}) > 3


def test_sampling_survives_probabilities_that_underflow() -> None:
    table = [tables.op("hopeless", generates=True, fix=1e-3), tables.op("great")]
    allocation = allocate(table, d=0.0, temperature=1e-6, activation_threshold=1.0, rng=_native.Philox(0))
    assert ids(table, allocation) == ["hopeless", "great"] and allocation.choices[0].probability == 0.0


# Parity ---------------------------------------------------------------------------------------------------------------


@st.composite
def operator(draw: st.DrawFn, index: int) -> Operator:
    slots = draw(st.integers(1, 8))
    made = tables.op(
        f"op{index}",
        generates=draw(st.booleans()),
        fix=draw(st.floats(0.01, 1)),
        break_=draw(unit),
        slots=slots,
        power=draw(st.floats(0.2, 5)),
    )
    distinct = draw(st.booleans())
    spec = Slot(
        calls=draw(st.integers(1, 6)),
        in_mult=draw(st.floats(0, 3)),
        in_extra=draw(st.floats(0, 2000)),
        out_mult=draw(st.floats(0, 3)),
        weight=1.0 / slots,
    )
    return dataclasses.replace(made, slots=[spec] * slots, distinct=distinct, min_llms=slots)


@st.composite
def table(draw: st.DrawFn) -> list[Operator]:
    made = [draw(operator(i)) for i in range(draw(st.integers(1, 7)))]
    made[0] = dataclasses.replace(made[0], generates=True)
    return [*made, tables.stop()] if draw(st.booleans()) else made


@st.composite
def configs(draw: st.DrawFn) -> twin.Config:
    layers = draw(st.integers(1, 8))
    return twin.Config(
        layers=layers,
        depth_rule=draw(st.integers(0, 1)),
        cut_points=sorted(draw(st.lists(unit, min_size=layers - 1, max_size=layers - 1))),
        activation_threshold=draw(st.floats(0, 1, exclude_min=True)),
        temperature=draw(st.floats(1e-4, 2)),
        cost_weight=draw(st.floats(0, 0.2)),
        reference_ability=draw(st.floats(-4, 4)),
        max_stages=draw(st.integers(1, 16)),
        max_uses=draw(st.integers(1, 4)),
    )


@settings(max_examples=400, deadline=None)
@given(table=table(), c=configs(), d=unit, seed=st.none() | st.integers(0, 2**64 - 1), data=st.data())
def test_the_core_equals_the_twin_to_the_bit(
    table: list[Operator], c: twin.Config, d: float, seed: int | None, data: st.DataObject
) -> None:
    masks = data.draw(st.lists(st.sampled_from([0, 0, 0, 1, 4]), min_size=len(table), max_size=len(table)))
    native_rng, twin_rng = (None, None) if seed is None else (_native.Philox(seed), Philox(seed))
    got = _native.allocate(native_config(c), tables.native(table), masks, d, native_rng)
    want = twin.allocate(c, table, masks, d, twin_rng)
    assert (got.depth, got.layers, got.stopped_early) == (want.depth, want.layers, want.stopped_early)
    assert [(x.operator, x.layer, x.score, x.probability) for x in got.choices] == [tuple(x) for x in want.choices]
    assert (got.scores, got.probabilities) == (want.scores, want.probabilities)


@settings(max_examples=200, deadline=None)
@given(table=table(), c=configs(), d=unit, seed=st.none() | st.integers(0, 1000))
def test_what_every_allocation_keeps(table: list[Operator], c: twin.Config, d: float, seed: int | None) -> None:
    got = _native.allocate(
        native_config(c), tables.native(table), [0] * len(table), d, None if seed is None else _native.Philox(seed)
    )
    assert 1 <= got.layers <= got.depth <= c.layers and len(got.choices) <= c.max_stages
    assert sum(len(table[x.operator].slots) for x in got.choices) <= 32
    assert all(n <= c.max_uses for n in Counter(x.operator for x in got.choices).values())
    assert table[got.choices[0].operator].generates
    assert [x.layer for x in got.choices] == sorted(x.layer for x in got.choices)
    assert got.stopped_early == table[got.choices[-1].operator].stops
    assert all(not table[x.operator].stops for x in got.choices[:-1])
    assert all(sum(row) == pytest.approx(1.0, abs=1e-5) for row in got.probabilities)


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    min_llms=st.integers(1, 4),
    needs_llm=st.integers(0, 7),
    needs_capability=st.integers(0, 15),
    policies=st.lists(st.integers(0, 7), min_size=1, max_size=6),
    kinds=st.integers(0, 15),
)
def test_masks_equal_the_twin(
    data: st.DataObject, min_llms: int, needs_llm: int, needs_capability: int, policies: list[int], kinds: int
) -> None:
    oper = dataclasses.replace(
        tables.op("o"), min_llms=min_llms, needs_llm=needs_llm, needs_capability=needs_capability, stops=False
    )
    usable = data.draw(st.lists(st.booleans(), min_size=len(policies), max_size=len(policies)))
    got = operators.mask_operators(tables.native([oper]), policies, usable, kinds)
    assert got == [operators.MASKS[twin.mask_of(oper, policies, usable, kinds)]]


# The table that ships -------------------------------------------------------------------------------------------------

NAMES = """direct chain_of_thought self_consistency multi_llm_ensemble debate self_refine review react program_and_test
early_stop""".split()


def test_the_default_table_has_the_ten_operators_with_sources() -> None:
    table = tables.default_operators()
    assert [o.id for o in table] == NAMES
    assert all(len(o.source) > 40 for o in table)
    assert operators.mask_operators(table, [0]).count("usable") == 6  # one LLM without tools


def test_easy_queries_get_one_direct_call_and_hard_ones_more() -> None:
    table = tables.default_operators()

    def plan(d: float) -> list[str]:
        drawn = ids(table, operators.allocate(config(), table, d))
        return [name for name in drawn if name != "early_stop"]

    plans = {d: plan(d) for d in (0.02, 0.1, 0.2, 0.25, 0.4, 0.5, 0.7, 0.8, 0.9)}
    assert all(plans[d] == ["direct"] for d in (0.02, 0.1, 0.2, 0.25))
    lengths = [len(p) for p in plans.values()]
    assert lengths == sorted(lengths) and lengths[-1] == 2
    assert len({tuple(p) for p in plans.values()}) == 3
    assert all(p[-1] == "review" for d, p in plans.items() if d >= 0.7)


def test_dearer_calls_make_plans_cheaper() -> None:
    table = tables.default_operators()
    costs = operators.relative_costs(table)

    def cost(weight: float, d: float) -> float:
        return sum(costs[c.operator] for c in operators.allocate(config(cost_weight=weight), table, d).choices)

    for d in (0.1, 0.4, 0.6, 0.8, 0.95):
        spent = [cost(weight, d) for weight in (0.0005, 0.005, 0.02, 0.1, 1.0)]
        assert spent == sorted(spent, reverse=True) and spent[0] > spent[-1] == 1.0


def test_one_llm_still_gets_more_than_a_direct_call_when_it_is_hard() -> None:
    table = tables.default_operators()
    masks = operators.mask_operators(table, [0])
    assert ids(table, operators.allocate(config(), table, 0.1, masks)) == ["direct"]
    hard = ids(table, operators.allocate(config(), table, 0.7, masks))
    assert hard[0] in ("self_consistency", "chain_of_thought")
