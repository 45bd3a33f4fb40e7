"""Recorded outcomes from files: what is read, and what is refused with file, row and column."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turnout.core import InputError
from turnout.outcomes import Outcomes, concat, folds, read, split_by_hash, stem

QUERIES = [
    {"query_id": "a", "text": "What is the capital of Chile?", "domain": "geography", "split": "train"},
    {"query_id": "b", "text": "Prove that 2 + 2 = 4.", "domain": "", "split": "test"},
    {"query_id": "c", "text": 'Two\nlines, "quoted"', "domain": "letters", "split": "train"},
]
OUTCOMES = [
    {"query_id": "a", "model": "small", "score": "1", "cost_usd": "0.001", "in_tokens": "9", "latency_s": "0.5"},
    {"query_id": "a", "model": "large", "score": "0.5", "cost_usd": "0.01", "in_tokens": "9", "latency_s": ""},
    {"query_id": "b", "model": "large", "score": "0", "cost_usd": "", "in_tokens": "", "latency_s": ""},
    {"query_id": "c", "model": "small", "score": "0", "cost_usd": "0", "in_tokens": "4", "latency_s": "1"},
]
Rows = list[dict[str, Any]]


def write_csv(path: Path, rows: Rows) -> Path:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["query_id", "text", "model", "score"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: Rows) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: Rows) -> Path:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    numbers = ("score", "cost_usd", "in_tokens", "latency_s")
    typed = [{k: (float(v) if v else None) if k in numbers else v for k, v in row.items()} for row in rows]
    parquet.write_table(pyarrow.Table.from_pylist(typed), path)
    return path


WRITERS = {"csv": write_csv, "csv.gz": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


def make(
    folder: Path, queries: Rows = QUERIES, outcomes: Rows = OUTCOMES, kind: str = "csv", **options: Any
) -> Outcomes:
    folder.mkdir(exist_ok=True)
    asked = WRITERS[kind](folder / f"logs.queries.{kind}", queries)
    return read(asked, WRITERS[kind](folder / f"logs.outcomes.{kind}", outcomes), **options)


def changed(rows: Rows, at: int, **fields: Any) -> Rows:
    return [{**row, **fields} if i == at else row for i, row in enumerate(rows)]


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_every_kind_of_file_reads_alike(tmp_path: Path, kind: str) -> None:
    found = make(tmp_path, kind=kind)
    assert found.set_names == ("logs",) and found.llms == ("large", "small") and found.queries == 3
    assert found.query_ids == ["a", "b", "c"] and found.texts == [row["text"] for row in QUERIES]
    assert found.domains == ["geography", "", "letters"] and found.splits == ["train", "test", "train"]
    assert found.query.tolist() == [0, 0, 1, 2] and found.llm.tolist() == [1, 0, 0, 1]
    np.testing.assert_array_equal(found.matrix(), [[0.5, 1.0], [0.0, np.nan], [np.nan, 0.0]])
    np.testing.assert_array_equal(found.matrix("usd"), [[0.01, 0.001], [np.nan, np.nan], [np.nan, 0.0]])
    np.testing.assert_array_equal(found.seconds, [0.5, np.nan, np.nan, 1.0])
    assert np.isnan(found.out_tokens).all() and found.answer == [""] * 4
    assert found.usd_kind == ["unstated", "unstated", "missing", "unstated"]


def test_columns_may_be_called_otherwise(tmp_path: Path) -> None:
    names = {"query_id": "id", "model": "llm", "score": "right", "cost_usd": "price", "text": "prompt"}
    queries = [{names.get(k, k): v for k, v in row.items()} for row in QUERIES]
    outcomes = [{names.get(k, k): v for k, v in row.items()} for row in OUTCOMES]
    found = make(tmp_path, queries, outcomes, columns=names)
    np.testing.assert_array_equal(found.matrix(), make(tmp_path / "other").matrix())
    with pytest.raises(InputError, match=r"no column 'costs'; it has id, llm"):
        make(tmp_path, queries, outcomes, columns={**names, "cost_usd": "costs"})
    with pytest.raises(InputError, match=r"columns\.price.*expected one of"):
        make(tmp_path, columns={"price": "cost_usd"})


def test_answers_kinds_and_aliases(tmp_path: Path) -> None:
    rows = [{**row, "answer": "B", "cost_kind": "measured"} for row in OUTCOMES]
    found = make(tmp_path, outcomes=rows, aliases={"small": "Small-1"}, name="mine")
    assert found.answer == ["B"] * 4 and found.usd_kind == ["measured", "measured", "missing", "measured"]
    assert found.llms == ("Small-1", "large") and found.set_names == ("mine",)


def test_true_and_false_are_scores(tmp_path: Path) -> None:
    rows = changed(changed(OUTCOMES, 0, score="True"), 1, score="false")
    assert make(tmp_path, outcomes=rows).score.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_without_a_split_the_text_decides(tmp_path: Path) -> None:
    rows = [{"query_id": str(i), "text": f"what is {i} plus {i * i} and why"} for i in range(2000)]
    outcomes = [{"query_id": "0", "model": m, "score": "1"} for m in "xy"]
    found = make(tmp_path, rows, outcomes)
    assert found.splits == split_by_hash(found.texts) == make(tmp_path, rows[::-1], outcomes).splits[::-1]
    train = np.array(found.splits) == "train"
    assert 0.66 < train.mean() < 0.74
    shares = np.bincount(folds(found.texts)[train]) / train.sum()  # the folds do not see the split
    assert ((shares > 0.16) & (shares < 0.24)).all()


BAD_QUERIES = [
    (changed(QUERIES, 1, split="dev"), r"queries\.csv: row 1, column 'split': expected 'train' or 'test', got 'dev'"),
    (changed(QUERIES, 1, query_id=""), r"queries\.csv: row 1, column 'query_id': expected a name"),
    (changed(QUERIES, 2, query_id="a"), r"queries\.csv: row 2, column 'query_id': 'a' stands in row 0 too"),
    (changed(QUERIES, 1, text="x" * (2**20 + 1)), r"queries\.csv: row 1: expected at most 1048576 bytes"),
    ([], r"queries\.csv: it has no rows"),
    ([{"query_id": "a"}], r"queries\.csv: no column 'text'; it has query_id"),
]
BAD_OUTCOMES = [
    (changed(OUTCOMES, 1, score="good"), r"outcomes\.csv: row 1, column 'score': expected a number, got 'good'"),
    (changed(OUTCOMES, 1, score=""), r"row 1, column 'score': expected a number from 0 to 1, got ''"),
    (changed(OUTCOMES, 1, score="1.5"), r"row 1, column 'score': expected a number from 0 to 1, got '1.5'"),
    (changed(OUTCOMES, 1, score="nan"), r"row 1, column 'score': expected a number from 0 to 1, got 'nan'"),
    (changed(OUTCOMES, 3, cost_usd="-1"), r"row 3, column 'cost_usd': expected a number from 0 up, or nothing .*'-1'"),
    (changed(OUTCOMES, 3, cost_usd="nan"), r"row 3, column 'cost_usd': expected a number"),
    (changed(OUTCOMES, 3, cost_usd="inf"), r"row 3, column 'cost_usd': expected a number"),
    (changed(OUTCOMES, 3, in_tokens="many"), r"row 3, column 'in_tokens': expected a number, got 'many'"),
    (changed(OUTCOMES, 3, query_id="z"), r"row 3, column 'query_id': no query is called 'z'"),
    (changed(OUTCOMES, 3, model=""), r"row 3, column 'model': expected a name"),
    ([*OUTCOMES, OUTCOMES[1]], r"row 4, column 'model': 'large' on query 'a' stands in row 1 too"),
    (OUTCOMES[1:3], r"column 'model': expected at least 2 LLMs, got 1: large"),
    ([], r"outcomes\.csv: it has no rows"),
]


@pytest.mark.parametrize(("rows", "message"), BAD_QUERIES)
def test_wrong_queries_are_refused(tmp_path: Path, rows: Rows, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(tmp_path, queries=rows)


@pytest.mark.parametrize(("rows", "message"), BAD_OUTCOMES)
def test_wrong_outcomes_are_refused(tmp_path: Path, rows: Rows, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(tmp_path, outcomes=rows)


def test_one_llm_is_enough_where_the_caller_says_so(tmp_path: Path) -> None:
    assert make(tmp_path, outcomes=OUTCOMES[1:3], min_llms=1).llms == ("large",)


def test_a_query_that_is_repeated_counts_once(tmp_path: Path) -> None:
    found = make(tmp_path, queries=[QUERIES[0], *QUERIES])
    assert found.query_ids == ["a", "b", "c"] and found.query.tolist() == [0, 0, 1, 2]


def test_unknown_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot be read: No such file"):
        read(tmp_path / "nowhere.csv", tmp_path / "x.csv")
    with pytest.raises(InputError, match=r"expected a file of \.csv, \.jsonl, \.parquet, got '\.txt'"):
        read(tmp_path / "queries.txt", tmp_path / "x.csv")


def test_keep_and_split_take_the_outcomes_along(tmp_path: Path) -> None:
    found = make(tmp_path)
    test = found.split("test")
    assert test.query_ids == ["b"] and test.query.tolist() == [0] and test.llms == found.llms
    assert test.usd_kind == ["missing"]
    assert found.keep(np.zeros(3, bool)).queries == 0


def test_llms_are_selected_by_name(tmp_path: Path) -> None:
    found = make(tmp_path)
    turned = found.select_llms(["small", "large"])
    np.testing.assert_array_equal(turned.matrix(), found.matrix()[:, ::-1])
    one = found.select_llms(["small"])
    assert (
        one.queries == 3
        and len(one.score) == 2
        and one.matrix("usd")[:, 0] == pytest.approx([0.001, np.nan, 0], nan_ok=True)
    )
    with pytest.raises(InputError, match=r"llms\[1\]: 'larg' has no outcomes; did you mean 'large'"):
        found.select_llms(["small", "larg"])
    with pytest.raises(InputError, match="twice"):
        found.select_llms(["small", "small"])


def test_sets_are_joined_by_the_names_of_llms(tmp_path: Path) -> None:
    a = make(tmp_path / "a", name="a")
    b = make(tmp_path / "b", outcomes=changed(OUTCOMES, 1, model="huge"), name="b", aliases={"large": "giant"})
    both = concat([a, b])
    assert both.set_names == ("a", "b") and both.llms == ("giant", "huge", "large", "small") and both.queries == 6
    assert both.sets.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(both.matrix()[:3, 2:], a.matrix())
    np.testing.assert_array_equal(both.matrix()[3:][:, [0, 1, 3]], b.matrix())
    with pytest.raises(InputError, match="two sets are named 'a'"):
        concat([a, a])
    with pytest.raises(InputError, match="at least one set"):
        concat([])


def test_a_stem_is_the_question() -> None:
    assert stem("Who wrote the Iliad, then?\nA. Homer\nB. Virgil") == "who wrote the iliad then"
    assert stem("Who?\nA. Homer") == "who a homer"
