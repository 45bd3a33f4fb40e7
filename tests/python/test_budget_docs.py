"""What docs/budgets.md shows is what runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/budgets.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documents lie in the source tree only")


def test_the_page_runs_and_prints_what_it_says() -> None:
    blocks = re.findall(r"^```pycon\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, PAGE.name, str(PAGE), 0)
    printed: list[str] = []
    result = doctest.DocTestRunner().run(example, out=printed.append)
    assert result.failed == 0, "".join(printed)
    assert result.attempted > 40
