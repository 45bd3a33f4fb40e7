"""The cases of `turnout bench` under pytest-benchmark: ``pytest bench --benchmark-only``."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from turnout.bench.cases import Case, native_calls
from turnout.bench.rivals import RIVALS, missing
from turnout.bench.rooms import NAMES, room_calls
from turnout.bench.workload import Workload

NATIVE = [
    "route_text/1",
    "route_text_budget/1",
    "route_embedding/1",
    "embed/1",
    "embed_lexical/1",
    "difficulty/1",
    "capability_1000/1",
    "assign/1",
    "assign_constrained/1",
    "route_batch_embedding/1",
    "route_batch_embedding/8",
    "route_batch_embedding/64",
    "route_batch_embedding/256",
    "route_batch_embedding_64/256",
]


def run(benchmark: Any, case: Case) -> None:
    inputs = itertools.cycle(case.inputs)
    benchmark.group = case.key
    benchmark.pedantic(
        case.call, setup=lambda: ((next(inputs),), {}), rounds=min(300, len(case.inputs)), warmup_rounds=3
    )


@pytest.fixture(scope="session")
def native(workload: Workload) -> dict[str, Case]:
    return {case.key: case for case in native_calls(workload)}


@pytest.mark.parametrize("key", NATIVE)
def test_native(benchmark: Any, native: dict[str, Case], key: str) -> None:
    run(benchmark, native[key])


@pytest.mark.parametrize("name", NAMES)
def test_room(benchmark: Any, name: str) -> None:
    """As called from Python; a loop inside C++ where there is no such call."""
    run(benchmark, [case for case in room_calls(True, name) if case.name == name][-1])


@pytest.mark.parametrize(("name", "make", "needs"), RIVALS, ids=[name for name, *_ in RIVALS])
def test_rival_on_texts(
    benchmark: Any, workload: Workload, name: str, make: Callable[[Workload], list[Case]], needs: tuple[str, ...]
) -> None:
    absent = missing(*needs)
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed")
    run(benchmark, make(workload)[0])
