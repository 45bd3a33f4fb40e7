"""The LLMs that a router may choose from: a TOML file with prices, limits and abilities.

.. code-block:: toml

    [[llms]]
    id = "gpt-4o-mini"
    ability = "gpt-4o-mini"          # the id of this LLM in the bundle's ability table,
    # like = "<id in the bundle>"    # or: an LLM that is about as able,
    # scores = { mmlu_pro = 0.63 }   # or: public benchmark scores; or [llms.learned], from your own outcomes
    usd_per_mtok_in = 0.15
    usd_per_mtok_out = 0.60
    price_date = 2025-01-15
    context_tokens = 128000
    max_output_tokens = 16384
    policy = ["json", "tools", "vision"]

    [routing]
    value_usd = 0.02                 # what a correct answer is worth where a call does not say
"""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from turnout.ability import AbilityEstimate, around, given_ability, population
from turnout.bundle import Ability, AbilityTable
from turnout.core import ConfigError
from turnout.learned import Learned, check_learned, check_logit, to_learned
from turnout.schema import check_at_most, check_name, check_positive, convert, did_you_mean, fail, from_toml

# The standard error of an ability that is borrowed from another LLM: the spread of abilities among LLMs of one class.
LIKE_SE = 0.5
# That of an ability on queries of another source than a score's or the bundle's: a compromise between users whose
# queries are of the same domains and users whose queries are not (bench/new_llms.py, on training splits).
TRANSFER_SE = 0.25

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
MAX_VALUE_USD = 1e6
RULE_OUT = "; to rule an LLM out use constraints deny"


class Routing(msgspec.Struct, forbid_unknown_fields=True):
    """``[routing]``: what `Router.load` takes where the caller says nothing. Written by ``turnout tune``.

    Attributes
    ----------
    value_usd : float, optional
        What a correct answer is worth: the weight of quality against cost.
    """

    value_usd: float | None = None


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
    learned : Learned
        An ability from outcomes; counts before any of the three, which then says where it started from.
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
    price_date: datetime.date | None = None
    context_tokens: int
    max_output_tokens: int
    ability: str | None = None
    like: str | None = None
    scores: dict[str, float] | None = None
    learned: Learned | None = None
    usd_per_call: float = 0.0
    policy: list[str] = []
    tokens_per_second: float = 50.0
    seconds_to_first_token: float = 0.5
    output_tokens_mean: float | None = None
    output_tokens_p90: float | None = None


class Pool(msgspec.Struct, forbid_unknown_fields=True):
    """A pool of LLMs as its file states it; checked against a bundle by `Router.load`."""

    llms: list[LlmEntry]
    routing: Routing | None = None

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

    def index(self, id: str) -> int:
        """The place of the LLM that is called `id`.

        Raises
        ------
        ConfigError
            There is none.
        """
        ids = [llm.id for llm in self.llms]
        if id not in ids:
            raise fail(ConfigError, "pool.llms", f"no LLM is called {id!r}{did_you_mean(id, ids)}")
        return ids.index(id)

    def add(self, llm: LlmEntry) -> Pool:
        """This pool with one LLM more.

        Raises
        ------
        ConfigError
            There is one of its id.
        """
        for i, known in enumerate(self.llms):
            if known.id == llm.id:
                raise fail(ConfigError, f"pool.llms[{i}].id", f"{llm.id!r} is in the pool already")
        return msgspec.structs.replace(self, llms=[*self.llms, llm])

    def learn(self, id: str, estimate: AbilityEstimate, bundle: str) -> Pool:
        """This pool with what outcomes say of one of its LLMs.

        Parameters
        ----------
        estimate : AbilityEstimate
            Of `turnout.ability.estimate_ability`.
        bundle : str
            The version of the bundle that it was estimated on.

        Raises
        ------
        ConfigError
            No LLM is called `id`.
        """
        at = self.index(id)
        entry = msgspec.structs.replace(self.llms[at], learned=to_learned(estimate, bundle))
        return msgspec.structs.replace(self, llms=[*self.llms[:at], entry, *self.llms[at + 1 :]])


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


def _discrimination(known: Ability | None, entry: LlmEntry, path: str) -> float:
    """The ability table's; 1 with an ability that was learned, which was estimated so."""
    value = known.discrimination if known is not None and entry.learned is None else 1.0
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


