"""Recorded answers: who said which letter, whether it was right, what it cost, and what was predicted beforehand."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from turnout.core import ConfigError
from turnout.train import data

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SET = "mmlupro29"


@dataclass(frozen=True)
class Recorded:
    """Queries that every LLM answered.

    Attributes
    ----------
    llms : tuple of str, [M]
    letters : int64 [Q, M]
        What each LLM answered; 0: nothing that could be read, which is never right.
    right, usd : float64 [Q, M]
        Whether it was right, and what the call cost.
    p : float64 [Q, M]
        P(correct) as predicted without any answer to the query, by a model that was not trained on it.
    b : float64 [Q]
        Predicted difficulty logit: the reference LLM fails with probability sigmoid(b).
    """

    llms: tuple[str, ...]
    letters: Ints
    right: Floats
    usd: Floats
    p: Floats
    b: Floats

    @property
    def queries(self) -> int:
        return len(self.letters)

    def rows(self, keep: Ints) -> Recorded:
        """These queries."""
        return Recorded(self.llms, self.letters[keep], self.right[keep], self.usd[keep], self.p[keep], self.b[keep])

    def pool(self, llms: Sequence[str]) -> Recorded:
        """These LLMs, and the queries that all of them answered at a known cost."""
        missing = sorted(set(llms) - set(self.llms))
        if missing:
            raise ConfigError(f"pool: no answers of {', '.join(missing)}; there are {', '.join(self.llms)}")
        at = [self.llms.index(llm) for llm in llms]
        known = (self.letters[:, at] >= 0) & ~np.isnan(self.right[:, at]) & ~np.isnan(self.usd[:, at])
        keep = np.flatnonzero(known.all(1))
        columns = np.ix_(keep, np.array(at))
        return Recorded(
            tuple(llms), self.letters[columns], self.right[columns], self.usd[columns], self.p[columns], self.b[keep]
        )


def joined(parts: Sequence[Recorded]) -> Recorded:
    """One after the other."""
    return Recorded(
        parts[0].llms,
        np.concatenate([part.letters for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.usd for part in parts]),
        np.concatenate([part.p for part in parts]),
        np.concatenate([part.b for part in parts]),
    )


def letters(folder: Path, outcomes: data.Outcomes, name: str = SET) -> Ints:
    """The answers of a set [Q, M] in the order of `outcomes`; 0 where none could be read, -1 where there is no outcome.

    Raises
    ------
    ConfigError
        The file has no column `answer`, or an answer that is no single letter.
    """
    path = folder / "outcomes" / f"{name}.outcomes.csv.gz"
    row_of = {query: i for i, query in enumerate(outcomes.query_ids)}
    column_of = {llm: i for i, llm in enumerate(outcomes.llms)}
    out = np.full((outcomes.queries, len(outcomes.llms)), -1, np.int64)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if line["query_id"] in row_of:
                llm = data.ALIASES.get(line["model"], line["model"])
                out[row_of[line["query_id"]], column_of[llm]] = _letter(line.get("answer"), str(path))
    return out


def _letter(answer: str | None, path: str) -> int:
    if answer is None:
        raise ConfigError(f"{path}: no column `answer`: without the answers no vote can be replayed")
    if len(answer) > 1:
        raise ConfigError(f"{path}: answer: expected one letter or nothing, got {answer!r}")
    return ord(answer) if answer else 0
