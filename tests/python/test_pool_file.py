"""Pool files are changed in place: what was written by hand stays as it was, to the byte."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import turnout
from turnout.ability import AbilityEstimate
from turnout.learned import to_learned
from turnout.pool import LlmEntry, Pool
from turnout.pool_file import PoolFile

POOL = """# Our LLMs.

[[llms]]  # the cheap one
id = "tiny"
ability = "tiny"            # measured
usd_per_mtok_in = 0.05
usd_per_mtok_out = 1e-1
price_date = 2026-01-01
context_tokens = 4_096
max_output_tokens = 512

# The dear one.
[[llms]]
id = "large"
scores = { mmlu_pro = 0.7 }   # from its card
usd_per_mtok_in = 3.0
usd_per_mtok_out = 15.0
price_date = 2026-01-01
context_tokens = 32768
max_output_tokens = 4096
policy = ["json",
  "tools",  # since May
]
"""
ROUTING = """
# How we route.
[routing]
value_usd = 0.02  # since June
"""
NEW = LlmEntry(
    id='the "new" one',
    usd_per_mtok_in=0.15,
    usd_per_mtok_out=0.6,
    price_date=datetime.date(2026, 2, 3),
    context_tokens=128000,
    max_output_tokens=16384,
    scores={"mmlu_pro": 0.63, "gpqa/diamond": 0.4},
    policy=["json"],
)
ESTIMATE = AbilityEstimate(np.array([0.5, 0.25, -1.0]), np.array([[0.04, 0, 0], [0.01, 1, 0], [0, 0.5, 2]]), 40)


def write(folder: Path, text: str = POOL) -> Path:
    path = folder / "pool.toml"
    path.write_bytes(text.encode())
    return path


def body(diff: str) -> str:
    """A diff without its header and places; a space at a line's end shows as a dot."""
    kept = (line for line in diff.splitlines() if line[:3] not in ("---", "+++", "@@ "))
    return "".join(("." if line == " " else line) + "\n" for line in kept)


def test_an_llm_is_added_after_the_others(tmp_path: Path) -> None:
    changed = PoolFile.read(write(tmp_path)).add(NEW)
    assert (
        body(changed.diff())
        == """ policy = ["json",
   "tools",  # since May
 ]
+
+[[llms]]
+id = "the \\"new\\" one"
+scores = { mmlu_pro = 0.63, "gpqa/diamond" = 0.4 }
+usd_per_mtok_in = 0.15
+usd_per_mtok_out = 0.6
+price_date = 2026-02-03
+context_tokens = 128000
+max_output_tokens = 16384
+policy = ["json"]
"""
    )
    assert changed.pool.llms[2] == NEW


def test_an_llm_is_added_before_the_routing(tmp_path: Path) -> None:
    changed = PoolFile.read(write(tmp_path, POOL + ROUTING)).add(NEW)
    assert changed.after.index('[[llms]]\nid = "the') < changed.after.index("[routing]")
    assert [line for line in body(changed.diff()).splitlines() if line.startswith("-")] == []
    again = changed.add(LlmEntry(**{f: getattr(NEW, f) for f in NEW.__struct_fields__} | {"id": "b"}))
    assert [llm.id for llm in again.pool.llms] == ["tiny", "large", 'the "new" one', "b"]
    assert again.after.endswith(ROUTING.lstrip()) and "\n\n\n" not in again.after


def test_what_is_learned_stands_with_its_llm(tmp_path: Path) -> None:
    changed = PoolFile.read(write(tmp_path)).set("tiny", {"learned": to_learned(ESTIMATE, "1")})
    assert (
        body(changed.diff())
        == """ price_date = 2026-01-01
 context_tokens = 4_096
 max_output_tokens = 512
+learned = { ability = 0.5, ability_se = 0.2, outcomes = 40, bundle = "1", skill = [0.25, -1.0], covariance = [
+  0.04,
+  0.01, 1.0,
+  0.0, 0.5, 2.0,
+] }
.
 # The dear one.
 [[llms]]
"""
    )


def test_fields_change_where_they_stand_and_comments_stay(tmp_path: Path) -> None:
    changed = PoolFile.read(write(tmp_path)).set("tiny", {"usd_per_mtok_in": 0.04, "ability": None, "like": "tiny"})
    removed = [line for line in body(changed.diff()).splitlines() if line.startswith(("-", "+"))]
    assert removed == [
        '-ability = "tiny"            # measured',
        "-usd_per_mtok_in = 0.05",
        "+usd_per_mtok_in = 0.04",
        '+like = "tiny"',
    ]
    twice = changed.set("large", {"learned": to_learned(ESTIMATE, "1")}).set("large", {"learned": None})
    assert twice.after == changed.after


