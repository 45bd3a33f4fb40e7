"""The figures of the replay: the vote table, cascades, and the ablation with paired intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from turnout.evaluate import frontier
from turnout.evaluate.bootstrap import Interval, interval
from turnout.evaluate.frontier import Arms, Curve
from turnout.train import votes as even_votes
from turnout.train.replay import ablation, library, policy, table
from turnout.train.replay.ablation import ENSEMBLE, Core, Fitted, Sweep
from turnout.train.replay.actions import Cascade, Single, Vote, name, play
from turnout.train.replay.predict import Split
from turnout.train.replay.recorded import Floats, Ints, Recorded, joined

Progress = Callable[[str], None]
DRAWS = 300


class Row(NamedTuple):
    """A policy of the ablation.

    Attributes
    ----------
    points : Interval
        Points of AIQ over the hull of the single models.
    over_router : Interval
        The same less those of the router over single calls, paired.
    most, most_cost : float
        Score where cost does not count, and its cost as a share of the best single model's.
    best_cost : float
        Cost at the best single model's score, as such a share; inf: never reached.
    """

    name: str
    points: Interval
    over_router: Interval
    most: float
    most_cost: float
    best_cost: float


@dataclass(frozen=True)
class Judge:
    """The held queries and the arms that bound the comparison."""

    held: Recorded
    arms: Arms

    def range(self, rows: Ints) -> tuple[float, float]:
        usd = self.held.usd[rows]
        return float(usd[:, self.arms.cheapest].mean()), float(usd[:, self.arms.best].mean())

    def hull(self, rows: Ints) -> float:
        singles = Curve(self.held.usd[rows].mean(0), self.held.right[rows].mean(0))
        return frontier.aiq(singles, *self.range(rows))

    def aiq(self, sweep: Sweep, rows: Ints) -> float:
        return frontier.aiq(Curve(sweep.usd[:, rows].mean(1), sweep.right[:, rows].mean(1)), *self.range(rows))

    def row(self, label: str, sweep: Sweep, router: Sweep) -> Row:
        every = np.arange(self.held.queries)
        curve, (_, high) = Curve(sweep.usd.mean(1), sweep.right.mean(1)), self.range(every)
        top = int(np.lexsort((curve.cost, -curve.score))[0])
        best = float(self.held.right[:, self.arms.best].mean())
        return Row(
            label,
            interval(lambda rows: 100 * (self.aiq(sweep, rows) - self.hull(rows)), len(every), DRAWS),
            interval(lambda rows: 100 * (self.aiq(sweep, rows) - self.aiq(router, rows)), len(every), DRAWS),
            float(curve.score[top]),
            float(curve.cost[top] / high),
            frontier.cost_at(curve, best) / high,
        )


def _together(sweeps: Sequence[Sweep]) -> Sweep:
    return Sweep(np.concatenate([s.right for s in sweeps], 1), np.concatenate([s.usd for s in sweeps], 1))


def _policies(core: Core, settings: policy.Settings) -> dict[str, Callable[[Fitted], Sweep]]:
    """By name, in the order of the table; the first is what the others are compared with."""
    drawn = policy.Settings(**{**vars(settings), "sampled": True})
    one, voting, every = (Single,), (Single, Vote), (Single, Vote, Cascade)

    def now(found: Fitted) -> Sweep:
        before = core.fitted(ENSEMBLE, ablation.HAND_SET)
        return ablation.core_sweep(before, False, found.split.train, found.split.held, found.scale)

    def fitted(found: Fitted, try_votes: bool) -> Sweep:
        better = core.fitted(ENSEMBLE, found.tables[3])
        return ablation.core_sweep(better, try_votes, found.split.train, found.split.held, found.scale)

    return {
        "one call, exact search": lambda found: ablation.searched(found, one),
        "core: hand-set vote table, allocated by difficulty": now,
        "core: fitted vote table, allocated by difficulty": lambda found: fitted(found, False),
        "core: fitted vote table, vote tried on every query": lambda found: fitted(found, True),
        "one call + votes, exact search, forecasts by set": lambda found: ablation.searched(found, voting),
        "one call + votes + cascades, exact search": lambda found: ablation.searched(found, every),
        "one call, learned, exact expectation": lambda found: ablation.learned(found, one, settings),
        "one call + votes, learned, exact expectation": lambda found: ablation.learned(found, voting, settings),
        "all, learned, exact expectation": lambda found: ablation.learned(found, every, settings),
        "one call, learned, policy gradient (DAAO)": lambda found: ablation.learned(found, one, drawn),
        "all, learned, policy gradient (DAAO)": lambda found: ablation.learned(found, every, drawn),
        "all, oracle": lambda found: ablation.oracle(found.held, found.scale),
    }


def ablate(
    splits: Sequence[Split], core: Core, settings: policy.Settings, draws: int, progress: Progress
) -> tuple[dict[str, Any], list[Fitted]]:
    """Every policy, trained on each split's training queries, over all held queries together."""
    fits = [ablation.fit(split, draws) for split in splits]
    held = joined([split.held for split in splits])
    arms = fits[0].arms if len(splits) == 1 else frontier.single_arms(held.right, held.usd)
    judge, every = Judge(held, arms), np.arange(held.queries)
    router, rows = None, list[dict[str, Any]]()
    for label, run in _policies(core, settings).items():
        sweep = _together([run(found) for found in fits])
        router = sweep if router is None else router
        rows.append(judge.row(label, sweep, router)._asdict())
        progress(render_row(rows[-1]))
    return {
        "queries": held.queries,
        "llms": list(held.llms),
        "cheapest": held.llms[arms.cheapest],
        "best": held.llms[arms.best],
        "best_score": float(held.right[:, arms.best].mean()),
        "hull": 100 * judge.hull(every),
        "rows": rows,
    }, fits


