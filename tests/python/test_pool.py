"""Pools: three ways to say how able an LLM is; anything else is an error with the path to the culprit."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import bundles
import turnout
from turnout.ability import AbilityEstimate, given_ability, population
from turnout.bundle import Ability, AbilityTable, Bundle, ScoreLine
from turnout.learned import from_learned, to_learned
from turnout.pool import LIKE_SE, TRANSFER_SE, LlmEntry, Pool, resolve, starting_point


def entry(**changes: Any) -> dict[str, Any]:
    base = {
        "id": "mine",
        "ability": "small",
        "usd_per_mtok_in": 0.5,
        "usd_per_mtok_out": 1.5,
        "price_date": "2026-01-01",
        "context_tokens": 8192,
        "max_output_tokens": 1024,
    }
    return {key: value for key, value in (base | changes).items() if value is not None}


def load(bundle: Path, *entries: dict[str, Any]) -> turnout.Router:
    return turnout.Router.load(bundle, pool={"llms": list(entries)})


def test_toml_file(small_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "pool.toml"
    path.write_text(
        """
[[llms]]
id = "cheap"
ability = "tiny"
usd_per_mtok_in = 0.1
usd_per_mtok_out = 0.2
price_date = 2026-01-01
context_tokens = 4096
max_output_tokens = 512
policy = ["json"]

