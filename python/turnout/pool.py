"""The LLMs that a router may choose from: a TOML file with prices, limits and abilities.

.. code-block:: toml

    [[llms]]
    id = "gpt-4o-mini"
    ability = "gpt-4o-mini"          # the id of this LLM in the bundle's ability table,
    # like = "<id in the bundle>"    # or: an LLM that is about as able,
    # scores = { mmlu_pro = 0.63 }   # or: public benchmark scores
    usd_per_mtok_in = 0.15
    usd_per_mtok_out = 0.60
    price_date = 2025-01-15
    context_tokens = 128000
    max_output_tokens = 16384
    policy = ["json", "tools", "vision"]
"""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import msgspec

from turnout.bundle import Ability, AbilityTable
from turnout.core import ConfigError
from turnout.schema import check_at_most, check_name, check_positive, convert, did_you_mean, fail, from_toml

# The standard error of an ability that is borrowed from another LLM: the spread of abilities among LLMs of one class.
LIKE_SE = 0.5

# The largest values of an entry; docs/architecture.md states them, the core has the same. Exact comparisons of plans
# need prices, seconds and tokens whose sums keep the digits that decide.
LIMITS = {
    "usd_per_mtok_in": 1e5,
    "usd_per_mtok_out": 1e5,
    "usd_per_call": 1e4,
    "seconds_to_first_token": 1e5,
    "context_tokens": 1e8,
    "max_output_tokens": 1e8,
    "output_tokens_mean": 1e8,
    "output_tokens_p90": 1e8,
}
POSITIVE = ("context_tokens", "max_output_tokens", "output_tokens_mean", "output_tokens_p90", "tokens_per_second")
MIN_TOKENS_PER_SECOND = 1e-3
MAX_DISCRIMINATION = 10.0
MAX_LENGTH_GAIN = 4.0
MAX_LENGTH_SKILL = 50.0  # either sign
MAX_LOGIT = 50.0  # of an ability or a skill, either sign
RULE_OUT = "; to rule an LLM out use constraints deny"


class LlmEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[llms]]`` table.

    Attributes
    ----------
    id : str
        What the host calls it; a Decision names it so.
    ability, like : str
        An id in the bundle's ability table: this very LLM, or one that is about as able (wider interval).
    scores : dict of str to float
        Public benchmark scores in (0, 1), mapped to an ability by the bundle's fitted lines (wide interval).
    usd_per_mtok_in, usd_per_mtok_out : float
        USD per million tokens.
    usd_per_call : float
        USD for each call, whatever its length.
    price_date : date, optional
        When the prices were read; None: unknown.
    context_tokens, max_output_tokens : int
        Prompt and output together; output alone.
    policy : list of str
        What it offers: ``vision``, ``json``, ``tools``, or names of the host's own.
    tokens_per_second, seconds_to_first_token : float
    output_tokens_mean, output_tokens_p90 : float, optional
        Of a direct answer; default: the ability table's.
    """

    id: str
    usd_per_mtok_in: float
    usd_per_mtok_out: float
    context_tokens: int
    max_output_tokens: int
    ability: str | None = None
    like: str | None = None
    scores: dict[str, float] | None = None
    usd_per_call: float = 0.0
    price_date: datetime.date | None = None
    policy: list[str] = []
    tokens_per_second: float = 50.0
    seconds_to_first_token: float = 0.5
    output_tokens_mean: float | None = None
    output_tokens_p90: float | None = None


class Pool(msgspec.Struct, forbid_unknown_fields=True):
    """A pool of LLMs as its file states it; checked against a bundle by `Router.load`."""

    llms: list[LlmEntry]

    @staticmethod
    def load(path: str | Path) -> Pool:
        """Reads a pool from a TOML file.

        Raises
        ------
        ConfigError
            The file cannot be read, is not TOML, or a field is missing, unknown or of the wrong type; names the field.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise fail(ConfigError, str(path), f"cannot be read: {error.strerror}") from None
        return from_toml(data, Pool, "pool")

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Pool:
        """A pool from plain data of the same shape as the TOML file."""
        return convert(data, Pool, "pool")


class ResolvedLlm(msgspec.Struct, frozen=True):
    """An entry with its ability, as the core takes it. Units as in `LlmEntry`; `ability` in logits.

    ``P(correct) = floor + (1 - floor) sigmoid(ability + skill . s - discrimination b)``; its answers are
    ``exp(length_gain v + length_skill . s)`` times as long, v the logarithm of the query's output scale.
    """

    entry: LlmEntry
    ability: float
    ability_se: float
    skill: list[float]
    output_tokens_mean: float
    output_tokens_p90: float
    discrimination: float = 1.0
    length_gain: float = 1.0
    length_skill: list[float] = []


def _discrimination(known: Ability | None, path: str) -> float:
    value = known.discrimination if known is not None else 1.0
    if not 0.0 < value <= MAX_DISCRIMINATION:
        raise fail(
            ConfigError,
            f"{path}.discrimination",
            f"expected a number > 0 and at most {MAX_DISCRIMINATION:g}, got {value:g}",
        )
    return value


