"""``turnout pool``: LLMs in and out of a pool's file, as a diff, and what is known of each."""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from turnout.ability import AbilityEstimate
from turnout.assemble import read_pool
from turnout.bundle import Bundle
from turnout.cli.output import console, print_json, print_table, say, usd
from turnout.core import ConfigError, InputError
from turnout.learned import from_learned, to_learned
from turnout.newcomer import Lesson, learn
from turnout.outcomes import read
from turnout.pool import LlmEntry, Pool, ResolvedLlm, resolve, starting_point
from turnout.pool_file import PoolFile
from turnout.router import Router
from turnout.schema import convert, fail

DEFAULTS = {"context_tokens": 128_000, "max_output_tokens": 4096}
STARTS = ("ability", "like", "scores")  # what an ability may start from


@dataclass(frozen=True)
class OutcomeFiles:
    """Where outcomes lie, and what they call the LLM."""

    queries: Path
    outcomes: Path
    columns: dict[str, str] = field(default_factory=dict)
    model: str | None = None


@dataclass(frozen=True)
class Change:
    """Of one LLM in a pool's file; `lesson` where outcomes were given."""

    file: PoolFile
    id: str
    version: str
    lesson: Lesson | None


def _learn(files: OutcomeFiles, id: str, bundle: Path | None, prior: AbilityEstimate) -> Lesson:
    outcomes = read(files.queries, files.outcomes, files.columns, min_llms=1)
    try:
        return learn(Router.load(bundle), outcomes, files.model or id, prior)
    except InputError as error:
        raise (
            fail(InputError, str(files.outcomes), f"{error}; see --model") if error.path == "model" else error
        ) from None


def _learned_fields(entry: LlmEntry, lesson: Lesson, version: str) -> dict[str, Any]:
    """What an entry gets from a lesson. Measured tokens are averaged with those of the outcomes that it knew before."""
    out: dict[str, Any] = {"learned": to_learned(lesson.posterior, version)}
    before = lesson.prior.n
    for name, value in (("output_tokens_mean", lesson.out_tokens), ("output_tokens_p90", lesson.out_tokens_p90)):
        if value is None:
            continue
        old = getattr(entry, name) if before else None
        if old is not None:
            value = (before * old + lesson.measured * value) / (before + lesson.measured)
        out[name] = max(1.0, out.get("output_tokens_mean", 1.0), round(value, 1))
    return out


def _check(entry: LlmEntry, bundle: Path | None, path: str) -> None:
    """Raises a ConfigError unless a router takes the entry; it stands at `path`."""
    try:
        Router.load(bundle, pool=Pool([entry]))
    except ConfigError as error:
        inside = error.path.removeprefix("pool.llms[0]")
        raise fail(ConfigError, path + inside, str(error).removeprefix(f"{error.path}: ")) from None


def _entry(id: str, given: dict[str, Any], old: LlmEntry | None, path: str) -> LlmEntry:
    """The LLM as the command describes it; of an LLM that is replaced, what the command does not say stays."""
    if old is None:
        data = {"id": id, "price_date": datetime.date.today(), **DEFAULTS, **given}
        return convert(data, LlmEntry, path)
    fresh = dict.fromkeys(STARTS) if any(name in given for name in STARTS) else {}
    return convert({**msgspec.to_builtins(old), "learned": None, **fresh, **given}, LlmEntry, path)


def add(
    file: Path, id: str, given: dict[str, Any], files: OutcomeFiles | None, bundle: Path | None, replace: bool
) -> Change:
    """The LLM `id` as the fields `given` describe it, and with outcomes what they say; `replace`: it is there already.

    What it has learned before is dropped: it starts from its ability, like or scores.
    """
    source, loaded = PoolFile.read(file), Bundle.load(bundle)
    pool, table, version = source.pool, loaded.abilities(), loaded.manifest.version
    at = pool.index(id) if replace else len(pool.llms)
    path, old = f"pool.llms[{at}]", pool.llms[at] if replace else None
    entry, lesson = _entry(id, given, old, path), None
    if files is not None:
        lesson = _learn(files, id, bundle, starting_point(table, entry, path))
        entry = msgspec.structs.replace(entry, **_learned_fields(entry, lesson, version))
    _check(entry, bundle, path)
    if old is None:
        return Change(source.add(entry), id, version, lesson)
    names = [f.name for f in msgspec.structs.fields(entry)]
    changed = {name: getattr(entry, name) for name in names if getattr(entry, name) != getattr(old, name)}
    return Change(source.set(id, changed), id, version, lesson)


def update(file: Path, id: str, files: OutcomeFiles, bundle: Path | None) -> Change:
    """What more outcomes say of the LLM `id`, on top of what it has learned before."""
    source, loaded = PoolFile.read(file), Bundle.load(bundle)
    table, version = loaded.abilities(), loaded.manifest.version
    at = source.pool.index(id)
    entry, path = source.pool.llms[at], f"pool.llms[{at}]"
    if entry.learned is None:
        prior = starting_point(table, entry, path)
    else:
        prior = from_learned(entry.learned, table.skills, version, f"{path}.learned")
    lesson = _learn(files, id, bundle, prior)
    fields = _learned_fields(entry, lesson, version)
    _check(msgspec.structs.replace(entry, **fields), bundle, path)
    return Change(source.set(id, fields), id, version, lesson)


