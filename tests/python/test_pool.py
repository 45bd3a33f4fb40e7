"""Pools: three ways to say how able an LLM is; anything else is an error with the path to the culprit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import turnout


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
    assert llm.skill == [0.0, 0.0]


def test_like_is_wider_than_ability(small_bundle: Path) -> None:
    exact = load(small_bundle, entry()).parts.pool[0]
    like = load(small_bundle, entry(ability=None, like="small")).parts.pool[0]
    assert like.ability == exact.ability and like.ability_se > exact.ability_se


BAD = [
    (entry(usd_per_mtok_in=-1.0), "pool.llms[0].usd_per_mtok_in", "expected a number >= 0, got -1"),
    (entry(usd_per_mtok_out=float("nan")), "pool.llms[0].usd_per_mtok_out", "expected a number >= 0"),
    (entry(usd_per_mtok_in="free"), "pool.llms[0].usd_per_mtok_in", "expected float, got str"),
    (entry(usd_per_mtok_in=None), "pool.llms[0]", "usd_per_mtok_in"),
    (entry(price_date=None), "pool.llms[0]", "price_date"),
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
    (entry(id=""), "pool.llms[0].id", "a name"),
]


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
    (tmp_path / "broken.toml").write_text("[[llms]\nid = ")
    with pytest.raises(turnout.ConfigError, match="not a TOML file"):
        turnout.Router.load(small_bundle, pool=tmp_path / "broken.toml")
