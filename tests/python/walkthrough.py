"""Runs a document's Python blocks in order, in one namespace, and compares what each prints with the block below it."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"

_PAIR = re.compile(r"^```python\n(.*?)^```\n(?:```\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)


def blocks(name: str) -> list[tuple[str, str]]:
    """Code and what it prints; a block without output prints nothing."""
    return _PAIR.findall((DOCS / name).read_text(encoding="utf-8"))


def check(name: str, masked: str = r"(?!)") -> int:
    """Asserts that each block prints what stands below it, but for what `masked` matches; returns their number."""
    space: dict[str, Any] = {}
    for code, printed in blocks(name):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, name, "exec"), space)
        assert re.sub(masked, "#", out.getvalue()) == re.sub(masked, "#", printed), code
    return len(blocks(name))
