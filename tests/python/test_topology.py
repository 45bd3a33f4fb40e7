"""Shape, topology and exact width of DAGs, and who takes which task: parity with the twin, and every refusal."""

from __future__ import annotations

import math
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.core import InputError
from turnout.plan import (
    Agent,
    TaskDag,
    TopologyThresholds,
    assign_agents,
    choose_topology,
    exact_width,
    largest_antichain,
    measure,
)
from turnout.reference.dag import agents as agents_twin
from turnout.reference.dag import shape as twin
from turnout.reference.dag import tasks as tasks_twin
from turnout.reference.dag.generate import Generated, random_dag

DAGS = st.builds(random_dag, st.integers(0, 10**6), st.integers(1, 14), st.integers(0, 40), st.integers(1, 14))


# Measures -------------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(g=DAGS)
def test_measures_equal_the_twin(g: Generated) -> None:
    assert measure(*g) == twin.measure(*g)


def test_measures_of_a_large_dag_equal_networkx() -> None:
    g = random_dag(5, 1000, 3000, 200)
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(g.nodes))
    graph.add_weighted_edges_from((a, b, g.seconds[b]) for a, b in g.edges)
    graph.add_weighted_edges_from((-1, b, g.seconds[b]) for b in range(g.nodes))  # a start before all
    m = measure(*g)
    assert m.critical_path == pytest.approx(networkx.dag_longest_path_length(graph), rel=1e-12)
    assert list(m.critical_nodes) == networkx.dag_longest_path(graph)[1:]
    generations = list(networkx.topological_generations(graph.subgraph(range(g.nodes))))
    assert m.depth == len(generations) and m.width == max(map(len, generations))


def test_the_generator_is_that_of_the_core() -> None:
    """The same numbers stand in tests/cpp/test_dag.cpp."""
    g = random_dag(5, 6, 8, 3)
    assert g.edges == [(0, 2), (0, 4), (3, 2), (5, 3)]
    assert g.seconds[0] == 0.20223880088458657 and g.coupling[3] == 0.9173280030144036


def test_arrays_and_sequences_measure_the_same() -> None:
    g = random_dag(1, 50, 120, 50)
    arrays = np.array(g.edges, np.int32), np.array(g.seconds), np.array(g.coupling)
    assert measure(g.nodes, *arrays) == measure(*g)
    assert measure(0, [], []) == (0, 0, 0, 0, 0, 0, 0, 0, 1, (), ())


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((2, [(0, 2)], [1, 1]), "edges[0]"),
        ((2, [(1, 1)], [1, 1]), "edges[0]"),
        ((2, [(0, 1), (0, 1)], [1, 1]), "edges[1]"),
        ((2, [(0, 1), (1, 0)], [1, 1]), "edges"),
        ((2, [(0, 1, 2)], [1, 1]), "edges"),
        ((2, [(0, 2**40)], [1, 1]), "edges"),
        ((131073, [], []), "nodes"),
        ((2, [], [1]), "seconds"),
        ((2, [], [1, -1]), "seconds[1]"),
        ((2, [], [math.nan, 1]), "seconds[0]"),
        ((2, [], [1, math.inf]), "seconds[1]"),
        ((2, [(0, 1)], [1, 1], [2]), "coupling[0]"),
        ((2, [(0, 1)], [1, 1], [0, 0]), "coupling"),
    ],
)
def test_wrong_dags_are_refused(arguments: Any, path: str) -> None:
    with pytest.raises(InputError) as error:
        measure(*arguments)
    assert error.value.path == path


# Topology -------------------------------------------------------------------------------------------------------------


def topology(nodes: int, edges: list[tuple[int, int]], coupling: float) -> tuple[str, str]:
    choice = choose_topology(measure(nodes, edges, [1.0] * nodes, [coupling] * len(edges)))
    return choice.topology, choice.rule


def test_antichains_chains_and_golden_dags() -> None:
    assert topology(30, [], 0) == ("parallel", "wide")
    assert topology(30, [(i, i + 1) for i in range(29)], 1) == ("sequential", "deep")
    map_reduce = [(i, 9) for i in range(9)]
    assert topology(10, map_reduce, 0.25) == ("parallel", "wide")
    assert topology(10, map_reduce, 0.75) == ("hierarchical", "coupled")
    assert topology(7, [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)], 0.25) == ("hierarchical", "layered")
    assert topology(5, [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)], 0.25) == ("hybrid", "neither")


