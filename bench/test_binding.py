"""What the binding costs: the same C++ call through pybind11 (ours) and through nanobind (bench/nanobind)."""

from __future__ import annotations

from typing import Any

import pytest

from turnout.bench.workload import Workload

TEXT = "Which doctrine takes an oral promise to sell land out of the statute of frauds?"


def test_pybind11_native_call(benchmark: Any, workload: Workload) -> None:
    route = workload.router.parts.native.route
    benchmark.group = "binding"
    benchmark(route, TEXT, (0.01, None, None, None, 0, None, None, 4, 0.0))


def test_pybind11_through_the_python_face(benchmark: Any, workload: Workload) -> None:
    benchmark.group = "binding"
    benchmark(workload.router.route, TEXT)


def test_nanobind(benchmark: Any, workload: Workload) -> None:
    module = pytest.importorskip("turnout_nanobind", reason="build bench/nanobind first")
    router = module.Router(workload.router.parts.native.capsule())
    assert router.route(TEXT).difficulty == workload.router.route(TEXT).difficulty
    benchmark.group = "binding"
    benchmark(router.route, TEXT)