def test_a_table_of_its_own_is_replaced_by_what_is_learned_next(tmp_path: Path) -> None:
    head, tail = POOL.split("\n# The dear one.")
    table = '[llms.learned]\nability = 0.1\nability_se = 1.0\nskill = [0.0, 0.0]\noutcomes = 3\nbundle = "1"\n'
    source = PoolFile.read(write(tmp_path, f"{head}{table}\n# The dear one.{tail}"))
    changed = source.set("tiny", {"learned": to_learned(ESTIMATE, "1"), "output_tokens_mean": 99.5}).add(NEW)
    assert changed.pool.llms[0].output_tokens_mean == 99.5
    assert changed.pool.llms[0].learned == to_learned(ESTIMATE, "1")
    assert "\n\n# The dear one.\n[[llms]]" in changed.after
    last = PoolFile.read(write(tmp_path, POOL + table)).add(NEW)
    assert '\nbundle = "1"\n\n[[llms]]\nid = "the' in last.after


def test_the_routing_value(tmp_path: Path) -> None:
    fresh = PoolFile.read(write(tmp_path)).set_value_usd(0.015)
    assert body(fresh.diff()).splitlines()[-3:] == ["+", "+[routing]", "+value_usd = 0.015"]
    known = PoolFile.read(write(tmp_path, POOL + ROUTING)).set_value_usd(0.015)
    changed = [line for line in body(known.diff()).splitlines() if line.startswith(("-", "+"))]
    assert changed == ["-value_usd = 0.02  # since June", "+value_usd = 0.015  # since June"]
    assert known.pool.routing is not None and known.pool.routing.value_usd == 0.015


def test_nothing_is_written_before_it_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path)
    changed = PoolFile.read(path).add(NEW).set_value_usd(1.0)
    assert path.read_text() == POOL
    changed.write()
    assert path.read_text() == changed.after and Pool.load(path) == changed.pool
    assert [p.name for p in tmp_path.iterdir()] == ["pool.toml"]
    assert PoolFile.read(path).diff() == ""


@pytest.mark.parametrize(("mark", "end"), [("", "\r\n"), ("\ufeff", "\n"), ("\ufeff", "\r\n")])
def test_line_ends_and_byte_order_marks_stay(tmp_path: Path, mark: str, end: str) -> None:
    path = write(tmp_path, mark + POOL.replace("\n", end))
    PoolFile.read(path).set_value_usd(0.5).write()
    assert path.read_bytes().decode() == mark + (POOL + "\n[routing]\nvalue_usd = 0.5\n").replace("\n", end)


def test_a_file_without_a_last_newline(tmp_path: Path) -> None:
    changed = PoolFile.read(write(tmp_path, POOL.rstrip())).add(NEW)
    assert changed.pool.llms[2] == NEW and "]\n\n[[llms]]" in changed.after
    assert "\\ No newline at end of file" in changed.diff()


INLINE = 'llms = [{ id = "a", ability = "tiny", usd_per_mtok_in = 1, usd_per_mtok_out = 1, price_date = 2026-01-01, \
context_tokens = 9, max_output_tokens = 9 }]\n'
HALVES = POOL.split("# The dear one.\n")
MIXED = HALVES[0] + "[routing]\nvalue_usd = 1.0\n\n# The dear one.\n" + HALVES[1]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (INLINE, "write each LLM as"),
        (MIXED, "all before a table"),
        ("llms = []\n", "at least one LLM"),
        ("[[llms]\n", "not a TOML file"),
        (POOL + 'colour = "red"\n', "colour"),
    ],
)
def test_files_that_are_not_changed(tmp_path: Path, text: str, part: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(turnout.ConfigError, match=part):
        PoolFile.read(path)
    assert path.read_text() == text


def test_routing_may_come_first(tmp_path: Path) -> None:
    text = "[routing]\nvalue_usd = 1.0\n\n" + POOL
    changed = PoolFile.read(write(tmp_path, text)).add(NEW).set_value_usd(2.0)
    assert changed.after.startswith("[routing]\nvalue_usd = 2.0\n\n# Our LLMs.\n") and changed.pool.llms[2] == NEW
    assert tomllib.loads(changed.after)["routing"] == {"value_usd": 2.0}


@pytest.mark.parametrize("name", ["examples/pool.toml", "models/default/pool.toml", "models/src/pool.toml"])
def test_our_own_pools_can_be_changed(name: str, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / name).read_text()
    source = PoolFile.read(write(tmp_path, text))
    changed: Any = source.add(NEW).set_value_usd(0.5)
    kept = [line for line in body(changed.diff()).splitlines() if line.startswith("-")]
    assert kept == [] and len(changed.pool.llms) == len(source.pool.llms) + 1
