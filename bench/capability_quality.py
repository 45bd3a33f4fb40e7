"""How well tools are found: a bundle's embedder plain, filtered and trained, beside TF-IDF.

For each held-out query the best tools by their vectors: hit@1 (the first is relevant), recall@5 (share of the relevant
ones that are among the five), MRR, with 95% bootstrap intervals over queries. The trained row is fitted and calibrated
on the split `train` alone (`turnout.train.tools`), the others know the tools' texts only. ECE is of P(relevant) of
the five that would be proposed. Where a set has no split for test or validation, a fifth of the queries is held
out by a hash of their texts; rows "no near twin" leave out those whose words are nearly all those of some training
query. Queries that match no tool (``<set>.oos.csv.gz``, their own held-out split) give the AUROC of the best score and
the share that is refused by the threshold, which training chose without them. "unseen tools": a fifth of the tools
has no training queries; their queries look for them among all tools but those that fit as well. At the end, whether
one threshold for untrained tools would hold from set to set. "N queries a tool" trains on the first N of each.

    python bench/capability_quality.py DATA [--bundle FOLDER] [--sets NAME ...] [--parts trained few unseen]

DATA holds ``tools/<set>.{tools,queries}.csv.gz`` (tool_id, text; query_id, text, split, relevant as a JSON list).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import roc_auc_score

from turnout.bundle import Bundle
from turnout.capability import matched_filter
from turnout.files import read_table
from turnout.outcomes import folds
from turnout.train.tools import calibrate, embed, fit_selector
from turnout.train.tools.data import Queries, Tools, read_queries, read_tools
from turnout.train.tools.selector import Selector

SETS = ("toollens", "metatool", "clinc150")
RESAMPLES = 1000
TWIN = 0.8  # Jaccard similarity of the sets of words
FEW = (3, 10, 30)
KEPT = 0.95  # of the queries, by the threshold for untrained tools

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Set:
    """Tools, queries with a split, held-out queries that match no tool."""

    tools: Tools
    queries: Queries
    unmatched: list[str]
    held_out_by: str

    @property
    def test(self) -> Queries:
        return self.queries.keep(~self.queries.train)


def load(folder: Path, name: str) -> Set:
    tools = read_tools(folder / f"{name}.tools.csv.gz")
    queries, held_out_by = read_queries(folder / f"{name}.queries.csv.gz", tools.ids), "own split"
    if queries.train.all():
        held_out_by = "a fifth by hash"
        queries = Queries(queries.texts, queries.relevant, folds(queries.texts, 5) != 0)
    other = folder / f"{name}.oos.csv.gz"
    unmatched = []
    if other.exists():
        table = read_table(other, ["text", "split"])
        pairs = zip(table["text"], table["split"], strict=True)
        unmatched = [text for text, split in pairs if not split.endswith("train")]
    return Set(tools, queries, unmatched, held_out_by)


# Scores: [held-out queries, tools], and of the queries that match no tool ---------------------------------------------


@dataclass(frozen=True)
class Scores:
    test: Floats
    unmatched: Floats


def by_vectors(data: Set, bundle: Bundle, vectors: npt.NDArray[np.float32]) -> Scores:
    def scores(texts: list[str]) -> Floats:
        return (embed(bundle, texts) @ vectors.T).astype(float) if texts else np.zeros((0, len(vectors)))

    return Scores(scores(data.test.texts), scores(data.unmatched))


def filtered(data: Set, bundle: Bundle) -> npt.NDArray[np.float32]:
    vectors = embed(bundle, data.tools.texts)
    return matched_filter(vectors, bundle.array("difficulty/centroids.npy", np.float32, (None, vectors.shape[1])))


def by_tfidf(data: Set) -> Scores:
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), strip_accents="unicode")
    tools = vectorizer.fit_transform(data.tools.texts)

    def scores(texts: list[str]) -> Floats:
        return (vectorizer.transform(texts) @ tools.T).toarray() if texts else np.zeros((0, tools.shape[0]))

    return Scores(scores(data.test.texts), scores(data.unmatched))


# Figures --------------------------------------------------------------------------------------------------------------


def each_query(scores: Floats, relevant: Flags) -> dict[str, Floats]:
    order = calibrate.best(scores, scores.shape[1])
    ranked = np.take_along_axis(relevant, order, 1)
    return {
        "hit@1": ranked[:, 0].astype(float),
        "recall@5": ranked[:, : calibrate.PROPOSED].sum(1) / relevant.sum(1),
        "MRR": 1.0 / (1.0 + ranked.argmax(1)),
    }


def interval(values: Floats) -> str:
    rng = np.random.default_rng(0)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def line(name: str, scores: Floats, relevant: Flags, rest: str = "") -> None:
    if len(scores):
        figures = (f"{key} {interval(values)}" for key, values in each_query(scores, relevant).items())
        print(f"  {name:<30} " + "   ".join(figures) + rest, flush=True)


def abstention(scores: Scores) -> str:
    if not len(scores.unmatched):
        return ""
    truth = [1] * len(scores.test) + [0] * len(scores.unmatched)
    return f"   AUROC {roc_auc_score(truth, np.concatenate([scores.test.max(1), scores.unmatched.max(1)])):.3f}"


def calibration(scores: Scores, relevant: Flags, selector: Selector) -> str:
    columns = calibrate.best(scores.test)
    p = expit(selector.slope * np.take_along_axis(scores.test, columns, 1) + selector.intercept)
    y = np.take_along_axis(relevant, columns, 1)
    text = f"   ECE {calibrate.expected_error(p.ravel(), y.ravel()):.3f}"
    if selector.threshold is not None:
        text += f"   kept {(scores.test.max(1) >= selector.threshold).mean():.3f}"
        if len(scores.unmatched):
            text += f", refused {(scores.unmatched.max(1) < selector.threshold).mean():.3f} of those without a tool"
    return text


def near_twins(data: Set) -> Flags:
    """Held-out queries whose words are nearly those of some training query."""
    train = data.queries.keep(data.queries.train)
    counter = CountVectorizer(binary=True, dtype=np.float32)
    known = counter.fit_transform(train.texts)
    asked = counter.transform(data.test.texts)
    sizes, out = np.asarray(known.sum(1)).ravel(), np.zeros(asked.shape[0], bool)
    for start in range(0, len(out), 500):
        shared = (asked[start : start + 500] @ known.T).toarray()
        whole = np.asarray(asked[start : start + 500].sum(1)) + sizes - shared
        out[start : start + 500] = (shared / np.maximum(whole, 1.0)).max(1) >= TWIN
    return out


def report_trained(data: Set, bundle: Bundle) -> None:
    start = time.process_time()
    selector = fit_selector(bundle, data.tools, data.queries)
    took = f"   {time.process_time() - start:.0f} s of CPU"
    scores, relevant = by_vectors(data, bundle, selector.vectors), data.test.relevant
    line("trained", scores.test, relevant, abstention(scores) + calibration(scores, relevant, selector) + took)
    alone = ~near_twins(data)
    line(f"trained, no near twin ({alone.mean():.0%})", scores.test[alone], relevant[alone])


def report_unseen(data: Set, bundle: Bundle) -> None:
    tools = len(data.tools.ids)
    left = np.zeros(tools, bool)
    left[np.random.default_rng(1).permutation(tools)[: tools // 5]] = True
    q = data.queries
    kept = Queries(q.texts, q.relevant & ~left, q.train & ~q.relevant[:, left].any(1))
    selector = fit_selector(bundle, data.tools, kept)
    rows, test, seen = data.test.relevant[:, left].any(1), data.test.relevant & left, data.test.relevant & ~left
    print(f"  unseen tools: {left.sum()} of {tools}, {rows.sum()} queries, among all tools")
    for name, scores in (
        ("  trained", by_vectors(data, bundle, selector.vectors)),
        ("  matched filter", by_vectors(data, bundle, filtered(data, bundle))),
        ("  TF-IDF", by_tfidf(data)),
    ):
        line(name, np.where(seen, -np.inf, scores.test)[rows], test[rows])


def first(queries: Queries, count: int) -> Queries:
    """The training queries that are among the first `count` of some tool of theirs, and those held out."""
    rank = np.cumsum(queries.relevant & queries.train[:, None], 0) * queries.relevant
    among = ((rank > 0) & (rank <= count)).any(1)
    return queries.keep(~queries.train | among)


def report_few(data: Set, bundle: Bundle) -> None:
    for count in FEW:
        selector = fit_selector(bundle, data.tools, first(data.queries, count))
        scores, relevant = by_vectors(data, bundle, selector.vectors), data.test.relevant
        line(f"trained, {count} queries a tool", scores.test, relevant, abstention(scores))


PARTS = {"trained": report_trained, "few": report_few, "unseen": report_unseen}


def report_threshold(best: dict[str, Scores]) -> None:
    """The threshold that keeps most queries of the other sets, tried on each: is one for untrained tools of use?"""
    print(f"one threshold for untrained tools (matched filter), chosen to keep {KEPT:.0%} of the other sets' queries:")
    for name, scores in best.items():
        others = np.concatenate([other.test.max(1) for key, other in best.items() if key != name])
        cut = np.quantile(others, 1.0 - KEPT)
        refused = [float((s.unmatched.max(1) < cut).mean()) for s in best.values() if len(s.unmatched)]
        text = f"; of queries without a tool it refuses {refused[0]:.3f}" if refused else ""
        print(f"  {name:<10} keeps {(scores.test.max(1) >= cut).mean():.3f}{text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--bundle", type=Path, help="a bundle's folder; default: the one that ships")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS), help="default: all")
    arguments = parser.parse_args()
    bundle, best = Bundle.load(arguments.bundle), {}
    for name in arguments.sets:
        data = load(arguments.data / "tools", name)
        relevant = data.test.relevant
        print(f"{name}: {len(relevant)} held-out queries ({data.held_out_by}), {len(data.tools.ids)} tools")
        best[name] = by_vectors(data, bundle, filtered(data, bundle))
        plain, tfidf = by_vectors(data, bundle, embed(bundle, data.tools.texts)), by_tfidf(data)
        for row, scores in (("cosine", plain), ("matched filter", best[name]), ("TF-IDF, words and pairs", tfidf)):
            line(row, scores.test, relevant, abstention(scores))
        for part in arguments.parts:
            PARTS[part](data, bundle)
    if len(best) > 1:
        report_threshold(best)


if __name__ == "__main__":
    main()
