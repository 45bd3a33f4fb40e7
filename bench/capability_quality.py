"""How well descriptions find tools: a bundle's embedder and capability search, plain and filtered, beside TF-IDF.

For each query the five best tools by their text: hit@1 (the first is relevant) and recall@5 (share of the relevant ones
that are among the five), means over queries with 95% intervals of the mean. Nothing is fitted on queries: the embedder
is the bundle's, TF-IDF knows the tools' texts only. Where a set has several splits, the one for test or validation is
read. Queries that match no tool (``<set>.oos.csv.gz``) give the AUROC of the best similarity, for abstention.

    python bench/capability_quality.py DATA [--bundle FOLDER]

DATA holds ``tools/<set>.{tools,queries}.csv.gz`` (tool_id, text; query_id, text, split, relevant as a JSON list).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

from turnout.assemble import bundled_embedder
from turnout.bundle import Bundle
from turnout.capability import build_index, load_index, matched_filter
from turnout.core import ConfigError

SETS = ("toollens", "metatool", "clinc150")
HELD_OUT = ("test", "val")
TOP = 5

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Set(NamedTuple):
    """Tools, queries, the relevant tools of each query, and queries that match none."""

    tools: list[str]
    queries: list[str]
    relevant: list[set[int]]
    split: str
    unmatched: list[str]


class Ranking(NamedTuple):
    """The best tools of each query [N, TOP], the best similarity of each query, and of each that matches no tool."""

    ids: Ids
    best: Floats
    unmatched: Floats


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load(folder: Path, name: str) -> Set:
    tools = rows(folder / f"{name}.tools.csv.gz")
    number = {tool["tool_id"]: i for i, tool in enumerate(tools)}
    queries = rows(folder / f"{name}.queries.csv.gz")
    splits = {query["split"] for query in queries}
    split = next((s for s in HELD_OUT if s in splits), min(splits))
    queries = [query for query in queries if query["split"] == split]
    relevant = [{number[tool] for tool in json.loads(query["relevant"])} for query in queries]
    other = folder / f"{name}.oos.csv.gz"
    unmatched = [row["text"] for row in rows(other)] if other.exists() else []
    return Set([t["text"] for t in tools], [q["text"] for q in queries], relevant, split, unmatched)


def by_embedding(data: Set, bundle: Bundle, filtered: bool) -> Ranking:
    embedder = bundled_embedder(bundle, bundle.embed_config())
    if embedder is None:
        raise ConfigError("the bundle has no embedder of its own")
    vectors = np.array(embedder.embed_batch(data.tools))
    if filtered:
        queries = bundle.array("difficulty/centroids.npy", np.float32, (None, vectors.shape[1]))
        vectors = matched_filter(vectors, queries)
    n = len(vectors)
    columns = np.zeros(n, np.uint8), np.zeros(n, np.uint32), np.zeros(n, np.float32)
    index = load_index(build_index(vectors, "flat"), "tools", vectors, *columns)
    ids, _, similarities, _ = index.search(np.array(embedder.embed_batch(data.queries)), TOP)
    unmatched = np.zeros((0, 1))
    if data.unmatched:
        unmatched = index.search(np.array(embedder.embed_batch(data.unmatched)), 1)[2]
    return Ranking(ids.astype(np.int64), similarities[:, 0].astype(float), unmatched[:, 0].astype(float))


def by_tfidf(data: Set) -> Ranking:
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), strip_accents="unicode")
    tools = vectorizer.fit_transform(data.tools)
    scores = (vectorizer.transform(data.queries) @ tools.T).toarray()
    unmatched = (vectorizer.transform(data.unmatched) @ tools.T).toarray() if data.unmatched else np.zeros((0, 1))
    ids = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    return Ranking(ids, scores.max(axis=1), unmatched.max(axis=1))


def interval(values: list[float]) -> str:
    array = np.array(values)
    return f"{array.mean():.3f} ± {1.96 * array.std(ddof=1) / np.sqrt(len(array)):.3f}"


def report(name: str, data: Set, ranking: Ranking) -> str:
    hit = [float(ids[0] in relevant) for ids, relevant in zip(ranking.ids.tolist(), data.relevant, strict=True)]
    pairs = zip(ranking.ids.tolist(), data.relevant, strict=True)
    recall = [len(set(ids) & relevant) / len(relevant) for ids, relevant in pairs]
    line = f"  {name:<28} hit@1 {interval(hit)}   recall@{TOP} {interval(recall)}"
    if len(ranking.unmatched):
        truth = [1] * len(ranking.best) + [0] * len(ranking.unmatched)
        line += f"   AUROC of abstention {roc_auc_score(truth, np.concatenate([ranking.best, ranking.unmatched])):.3f}"
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--bundle", type=Path, help="a bundle's folder; default: the one that ships")
    arguments = parser.parse_args()
    bundle = Bundle.load(arguments.bundle)
    for name in SETS:
        data = load(arguments.data / "tools", name)
        print(f"{name}: {len(data.queries)} queries ({data.split}), {len(data.tools)} tools")
        print(report("bundle's embedder, cosine", data, by_embedding(data, bundle, filtered=False)))
        print(report("bundle's, matched filter", data, by_embedding(data, bundle, filtered=True)))
        print(report("TF-IDF, words and pairs", data, by_tfidf(data)))


if __name__ == "__main__":
    main()
