"""Walks and pheromones: parity with the twin, names, pickling, bad input."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Pair, pairs
from turnout._native import Philox
from turnout.core import ConfigError, InputError, TurnoutError
from turnout.graph import Pheromones, desirability
from turnout.graph.generate import layered
from turnout.reference import graph as reference

TASKS = ("math", "code")


@given(pairs(), st.data(), st.integers(0, 2**64 - 1))
@settings(max_examples=150)
def test_walks_and_updates_equal_the_twins(graphs: Pair, data: st.DataObject, seed: int) -> None:
    n = len(graphs.native)
    config = {
        "evaporation": data.draw(st.floats(0, 1)),
        "pheromone_power": data.draw(st.sampled_from([0.0, 1.0, 2.5])),
        "desirability_power": data.draw(st.sampled_from([0.0, 1.0, 3.0])),
        "least": 1e-3,
    }
    native = Pheromones(graphs.native, TASKS, **config)
    twin = reference.Pheromones(graphs.twin, 2, reference.PheromoneConfig(**config))
    eta = np.array(data.draw(st.lists(st.floats(0.1, 10), min_size=n, max_size=n)))
    one, two = Philox(seed), Philox(seed)
    for _ in range(6):
        weights = data.draw(st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.25, 0.75), (1e-3, 0.5)]))
        named = dict(zip(TASKS, weights, strict=True))
        source, goal = (data.draw(st.integers(0, n - 1)) for _ in range(2))
        found = native.walk(source, goal, named, eta, seed=one)
        expected = twin.walk(source, goal, weights, eta.tolist(), two)
        assert (found and (found.edges, found.cost)) == (expected and (expected.edges, expected.cost))
        cost, gate = data.draw(st.floats(0, 100)), data.draw(st.booleans())
        before = native.values.tobytes()
        native.update(found.edges if found else (), named, cost, gate=gate)
        twin.update(found.edges if found else (), weights, cost, gate)
        assert native.values.tolist() == twin.values
        assert gate or native.values.tobytes() == before


def test_a_walk_by_name_repeats_with_its_seed() -> None:
    graph = layered(5, 4, 3, seed=1)
    pheromones = Pheromones(graph, TASKS)
    walks = {pheromones.walk("0", "21", "math", seed=seed) for seed in range(50)}
    assert len(walks) > 10 and pheromones.walk("0", "21", "math", seed=7) == pheromones.walk(0, 21, "math", seed=7)
    rng = Philox(7)
    first, second = (pheromones.walk(0, 21, "math", seed=rng) for _ in range(2))
    assert first == pheromones.walk(0, 21, "math", seed=7) and second != first


def test_tasks_are_isolated_and_pickled() -> None:
    graph = layered(5, 4, 3, seed=1)
    pheromones = Pheromones(graph, TASKS, evaporation=0.5)
    path = pheromones.walk(0, 21, "code", seed=1)
    assert path is not None
    pheromones.update(path, "code", 1.0, gate=True)
    assert (pheromones.values[0] == 1.0).all() and (pheromones.values[1][list(path.edges)] > 1.4).all()
    copy = pickle.loads(pickle.dumps(pheromones))
    assert copy.values.tolist() == pheromones.values.tolist() and copy.tasks == TASKS
    assert copy.walk(0, 21, "code", seed=3) == pheromones.walk(0, 21, "code", seed=3)


def test_walks_and_updates_side_by_side() -> None:
    graph = layered(5, 4, 3, seed=1)
    pheromones = Pheromones(graph, TASKS)
    stop = threading.Event()

    def learn() -> None:
        while not stop.is_set():
            pheromones.update([0, 20], {"math": 0.5, "code": 0.5}, 1.0, gate=True)

    thread = threading.Thread(target=learn)
    thread.start()
    found = [pheromones.walk(0, 21, "math", seed=seed) for seed in range(300)]
    stop.set()
    thread.join()
    assert None not in found


@given(st.floats(0, 10), st.floats(0.1, 10), st.floats(0.1, 10))
def test_desirability_equals_the_twins(ability: float, load: float, seconds: float) -> None:
    columns = (np.array([x]) for x in (ability, load, seconds))
    found = desirability(*columns, ability_weight=2.0, load_weight=0.5, seconds_weight=3.0)
    assert found.tolist() == [reference.desirability(ability, load, seconds, (2.0, 0.5, 3.0))]


@pytest.mark.parametrize(
    ("call", "kind", "path"),
    [
        (lambda g: Pheromones(g, TASKS, evaporation=1.5), ConfigError, "pheromones.evaporation"),
        (lambda g: Pheromones(g, TASKS, least=0.0), ConfigError, "pheromones.least"),
        (lambda g: Pheromones(g, ()), ConfigError, "pheromones.tasks"),
        (lambda g: Pheromones(g, ("a", "a")), InputError, "tasks"),
        (lambda g: Pheromones(g, TASKS).walk(0, 21, "maths", seed=1), InputError, "task_weights"),
        (lambda g: Pheromones(g, TASKS).walk(0, 21, {"math": 2.0}, seed=1), InputError, "task_weights[0]"),
        (lambda g: Pheromones(g, TASKS).walk(0, 21, {}, seed=1), InputError, "task_weights"),
        (lambda g: Pheromones(g, TASKS).walk(0, 22, "math", seed=1), InputError, "goal"),
        (lambda g: Pheromones(g, TASKS).walk(0, 21, "math", np.zeros(22), seed=1), InputError, "eta[0]"),
        (lambda g: Pheromones(g, TASKS).walk(0, 21, "math", np.ones(3), seed=1), InputError, "eta"),
        (lambda g: Pheromones(g, TASKS).update([0, 999], "math", 1.0, gate=True), InputError, "edge"),
        (lambda g: Pheromones(g, TASKS).update([0], "math", -1.0, gate=True), InputError, "cost"),
        (lambda g: desirability(np.ones(2), np.zeros(2), np.ones(2)), InputError, "load[0]"),
    ],
)
def test_wrong_calls_are_refused_with_the_path(call: Any, kind: type[TurnoutError], path: str) -> None:
    with pytest.raises(kind) as refused:
        call(layered(5, 4, 3, seed=1))
    assert refused.value.path == path


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="there is no option 'evaporate'; did you mean 'evaporation'"):
        Pheromones(layered(2, 2, 1, seed=1), TASKS, evaporate=0.5)
