"""The sets that the default bundle is trained on, as they lie in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from turnout.outcomes import Outcomes, concat, folds, read, stem

__all__ = ["ALIASES", "DEFECTIVE", "SETS", "Outcomes", "folds", "load", "stem"]

SETS = ("mmlupro29", "llmrouter9", "routellm2")

# The same LLM under another name in another set: what links the sets' scales.
ALIASES = {
    "mistralai/Mixtral-8x7B-Instruct-v0.1": "Mixtral-8x7B-Instruct-v0.1",
    "llama-3.1-8b-instruct": "Meta-Llama-3_1-8B-Instruct",
}

# Domains whose scores are not outcomes. trivia_qa: 74 % of its training questions are scored 0 for all nine LLMs, "What
# became the 50th U.S. state?" among them, while on the others every able LLM is right: the scoring failed, not the
# LLMs.
DEFECTIVE = frozenset({("llmrouter9", "trivia_qa")})


def load(folder: str | Path, sets: tuple[str, ...] = SETS, exclude: frozenset[tuple[str, str]] = DEFECTIVE) -> Outcomes:
    """Reads ``<folder>/outcomes/<set>.{queries,outcomes}.csv.gz`` of every set, without the (set, domain) pairs of
    `exclude`.

    Raises
    ------
    InputError
        A file is missing or does not hold together; see `turnout.outcomes.read`.
    """
    base = Path(folder) / "outcomes"
    found = concat(
        [
            read(base / f"{name}.queries.csv.gz", base / f"{name}.outcomes.csv.gz", name=name, aliases=ALIASES)
            for name in sets
        ]
    )
    names = (sets[i] for i in found.sets.tolist())
    return found.keep(np.array([pair not in exclude for pair in zip(names, found.domains, strict=True)], bool))
