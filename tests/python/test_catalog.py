"""Loaders of operators and capabilities: what they give, and the path to every culprit."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tables
from turnout import _native, catalog
from turnout.catalog import PolicyNames, load_capabilities, load_operators
from turnout.core import ConfigError, InputError
from turnout.reference.catalog import curve_at

DIRECT = """[[operators]]
id = "direct"
generates = true
fix = 1
break = 1
source = "test"
slots = [{ role = "answerer" }]
"""


def load(text: str, policies: PolicyNames | None = None) -> list[_native.Operator]:
    return load_operators(text.encode(), policies or PolicyNames())


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        load(text)
    return error.value


def second(body: str) -> str:
    return DIRECT + '[[operators]]\nid = "second"\nfix = 0.5\nbreak = 0.1\nsource = "test"\n' + body


# Operators ------------------------------------------------------------------------------------------------------------


def test_an_operator_with_everything() -> None:
    policies = PolicyNames()
    oper = load(
        DIRECT
        + """
[[operators]]
id = "panel"
generates = true
parallel = true
distinct = true
fix = 0.9
break = 0.8
curve = { points = [[0, 0.1], [0.5, 0.6], [1, 1]] }
needs_llm = ["tools", "eu_hosted"]
needs_capability = ["code", "tool"]
source = "here"
slots = [
  { role = "a", calls = 4, rounds = 2, in_mult = 1.5, in_extra = 64, out_mult = 0.5, weight = 0.25, uses_tools = true },
  { role = "b", weight = 0.75 },
]
""",
        policies,
    )[1]
    assert (oper.id, oper.generates, oper.parallel, oper.distinct, oper.stops) == ("panel", True, True, True, False)
    assert (oper.fix, oper.break_, oper.min_llms, oper.source) == (0.9, 0.8, 2, "here")
    assert policies.names_of(oper.needs_llm) == ("tools", "eu_hosted")
    assert oper.needs_capability == 0b101
    a, b = oper.slots
    assert (a.role, a.calls, a.rounds, a.in_mult, a.in_extra, a.out_mult, a.weight, a.uses_tools) == (
        "a",
        4,
        2,
        1.5,
        64,
        0.5,
        0.25,
        True,
    )
    assert (b.calls, b.rounds, b.in_mult, b.out_mult, b.weight) == (1, 1, 1.0, 1.0, 0.75)
    assert len(oper.curve) == 65 and (oper.curve[0], oper.curve[64]) == (0.1, 1.0)
    assert oper.curve[16] == pytest.approx(0.35) and oper.curve[48] == pytest.approx(0.8)


def test_weights_default_to_equal_shares_and_min_llms_to_the_slots_of_a_distinct_operator() -> None:
    oper = load(second('distinct = true\nslots = [{ role = "x" }, { role = "y" }, { role = "z" }]'))[1]
    assert [s.weight for s in oper.slots] == [1 / 3] * 3 and oper.min_llms == 3


def test_early_stop_needs_only_its_name_and_source() -> None:
    stop = load(DIRECT + '[[operators]]\nid = "stop"\nstops = true\nsource = "x"')[1]
    assert stop.stops and stop.slots == [] and stop.curve == []


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ('slots = [{ role = "a", calls = 0 }]', "slots[0].calls", "int >= 1"),
        ('slots = [{ role = "a", calls = 1.5 }]', "slots[0].calls", "int"),
        ('slots = [{ role = "a", calls = 99999999999 }]', "slots[0].calls", "int <= 1000"),
        ('slots = [{ role = "a", rounds = 2 }]', "slots[0].calls", "at least its rounds (2), got 1"),
        ('slots = [{ role = "a" }, { role = "b", in_mult = -1 }]', "slots[1].in_mult", "number >= 0, got -1"),
        ('slots = [{ role = "a", out_mult = nan }]', "slots[0].out_mult", "number >= 0, got nan"),
        ('slots = [{ role = "a", in_extra = inf }]', "slots[0].in_extra", "got inf"),
        ('slots = [{ role = "a", weight = 0.5 }]', "slots", "weights that sum to 1, got 0.5"),
        ('slots = [{ role = "a", weight = 0.5 }, { role = "b" }]', "slots", "every slot or for none"),
        ('slots = [{ role = "a", colour = 1 }]', "slots[0]", "colour"),
        ("slots = [{ calls = 1 }]", "slots[0]", "role"),
        ("slots = []", "slots", "at least one slot"),
        ('slots = [{ role = "a" }]\nmin_llms = 0', "min_llms", "int >= 1"),
        (
            'slots = [{ role = "a" }]\nneeds_capability = ["robot"]',
            "needs_capability[0]",
            "one of tool, agent, code, retrieval",
        ),
        ('slots = [{ role = "a" }]\nneeds_llm = ["json", " "]', "needs_llm[1]", "expected a name"),
        ('slots = [{ role = "a" }]\ncurve = "steep"', "curve", "identity, logit_shift or points, got 'steep'"),
        ('slots = [{ role = "a" }]\ncurve = {}', "curve", "exactly one"),
        ('slots = [{ role = "a" }]\ncurve = { logit_shift = 1, points = [[0, 0], [1, 1]] }', "curve", "exactly one"),
        ('slots = [{ role = "a" }]\ncurve = { logit_shift = nan }', "curve.logit_shift", "finite"),
        ('slots = [{ role = "a" }]\ncurve = { points = [] }', "curve.points", "from c = 0 to c = 1"),
        ('slots = [{ role = "a" }]\ncurve = { points = [[0, 0], [0.9, 1]] }', "curve.points", "from c = 0 to c = 1"),
        (
            'slots = [{ role = "a" }]\ncurve = { points = [[0, 0], [0.5, 1.2], [1, 1]] }',
            "curve.points[1][1]",
            "got 1.2",
        ),
        (
            'slots = [{ role = "a" }]\ncurve = { points = [[0, 0], [0.5, nan], [1, 1]] }',
            "curve.points[1][1]",
            "got nan",
        ),
        (
            'slots = [{ role = "a" }]\ncurve = { points = [[0, 0], [0.5, 0.6], [0.5, 0.7], [1, 1]] }',
            "curve.points[2][0]",
            "more than",
        ),
        (
            'slots = [{ role = "a" }]\ncurve = { points = [[0, 0], [nan, 0.6], [1, 1]] }',
            "curve.points[1][0]",
            "more than",
        ),
        (
            'slots = [{ role = "a" }]\ncurve = { points = [[0, 0.5], [0.5, 0.4], [1, 1]] }',
            "curve.points[1][1]",
            "at least",
        ),
        ('slots = [{ role = "a" }]\ncurve = { points = [[0, 0, 0], [1, 1]] }', "curve.points[0]", "length 2"),
        ('slots = [{ role = "a" }]\nspeed = 3', "", "speed"),
    ],
)
def test_the_path_leads_to_the_culprit(body: str, path: str, message: str) -> None:
    error = refused(second(body))
    assert error.path == f"operators.operators[1]{'.' if path else ''}{path}"
    assert str(error).startswith(error.path + ": ") and message in str(error)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "operators"),
        ("operators = 3", "operators.operators"),
        ("not toml", "operators"),
        (DIRECT + DIRECT, "operators.operators[1].id"),
        (DIRECT.replace("generates = true", ""), "operators.operators"),
        (DIRECT.replace("fix = 1\n", ""), "operators.operators[0].fix"),
        (DIRECT.replace("break = 1", "break = 2"), "operators.operators[0].break"),
        (DIRECT.replace("fix = 1", "fix = nan"), "operators.operators[0].fix"),
        (DIRECT.replace("fix = 1", "fix = true"), "operators.operators[0].fix"),
        (DIRECT.replace('"test"', '" "'), "operators.operators[0].source"),
        (DIRECT.replace('source = "test"', ""), "operators.operators[0]"),
        (
            DIRECT + '[[operators]]\nid = "s"\nstops = true\nsource = "x"\nslots = [{ role = "a" }]',
            "operators.operators[1].slots",
        ),
        (
            DIRECT + '[[operators]]\nid = "s"\nstops = true\ngenerates = true\nsource = "x"',
            "operators.operators[1].generates",
        ),
    ],
)
def test_a_table_that_does_not_hold_together(text: str, path: str) -> None:
    assert refused(text).path == path


def test_errors_carry_the_name_of_the_file() -> None:
    with pytest.raises(ConfigError) as error:
        load_operators(second('slots = [{ role = "a", in_mult = -1 }]').encode(), PolicyNames(), "my.toml")
    assert error.value.path == "my.toml.operators[1].slots[0].in_mult"
    with pytest.raises(ConfigError, match=r"my\.toml: not a TOML file"):
        load_operators(b"\xff\xfe", PolicyNames(), "my.toml")


def test_more_operators_than_the_core_takes() -> None:
    many = "".join(DIRECT.replace('"direct"', f'"op{i}"') for i in range(33))
    assert "at most 32" in str(refused(many)) and len(load("".join(many.split("[[operators]]")[0:1]) + DIRECT)) == 1


# Curves ---------------------------------------------------------------------------------------------------------------

POINTS = [(0.0, 0.0), (0.2, 0.3), (0.7, 0.8), (1.0, 1.0)]


@given(c=st.floats(0, 1), shift=st.floats(-30, 30))
def test_curves_rise_and_stay_probabilities(c: float, shift: float) -> None:
    for entry in ("identity", catalog.CurveEntry(logit_shift=shift), catalog.CurveEntry(points=POINTS)):
        curve = catalog.curve_of(entry, "curve")
        assert curve == sorted(curve) and 0.0 <= curve[0] and curve[-1] <= 1.0
        assert _native.curve_at(curve, c) == curve_at(curve, c)


def test_a_logit_shift_moves_every_knot_by_the_shift() -> None:
    curve = catalog.curve_of(catalog.CurveEntry(logit_shift=0.5), "curve")
    assert (curve[0], curve[64]) == (0.0, 1.0)
    for k in range(1, 64):
        c = k / 64
        assert math.log(curve[k] / (1 - curve[k])) == pytest.approx(math.log(c / (1 - c)) + 0.5)
    assert catalog.curve_of(catalog.CurveEntry(logit_shift=0.0), "curve") == pytest.approx(
        catalog.curve_of("identity", "curve")
    )


def test_points_on_a_knot_are_met() -> None:
    curve = catalog.curve_of(catalog.CurveEntry(points=[(0.0, 0.0), (0.25, 0.4), (0.5, 0.75), (1.0, 1.0)]), "curve")
    assert (curve[16], curve[32]) == (0.4, 0.75)


@pytest.mark.parametrize("c", [-0.1, 1.1, math.nan])
def test_curve_at_refuses_what_is_no_probability(c: float) -> None:
    with pytest.raises(InputError, match="c: "):
        _native.curve_at(tables.curve(), c)
    with pytest.raises(InputError, match="65 values"):
        _native.curve_at([0.0, 1.0], 0.5)


def test_the_default_votes_gain_more_than_a_binomial_majority_where_llms_are_weak() -> None:
    def binomial(n: int, c: float) -> float:
        return sum(math.comb(n, k) * c**k * (1 - c) ** (n - k) for k in range(n // 2 + 1, n + 1))

    by_id = {o.id: o for o in tables.default_operators()}
    for name, voters in (("multi_llm_ensemble", 3), ("self_consistency", 5)):
        curve = by_id[name].curve
        for c in (0.1, 0.2, 0.3, 0.4, 0.5):
            assert _native.curve_at(curve, c) > max(c, binomial(voters, c))


# Capabilities ---------------------------------------------------------------------------------------------------------


def test_capabilities() -> None:
    policies = PolicyNames()
    text = """
