"""Votes replayed on answers: against a count by hand, and on planted LLMs."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from turnout.train import votes
from turnout.train.votes import Answers


def by_hand(letters: list[int], right: list[float]) -> float:
    tally = {letter: letters.count(letter) for letter in letters if letter}
    if not tally:
        return sum(right) / len(right)
    best = [letter for letter, count in tally.items() if count == max(tally.values())]
    return sum(right[letters.index(letter)] for letter in best) / len(best)


def test_plurality_counts_letters_and_splits_ties() -> None:
    rng = np.random.default_rng(3)
    for voters in (2, 3, 5):
        letters = rng.integers(0, 4, (500, voters))
        right = (letters == 2).astype(float)  # 0 is no answer, so it is never right
        expected = [by_hand(row.tolist(), ok.tolist()) for row, ok in zip(letters, right, strict=True)]
        assert votes.plurality(letters, right) == pytest.approx(expected)


def planted(wrong_letters: int, queries: int = 3000, llms: int = 16) -> Answers:
    """Independent LLMs of equal accuracy on queries of planted difficulty; the right letter is 1."""
    rng = np.random.default_rng(5)
    right = rng.random((queries, llms)) < rng.random((queries, 1))
    letters = np.where(right, 1, 2 + rng.integers(0, wrong_letters, (queries, llms)))
    return Answers(letters, right.astype(float))


def test_scattered_wrong_letters_gain_over_a_binomial_majority() -> None:
    for wrong, gains in ((1, False), (9, True)):
        points = votes.measure(planted(wrong), voters=3, draws=40, seed=0)
        assert [p.competence for p in points] == sorted(p.competence for p in points)
        middle = next(p for p in points if p.competence > 0.35)
        c = middle.competence
        assert (middle.quality > c**2 * (3 - 2 * c) + 0.05) == gains


def test_a_vote_of_equals_beats_its_best_and_a_vote_of_unlike_llms_does_not() -> None:
    rng, queries = np.random.default_rng(1), 4000
    for accuracy, wins in (([0.6] * 6, True), ([0.95, 0.3, 0.3, 0.3, 0.3, 0.3], None)):
        right = rng.random((queries, 6)) < np.array(accuracy)
        answers = Answers(np.where(right, 1, 2 + rng.integers(0, 9, right.shape)), right.astype(float))
        trios = votes.beats_its_best(answers, draws=40, seed=0)
        for spread, better in trios:
            if wins or spread > 0.5:
                assert better == bool(wins)


def test_only_the_train_split_is_read(tmp_path: Path) -> None:
    def write(name: str, rows: list[list[str]]) -> None:
        with gzip.open(tmp_path / f"{votes.SET}.{name}.csv.gz", "wt", newline="") as file:
            csv.writer(file).writerows(rows)

    write("queries", [["query_id", "split"], ["q1", "train"], ["q2", "test"], ["q3", "train"]])
    answers = [
        ["q1", "a", "1", "A"],
        ["q1", "b", "0", ""],
        ["q2", "a", "1", "B"],
        ["q2", "b", "1", "B"],
        ["q3", "a", "1", "C"],
    ]
    write("outcomes", [["query_id", "model", "score", "answer"], *answers])
    read = votes.read(tmp_path)
    assert read.letters.tolist() == [[ord("A"), 0]] and read.right.tolist() == [[1.0, 0.0]]