def _length(known: Ability | None, entry: LlmEntry, path: str) -> tuple[float, list[float]]:
    """How its answers' length goes with the query: the ability table's, unless the entry states a length of its own."""
    if known is None or entry.output_tokens_mean is not None:
        return 1.0, []
    check_at_most(known.length_gain, MAX_LENGTH_GAIN, f"{path}.length_gain")
    for k, value in enumerate(known.length_skill):
        if not abs(value) <= MAX_LENGTH_SKILL:
            expected = f"expected a number from -{MAX_LENGTH_SKILL:g} to {MAX_LENGTH_SKILL:g}"
            raise fail(ConfigError, f"{path}.length_skill[{k}]", f"{expected}, got {value:g}")
    return known.length_gain, known.length_skill


def _known(table: AbilityTable, name: str, path: str) -> Ability:
    found = next((a for a in table.llms if a.id == name), None)
    if found is not None:
        return found
    hint = did_you_mean(name, [a.id for a in table.llms])
    raise fail(ConfigError, path, f"{name!r} is not among the bundle's {len(table.llms)} LLMs{hint}")


def ability_from_scores(table: AbilityTable, scores: dict[str, float], path: str) -> tuple[float, float]:
    """Ability and its standard error from benchmark scores: the bundle's lines, weighted by their precision.

    Raises
    ------
    ConfigError
        No score, an unknown benchmark, or a score outside of (0, 1).
    """
    if not scores:
        raise fail(ConfigError, path, f"expected at least one of {sorted(table.scores)}")
    weights, total = 0.0, 0.0
    for name, score in scores.items():
        line = table.scores.get(name)
        if line is None:
            raise fail(
                ConfigError, f"{path}.{name}", f"no line was fitted for it; the bundle has {sorted(table.scores)}"
            )
        if not 0.0 < score < 1.0:
            raise fail(ConfigError, f"{path}.{name}", f"expected a share of correct answers in (0, 1), got {score:g}")
        precision = 1.0 / max(line.residual_sd, 1e-6) ** 2
        weights += precision
        total += precision * (line.intercept + line.slope * math.log(score / (1.0 - score)))
    return total / weights, math.sqrt(1.0 / weights)


def _check_entry(entry: LlmEntry, path: str) -> None:
    check_name(entry.id, f"{path}.id")
    for name in POSITIVE:
        value = getattr(entry, name)
        if value is not None:
            check_positive(value, f"{path}.{name}")
    for name, limit in LIMITS.items():
        value = getattr(entry, name)
        if value is not None:
            check_at_most(value, limit, f"{path}.{name}", RULE_OUT if name.startswith(("usd", "seconds")) else "")
    if entry.tokens_per_second < MIN_TOKENS_PER_SECOND:
        least = f"expected at least {MIN_TOKENS_PER_SECOND:g}, got {entry.tokens_per_second:g}"
        raise fail(ConfigError, f"{path}.tokens_per_second", least + RULE_OUT)


def _check_logit(value: float, path: str) -> None:
    if not abs(value) <= MAX_LOGIT:
        raise fail(ConfigError, path, f"expected logits in [-{MAX_LOGIT:g}, {MAX_LOGIT:g}], got {value:g}")


def _ability(table: AbilityTable, entry: LlmEntry, path: str) -> tuple[float, float, list[float], Ability | None]:
    given = [name for name in ("ability", "like", "scores") if getattr(entry, name) is not None]
    if len(given) != 1:
        got = " and ".join(given) if given else "none"
        raise fail(ConfigError, path, f"expected exactly one of ability, like, scores, got {got}")
    where = f"{path}.{given[0]}"
    if entry.scores is not None:
        ability, se = ability_from_scores(table, entry.scores, where)
        _check_logit(ability, where)
        return ability, se, [0.0] * table.skills, None
    known = _known(table, entry.ability or entry.like or "", where)
    _check_logit(known.ability, where)
    for k, skill in enumerate(known.skill):
        _check_logit(skill, f"{path}.skill[{k}]")
    extra = LIKE_SE if entry.like is not None else 0.0
    return known.ability, math.hypot(known.ability_se, extra), known.skill, known


def _resolve_one(table: AbilityTable, entry: LlmEntry, path: str) -> ResolvedLlm:
    _check_entry(entry, path)
    ability, se, skill, known = _ability(table, entry, path)
    mean, p90 = entry.output_tokens_mean, entry.output_tokens_p90
    if mean is None:
        mean = known.output_tokens_mean if known else 256.0
    if p90 is None:
        p90 = max(known.output_tokens_p90, mean) if known else 2.0 * mean
    if p90 < mean:
        raise fail(ConfigError, f"{path}.output_tokens_p90", f"expected at least the mean ({mean:g}), got {p90:g}")
    discrimination, length = _discrimination(known, path), _length(known, entry, path)
    return ResolvedLlm(entry, ability, se, skill, mean, p90, discrimination, *length)


def resolve(pool: Pool, table: AbilityTable) -> list[ResolvedLlm]:
    """Gives every LLM of the pool its ability on this bundle's scale.

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``pool.llms[2].ability``.
    """
    if not pool.llms:
        raise fail(ConfigError, "pool.llms", "expected at least one LLM, got none")
    return [_resolve_one(table, entry, f"pool.llms[{i}]") for i, entry in enumerate(pool.llms)]