def test_the_reason_says_which_rule_fired() -> None:
    metrics = measure(10, [(i, 9) for i in range(9)], [1.0] * 10)
    wide = choose_topology(metrics)
    assert wide.reason == "parallel: width 9 >= 0.7 x 10 nodes and coupling 0.00 < 0.3"
    strict = choose_topology(metrics, TopologyThresholds(wide_share=1.0))
    assert strict.reason == "hybrid: width 9 and depth 2 of 10 nodes, coupling 0.00: no rule fires"
    with pytest.raises(InputError, match=r"thresholds.tight: expected a number in \[0, 1\], got 2"):
        choose_topology(metrics, TopologyThresholds(tight=2.0))
    with pytest.raises(InputError, match="nodes: expected"):
        TaskDag().topology()


@settings(max_examples=200, deadline=None)
@given(g=DAGS, t=st.tuples(*[st.floats(0, 1)] * 4, st.integers(0, 9)))
def test_topologies_equal_the_twin(g: Generated, t: tuple[float, float, float, float, int]) -> None:
    choice = choose_topology(measure(*g), TopologyThresholds(*t))
    assert (choice.topology, choice.rule) == twin.choose_topology(twin.measure(*g), *t)


@settings(max_examples=150, deadline=None)
@given(g=st.builds(random_dag, st.integers(0, 10**6), st.integers(1, 11), st.integers(0, 25), st.integers(1, 11)))
def test_exact_widths_equal_brute_force(g: Generated) -> None:
    nodes, after = largest_antichain(g.nodes, g.edges), twin.reach(g.nodes, g.edges)
    assert exact_width(g.nodes, g.edges) == len(nodes) == twin.exact_width(g.nodes, g.edges)
    assert not any(b in after[a] for a in nodes for b in nodes)
    assert len(nodes) >= measure(*g).width


def test_the_exact_width_of_a_large_dag_covers_every_level() -> None:
    g = random_dag(9, 1000, 3000, 60)
    assert exact_width(g.nodes, g.edges) >= measure(*g).width > 20


# Agents ---------------------------------------------------------------------------------------------------------------

TASKS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 7), st.sampled_from(["", "cpu", "gpu"]), st.integers(0, 3)), max_size=8
)
AGENTS = st.lists(
    st.tuples(st.sampled_from(["cpu", "gpu"]), st.integers(0, 15), st.sampled_from([0.0, 1.0, 2.5]), st.integers(0, 3)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(
    tasks=TASKS,
    agents=AGENTS,
    policy=st.sampled_from(["round_robin", "capability_match", "load_balance"]),
    turn=st.integers(0, 4),
)
def test_policies_equal_the_twin(tasks: Any, agents: Any, policy: Any, turn: int) -> None:
    dag, same = TaskDag(), tasks_twin.TaskDag()
    for i, (priority, skills, device_class, seconds) in enumerate(tasks):
        fields = {"priority": priority, "skills": skills, "device_class": device_class, "seconds": float(seconds)}
        dag.add(f"t{i}", **fields)
        same.add(f"t{i}", **fields)
    crew = [Agent(f"a{i}", *fields) for i, fields in enumerate(agents)]
    turn %= len(crew)
    got = assign_agents(dag, crew, policy, turn=turn)
    assert (list(got.taken), list(got.waiting), list(got.impossible), got.turn) == agents_twin.assign_agents(
        same, [tuple(agent) for agent in crew], policy, turn
    )
    for task, agent in got.taken:
        dag.start(task, agent)
    assert sum(agent.slots for agent in crew) - len(got.taken) == sum(agent.slots for agent in got.agents)
    assert dag.ready() == [t for t in dag.ready() if t in got.waiting + got.impossible]


def test_wrong_agents_are_refused() -> None:
    dag = TaskDag()
    for agents, turn, path in [
        ([], 0, "agents"),
        ([Agent("a")], 1, "turn"),
        ([Agent("a"), Agent("a")], 0, "agents[1].name"),
        ([Agent("a", load=-1.0)], 0, "agents[0].load"),
        ([Agent("a", slots=-1)], 0, "agents[0].slots"),
    ]:
        with pytest.raises(InputError) as error:
            assign_agents(dag, agents, turn=turn)
        assert error.value.path == path
    with pytest.raises(InputError, match="policy: expected"):
        assign_agents(dag, [Agent("a")], "random")  # type: ignore[arg-type]
