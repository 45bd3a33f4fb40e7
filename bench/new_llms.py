"""How soon a new LLM is known: each LLM in turn is new, and is learned from 0 to 500 of its outcomes.

    python bench/new_llms.py DATA [--seeds 5] [--keep-network] [--plot FILE.png] [--json FILE]

DATA is a folder that holds outcomes/ and pools.json. The training split is cut in halves by question stem. One half
trains the network and gives public scores: an LLM's mean there. The other half gives the outcomes that a user would
have: on it the network has seen nothing. The new LLM is left out of the network's training (not with --keep-network),
of the scale of b, of the population and of the score line. Everything is judged on the `test` split, and nothing is
chosen there.

Last, what LIKE_SE is for: a user whose queries are of one domain, and a public score on the others. Half of the user's
outcomes of the domain are learned from, the other half judges; the `test` split has no part in it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import threadpool_limits

from turnout import Router
from turnout.ability import AbilityEstimate, Evidence, chances, fit_population, given_ability, population, update
from turnout.bundle import Ability, AbilityTable
from turnout.evaluate import frontier
from turnout.pool import LIKE_SE
from turnout.train import crossfit, data, metrics, response, vae
from turnout.train.data import Outcomes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SETS = ("mmlupro29", "llmrouter9")
COUNTS = (0, 25, 50, 100, 200, 500)
METRICS = ("aiq", "ece", "brier", "log_likelihood")
FULL = "all of its outcomes"
DOMAIN_COUNTS = (0, 25, 50)
TRANSFER = (0.0, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Queries:
    """All queries: what is recorded of them, and which serve what.

    Attributes
    ----------
    score, usd : float64 [Q, M]
    sets : int64 [Q]
    network, user, test : bool [Q]
        The half that trains the network, the half that a user's outcomes come from, the test split.
    """

    outcomes: Outcomes
    x: npt.NDArray[np.float32]
    score: Floats
    usd: Floats
    sets: Ints
    network: npt.NDArray[np.bool_]
    user: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]

    def rows(self, part: npt.NDArray[np.bool_], llms: list[int], set_index: int | None = None) -> Ints:
        """The queries of a part that all these LLMs answered."""
        inside = part if set_index is None else part & (self.sets == set_index)
        return np.flatnonzero(inside & ~np.isnan(self.score[:, llms]).any(1))


@dataclass(frozen=True)
class Assessed:
    """b and the design (1, s) of every query."""

    b: Floats
    design: Floats

    def evidence(self, rows: Ints, score: Floats) -> Evidence:
        return Evidence(self.design[rows], self.b[rows], np.zeros(len(rows)), score[rows])


def read(folder: Path) -> Queries:
    outcomes, router = data.load(folder), Router.load()
    x = np.stack([router.embed(text) for text in outcomes.texts])
    train = np.array([split == "train" for split in outcomes.splits])
    half = data.folds(outcomes.texts, 2) == 0
    score, usd = outcomes.matrix(), outcomes.matrix("usd")
    return Queries(outcomes, x, score, usd, outcomes.sets, train & half, train & ~half, ~train)


def assess(queries: Queries, left_out: int | None) -> Assessed:
    """What a network that is trained on one half, without the outcomes of one LLM, says of every query."""
    inside = queries.outcomes.keep(queries.network)
    if left_out is not None:
        others = [llm for i, llm in enumerate(inside.llms) if i != left_out]
        inside = inside.select_llms(others)
    answered = ~np.isnan(inside.matrix()).all(1)
    inside, x = inside.keep(answered), queries.x[queries.network][answered]
    fitted = response.fit(inside.matrix(), inside.sets)
    b, s = crossfit.fit(crossfit.problem(inside, x, fitted), vae.Settings()).assess(queries.x)
    return Assessed(b, np.hstack([np.ones((len(b), 1)), s]))


def scaled(queries: Queries, found: Assessed, others: list[int], rounds: int = 3) -> Assessed:
    """b on the scale that fits queries which the network has not seen, as training does with its folds."""
    rows = [queries.rows(queries.user, [llm]) for llm in others]
    slope = 1.0
    wide = AbilityEstimate(np.zeros(1), np.full((1, 1), 1e4))
    for _ in range(rounds):
        ability = [
            update(wide, Evidence(np.ones((len(r), 1)), slope * found.b[r], np.zeros(len(r)), queries.score[r, llm]))
            for r, llm in zip(rows, others, strict=True)
        ]
        level = np.concatenate([np.full(len(r), a.ability) for r, a in zip(rows, ability, strict=True)])
        cells = np.concatenate(rows)
        score = np.concatenate([queries.score[r, llm] for r, llm in zip(rows, others, strict=True)])
        slope = update(wide, Evidence(-found.b[cells][:, None], -level, np.zeros(len(cells)), score)).ability
    return replace(found, b=slope * found.b)


@dataclass(frozen=True)
class Known:
    """What a bundle without the new LLM knows: the other LLMs' theta and their population, by EM and by its table."""

    theta: dict[int, Floats]
    by_em: AbilityEstimate
    by_table: AbilityEstimate


