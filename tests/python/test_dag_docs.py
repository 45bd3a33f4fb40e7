"""The examples of docs/plan.md run, one after the other, and print what stands below them."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from turnout import dag

PAGE = Path(__file__).parents[2] / "docs/plan.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documents lie in the source tree only")


def test_the_examples_print_what_they_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    pairs = re.findall(r"^```python\n(.*?)^```\n```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(pairs) == text.count("```python") >= 9
    names: dict[str, Any] = {}
    for code, printed in pairs:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(PAGE), "exec"), names)
        assert out.getvalue() == printed


def test_the_limits_are_those_of_the_core() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"{dag.MAX_TASKS:,}" in text and f"{dag.MAX_EDGES:,}" in text
