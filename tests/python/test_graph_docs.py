"""docs/graph.md is one session that runs and prints what it says, and its limits are those that are checked."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from turnout import _native

DOCUMENT = Path(__file__).parents[2] / "docs/graph.md"

pytestmark = pytest.mark.skipif(not DOCUMENT.is_file(), reason="the documents lie in the source tree only")


def test_every_block_prints_what_it_says() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    pairs = re.findall(r"^```python\n(.*?)^```\n```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(pairs) == len(re.findall(r"^```python$", text, re.MULTILINE)) > 10
    session: dict[str, object] = {}
    for code, printed in pairs:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(DOCUMENT), "exec"), session)
        assert out.getvalue() == printed, code


def test_the_limits_are_those_that_are_checked() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for what, limit in (
        ("nodes of a graph", _native.max_graph_nodes),
        ("edges of a graph", _native.max_graph_edges),
        ("`k_shortest_paths`", _native.max_graph_paths),
        ("`pareto_paths`", _native.max_pareto_labels),
        ("`walk`", _native.max_graph_tasks),
    ):
        (row,) = re.findall(rf"^\| {re.escape(what)} \| (.*?) \|", text, re.MULTILINE)
        assert f"{limit:,}" in row
    assert re.search(r"^\| a weight; .*? \| 1e12 \|", text, re.MULTILINE) and _native.max_graph_weight == 1e12
