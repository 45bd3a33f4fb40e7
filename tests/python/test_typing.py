"""The stubs tell the truth: every name of the native module is in them, and nothing else is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

import turnout
from turnout import _native, names

STUBS = ast.parse((Path(turnout.__file__).parent / "_native.pyi").read_text())
BUILT_IN = {
    "__init__",
    "__module__",
    "__doc__",
    "__new__",
    "__hash__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
}
PICKLE = {"__getstate__", "__setstate__", "__reduce__", "__reduce_ex__"}


def declared(body: list[ast.stmt]) -> set[str]:
    defined = {x.name for x in body if isinstance(x, ast.FunctionDef | ast.ClassDef)}
    return defined | {x.target.id for x in body if isinstance(x, ast.AnnAssign) and isinstance(x.target, ast.Name)}


def members(cls: type) -> set[str]:
    return {n for n in vars(cls) if not n.startswith("_pybind11")} - BUILT_IN - PICKLE


CLASSES = {x.name: x for x in STUBS.body if isinstance(x, ast.ClassDef) and not x.name.startswith("_")}


def test_every_native_name_is_in_the_stubs() -> None:
    public = {n for n in vars(_native) if not n.startswith("_")}
    assert {n for n in declared(STUBS.body) if not n.startswith("_")} == public


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_native_attribute_is_in_the_stubs(name: str) -> None:
    assert declared(CLASSES[name].body) - BUILT_IN - PICKLE == members(getattr(_native, name))


def test_the_public_classes_say_what_each_attribute_is() -> None:
    classes = [turnout.Decision, turnout.PlanNode, turnout.Alternative, turnout.DecisionBatch]
    bare = [
        f"{c.__name__}.{n}"
        for c in classes
        for n, member in vars(c).items()
        if not n.startswith("_") and not member.__doc__
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("python", "core"),
    [
        (names.REASONS, _native.reason_names()),
        (names.RULES, _native.rule_names()),
        (names.STAGES, _native.stage_names()),
        (names.STATISTICS, _native.statistic_names()),
        (names.STATUSES, _native.status_names()),
        (names.KINDS, _native.kind_names()),
        (names.MASKS, _native.mask_names()),
    ],
)
def test_names_are_those_of_the_core_in_their_order(python: tuple[str, ...], core: list[str]) -> None:
    assert list(python) == core


def test_every_reason_is_explained() -> None:
    assert names.__doc__ is not None
    assert [r for r in get_args(names.Reason) if f"``{r}``" not in names.__doc__] == []