[[llms]]
id = "new"
scores = { mmlu_pro = 0.71 }
usd_per_mtok_in = 3.0
usd_per_mtok_out = 15.0
price_date = 2026-01-01
context_tokens = 200000
max_output_tokens = 8192
"""
    )
    router = turnout.Router.load(small_bundle, pool=path)
    assert router.llms == ["cheap", "new"]
    assert router.route("what is the capital").llm in router.llms


def test_scores_are_mapped_by_the_line(small_bundle: Path) -> None:
    llm = load(small_bundle, entry(ability=None, scores={"mmlu_pro": 0.71})).parts.pool[0]
    assert llm.ability == pytest.approx(0.1 + 1.2 * math.log(0.71 / 0.29))
    assert llm.ability_se == pytest.approx(0.4)
    everyone = population(Bundle.load(small_bundle).abilities())
    assert llm.skill == given_ability(everyone, llm.ability, 0.4).skill != [0.0, 0.0]


def test_like_is_wider_than_ability(small_bundle: Path) -> None:
    exact = load(small_bundle, entry()).parts.pool[0]
    like = load(small_bundle, entry(ability=None, like="small")).parts.pool[0]
    assert like.ability == exact.ability and like.ability_se > exact.ability_se


def learned(**changes: Any) -> dict[str, Any]:
    base = {"ability": 0.7, "ability_se": 0.2, "skill": [0.1, -0.2], "outcomes": 40, "bundle": "1"}
    return base | changes


def test_learned_counts_before_where_it_started(small_bundle: Path) -> None:
    for start in ({"ability": None}, {}, {"ability": None, "scores": {"mmlu_pro": 0.5}}):
        llm = load(small_bundle, entry(**start, learned=learned())).parts.pool[0]
        assert (llm.ability, llm.ability_se, llm.skill) == (0.7, 0.2, [0.1, -0.2])
    assert load(small_bundle, entry(learned=learned())).parts.pool[0].output_tokens_mean == 240.0  # of the bundle


def test_what_is_learned_survives_the_file() -> None:
    root = np.random.default_rng(0).normal(size=(7, 7))
    estimate = AbilityEstimate(np.arange(7) / 7, root @ root.T + 0.1 * np.eye(7), 123)
    again = from_learned(to_learned(estimate, "v"), 6, "v", "p")
    np.testing.assert_allclose(again.mean, estimate.mean, rtol=1e-5)
    np.testing.assert_allclose(again.covariance, estimate.covariance, rtol=1e-5)
    assert again.n == 123


def test_an_update_needs_the_covariance() -> None:
    known = to_learned(AbilityEstimate(np.zeros(2), np.eye(2), 5), "v")
    known.covariance = None
    with pytest.raises(turnout.ConfigError, match=r"pool add --replace") as error:
        from_learned(known, 1, "v", "pool.llms[0].learned")
    assert error.value.path == "pool.llms[0].learned.covariance"


def test_starting_points(small_bundle: Path) -> None:
    abilities = Bundle.load(small_bundle).abilities()
    everyone, small = population(abilities), abilities.llms[1]

    def start(**given: Any) -> AbilityEstimate:
        return starting_point(abilities, Pool.from_dict({"llms": [entry(ability=None) | given]}).llms[0])

    np.testing.assert_array_equal(start().mean, everyone.mean)
    assert start(scores={"mmlu_pro": 0.71}).ability_se == pytest.approx(math.hypot(0.4, TRANSFER_SE))
    for given, borrowed in (({"ability": "small"}, 0.0), ({"like": "small"}, LIKE_SE)):
        assert [start(**given).ability, *start(**given).skill] == [small.ability, *small.skill]
        assert start(**given).ability_se == pytest.approx(math.hypot(0.1, borrowed, TRANSFER_SE))


def test_pools_grow_and_learn(small_bundle: Path) -> None:
    pool = Pool.from_dict({"llms": [entry()]})
    two = pool.add(LlmEntry(**entry(id="new", ability=None, scores={"mmlu_pro": 0.6})))  # type: ignore[arg-type]
    assert len(pool.llms) == 1 and [llm.id for llm in two.llms] == ["mine", "new"]
    taught = two.learn("new", AbilityEstimate(np.array([1.5, 0.1, 0.2]), 0.04 * np.eye(3), 30), "1")
    llm = turnout.Router.load(small_bundle, pool=taught).parts.pool[1]
    assert llm.ability == 1.5 and llm.ability_se == pytest.approx(0.2) and llm.entry.scores == {"mmlu_pro": 0.6}
    with pytest.raises(turnout.ConfigError, match="in the pool already"):
        two.add(two.llms[1])
    with pytest.raises(turnout.ConfigError, match="did you mean 'new'"):
        two.learn("mew", AbilityEstimate(np.zeros(3), np.eye(3)), "1")


def test_routing_value_is_the_default(small_bundle: Path) -> None:
    plain = turnout.Router.load(small_bundle, pool={"llms": [entry()]})
    tuned = turnout.Router.load(small_bundle, pool={"llms": [entry()], "routing": {"value_usd": 3.5}})
    assert (plain.value_usd, tuned.value_usd) == (0.01, 3.5)
    said = turnout.Router.load(small_bundle, pool={"llms": [entry()], "routing": {"value_usd": 3.5}}, value_usd=0.25)
    assert said.value_usd == 0.25
    assert turnout.Router.load(small_bundle, pool={"llms": [entry()], "routing": {}}).value_usd == 0.01
    text = "what is the capital"
    decision, expected = tuned.route(text), plain.route(text, value_usd=3.5)
    assert decision.utility == expected.utility != plain.route(text).utility


@pytest.mark.parametrize(
    ("routing", "path", "part"),
    [
        ({"value_usd": -1.0}, "pool.routing.value_usd", "from 0 to 1e6"),
        ({"value_usd": 2e6}, "pool.routing.value_usd", "from 0 to 1e6"),
        ({"value_usd": float("nan")}, "pool.routing.value_usd", "from 0 to 1e6"),
        ({"value_usd": "much"}, "pool.routing.value_usd", "float"),
        ({"value": 1.0}, "pool.routing", "value"),
    ],
)
def test_wrong_routing(small_bundle: Path, routing: dict[str, Any], path: str, part: str) -> None:
    with pytest.raises(turnout.ConfigError, match=part) as error:
        turnout.Router.load(small_bundle, pool={"llms": [entry()], "routing": routing})
    assert error.value.path == path


BAD = [
    (entry(learned=learned(bundle="0")), "pool.llms[0].learned.bundle", "learned on bundle '0', this is '1'"),
    (entry(learned=learned(bundle="0")), "pool.llms[0].learned.bundle", "pool add --replace"),
    (entry(learned=learned(skill=[0.0])), "pool.llms[0].learned.skill", "expected the bundle's 2 skills, got 1"),
    (entry(learned=learned(ability=51.0)), "pool.llms[0].learned.ability", "expected logits"),
    (entry(learned=learned(skill=[0.0, -99.0])), "pool.llms[0].learned.skill[1]", "expected logits"),
    (entry(learned=learned(ability_se=0.0)), "pool.llms[0].learned.ability_se", "(0, 50]"),
    (entry(learned=learned(ability_se=float("nan"))), "pool.llms[0].learned.ability_se", "(0, 50]"),
    (entry(learned=learned(outcomes=0)), "pool.llms[0].learned.outcomes", "at least 1"),
    (entry(learned=learned(covariance=[1.0])), "pool.llms[0].learned.covariance", "3 rows, 6 numbers, got 1"),
    (entry(learned=learned(covariance=[1.0, 2, 1, 0, 0, 1])), "pool.llms[0].learned.covariance", "positive definite"),
    (entry(learned=learned(covariance=[1, 0, 1, 0, 0, float("inf")])), "pool.llms[0].learned.covariance", "positive"),
    (entry(learned=learned(colour="red")), "pool.llms[0].learned", "colour"),
    (entry(like="small", learned=learned()), "pool.llms[0]", "got ability and like"),
    (entry(usd_per_mtok_in=-1.0), "pool.llms[0].usd_per_mtok_in", "expected a number >= 0, got -1"),
    (entry(usd_per_mtok_out=float("nan")), "pool.llms[0].usd_per_mtok_out", "expected a number >= 0"),
    (entry(usd_per_mtok_in="free"), "pool.llms[0].usd_per_mtok_in", "expected float, got str"),
    (entry(usd_per_mtok_in=None), "pool.llms[0]", "usd_per_mtok_in"),
    (entry(price_date="soon"), "pool.llms[0].price_date", "date"),
    (entry(colour="red"), "pool.llms[0]", "colour"),
    (entry(ability="smal"), "pool.llms[0].ability", "did you mean 'small'"),
    (entry(ability=None, like="nobody"), "pool.llms[0].like", "not among"),
    (entry(ability=None), "pool.llms[0]", "exactly one of ability, like, scores, got none"),
    (entry(like="small"), "pool.llms[0]", "got ability and like"),
    (entry(ability=None, scores={}), "pool.llms[0].scores", "at least one"),
    (entry(ability=None, scores={"elo": 0.5}), "pool.llms[0].scores.elo", "no line"),
    (entry(ability=None, scores={"mmlu_pro": 71.0}), "pool.llms[0].scores.mmlu_pro", "(0, 1)"),
    (entry(context_tokens=0), "pool.llms[0].context_tokens", "number > 0"),
    (entry(max_output_tokens=9000), "pool.llms[0].max_output_tokens", "at most context_tokens"),
    (entry(policy=["telepathy!"] * 40), "pool.llms[0].policy", ""),
    (entry(tokens_per_second=0.0), "pool.llms[0].tokens_per_second", "number > 0"),
    (entry(output_tokens_mean=100.0, output_tokens_p90=10.0), "pool.llms[0].output_tokens_p90", "at least the mean"),
    (entry(output_tokens_mean=0.0), "pool.llms[0].output_tokens_mean", "expected a number > 0, got 0"),
    (entry(output_tokens_p90=0.0), "pool.llms[0].output_tokens_p90", "expected a number > 0, got 0"),
    (entry(output_tokens_mean=-5.0), "pool.llms[0].output_tokens_mean", "expected a number > 0, got -5"),
    (entry(output_tokens_p90=-5.0), "pool.llms[0].output_tokens_p90", "expected a number > 0, got -5"),
    (entry(output_tokens_mean=float("nan")), "pool.llms[0].output_tokens_mean", "expected a number > 0, got nan"),
    (entry(context_tokens=-(10**400)), "pool.llms[0].context_tokens", "> 0, got an integer of more than 300 digits"),
    (entry(context_tokens=10**400), "pool.llms[0].context_tokens", "at most 1e+08, got an integer of more"),
    (entry(id=""), "pool.llms[0].id", "a name of printable characters, got ''"),
    (entry(id=" "), "pool.llms[0].id", "a name of printable characters, got ' '"),
    (entry(id="a\nb"), "pool.llms[0].id", r"a name of printable characters, got 'a\nb'"),
    (entry(id="a\x1b[31m"), "pool.llms[0].id", r"got 'a\x1b[31m'"),
    (entry(id="a\ud800"), "pool.llms[0].id", r"got 'a\ud800'"),
    (entry(policy=["json", "\t"]), "pool.llms[0].policy[1]", "a name of printable characters"),
]


# The largest value of each field, and what the error of a larger one ends with.
RULE_OUT = "; to rule an LLM out use constraints deny"
LARGEST = [
    ("usd_per_mtok_in", 1e5, RULE_OUT),
    ("usd_per_mtok_out", 1e5, RULE_OUT),
    ("usd_per_call", 1e4, RULE_OUT),
    ("seconds_to_first_token", 1e5, RULE_OUT),
    ("context_tokens", 10**8, ""),
    ("max_output_tokens", 10**8, ""),
    ("output_tokens_mean", 1e8, ""),
    ("output_tokens_p90", 1e8, ""),
]


@pytest.mark.parametrize(("field", "limit", "ending"), LARGEST, ids=[field for field, *_ in LARGEST])
def test_magnitudes_are_bounded(small_bundle: Path, field: str, limit: float, ending: str) -> None:
    room: dict[str, Any] = {"context_tokens": 10**8, "output_tokens_p90": 1e8}
    assert load(small_bundle, entry(**room | {field: limit})).route("what is the capital").feasible
    for value in [limit * 10] + ([float("inf")] if isinstance(limit, float) else []):
        with pytest.raises(turnout.ConfigError) as error:
            load(small_bundle, entry(**room | {field: value}))
        assert error.value.path == f"pool.llms[0].{field}"
        assert str(error.value) == f"pool.llms[0].{field}: expected at most {limit:g}, got {value:g}{ending}"


def test_the_slowest_llm(small_bundle: Path) -> None:
    assert load(small_bundle, entry(tokens_per_second=1e-3)).route("what is the capital").seconds > 1e3
    with pytest.raises(turnout.ConfigError, match=r"tokens_per_second: expected at least 0.001, got 0.0005; to rule"):
        load(small_bundle, entry(tokens_per_second=0.0005))


def table(ability: float = 0.0, skill: float = 0.0, slope: float = 1.0) -> AbilityTable:
    line = ScoreLine(slope=slope, intercept=0.0, residual_sd=0.4)
    return AbilityTable(1, [Ability("small", ability, 0.1, [skill], 100.0, 200.0)], {"mmlu_pro": line})


@pytest.mark.parametrize("sign", [1, -1])
def test_abilities_are_bounded(sign: int) -> None:
    ability, scores = entry(), entry(ability=None, scores={"mmlu_pro": 0.5 + 0.25 * sign})
    for numbers, given, path in (
        (table(ability=50.5 * sign), ability, "ability"),
        (table(skill=50.5 * sign), ability, "skill[0]"),
        (table(slope=50.0), scores, "scores"),
    ):
        with pytest.raises(turnout.ConfigError) as error:
            resolve(turnout.Pool.from_dict({"llms": [given]}), numbers)
        assert error.value.path == f"pool.llms[0].{path}" and "expected logits in [-50, 50], got " in str(error.value)
    edge = resolve(turnout.Pool.from_dict({"llms": [ability]}), table(ability=50.0 * sign, skill=-50.0 * sign))
    assert (edge[0].ability, edge[0].skill) == (50.0 * sign, [-50.0 * sign])


def test_own_lengths_are_kept(small_bundle: Path) -> None:
    llm = load(small_bundle, entry(output_tokens_mean=3.0, output_tokens_p90=4.0)).parts.pool[0]
    assert (llm.output_tokens_mean, llm.output_tokens_p90) == (3.0, 4.0)


def responsive(**numbers: Any) -> AbilityTable:
    base = table()
    known = {"discrimination": 2.5, "length_gain": 0.5, "length_skill": [0.25]} | numbers
    return msgspec.structs.replace(base, llms=[msgspec.structs.replace(base.llms[0], **known)])


def test_discrimination_and_length_are_the_ability_tables() -> None:
    def resolved(**changes: Any) -> tuple[float, float, list[float]]:
        (llm,) = resolve(turnout.Pool.from_dict({"llms": [entry(**changes)]}), responsive())
        return llm.discrimination, llm.length_gain, llm.length_skill

    assert resolved() == resolved(ability=None, like="small") == (2.5, 0.5, [0.25])
    assert resolved(output_tokens_p90=900.0) == (2.5, 0.5, [0.25])
    assert resolved(output_tokens_mean=50.0) == (2.5, 1.0, [])
    assert resolved(ability=None, scores={"mmlu_pro": 0.7}) == (1.0, 1.0, [])


def test_a_learned_ability_was_estimated_without_discrimination(tmp_path: Path) -> None:
    files = bundles.files(response=True)
    given = entry(ability="giant"), entry(id="taught", ability="giant", learned=learned())
    plain, taught = load(bundles.write(tmp_path, files), *given).parts.pool
    assert (plain.discrimination, taught.discrimination) == (1.25, 1.0)
    assert plain.length_gain == taught.length_gain == 1.5


@pytest.mark.parametrize(
    ("numbers", "path", "message"),
    [
        ({"discrimination": 0.0}, "discrimination", "expected a number > 0 and at most 10, got 0"),
        ({"discrimination": -1.0}, "discrimination", "expected a number > 0 and at most 10, got -1"),
        ({"discrimination": 10.5}, "discrimination", "expected a number > 0 and at most 10, got 10.5"),
        ({"length_gain": 4.5}, "length_gain", "expected at most 4, got 4.5"),
        ({"length_gain": -0.5}, "length_gain", "expected a number >= 0, got -0.5"),
        ({"length_skill": [0.0, 51.0]}, "length_skill[1]", "expected a number from -50 to 50, got 51"),
        ({"length_skill": [0.0]}, "length_skill", "expected 2 numbers as in its skill, or none, got 1"),
    ],
)
def test_bad_responses_name_the_culprit(tmp_path: Path, numbers: dict[str, Any], path: str, message: str) -> None:
    files = bundles.files()
    known = json.loads(files["llms.json"])
    known["llms"][1] |= numbers
    folder = bundles.write(tmp_path, files | {"llms.json": json.dumps(known).encode()})
    with pytest.raises(turnout.ConfigError) as error:
        load(folder, entry(id="other", ability="tiny"), entry())
    assert error.value.path == f"pool.llms[1].{path}" and message in str(error.value)


def test_the_date_of_prices_may_be_unknown(small_bundle: Path) -> None:
    llms = load(small_bundle, entry(), entry(id="undated", price_date=None)).parts.pool
    assert str(llms[0].entry.price_date) == "2026-01-01" and llms[1].entry.price_date is None


@pytest.mark.parametrize(
    ("bad", "path", "message"), [b for b in BAD if b[2]], ids=lambda x: x if isinstance(x, str) else ""
)
def test_bad_entries_name_the_culprit(small_bundle: Path, bad: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(turnout.ConfigError) as error:
        load(small_bundle, bad)
    assert error.value.path == path
    assert message in str(error.value)


def test_the_second_entry_is_named_too(small_bundle: Path) -> None:
    with pytest.raises(turnout.ConfigError) as error:
        load(small_bundle, entry(), entry(id="other", usd_per_mtok_in=-1.0))
    assert str(error.value) == "pool.llms[1].usd_per_mtok_in: expected a number >= 0, got -1"


def test_duplicate_ids(small_bundle: Path) -> None:
    with pytest.raises(turnout.ConfigError, match=r"pool\.llms\[1\]\.id"):
        load(small_bundle, entry(), entry())


@pytest.mark.parametrize("data", [{"llms": []}, {}, {"llms": 3}, {"models": []}])
def test_no_llms(small_bundle: Path, data: dict[str, Any]) -> None:
    with pytest.raises(turnout.ConfigError) as error:
        turnout.Router.load(small_bundle, pool=data)
    assert error.value.path.startswith("pool")


def test_too_many_llms(small_bundle: Path) -> None:
    with pytest.raises(turnout.ConfigError, match="at most 256"):
        load(small_bundle, *(entry(id=f"m{i}") for i in range(257)))


def test_files_that_are_no_pool(small_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(turnout.ConfigError, match="cannot be read"):
        turnout.Router.load(small_bundle, pool=tmp_path / "nowhere.toml")
    for text in ("[[llms]\nid = ", "context_tokens = " + "1" * 5000):
        (tmp_path / "broken.toml").write_text(text)
        with pytest.raises(turnout.ConfigError, match="not a TOML file"):
            turnout.Router.load(small_bundle, pool=tmp_path / "broken.toml")
