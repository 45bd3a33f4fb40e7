"""The README's examples run and print what they say (numbers aside: CPUs differ in the last digit)."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


pytestmark = pytest.mark.skipif(not README.is_file(), reason="the README lies beside the tests in the source tree only")


def blocks(language: str) -> list[str]:
    """The contents of the README's fenced blocks of one language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [content for name, content in fences if name == language]


def examples() -> list[tuple[str, str]]:
    """Python blocks with the output that stands below them."""
    pair = r"^```python\n(.*?)^```\n```\n(.*?)^```$"
    return re.findall(pair, README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def masked(text: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "#", text).strip()


@pytest.mark.parametrize("number", [0, 1, 2, 3], ids=["first", "by hand", "purse", "learning"])
def test_an_example_pasted_in_the_root_prints_what_it_says(tmp_path: Path, number: int) -> None:
    code, printed = examples()[number]
    example = tmp_path / "example.py"
    example.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, str(example)], cwd=README.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert masked(done.stdout) == masked(printed)


def test_the_pool_is_that_of_the_examples() -> None:
    shown, file = blocks("toml")[0], README.parent / "examples/pool.toml"
    assert tomllib.loads(shown) == tomllib.loads(file.read_text(encoding="utf-8"))


def test_every_python_block_is_run() -> None:
    assert len(examples()) == len(blocks("python")) == 4
