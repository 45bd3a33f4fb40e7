"""How soon a new LLM is known: each LLM in turn is new, and is learned from 0 to 500 of its outcomes.

    python bench/new_llms.py DATA --bundle FOLDER [--seeds 5] [--plot FILE.png] [--json FILE]

DATA is a folder that holds outcomes/ and pools.json. The training split is cut in halves by question stem. One half
trains the bundle in FOLDER (done first where it is missing) and gives public scores: an LLM's mean there. The other
half gives the outcomes that a user would have: the bundle has seen none of its queries. The new LLM is taken out of the
bundle's ability table, of the population and of the score line; the networks stay, and have seen its outcomes on their
half. Everything is judged on the `test` split, and nothing is chosen there.

Last, what TRANSFER_SE was chosen by: users whose queries are of the public score's domains, and users whose queries are
of one domain that it does not cover. Half of the user's outcomes are learned from, the other half judges; the `test`
split has no part in it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import Router
from turnout.ability import AbilityEstimate, Evidence, chances, evidence, given_ability, population, update
from turnout.bundle import AbilityTable, Bundle
from turnout.evaluate import frontier
from turnout.outcomes import Outcomes, folds
from turnout.pool import TRANSFER_SE
from turnout.predict import Assessments
from turnout.train import data, metrics

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SETS = ("mmlupro29", "llmrouter9")
COUNTS = (0, 25, 50, 100, 200, 500)
METRICS = ("aiq", "ece", "brier", "log_likelihood")
FULL = "all of its outcomes"
TRANSFER_COUNTS = (0, 25, 50)
TRANSFER = (0.0, 0.25, 0.5, 1.0)
assert TRANSFER_SE in TRANSFER

Row = tuple[str, int]
Table = dict[Row, dict[str, list[float]]]
Means = dict[Row, dict[str, float]]


@dataclass(frozen=True)
class Queries:
    """All queries: what is recorded of them, what the bundle says, and which serve what.

    Attributes
    ----------
    score, usd : float64 [Q, M]
    predicted : float64 [Q, M]
        P(correct) of the LLMs as the bundle knows them.
    benchmark, user, test : bool [Q]
        The half that trained the bundle, the half that a user's outcomes come from, the test split.
    """

    outcomes: Outcomes
    table: AbilityTable
    assessed: Assessments
    predicted: Floats
    score: Floats
    usd: Floats
    benchmark: Bools
    user: Bools
    test: Bools

    def rows(self, part: Bools, llms: list[int], set_index: int) -> Ints:
        """The queries of a part that all these LLMs answered."""
        return np.flatnonzero(part & (self.outcomes.sets == set_index) & ~np.isnan(self.score[:, llms]).any(1))

    @cached_property
    def _seen(self) -> Evidence:
        return evidence(self.assessed, np.zeros(len(self.score)))

    def evidence(self, rows: Ints, llm: int) -> Evidence:
        seen = self._seen
        return Evidence(seen.design[rows], seen.offset[rows], seen.floor[rows], self.score[rows, llm])


def half(outcomes: Outcomes) -> tuple[Bools, Bools]:
    """The training queries that train the bundle, and the others."""
    train = np.array([split == "train" for split in outcomes.splits])
    first = folds(outcomes.texts, 2) == 0
    return train & first, train & ~first


def train_half(outcomes: Outcomes, folder: Path) -> None:
    """The bundle of one half."""
    from turnout.train.run import train_bundle

    inside, _ = half(outcomes)
    splits = ["train" if used else "test" for used in inside.tolist()]
    train_bundle(replace(outcomes, splits=splits), folder, progress=lambda said, *_: print(said, file=sys.stderr))


def read(folder: Path, bundle: Path) -> Queries:
    outcomes = data.load(folder)
    if not bundle.exists():
        train_half(outcomes, bundle)
    table = Bundle.load(bundle).abilities()
    known = [llm.id for llm in table.llms if llm.id in outcomes.llms]
    outcomes = outcomes.select_llms(known)
    router = Router.load(bundle, pool={"llms": [_priceless(name) for name in known]})
    first, second = half(outcomes)
    correct = router.predict(outcomes.texts).correct.astype(np.float64)
    test = np.array([split == "test" for split in outcomes.splits])
    score, usd = outcomes.matrix(), outcomes.matrix("usd")
    return Queries(outcomes, table, router.assess(outcomes.texts), correct, score, usd, first, second, test)


def _priceless(name: str) -> dict[str, Any]:
    limits = {"context_tokens": 1_000_000, "max_output_tokens": 1000}
    prices = {"usd_per_mtok_in": 1.0, "usd_per_mtok_out": 1.0, "price_date": "2026-01-01"}
    return {"id": name, "ability": name, **prices, **limits}


# One new LLM ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Newcomer:
    """One LLM of a set as if it were new, and the pool that it joins."""

    queries: Queries
    new: int
    peers: list[int]  # the set's other LLMs
    pool: list[int]
    set_index: int

    @property
    def population(self) -> AbilityEstimate:
        """Of the bundle's other LLMs."""
        name = self.queries.outcomes.llms[self.new]
        others = [llm for llm in self.queries.table.llms if llm.id != name]
        return population(AbilityTable(self.queries.table.skills, others))

    def cold_start(self, benchmark: Bools) -> tuple[float, float]:
        """Ability and its standard error by a line through the peers' mean scores on the benchmark's queries."""
        asked = [*self.peers, self.new]
        inside = self.queries.score[benchmark & (self.queries.outcomes.sets == self.set_index)]
        mean = np.clip(np.nanmean(inside[:, asked], 0), 1e-3, 1.0 - 1e-3)
        x = np.log(mean / (1.0 - mean))
        ability = {llm.id: llm.ability for llm in self.queries.table.llms}
        y = np.array([ability[self.queries.outcomes.llms[m]] for m in self.peers])
        slope, intercept = np.polyfit(x[:-1], y, 1)
        residual = y - (slope * x[:-1] + intercept)
        return float(slope * x[-1] + intercept), float(np.sqrt((residual**2).sum() / (len(y) - 2)))

    def starts(self) -> dict[str, AbilityEstimate]:
        """What is known before outcomes, by the name of the row."""
        ability, se = self.cold_start(self.queries.benchmark)
        everyone = self.population
        scored = given_ability(everyone, ability, math.hypot(se, TRANSFER_SE))
        flat = scored.covariance * np.eye(len(scored.mean))
        mean = np.zeros(len(scored.mean))
        return {
            "scores": scored,
            "scores, without TRANSFER_SE": given_ability(everyone, ability, se),
            "scores, skills from 0": AbilityEstimate(np.where(np.arange(len(mean)) == 0, ability, mean), flat),
            "population alone": everyone,
            "no pooling": AbilityEstimate(mean, 1e4 * np.eye(len(mean))),
        }

    def curves(self, seeds: int) -> Table:
        """Start, number of outcomes -> metrics of every seed."""
        q, out = self.queries, defaultdict(lambda: defaultdict(list))
        rows = q.rows(q.user, [self.new], self.set_index)
        for name, prior in self.starts().items():
            for n in COUNTS:
                for seed in range(seeds if n else int(name != "no pooling")):
                    pick = np.random.default_rng([self.new, seed]).permutation(rows)[:n]
                    self._add(out[name, n], update(prior, q.evidence(pick, self.new)).mean)
        self._add(out[FULL, -1], update(self.population, q.evidence(rows, self.new)).mean)
        return out

    def _add(self, row: dict[str, list[float]], theta: Floats) -> None:
        q = self.queries
        rows = q.rows(q.test, [self.new], self.set_index)
        seen = q.evidence(rows, self.new)
        p = chances(theta, seen)
        found = metrics.calibration(p, seen.score)
        values = (self._aiq(theta), found.ece, found.brier, mean_fit(p, seen.score))
        for metric, value in zip(METRICS, values, strict=True):
            row[metric].append(value)

    def _aiq(self, theta: Floats) -> float:
        """Points of AIQ over the hull of the single models, of the pool with the new LLM in it."""
        q = self.queries
        train, test = (q.rows(part, self.pool, self.set_index) for part in (q.benchmark | q.user, q.test))
        score, usd = q.score[np.ix_(test, self.pool)], q.usd[np.ix_(test, self.pool)]
        price = q.usd[np.ix_(train, self.pool)]
        arms = frontier.single_arms(q.score[np.ix_(train, self.pool)], price)
        predicted = q.predicted[np.ix_(test, self.pool)]
        predicted[:, self.pool.index(self.new)] = chances(theta, q.evidence(test, self.new))
        chosen = frontier.choices(predicted, np.broadcast_to(price.mean(0), predicted.shape), arms.scale)
        low, high = usd[:, arms.cheapest].mean(), usd[:, arms.best].mean()
        singles = frontier.aiq(frontier.Curve(usd.mean(0), score.mean(0)), low, high)
        return 100.0 * (frontier.aiq(frontier.curve(chosen, score, usd), low, high) - singles)

    def transfer(self, seeds: int) -> Table:
        """Log-likelihood by the sd that is added to the public score's: on domains that it covers, and on others."""
        q, out = self.queries, defaultdict(lambda: defaultdict(list))
        domains = np.array(q.outcomes.domains)
        everywhere = np.ones(len(domains), bool)
        self._transfer(out, "same domains", everywhere, everywhere, seeds)
        for domain in np.unique(domains[q.outcomes.sets == self.set_index]):
            self._transfer(out, "another domain", domains != domain, domains == domain, seeds)
        return out

    def _transfer(self, out: Table, name: str, scored: Bools, asked: Bools, seeds: int) -> None:
        q, everyone = self.queries, self.population
        rows = q.rows(q.user & asked, [self.new], self.set_index)
        if len(rows) < 2 * max(TRANSFER_COUNTS):
            return
        ability, se = self.cold_start(q.benchmark & scored)
        for seed in range(seeds):
            order = np.random.default_rng([self.new, seed]).permutation(rows)
            judged, learned = q.evidence(order[: len(rows) // 2], self.new), order[len(rows) // 2 :]
            for sd in TRANSFER:
                prior = given_ability(everyone, ability, math.hypot(se, sd))
                for n in TRANSFER_COUNTS:
                    theta = update(prior, q.evidence(learned[:n], self.new)).mean
                    fit = mean_fit(chances(theta, judged), judged.score)
                    out[f"{name}, {sd:g}", n]["log_likelihood"].append(fit)


def mean_fit(p: Floats, score: Floats) -> float:
    """Log-likelihood an outcome."""
    p = np.clip(p, 1e-9, 1.0 - 1e-9)
    return float((score * np.log(p) + (1.0 - score) * np.log(1.0 - p)).mean())


# All of them ----------------------------------------------------------------------------------------------------------


def run(queries: Queries, folder: Path, name: str, seeds: int) -> tuple[Means, Means]:
    """Means over the LLMs of a set: of the newcomers, and of scores that transfer."""
    set_index, llms = queries.outcomes.set_names.index(name), queries.outcomes.llms
    asked = [m for m in range(len(llms)) if len(queries.rows(queries.user, [m], set_index))]
    pool_names = next(iter(json.loads((folder / "pools.json").read_text())[name].values()))
    named = {data.ALIASES.get(llm, llm) for llm in pool_names}
    pool = [m for m in asked if pool_names == "*" or llms[m] in named]
    curves: Table = defaultdict(lambda: defaultdict(list))
    transfers: Table = defaultdict(lambda: defaultdict(list))
    for done, new in enumerate(asked):
        peers = [m for m in asked if m != new]
        newcomer = Newcomer(queries, new, peers, sorted({*pool, new}), set_index)
        _gather(curves, newcomer.curves(seeds))
        _gather(transfers, newcomer.transfer(seeds))
        print(f"{name}: {done + 1} of {len(asked)}, {llms[new]}", file=sys.stderr, flush=True)
    return _means(curves), _means(transfers)


def _gather(total: Table, of_one: Table) -> None:
    """Each LLM counts once, whatever its seeds and domains."""
    for row, values in of_one.items():
        for metric, found in values.items():
            total[row][metric].append(float(np.mean(found)))


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


def show_transfer(name: str, table: Means) -> None:
    print(f"\n{name}: log-likelihood within the user's half, by the sd that is added to the public score's")
    print(f"{'user asks':26}" + "".join(f"{n:>9}" for n in TRANSFER_COUNTS))
    for row in dict.fromkeys(row for row, _ in table):
        print(f"{row:26}" + "".join(f"{table[row, n]['log_likelihood']:>9.4f}" for n in TRANSFER_COUNTS))


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
    figure.savefig(path, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--bundle", type=Path, required=True, help="the bundle of one half; trained where it is missing"
    )
    parser.add_argument("--seeds", type=int, default=5, help="draws of the user's outcomes")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    queries = read(args.data, args.bundle)
    found = {name: run(queries, args.data, name, args.seeds) for name in SETS}
    for name, (curves, transfers) in found.items():
        show(name, curves)
        show_transfer(name, transfers)
    if args.plot:
        plot(args.plot, {name: curves for name, (curves, _) in found.items()})
    if args.json:
        plain: dict[str, Any] = {
            name: [{"start": start, "outcomes": n, **values} for (start, n), values in curves.items()]
            for name, (curves, _) in found.items()
        }
        args.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
