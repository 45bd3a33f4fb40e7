"""What a vote of LLMs gains: plurality votes replayed on real answers, as points of an operator's curve.

    python -m turnout.train.votes DATA

DATA is a folder with ``mmlupro29.queries.csv.gz`` and ``mmlupro29.outcomes.csv.gz``: the letter that each LLM answered.
Only queries of the train split are read. The competence of voters on a query is what other LLMs of like accuracy got
right there, so no voter's own answer enters it.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SET, PREDICTORS, NEIGHBOURS = "mmlupro29", 10, 3


class Answers(NamedTuple):
    """Letters as integers (0: none could be parsed) and whether they are right, both [queries, LLMs]."""

    letters: Ints
    right: Floats


class Point(NamedTuple):
    """Votes on queries of one predicted competence."""

    votes: int
    competence: float
    quality: float


def plurality(letters: Ints, right: Floats) -> Floats:
    """Probability [n] that the most frequent letter of [n, k] votes is right; ties are broken evenly.

    Voters without a letter do not count; when none has one, any voter's answer stands.
    """
    agreement = ((letters[:, :, None] == letters[:, None, :]) & (letters[:, :, None] > 0)).sum(axis=2)
    leading = agreement == agreement.max(axis=1, keepdims=True)
    return np.asarray((leading * right).sum(axis=1) / leading.sum(axis=1))


def like_voters(accuracy: Floats, voters: int, rng: np.random.Generator) -> Ints:
    """Voters that stand close to each other in accuracy."""
    order = np.argsort(accuracy)
    width = voters + NEIGHBOURS
    start = rng.integers(0, len(order) - width + 1)
    return np.asarray(rng.choice(order[start : start + width], voters, replace=False))


def predicted(answers: Answers, accuracy: Floats, voters: Ints) -> Ints:
    """How many of the ten other LLMs next in accuracy are right on each query."""
    others = np.setdiff1d(np.arange(len(accuracy)), voters)
    distance = np.abs(accuracy[others] - accuracy[voters].mean())
    nearest = others[np.argsort(distance, kind="stable")[:PREDICTORS]]
    return np.asarray(answers.right[:, nearest].sum(axis=1), np.int64)


def measure(answers: Answers, voters: int, draws: int, seed: int) -> list[Point]:
    """Mean competence and mean quality of votes at each level that the other LLMs predict."""
    rng, accuracy = np.random.default_rng(seed), answers.right.mean(axis=0)
    sums = np.zeros((PREDICTORS + 1, 3))
    for _ in range(draws):
        chosen = like_voters(accuracy, voters, rng)
        level = predicted(answers, accuracy, chosen)
        right = answers.right[:, chosen]
        columns = (np.ones(len(level)), right.mean(axis=1), plurality(answers.letters[:, chosen], right))
        for i, column in enumerate(columns):
            sums[:, i] += np.bincount(level, column, PREDICTORS + 1)
    return [Point(int(n), c / n, g / n) for n, c, g in sums if n > 0]


def beats_its_best(answers: Answers, draws: int, seed: int) -> list[tuple[float, bool]]:
    """Random trios: how far their accuracies lie apart, and whether their vote is better than the best of them."""
    rng, accuracy = np.random.default_rng(seed), answers.right.mean(axis=0)
    out = []
    for _ in range(draws):
        trio = rng.choice(len(accuracy), 3, replace=False)
        vote = plurality(answers.letters[:, trio], answers.right[:, trio]).mean()
        out.append((float(np.ptp(accuracy[trio])), bool(vote > accuracy[trio].max())))
    return out


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def read(folder: Path) -> Answers:
    """The train split's queries that every LLM answered."""
    train = {row["query_id"] for row in _rows(folder / f"{SET}.queries.csv.gz") if row["split"] == "train"}
    found: dict[str, dict[str, tuple[int, float]]] = {}
    for row in _rows(folder / f"{SET}.outcomes.csv.gz"):
        if row["query_id"] in train:
            letter = ord(row["answer"]) if row["answer"] else 0
            found.setdefault(row["query_id"], {})[row["model"]] = (letter, float(row["score"]))
    llms = sorted({llm for row in found.values() for llm in row})
    full = [row for row in found.values() if len(row) == len(llms)]
    pairs = np.array([[row[llm] for llm in llms] for row in full])
    return Answers(pairs[:, :, 0].astype(np.int64), pairs[:, :, 1])


def main() -> None:
    """Prints the points of curves, and when a vote pays at all."""
    answers = read(Path(sys.argv[1]))
    print(f"{answers.right.shape[0]} queries, {answers.right.shape[1]} LLMs")
    for voters in (3, 5):
        print(f"{voters} voters: competence, quality, gain")
        for point in measure(answers, voters, draws=1500, seed=0):
            print(f"  {point.competence:.3f}  {point.quality:.3f}  {point.quality - point.competence:+.3f}")
    accuracy = answers.right.mean(axis=0)
    top = np.argsort(-accuracy)[:3]
    vote = plurality(answers.letters[:, top], answers.right[:, top]).mean()
    print(f"the ablest three, {' '.join(f'{a:.3f}' for a in accuracy[top])} alone, vote to {vote:.3f}")
    trios = beats_its_best(answers, draws=600, seed=0)
    for low in (0.0, 0.1, 0.2, 0.3):
        wins = [better for spread, better in trios if low <= spread < low + 0.1]
        print(f"accuracies {low:.1f} to {low + 0.1:.1f} apart: {sum(wins)} of {len(wins)} votes beat their best LLM")


if __name__ == "__main__":
    main()