def render_row(row: dict[str, Any]) -> str:
    def span(x: Interval) -> str:
        return f"{x.value:+6.2f} [{x.low:+.2f}, {x.high:+.2f}]"

    best = f"{row['best_cost']:.2f}" if np.isfinite(row["best_cost"]) else "never"
    return (
        f"  {row['name']:52} {span(row['points']):24} {span(row['over_router']):24} "
        f"{row['most']:.4f} at {row['most_cost']:.2f}  {best}"
    )


def voters(recorded: Recorded, count: int, draws: int, seed: int = 1) -> list[tuple[int, ...]]:
    """Sets to judge a vote table by: neighbours in accuracy, and every set of the eight ablest."""
    rng = np.random.default_rng(seed)
    order = np.argsort(recorded.right.mean(0), kind="stable")
    like = []
    for _ in range(draws):
        start = rng.integers(0, max(len(order) - count - 2, 1))
        like.append(tuple(int(m) for m in rng.choice(order[start : start + count + 3], count, replace=False)))
    return like + [tuple(int(m) for m in chosen) for chosen in combinations(order[-8:], count)]


def judge_tables(fits: Sequence[Fitted], draws: int = 100) -> list[dict[str, Any]]:
    """Vote tables on queries they were not fitted to, beside the hand-set curve over the plain mean (three voters)."""
    out = []
    for count in (3, 5):
        found = [table.judge(f.tables[count].predict, f.split.held, voters(f.split.train, count, draws)) for f in fits]
        out.append({"voters": count, "table": "fitted", **_mean_judged(found)})
    before = [table.judge(ablation.HAND_SET.predict, f.split.held, voters(f.split.train, 3, draws)) for f in fits]
    out.append({"voters": 3, "table": "hand-set", **_mean_judged(before)})
    return out


def _mean_judged(found: Sequence[table.Judged]) -> dict[str, Any]:
    deciles = np.mean([judged.deciles for judged in found], 0)
    return {
        "quality_error": float(np.mean([judged.quality for judged in found])),
        "gain_error": float(np.mean([judged.gain for judged in found])),
        "gain_deciles": deciles.round(4).tolist(),
    }


def ties(recorded: Recorded, count: int = 3, draws: int = 100) -> dict[str, float]:
    """Mean quality of votes by how ties are broken, and by naive Bayes weights instead of a count."""
    even, ablest, bayes = [], [], []
    for llms in voters(recorded, count, draws):
        at = list(llms)
        letters, right, p = recorded.letters[:, at], recorded.right[:, at], recorded.p[:, at]
        even.append(even_votes.plurality(letters, right).mean())
        ablest.append(play(Vote(llms), recorded).right.mean())
        bayes.append(_bayes(letters, right, p).mean())
    return {"even": float(np.mean(even)), "ablest": float(np.mean(ablest)), "log_odds": float(np.mean(bayes))}


def _bayes(letters: Ints, right: Floats, p: Floats) -> Floats:
    """Voters count by log(9 p / (1 - p)), as independent voters with ten letters would (Nitzan and Paroush 1982)."""
    p = np.clip(p, 0.02, 0.98)
    weight = np.maximum(np.log(9.0 * p / (1.0 - p)), 0.01)
    same = (letters[:, :, None] == letters[:, None, :]) & (letters[:, :, None] > 0)
    return right[np.arange(len(p)), (same * weight[:, None, :]).sum(2).argmax(1)]


def cascades(train: Recorded, held: Recorded, most: int = 8) -> list[dict[str, Any]]:
    """Cascades nearest to the hull on training queries, on held ones: beside its last LLM alone and always voting."""
    actions = [action for action in library.candidates(train) if isinstance(action, Cascade)]
    actions = [action for action in actions if len(action.first) == 2][:most]
    out = []
    for action in actions:
        played, last = play(action, held), play(Single(action.then), held)
        vote = play(Vote((*action.first, action.then)), held)
        stopped = played.stopped
        out.append(
            {
                "cascade": name(action, held.llms),
                "score": float(played.right.mean()),
                "usd": float(played.usd.mean()),
                "stopped": float(stopped.mean()),
                "agreed_but_wrong": float(1.0 - played.right[stopped].mean()),
                "last_alone": [float(last.right.mean()), float(last.usd.mean())],
                "always_vote": [float(vote.right.mean()), float(vote.usd.mean())],
            }
        )
    return out