def finish(change: Change, write: bool, as_json: bool) -> None:
    """Prints what was learned and the diff; writes the file only if asked."""
    diff = change.file.diff()
    if write and diff:
        change.file.write()
    if as_json:
        lesson = None if change.lesson is None else _plain(change.lesson)
        print_json({"id": change.id, "bundle": change.version, "lesson": lesson, "diff": diff, "written": write})
        return
    if change.lesson is not None:
        _say_lesson(change.id, change.lesson)
        say("")
    say(diff.rstrip("\n") if diff else f"{change.file.path}: nothing changes")
    if diff:
        where = change.file.path
        console(stderr=True).print(f"{where}: written" if write else f"{where}: not written; --write does it")


def _plain(lesson: Lesson) -> dict[str, Any]:
    numbers = {
        f.name: getattr(lesson, f.name) for f in dataclasses.fields(lesson) if f.name not in ("prior", "posterior")
    }
    return {"prior": _estimate(lesson.prior), "posterior": _estimate(lesson.posterior), **numbers}


def _estimate(estimate: AbilityEstimate) -> dict[str, Any]:
    return {
        "ability": estimate.ability,
        "ability_se": estimate.ability_se,
        "interval": estimate.interval(),
        "skill": estimate.skill,
        "outcomes": estimate.n,
    }


def _say_lesson(id: str, lesson: Lesson) -> None:
    say(f"{id}: {lesson.n} outcomes, mean score {lesson.score:.3f}")
    rows = [
        [name, f"{estimate.ability:+.2f}", _interval(estimate), f"{p:.3f}", str(estimate.n)]
        for name, estimate, p in [("before", lesson.prior, lesson.expected), ("after", lesson.posterior, lesson.fitted)]
    ]
    print_table(["", "ability", "95 % interval", "P(correct) on them", "outcomes"], rows)
    if lesson.out_tokens is not None:
        say(f"output tokens of a usual answer: mean {lesson.out_tokens:.0f}, p90 {lesson.out_tokens_p90:.0f}, measured")
    if lesson.seconds is not None:
        say(f"seconds of a call: mean {lesson.seconds:.2f}, p90 {lesson.seconds_p90:.2f}, measured (not written)")


def _interval(estimate: AbilityEstimate) -> str:
    low, high = estimate.interval()
    return f"{low:+.2f} .. {high:+.2f}"


# Show -----------------------------------------------------------------------------------------------------------------


def show(file: Path | None, bundle: Path | None, as_json: bool) -> None:
    """Every LLM of a pool as a router takes it, and where its ability comes from."""
    loaded = Bundle.load(bundle)
    pool = read_pool(file, loaded)
    llms = resolve(pool, loaded.abilities(), loaded.manifest.version)
    value = None if pool.routing is None else pool.routing.value_usd
    if as_json:
        print_json({"bundle": loaded.manifest.version, "value_usd": value, "llms": [_shown(llm) for llm in llms]})
        return
    header = ["LLM", "ability", "95 % interval", "USD/Mtok in", "out", "tokens out", "p90", "ability from"]
    print_table(header, [_row(llm) for llm in llms])
    if value is not None:
        say(f"a correct answer is worth {usd(value)} ([routing] value_usd)")


def _source(entry: LlmEntry) -> str:
    start = "the bundle's LLMs"
    if entry.ability is not None:
        start = f"{entry.ability} of the bundle"
    elif entry.like is not None:
        start = f"like {entry.like}"
    elif entry.scores is not None:
        start = ", ".join(f"{name} {score:g}" for name, score in entry.scores.items())
    return start if entry.learned is None else f"{entry.learned.outcomes} outcomes, from {start}"


def _shown(llm: ResolvedLlm) -> dict[str, Any]:
    return {
        "id": llm.entry.id,
        "ability": llm.ability,
        "ability_se": llm.ability_se,
        "interval": _known(llm).interval(),
        "skill": llm.skill,
        "source": _source(llm.entry),
        "usd_per_mtok_in": llm.entry.usd_per_mtok_in,
        "usd_per_mtok_out": llm.entry.usd_per_mtok_out,
        "price_date": llm.entry.price_date and llm.entry.price_date.isoformat(),
        "output_tokens_mean": llm.output_tokens_mean,
        "output_tokens_p90": llm.output_tokens_p90,
    }


def _known(llm: ResolvedLlm) -> AbilityEstimate:
    return AbilityEstimate(np.array([llm.ability]), np.array([[llm.ability_se**2]]))


def _row(llm: ResolvedLlm) -> list[str]:
    entry = llm.entry
    prices = [f"{entry.usd_per_mtok_in:g}", f"{entry.usd_per_mtok_out:g}"]
    tokens = [f"{llm.output_tokens_mean:.0f}", f"{llm.output_tokens_p90:.0f}"]
    return [entry.id, f"{llm.ability:+.2f}", _interval(_known(llm)), *prices, *tokens, _source(entry)]
