"""Recorded answers of a pool: who said what at which cost, and what the bundle had predicted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from turnout import outcomes
from turnout.core import InputError
from turnout.evaluate import bundled
from turnout.schema import fail

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SET, NO_ANSWER = "mmlupro29", 0


@dataclass(frozen=True)
class Answers:
    """Queries that every LLM of the pool answered.

    Attributes
    ----------
    name : str
    llms : tuple of str, [M]
    letters : int64 [Q, M]
        What each answered; 0: nothing that could be read.
    right, usd : float64 [Q, M]
        As recorded.
    p, expected_usd : float64 [Q, M]
        As predicted from the text alone.
    """

    name: str
    llms: tuple[str, ...]
    letters: Ints
    right: Floats
    usd: Floats
    p: Floats
    expected_usd: Floats

    @property
    def queries(self) -> int:
        return len(self.letters)

    def rows(self, keep: Ints) -> Answers:
        """These queries."""
        numbers = (self.right[keep], self.usd[keep], self.p[keep], self.expected_usd[keep])
        return Answers(self.name, self.llms, self.letters[keep], *numbers)


def read(data: Path, pools: dict[str, list[str]], bundle: Path | None = None) -> dict[str, tuple[Answers, Answers]]:
    """Train and test rows of each pool, with the predictions of a bundle (default: the one that ships).

    Expected USD are brought to the level of the log on train rows, as in `turnout evaluate`.
    """
    folder = data / "outcomes"
    found = outcomes.read(folder / f"{SET}.queries.csv.gz", folder / f"{SET}.outcomes.csv.gz")
    letters = np.full((found.queries, len(found.llms)), -1, np.int64)
    letters[found.query, found.llm] = [ord(a) if a else NO_ANSWER for a in found.answer]
    if not (letters > 0).any():
        raise fail(InputError, "answer", f"{SET} holds no answers: nothing can be replayed")
    right, usd = found.matrix(), found.matrix("usd")
    predicted = bundled.expected(bundled.router_of(bundle, found.llms), found.texts)
    train = np.array([split == "train" for split in found.splits])
    out = {}
    for name, llms in pools.items():
        at = [found.llms.index(llm) for llm in llms]
        full = (letters[:, at] >= 0).all(1) & ~np.isnan(usd[:, at]).any(1)
        rows = np.flatnonzero(full & train)
        level = bundled.at_log_prices(predicted.usd[:, at], rows, usd[rows][:, at].mean(0))
        pool = Answers(name, tuple(llms), letters[:, at], right[:, at], usd[:, at], predicted.correct[:, at], level)
        out[name] = pool.rows(rows), pool.rows(np.flatnonzero(full & ~train))
    return out


def pools(data: Path) -> dict[str, list[str]]:
    """The pools to report on: those of ``pools.json``, and all LLMs."""
    named: dict[str, list[str]] = json.loads((data / "pools.json").read_text("utf-8"))[SET]
    folder = data / "outcomes"
    found = outcomes.read(folder / f"{SET}.queries.csv.gz", folder / f"{SET}.outcomes.csv.gz")
    return {**named, f"all{len(found.llms)}": list(found.llms)}