[[capabilities]]
id = "search"
kind = "tool"
description = "Searches."
requires = ["network", "audited"]
usd_per_call = 0.001
seconds = 0.5

[[capabilities]]
id = "lawyer"
kind = "agent"
description = "Reads contracts."
"""
    search, lawyer = load_capabilities(text.encode(), policies)
    assert (search.id, search.kind, search.description, search.usd_per_call, search.seconds) == (
        "search",
        0,
        "Searches.",
        0.001,
        0.5,
    )
    assert policies.names_of(search.requires) == ("network", "audited")
    assert (lawyer.kind, lawyer.requires) == (catalog.KINDS.index("agent"), 0)
    assert load_capabilities(b"", policies) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({'"tool"': '"robot"'}, "capabilities[0].kind"),
        ({"usd_per_call = 0": "usd_per_call = -1"}, "capabilities[0].usd_per_call"),
        ({"usd_per_call = 0": "usd_per_call = nan"}, "capabilities[0].usd_per_call"),
        ({"usd_per_call = 0": "seconds = inf"}, "capabilities[0].seconds"),
        ({"usd_per_call = 0": "requires = [3]"}, "capabilities[0].requires[0]"),
        ({'"search"': '""'}, "capabilities[0].id"),
        ({'"search"': '" "'}, "capabilities[0].id"),
        ({'"search"': '"a\\nb"'}, "capabilities[0].id"),
        ({"usd_per_call = 0": "usd_per_call = 10001"}, "capabilities[0].usd_per_call"),
        ({"usd_per_call = 0": "seconds = 1000001"}, "capabilities[0].seconds"),
        ({'description = "d"': ""}, "capabilities[0]"),
    ],
)
def test_a_wrong_capability_is_named(change: dict[str, str], path: str) -> None:
    text = '[[capabilities]]\nid = "search"\nkind = "tool"\ndescription = "d"\nusd_per_call = 0\n'
    for old, new in change.items():
        text = text.replace(old, new)
    with pytest.raises(ConfigError) as error:
        load_capabilities(text.encode(), PolicyNames(), "tools.toml")
    assert error.value.path == f"tools.toml.{path}"


def test_the_dearest_and_slowest_capability() -> None:
    text = '[[capabilities]]\nid = "a"\nkind = "tool"\ndescription = "d"\nusd_per_call = 10000\nseconds = 1000000\n'
    (slow,) = load_capabilities(text.encode(), PolicyNames())
    assert (slow.usd_per_call, slow.seconds) == (1e4, 1e6)


def test_operators_have_names_that_can_be_printed() -> None:
    for name in (" ", r"a\tb"):
        assert refused(DIRECT.replace('"direct"', f'"{name}"')).path == "operators.operators[0].id"


# Policy names ---------------------------------------------------------------------------------------------------------


def test_policy_names_have_fixed_bits_and_room_for_the_hosts_own() -> None:
    policies = PolicyNames()
    assert policies.names == (
        "vision",
        "json",
        "tools",
        "network",
        "code_execution",
        "write",
        "private_data",
        "payment",
    )
    assert policies.bits(["tools", "vision", "tools"], "p") == 0b101
    own = [f"own{i}" for i in range(24)]
    assert policies.bits(own, "p") == 0xFFFFFF00 and policies.bits(own, "p") == 0xFFFFFF00
    with pytest.raises(ConfigError, match="33rd") as error:
        policies.bits(["vision", "one_more"], "pool.llms[4].policy")
    assert error.value.path == "pool.llms[4].policy[1]"
    assert policies.names_of(policies.known_bits(["own23", "json"], "p")) == ("json", "own23")


def test_unknown_policy_names_are_an_input_error_with_a_hint() -> None:
    with pytest.raises(InputError, match="did you mean 'vision'") as error:
        PolicyNames().known_bits(["vison"], "constraints.needs")
    assert error.value.path == "constraints.needs"
    with pytest.raises(InputError, match="known are vision, json"):
        PolicyNames().known_bits(["xyzzy"], "constraints.needs")


# The whole ------------------------------------------------------------------------------------------------------------


def llm(**changes: Any) -> _native.Llm:
    return _native.Llm(**{"id": "a", "context_tokens": 8192, "max_output_tokens": 2048, **changes})


def test_validate_names_the_list_and_the_field() -> None:
    operators = tables.default_operators()
    catalog.validate([llm()], operators)
    with pytest.raises(ConfigError, match=r"pool\.llms\[1\]\.usd_per_mtok_in: expected a number >= 0, got -1"):
        catalog.validate([llm(), llm(id="b", usd_per_mtok_in=-1)], operators)
    with pytest.raises(ConfigError, match=r"capabilities\[0\]\.kind"):
        catalog.validate([llm()], operators, [_native.Capability(id="x", kind=9, description="")])
    with pytest.raises(ConfigError, match="operators: expected at least one operator that generates"):
        catalog.validate([llm()], [])


def test_entries_are_values() -> None:
    assert llm() == llm() and llm() != llm(ability=1.0)
    assert tables.default_operators() == tables.default_operators()
    with pytest.raises(AttributeError):
        llm().ability = 2.0
    with pytest.raises(TypeError):
        _native.Llm("a")
