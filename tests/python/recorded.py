"""Recorded outcomes for tests: three kinds of query, told apart by their words; what helps differs by kind."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from turnout.outcomes import Outcomes

LLMS = ("giant", "large", "small", "tiny")  # of bundles.LLMS
KINDS = {
    "law": ("court contract law history year", (0.95, 0.9, 0.9, 0.9)),
    "science": ("chemistry reaction energy photon matrix", (0.9, 0.3, 0.2, 0.1)),
    "code": ("python function code run web", (0.85, 0.8, 0.8, 0.2)),
}
USD = np.array([0.01, 0.003, 0.0005, 0.0001])


def outcomes(queries: int = 240, seed: int = 0, name: str = "logs", smooth: bool = False) -> Outcomes:
    """`smooth`: scores are fractions without ties; otherwise 0 or 1."""
    rng = np.random.default_rng(seed)
    kinds = [list(KINDS)[k] for k in rng.integers(0, 3, queries)]
    texts = [f"{' '.join(rng.choice(KINDS[kind][0].split(), 8))} number {i}" for i, kind in enumerate(kinds)]
    p = np.array([KINDS[kind][1] for kind in kinds])
    score = np.clip(p + rng.normal(0.0, 0.05, p.shape), 0, 1) if smooth else (rng.random(p.shape) < p).astype(float)
    usd = USD * rng.uniform(0.5, 1.5, (queries, 1))
    row, column = (a.ravel() for a in np.indices(p.shape))
    cells = len(row)
    return Outcomes(
        (name,),
        LLMS,
        [f"{name}{i}" for i in range(queries)],
        texts,
        kinds,
        ["test" if i % 3 == 2 else "train" for i in range(queries)],
        np.zeros(queries, np.int64),
        row,
        column,
        score.ravel(),
        usd.ravel(),
        np.full(cells, 12.0),
        np.full(cells, 100.0),
        np.full(cells, np.nan),
        [""] * cells,
        ["measured"] * cells,
    )


def write_csv(path: Path, columns: dict[str, list[Any]]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def write_parquet(path: Path, columns: dict[str, list[Any]]) -> Path:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def write(folder: Path, found: Outcomes, kind: str = "csv") -> list[Path]:
    """The two files of a set."""
    writer = {"csv": write_csv, "parquet": write_parquet}[kind]
    folder.mkdir(exist_ok=True)
    name = found.set_names[0]
    queries = {"query_id": found.query_ids, "text": found.texts, "domain": found.domains, "split": found.splits}
    cells: dict[str, list[Any]] = {
        "query_id": [found.query_ids[q] for q in found.query.tolist()],
        "model": [found.llms[m] for m in found.llm.tolist()],
        "score": found.score.tolist(),
        "cost_usd": found.usd.tolist(),
        "cost_kind": found.usd_kind,
    }
    return [writer(folder / f"{name}.queries.{kind}", queries), writer(folder / f"{name}.outcomes.{kind}", cells)]
