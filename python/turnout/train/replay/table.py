"""The vote table: P(the vote is right) as a curve of the voters' predicted P(correct), fitted to replayed votes.

What is fitted is what the vote gained over its ablest voter, on top of that voter's predicted P(correct). So the curve
compares a vote with one call as the router must, whatever the errors of the predictions, and most of the noise of which
query is hard drops out (standard errors fall to a third).

Its form is what the core reads of an operator: a weight for each slot and 65 knots over the weighted mean. The weights
go by rank, the ablest voter first. The core's exact assignment puts the ablest LLM into the slot of the largest weight
by itself, for slots alike in cost. Both are conditional on predictions only, never on another LLM's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from turnout.catalog import KNOTS
from turnout.train.replay.actions import Vote, play
from turnout.train.replay.recorded import Floats, Ints, Recorded

LEAST_WEIGHT = 0.05  # nobody votes for nothing: else any third LLM would do
SMOOTHING = 2.0  # knots, standard deviation of the kernel
FOLDS = 5
GRID = np.linspace(0.0, 1.0, KNOTS)


class Table(NamedTuple):
    """Of votes of k LLMs.

    Attributes
    ----------
    weights : tuple of float, [k]
        By rank of predicted P(correct), not increasing, their sum is 1.
    curve, error : float64 [65]
        P(right) over the weighted mean 0 .. 1, not decreasing; its standard error by query, NaN where no vote fell.
    brier : float
        Of these weights, cross-validated by query.
    votes : int
        That it was fitted to.
    """

    weights: tuple[float, ...]
    curve: Floats
    error: Floats
    brier: float
    votes: int

    def predict(self, p: Floats) -> Floats:
        """P(the vote is right) [Q] of the voters' P(correct) [Q, k]."""
        return np.asarray(np.interp(ranked(p) @ np.array(self.weights), GRID, self.curve))


class Votes(NamedTuple):
    """Replayed votes as columns.

    Attributes
    ----------
    p : float64 [N, k]
        The voters' P(correct), in descending order.
    quality : float64 [N]
        The ablest voter's P(correct), and what the vote gained over its answer: -1, 0 or 1.
    query : int64 [N]
    """

    p: Floats
    quality: Floats
    query: Ints


def ranked(p: Floats) -> Floats:
    """The ablest first."""
    return np.asarray(-np.sort(-p, axis=1))


def gain(llms: tuple[int, ...], recorded: Recorded) -> Floats:
    """What the vote gained over the answer of its ablest voter, [Q]."""
    at = np.array(llms)
    ablest = at[recorded.p[:, at].argmax(1)]
    return np.asarray(play(Vote(llms), recorded).right - recorded.right[np.arange(recorded.queries), ablest])


def replayed(recorded: Recorded, voters: int, draws: int, seed: int = 0) -> Votes:
    """Votes of random sets: every other one of LLMs that stand close in accuracy, where a vote is worth a thought."""
    rng = np.random.default_rng(seed)
    order = np.argsort(recorded.right.mean(0), kind="stable")
    rows = np.arange(recorded.queries)
    parts = []
    for draw in range(draws):
        start = rng.integers(0, max(len(order) - voters - 2, 1))
        among = order[start : start + voters + 3] if draw % 2 else order
        llms = tuple(int(m) for m in rng.choice(among, voters, replace=False))
        p = ranked(recorded.p[:, list(llms)])
        parts.append(Votes(p, p[:, 0] + gain(llms, recorded), rows))
    return Votes(
        np.concatenate([part.p for part in parts]),
        np.concatenate([part.quality for part in parts]),
        np.concatenate([part.query for part in parts]),
    )


def weight_grid(voters: int) -> Iterator[tuple[float, ...]]:
    """Shares by rank: any that do not increase for three voters, geometric ones for more."""
    if voters == 3:
        steps = [i / 20 for i in range(1, 19)]
        yield from (
            (a, b, round(1.0 - a - b, 2)) for a in steps for b in steps if a >= b >= 1.0 - a - b >= LEAST_WEIGHT - 1e-9
        )
        yield (1 / 3, 1 / 3, 1 / 3)
        return
    for ratio in np.arange(0.4, 1.01, 0.1):
        shares = ratio ** np.arange(voters)
        shares = LEAST_WEIGHT + (1.0 - voters * LEAST_WEIGHT) * shares / shares.sum()
        yield tuple(round(float(share), 4) for share in shares)


