"""The README's first example runs and prints what it says (numbers aside: CPUs differ in the last digit)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    """The contents of the README's fenced blocks of one language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [content for name, content in fences if name == language]


def masked(text: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "#", text).strip()


def test_the_first_example_prints_what_it_says(tmp_path: Path) -> None:
    if not README.is_file():
        pytest.skip("the README lies beside the tests in the source tree only")
    (tmp_path / "pool.toml").write_text(blocks("toml")[0], encoding="utf-8")
    (tmp_path / "example.py").write_text(blocks("python")[0], encoding="utf-8")
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert masked(done.stdout) == masked(blocks("")[0])
