"""docs/learning.md prints what it says."""

from __future__ import annotations

import pytest

import walkthrough


@pytest.mark.skipif(not walkthrough.DOCS.is_dir(), reason="the documents lie in the source tree only")
def test_the_examples_print_what_they_say() -> None:
    assert walkthrough.check("learning.md") == 7
