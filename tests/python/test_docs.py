"""What the documents say of files, names, versions and limits is so."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from turnout import catalog, learned, names, pool

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs/architecture.md"

pytestmark = pytest.mark.skipif(not ARCHITECTURE.is_file(), reason="the documents lie in the source tree only")

PLACES = ("cpp/include/turnout/{}.hpp", "cpp/src/{}", "python/bindings/{}.cpp", "python/turnout/{}.py")
PLACES += ("python/turnout/reference/{}.py", "tests/cpp/test_{}.cpp", "tests/python/test_{}.py")


def section(path: Path, title: str) -> str:
    return path.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]


def present(place: str) -> bool:
    """A Python module may be a folder."""
    return (ROOT / place).exists() or (ROOT / place.removesuffix(".py") / "__init__.py").exists()


def test_rooms_are_in_the_places_that_are_named() -> None:
    text = section(ARCHITECTURE, "The rooms")
    rooms = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    missing = {room: [place for place in PLACES if not present(place.format(room))] for room in rooms}
    assert {room: places for room, places in missing.items() if places} == {
        "difficulty": [PLACES[3], PLACES[6]],
        "state": [PLACES[6]],
        "trace": [*PLACES[3:5], PLACES[6]],
    }


def test_the_limits_are_those_that_are_checked() -> None:
    lines = section(ARCHITECTURE, "Limits").splitlines()
    checked = [("an LLM", field, limit) for field, limit in pool.LIMITS.items()]
    checked += [
        ("an LLM", "scores", learned.MAX_LOGIT),
        ("an LLM", "tokens_per_second", 1 / pool.MIN_TOKENS_PER_SECOND),
    ]
    checked += [("a tool or agent", "usd_per_call", catalog.MAX_USD_PER_CALL)]
    checked += [("a tool or agent", "seconds", catalog.MAX_SECONDS)]
    for of, field, limit in checked:
        (row,) = (line for line in lines if line.startswith(f"| {of}") and f"`{field}`" in line)
        number = re.search(r"\| ([\de]+)", row)
        assert number and float(number[1]) == limit, row


def test_the_glossary_has_every_status() -> None:
    words = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(get_args(names.Status)) <= {word for entry in words for word in re.findall(r"\w+", entry)}


def test_cmake_is_new_enough_for_the_presets() -> None:
    presets = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert presets["version"] == 6  # which CMake reads from 3.25 on
    assert "cmake>=3.25" in extras["test"]
    for name in ("CONTRIBUTING.md", "cpp/README.md"):
        words = " ".join((ROOT / name).read_text(encoding="utf-8").split())
        assert "CMake 3.25 or newer and Ninja" in words


def test_contributing_names_extras_and_groups_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", text)
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])
    assert set(re.findall(r"--group (\w+)", text)) == set(project["dependency-groups"])