def _given(entry: LlmEntry, path: str) -> str | None:
    """Which of ability, like, scores an entry has; None: it has `learned` alone."""
    given = [name for name in ("ability", "like", "scores") if getattr(entry, name) is not None]
    if len(given) > 1 or (not given and entry.learned is None):
        got = " and ".join(given) if given else "none"
        raise fail(ConfigError, path, f"expected exactly one of ability, like, scores, got {got}")
    return given[0] if given else None


def _from_scores(table: AbilityTable, scores: dict[str, float], where: str) -> tuple[float, float]:
    ability, se = ability_from_scores(table, scores, where)
    check_logit(ability, where)
    return ability, se


def _ability(
    table: AbilityTable, entry: LlmEntry, version: str, path: str
) -> tuple[float, float, list[float], Ability | None]:
    given = _given(entry, path)
    where = f"{path}.{given}"
    known = _known(table, entry.ability or entry.like or "", where) if given in ("ability", "like") else None
    if entry.learned is not None:
        check_learned(entry.learned, table.skills, version, f"{path}.learned")
        return entry.learned.ability, entry.learned.ability_se, entry.learned.skill, known
    if known is None:
        ability, se = _from_scores(table, entry.scores or {}, where)
        return ability, se, given_ability(population(table), ability, se).skill, None
    check_logit(known.ability, where)
    for k, skill in enumerate(known.skill):
        check_logit(skill, f"{path}.skill[{k}]")
    extra = LIKE_SE if entry.like is not None else 0.0
    return known.ability, math.hypot(known.ability_se, extra), known.skill, known


def starting_point(table: AbilityTable, entry: LlmEntry, path: str = "pool.llms[0]") -> AbilityEstimate:
    """What is known of an LLM before your outcomes, from its ability, like or scores; without any: the bundle's LLMs.

    On queries of another source than the scores or the bundle's outcomes an LLM is less surely as able: `TRANSFER_SE`
    is added, so that outcomes of one kind of task do not count too little against a score on others.
    """
    known = population(table)
    if entry.scores is not None:
        ability, se = _from_scores(table, entry.scores, f"{path}.scores")
        return given_ability(known, ability, math.hypot(se, TRANSFER_SE))
    if entry.ability is None and entry.like is None:
        return known
    where = f"{path}.{'like' if entry.ability is None else 'ability'}"
    llm = _known(table, entry.ability or entry.like or "", where)
    borrowed = LIKE_SE if entry.ability is None else 0.0
    theta = np.array([llm.ability, *llm.skill])
    return around(known, theta, math.hypot(llm.ability_se, borrowed, TRANSFER_SE))


def _resolve_one(table: AbilityTable, entry: LlmEntry, version: str, path: str) -> ResolvedLlm:
    _check_entry(entry, path)
    ability, se, skill, known = _ability(table, entry, version, path)
    mean, p90 = entry.output_tokens_mean, entry.output_tokens_p90
    if mean is None:
        mean = known.output_tokens_mean if known else 256.0
    if p90 is None:
        p90 = max(known.output_tokens_p90, mean) if known else 2.0 * mean
    if p90 < mean:
        raise fail(ConfigError, f"{path}.output_tokens_p90", f"expected at least the mean ({mean:g}), got {p90:g}")
    discrimination, length = _discrimination(known, entry, path), _length(known, entry, path)
    return ResolvedLlm(entry, ability, se, skill, mean, p90, discrimination, *length)


def resolve(pool: Pool, table: AbilityTable, version: str = "") -> list[ResolvedLlm]:
    """Gives every LLM of the pool its ability on the scale of the bundle of this `version`.

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``pool.llms[2].ability``.
    """
    if not pool.llms:
        raise fail(ConfigError, "pool.llms", "expected at least one LLM, got none")
    if pool.routing is not None:
        _check_routing(pool.routing)
    return [_resolve_one(table, entry, version, f"pool.llms[{i}]") for i, entry in enumerate(pool.llms)]


def _check_routing(routing: Routing) -> None:
    value = routing.value_usd
    if value is not None and not 0.0 <= value <= MAX_VALUE_USD:
        raise fail(ConfigError, "pool.routing.value_usd", f"expected a number from 0 to 1e6, got {value:g}")