def isotonic(value: Floats, weight: Floats) -> Floats:
    """The non-decreasing sequence closest in weighted squares: pool adjacent violators (Ayer et al. 1955)."""
    blocks: list[list[float]] = []  # mean, weight, length
    for v, w in zip(value.tolist(), weight.tolist(), strict=True):
        blocks.append([v, w, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            v1, w1, n1 = blocks.pop()
            v0, w0, n0 = blocks.pop()
            blocks.append([(v0 * w0 + v1 * w1) / (w0 + w1), w0 + w1, n0 + n1])
    return np.repeat([block[0] for block in blocks], [int(block[2]) for block in blocks])


def _knots(c: Floats) -> Ints:
    return np.asarray(np.rint(c * (KNOTS - 1)), np.int64)


def _smooth(value: Floats, weight: Floats) -> Floats:
    """Kernel means over the knots, weighted by what they rest on."""
    kernel = np.exp(-0.5 * ((np.arange(KNOTS)[:, None] - np.arange(KNOTS)) / SMOOTHING) ** 2)
    return np.asarray((kernel @ (weight * value)) / (kernel @ weight))


def curve(c: Floats, quality: Floats) -> Floats:
    """Smooth, then monotone; 0 at c = 0 and 1 at c = 1, a hundred votes of prior on the diagonal at each knot."""
    at = _knots(c)
    count, total = np.bincount(at, minlength=KNOTS).astype(float), np.bincount(at, quality, KNOTS)
    weight = count + 100.0
    over = (total - count * GRID) / weight  # over the diagonal: smoothing does not flatten a slope
    found = np.clip(isotonic(GRID + _smooth(over, weight), weight), 0.0, 1.0)
    found[0], found[-1] = 0.0, 1.0
    return found


def _brier(c: Floats, votes: Votes) -> float:
    """Cross-validated by query."""
    fold, loss = votes.query % FOLDS, 0.0
    for k in range(FOLDS):
        inside = fold != k
        predicted = np.interp(c[~inside], GRID, curve(c[inside], votes.quality[inside]))
        loss += float(((predicted - votes.quality[~inside]) ** 2).sum())
    return loss / len(c)


def _error(c: Floats, votes: Votes, fitted: Floats) -> Floats:
    """Standard error at each knot: votes of one query stand or fall together, so queries are what is independent."""
    at = _knots(c)
    queries = int(votes.query.max()) + 1
    residual = votes.quality - np.interp(c, GRID, fitted)
    sums = np.bincount(at * queries + votes.query, residual, KNOTS * queries).reshape(KNOTS, queries)
    count = np.bincount(at, minlength=KNOTS)
    return np.where(count > 0, np.sqrt((sums**2).sum(1)) / np.maximum(count, 1), np.nan)


def fit_votes(votes: Votes) -> Table:
    """The weights of the least cross-validated Brier score, and their curve."""
    scored = [(_brier(votes.p @ np.array(w), votes), w) for w in weight_grid(votes.p.shape[1])]
    brier, weights = min(scored)
    c = votes.p @ np.array(weights)
    found = curve(c, votes.quality)
    return Table(weights, found, _error(c, votes, found), brier, len(c))


def fit(recorded: Recorded, voters: int, draws: int = 120, seed: int = 0) -> Table:
    """The table of votes of so many LLMs."""
    return fit_votes(replayed(recorded, voters, draws, seed))


class Judged(NamedTuple):
    """Predicted against actual votes on queries that the table has not seen.

    Attributes
    ----------
    quality, gain : float
        Mean over sets of voters of |mean predicted - mean actual|: of the vote, of its gain over its ablest voter.
    deciles : list of (float, float)
        Mean predicted and mean actual gain in each tenth of the votes, by prediction.
    """

    quality: float
    gain: float
    deciles: list[tuple[float, float]]


def judge(predict: Callable[[Floats], Floats], held: Recorded, sets: Sequence[tuple[int, ...]]) -> Judged:
    """On every query of `held` and each set; `predict`: voters' P(correct) [Q, k] -> P(the vote is right) [Q]."""
    voters = [held.p[:, list(llms)] for llms in sets]
    predicted = np.stack([predict(p) for p in voters])
    actual = np.stack([play(Vote(llms), held).right for llms in sets])
    gained = np.stack([gain(llms, held) for llms in sets])
    hoped = predicted - np.stack([p.max(1) for p in voters])
    order = np.argsort(hoped, axis=None, kind="stable")
    tenths = [(float(hoped.flat[i].mean()), float(gained.flat[i].mean())) for i in np.array_split(order, 10)]
    return Judged(_mean_error(predicted, actual), _mean_error(hoped, gained), tenths)


def _mean_error(predicted: Floats, actual: Floats) -> float:
    return float(np.abs(predicted.mean(1) - actual.mean(1)).mean())