def learn_others(queries: Queries, found: Assessed, others: list[int]) -> Known:
    size = found.design.shape[1]
    groups = [found.evidence(queries.rows(queries.user, [llm]), queries.score[:, llm]) for llm in others]
    start = AbilityEstimate(np.zeros(size), np.eye(size))
    by_em, each = fit_population(groups, start)
    found_of = dict(zip(others, each, strict=True))
    llms = [Ability(queries.outcomes.llms[i], e.ability, e.ability_se, e.skill, 1.0, 1.0) for i, e in found_of.items()]
    return Known({i: e.mean for i, e in found_of.items()}, by_em, population(AbilityTable(size - 1, llms)))


def cold_start(
    queries: Queries, known: Known, new: int, peers: list[int], benchmark: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Ability and its standard error by a line through the peers' mean scores on the benchmark's queries."""
    inside = queries.score[benchmark]
    mean = np.full(inside.shape[1], np.nan)
    asked = [*peers, new]
    mean[asked] = np.clip(np.nanmean(inside[:, asked], 0), 1e-3, 1.0 - 1e-3)
    x, y = np.log(mean / (1.0 - mean)), np.array([known.theta[llm][0] for llm in peers])
    slope, intercept = np.polyfit(x[peers], y, 1)
    residual = y - (slope * x[peers] + intercept)
    return float(slope * x[new] + intercept), float(np.sqrt((residual**2).sum() / (len(peers) - 2)))


def starts(known: Known, ability: float, se: float) -> dict[str, AbilityEstimate]:
    """What is known before outcomes, by the name of the row."""
    scored = given_ability(known.by_em, ability, math.hypot(se, LIKE_SE))
    flat = known.by_em.covariance * np.eye(len(scored.mean))
    flat[0, 0] = se**2 + LIKE_SE**2
    size = len(scored.mean)
    return {
        "scores": scored,
        "scores, without LIKE_SE": given_ability(known.by_em, ability, se),
        "scores, table's prior": given_ability(known.by_table, ability, math.hypot(se, LIKE_SE)),
        "scores, skills from 0": AbilityEstimate(np.array([ability] + [0.0] * (size - 1)), flat),
        "population alone": known.by_em,
        "no pooling": AbilityEstimate(np.zeros(size), 1e4 * np.eye(size)),
    }


@dataclass(frozen=True)
class Judge:
    """The new LLM's test rows, and the pool that it joins."""

    queries: Queries
    found: Assessed
    known: Known
    new: int
    pool: list[int]
    set_index: int

    def __call__(self, theta: Floats) -> dict[str, float]:
        rows = self.queries.rows(self.queries.test, [self.new], self.set_index)
        seen = self.found.evidence(rows, self.queries.score[:, self.new])
        p = chances(theta, seen)
        found = metrics.calibration(p, seen.score)
        fit = mean_fit(p, seen.score)
        return {"aiq": self.aiq(theta), "ece": found.ece, "brier": found.brier, "log_likelihood": fit}

    def aiq(self, theta: Floats) -> float:
        """Points of AIQ over the hull of the single models, of the pool with the new LLM in it."""
        q, all_theta = self.queries, self.known.theta | {self.new: theta}
        train, test = (q.rows(part, self.pool, self.set_index) for part in (q.network | q.user, q.test))
        score, usd = q.score[np.ix_(test, self.pool)], q.usd[np.ix_(test, self.pool)]
        arms = frontier.single_arms(q.score[np.ix_(train, self.pool)], q.usd[np.ix_(train, self.pool)])
        predicted = np.stack([chances(all_theta[m], self.found.evidence(test, q.score[:, m])) for m in self.pool], 1)
        price = np.broadcast_to(q.usd[np.ix_(train, self.pool)].mean(0), predicted.shape)
        curve = frontier.curve(frontier.choices(predicted, price, arms.scale), score, usd)
        low, high = usd[:, arms.cheapest].mean(), usd[:, arms.best].mean()
        singles = frontier.aiq(frontier.Curve(usd.mean(0), score.mean(0)), low, high)
        return 100.0 * (frontier.aiq(curve, low, high) - singles)


Row = tuple[str, int]
Table = dict[Row, dict[str, list[float]]]


def newcomer(queries: Queries, found: Assessed, new: int, peers: list[int], judge: Judge, seeds: int) -> Table:
    """All figures of one LLM, mean over seeds: start, number of outcomes -> metrics."""
    rows = queries.rows(queries.user, [new], judge.set_index)
    benchmark = queries.network & (queries.sets == judge.set_index)
    ability, se = cold_start(queries, judge.known, new, peers, benchmark)
    out: Table = defaultdict(lambda: defaultdict(list))

    def add(name: str, n: int, theta: Floats) -> None:
        for metric, value in judge(theta).items():
            out[name, n][metric].append(value)

    for name, prior in starts(judge.known, ability, se).items():
        for n in COUNTS:
            for seed in range(seeds if n else int(name != "no pooling")):
                pick = np.random.default_rng([new, seed]).permutation(rows)[:n]
                add(name, n, update(prior, found.evidence(pick, queries.score[:, new])).mean)
    add(FULL, len(rows), update(judge.known.by_em, found.evidence(rows, queries.score[:, new])).mean)
    return out


def one_domain(
    queries: Queries, found: Assessed, known: Known, new: int, peers: list[int], set_index: int, seeds: int
) -> Table:
    """Log-likelihood an outcome on a domain that the public score does not cover: transfer's sd, outcomes -> values."""
    out: Table = defaultdict(lambda: defaultdict(list))
    domains = np.array(queries.outcomes.domains)
    for domain in np.unique(domains[queries.sets == set_index]):
        there = domains == domain
        rows = queries.rows(queries.user & there, [new], set_index)
        if len(rows) < 2 * max(DOMAIN_COUNTS):
            continue
        ability, se = cold_start(queries, known, new, peers, queries.network & (queries.sets == set_index) & ~there)
        for seed in range(seeds):
            order = np.random.default_rng([new, seed]).permutation(rows)
            judged = found.evidence(order[: len(rows) // 2], queries.score[:, new])
            for sd in TRANSFER:
                prior = given_ability(known.by_em, ability, math.hypot(se, sd))
                for n in DOMAIN_COUNTS:
                    pick = order[len(rows) // 2 :][:n]
                    p = chances(update(prior, found.evidence(pick, queries.score[:, new])).mean, judged)
                    out[f"{sd:g}", n]["log_likelihood"].append(mean_fit(p, judged.score))
    return out


def mean_fit(p: Floats, score: Floats) -> float:
    """Log-likelihood an outcome."""
    p = np.clip(p, 1e-9, 1.0 - 1e-9)
    return float((score * np.log(p) + (1.0 - score) * np.log(1.0 - p)).mean())


Means = dict[Row, dict[str, float]]


def run(queries: Queries, folder: Path, name: str, seeds: int, keep_network: bool) -> tuple[Means, Means]:
    """Means over the LLMs of a set: of the newcomers, and of those that are used on one domain."""
    set_index = queries.outcomes.set_names.index(name)
    peers = [i for i in range(len(queries.outcomes.llms)) if len(queries.rows(queries.user, [i], set_index))]
    pool_names = next(iter(json.loads((folder / "pools.json").read_text())[name].values()))
    named = {data.ALIASES.get(llm, llm) for llm in pool_names}
    pool = [i for i in peers if pool_names == "*" or queries.outcomes.llms[i] in named]
    shared = assess(queries, None) if keep_network else None
    curves: Table = defaultdict(lambda: defaultdict(list))
    domains: Table = defaultdict(lambda: defaultdict(list))
    for done, new in enumerate(peers):
        others = [i for i in range(len(queries.outcomes.llms)) if i != new]
        rest = [i for i in peers if i != new]
        found = scaled(queries, shared or assess(queries, new), others)
        known = learn_others(queries, found, others)
        judge = Judge(queries, found, known, new, sorted({*pool, new}), set_index)
        _gather(curves, newcomer(queries, found, new, rest, judge, seeds))
        _gather(domains, one_domain(queries, found, known, new, rest, set_index, seeds))
        print(f"{name}: {done + 1} of {len(peers)}, {queries.outcomes.llms[new]}", file=sys.stderr, flush=True)
    return _means(curves), _means(domains)


def _gather(total: Table, of_one: Table) -> None:
    """Each LLM counts once, whatever its seeds and domains."""
    for row, values in of_one.items():
        for metric, found in values.items():
            total[row if row[0] != FULL else (FULL, -1)][metric].append(float(np.mean(found)))


def _means(table: Table) -> Means:
    return {row: {metric: float(np.nanmean(v)) for metric, v in values.items()} for row, values in table.items()}


def show(name: str, table: Means) -> None:
    names = list(dict.fromkeys(start for start, _ in table if start != FULL))
    for metric in METRICS:
        print(f"\n{name}: {metric.replace('_', ' ')}; mean over LLMs. {FULL}: {table[FULL, -1][metric]:.4f}")
        print(f"{'outcomes':26}" + "".join(f"{n:>9}" for n in COUNTS))
        for start in names:
            cells = [table.get((start, n), {}).get(metric) for n in COUNTS]
            print(f"{start:26}" + "".join(f"{'-' if v is None else format(v, '.4f'):>9}" for v in cells))


def show_domains(name: str, table: Means) -> None:
    print(f"\n{name}: log-likelihood on one domain, the public score on the others; mean over LLMs and domains")
    print(f"{'added to its sd':26}" + "".join(f"{n:>9}" for n in DOMAIN_COUNTS))
    for sd in TRANSFER:
        cells = [table[f"{sd:g}", n]["log_likelihood"] for n in DOMAIN_COUNTS]
        print(f"{sd:<26g}" + "".join(f"{v:>9.4f}" for v in cells))


def plot(path: Path, tables: dict[str, Means]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2 * len(tables)), layout="constrained")
    axes = figure.subplots(len(tables), 3, squeeze=False)
    titles = {"aiq": "AIQ, points over the hull", "ece": "ECE", "log_likelihood": "log-likelihood an outcome"}
    for (name, table), row in zip(tables.items(), axes, strict=True):
        for (metric, title), axis in zip(titles.items(), row, strict=True):
            for start in ("scores", "population alone", "no pooling"):
                points = [(n, table[start, n][metric]) for n in COUNTS if (start, n) in table]
                axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=start)
            axis.axhline(table[FULL, -1][metric], color="grey", linestyle=":", label=FULL)
            axis.set(title=f"{name}: {title}", xlabel="outcomes of the new LLM")
            axis.set_xscale("symlog", linthresh=25)
            axis.set_xticks(COUNTS, [str(n) for n in COUNTS])
    axes[0][0].legend(fontsize=7)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5, help="draws of the user's outcomes")
    parser.add_argument("--keep-network", action="store_true", help="one network, which has seen the new LLM too")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        queries = read(args.data)
        found = {name: run(queries, args.data, name, args.seeds, args.keep_network) for name in SETS}
    for name, (curves, domains) in found.items():
        show(name, curves)
        show_domains(name, domains)
    tables = {name: curves for name, (curves, _) in found.items()}
    if args.plot:
        plot(args.plot, tables)
    if args.json:
        plain: dict[str, Any] = {
            name: [{"start": start, "outcomes": n, **values} for (start, n), values in table.items()]
            for name, table in tables.items()
        }
        args.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
