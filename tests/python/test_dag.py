"""Task DAGs: building, running, editing; parity with the twin, and every refusal."""

from __future__ import annotations

import contextlib
import copy
import math
import pickle
import threading
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import turnout
from turnout.core import InputError
from turnout.plan import STATES, Agent, Task, TaskDag, assign_agents
from turnout.reference.dag import tasks as twin

DIAMOND: dict[str, dict[str, Any]] = {
    "a": {"seconds": 1.0},
    "b": {"seconds": 5.0, "inputs": ["a"]},
    "c": {"seconds": 2.0, "inputs": {"a": "weak"}, "priority": 1},
    "d": {"seconds": 1.0, "inputs": {"b": 1.0, "c": "strong"}},
}


def diamond() -> TaskDag:
    return TaskDag.from_dict(DIAMOND)


def run(dag: TaskDag, *names: str) -> None:
    for name in names:
        dag.start(name, "agent")
        dag.complete(name)


def refusal(call: Any, *arguments: Any, **keywords: Any) -> str:
    with pytest.raises(InputError) as error:
        call(*arguments, **keywords)
    assert str(error.value).startswith(error.value.path)
    return str(error.value)


# Building -------------------------------------------------------------------------------------------------------------


def test_a_diamond_from_every_source() -> None:
    by_calls = TaskDag()
    by_calls.add("a", seconds=1.0)
    by_calls.add("b", seconds=5.0, inputs=["a"])
    by_calls.add("c", seconds=2.0, inputs={"a": 0.25}, priority=1)
    by_calls.add("d", seconds=1.0, inputs={"b": 1.0, "c": 0.75})
    graph = networkx.DiGraph()
    for name, fields in DIAMOND.items():
        graph.add_node(name, note="unread", **{k: v for k, v in fields.items() if k != "inputs"})
    graph.add_edges_from([("a", "b"), ("a", "c", {"coupling": "weak"})])
    graph.add_edges_from([("b", "d", {"coupling": 1.0}), ("c", "d", {"coupling": "strong"})])
    by_columns = TaskDag.from_arrays(
        ["a", "b", "c", "d"],
        np.array([[0, 1], [0, 2], [1, 3], [2, 3]], np.int32),
        coupling=[0, 0.25, 1, 0.75],
        seconds=np.array([1.0, 5.0, 2.0, 1.0]),
        priority=[0, 0, 1, 0],
    )
    for other in (by_calls, TaskDag.from_networkx(graph), by_columns, diamond().copy()):
        assert other == diamond() and other.digest() == diamond().digest() and other.tasks() == diamond().tasks()


def test_tasks_of_a_dict_may_come_in_any_order() -> None:
    dag = TaskDag.from_dict(dict(reversed(DIAMOND.items())))
    assert list(dag) == ["d", "c", "b", "a"] and dag.ready() == ["a"] and dag.order()[0] == "a"


def test_a_dag_from_a_decision(small: turnout.Router) -> None:
    decision = small.route("search the web and prove it", value_usd=1.0)
    dag = TaskDag.from_plan(decision.plan)
    assert len(dag) == len(decision.plan) and dag.edges == sum(len(n.depends_on) for n in decision.plan)
    assert [t.operator for t in dag.tasks()] == [n.operator for n in decision.plan]
    assert dag.metrics().work == pytest.approx(sum(n.seconds for n in decision.plan))


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({"a": {"inputs": ["b"]}}, "tasks.a.inputs: there is no task 'b'"),
        ({"a": {}, "b": {"inputs": "a"}}, "tasks.b.inputs: expected names, got the string 'a'"),
        ({"a": {}, "b": {"inputs": {"a": "firm"}}}, "tasks.b.inputs.a: expected a number in"),
        ({"a": {"second": 1}}, "tasks.a.second: a task has no such attribute; did you mean 'seconds'"),
        ({"a": {"seconds": -1.0}}, "tasks[0].seconds: expected a number in [0, 1e+09], got -1"),
        ({"a": {}, "b": {"inputs": {"a": math.nan}}}, "tasks[1].inputs.coupling: expected a number in [0, 1], got nan"),
        ({"": {}}, "tasks[0].name: expected a name"),
        ({"a": {"inputs": ["a"]}}, "edges[0]: 'a' cannot depend on itself"),
        ({"a": {"inputs": ["c"]}, "b": {"inputs": ["a"]}, "c": {"inputs": ["b"]}}, "'a' -> 'c' -> 'b' -> 'a'"),
    ],
)
def test_wrong_dicts_are_refused(tasks: dict[str, Any], message: str) -> None:
    assert message in refusal(TaskDag.from_dict, tasks)


def test_wrong_columns_are_refused() -> None:
    names, edges = ["a", "b"], np.array([[0, 1]], np.int32)
    assert refusal(TaskDag.from_arrays, names, edges, seconds=[1.0]) == "seconds: expected one a task (2), got 1"
    assert (
        refusal(TaskDag.from_arrays, names, edges, coupling=[1.0, 1.0]) == "coupling: expected one an edge (1), got 2"
    )
    assert "edges[1]: the edge from 'a' to 'b'" in refusal(TaskDag.from_arrays, names, [(0, 1), (0, 1)])
    assert refusal(TaskDag.from_arrays, names, [(0, 2)]) == "edges[0]: there is no node 2"
    assert "'a' -> 'b' -> 'a'" in refusal(TaskDag.from_arrays, names, [(0, 1), (1, 0)])
    assert "tasks[1].name" in refusal(TaskDag.from_arrays, ["a", "a"], [])
    assert "seconds: expected float64" in refusal(TaskDag.from_arrays, names, edges, seconds=["x", "y"])
    with pytest.raises(TypeError, match="edges: expected a C-contiguous numpy array of int32"):
        TaskDag.from_arrays(names, edges.astype(np.int64))
    with pytest.raises(TypeError, match="seconds"):
        TaskDag.from_arrays(names, edges, seconds=np.ones(2, np.float32))


def test_wrong_graphs_are_refused() -> None:
    assert refusal(TaskDag.from_networkx, networkx.Graph()) == "graph: expected a directed graph"
    twice = networkx.MultiDiGraph([("a", "b"), ("a", "b")])
    assert refusal(TaskDag.from_networkx, twice) == "graph.edges['a', 'b']: the edge is there twice"
    same = networkx.DiGraph()
    same.add_nodes_from([1, "1"])
    assert refusal(TaskDag.from_networkx, same) == "graph.nodes['1']: there is another node '1'"


# Running --------------------------------------------------------------------------------------------------------------


def test_a_diamond_runs() -> None:
    dag = diamond()
    run(dag, "a")
    assert dag.ready() == ["c", "b"]  # c has the higher priority
    dag.assign("c", "one")
    dag.start("c")
    assert dag["c"].agent == "one" and dag["c"].state == "running" and not dag.finished
    assert refusal(dag.start, "d", "x") == "task: 'd' depends on 'b', which is pending"
    dag.complete("c")
    run(dag, "b", "d")
    assert dag.finished and dag.ready() == [] and dag.count("done") == 4
    assert repr(dag) == "TaskDag(4 tasks, 4 edges: 4 done)"


def test_failures() -> None:
    dag = diamond()
    run(dag, "a")
    dag.start("b", "one")
    dag.fail("b", retry=True)
    assert dag["b"].agent == "" and dag["b"].attempts == 1 and dag.ready() == ["c", "b"]
    dag.start("b", "two")
    dag.fail("b")
    assert dag.blocked() == ["d"] and dag["b"].state == "failed"
    dag.disconnect("b", "d")
    run(dag, "c", "d")
    assert dag.finished

    dag = diamond()
    dag.cancel("b", dependents="skip")
    assert [t.state for t in dag.tasks()] == ["pending", "cancelled", "pending", "skipped"]
    assert refusal(dag.cancel, "a", dependents="drop") == "dependents: expected 'block' or 'skip', got 'drop'"


def test_refused_calls_leave_no_trace() -> None:
    dag = diamond()
    dag.start("a", "one")
    before = dag.copy()
    calls: list[tuple[Any, tuple[Any, ...], str]] = [
        (dag.connect, ("d", "b"), "from: nodes depend on each other: 'd' -> 'b' -> 'd'"),
        (dag.connect, ("x", "b"), "from: there is no task 'x'"),
        (dag.connect, ("b", "a"), "to: 'a' is running; only a pending task can be given an input"),
        (dag.connect, ("b", "c", 1.5), "coupling: expected a number in [0, 1], got 1.5"),
        (dag.connect, ("b", "c", "firm"), "coupling: expected a number in [0, 1] or one of none, weak, strong"),
        (dag.remove, ("a",), "task: 'a' is running; only a pending task can be removed"),
        (dag.add, ("a",), "name: there is a task 'a' already"),
        (dag.start, ("a", "two"), "task: 'a' is running; only a pending task can start"),
        (dag.complete, ("b",), "task: 'b' is pending; only a running task can complete"),
        (dag.__getitem__, ("zz",), "task: there is no task 'zz'"),
    ]
    for call, arguments, message in calls:
        assert refusal(call, *arguments).startswith(message)
        assert dag == before and dag.digest() == before.digest() and dag.order() == before.order()
    assert refusal(dag.add, "e", inputs=["a", "zz"]) == "inputs[1]: there is no task 'zz'"
    assert refusal(dag.change, "b", second=1).startswith("second: a task has no such attribute")
    assert dag == before


def test_edits_while_running() -> None:
    dag = diamond()
    dag.start("a", "one")
    dag.change("b", seconds=3.0, operator="verify", skills=1 << 63)
    assert dag["b"][2:8] == ("verify", "", 3.0, 0.0, 0, 1 << 63)
    dag.add("e", inputs=["a"])
    dag.connect("e", "b", "strong")
    dag.remove("c")
    assert dag["b"].inputs == (("a", 0.0), ("e", 0.75)) and dag["d"].inputs == (("b", 1.0),)
    assert dag.dependents("a") == ["b", "e"] and "c" not in dag and len(dag) == 4


def test_a_batch_is_all_or_nothing() -> None:
    dag = diamond()
    before = dag.copy()
    with dag.batch() as edits:
        edits.add("e", seconds=2.0, inputs={"d": "weak"})
        edits.change("e", cost=1.0)
        edits.disconnect("a", "c")
        edits.remove("b")
    assert dag["e"].seconds == 2.0 and dag["e"].cost == 1.0 and dag["d"].inputs == (("c", 0.75),)
    dag = before.copy()

    def cycle() -> None:
        with dag.batch() as edits:
            edits.remove("b")
            edits.connect("d", "a")

    assert refusal(cycle) == "edits[1].from: nodes depend on each other: 'd' -> 'c' -> 'a' -> 'd'"
    assert dag == before and dag.order() == before.order()
    with pytest.raises(ZeroDivisionError), dag.batch() as edits:
        edits.remove("b")
        raise ZeroDivisionError
    assert dag == before


def test_dags_behave_like_values() -> None:
    dag = diamond()
    run(dag, "a")
    dag.add("e")
    dag.remove("e")
    dag.cancel("b", dependents="skip")
    for again in (pickle.loads(pickle.dumps(dag)), copy.deepcopy(dag), TaskDag.from_state(dag.to_dict())):
        assert again == dag and again.digest() == dag.digest() and again.ready() == dag.ready()
    dag.add("f")
    assert dag["f"].id == 5 and again != dag and dag != 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(dag)


def test_wrong_states_are_refused() -> None:
    state = diamond().to_dict()
    state["tasks"][3]["state"] = "done"
    assert "'d' is done, but its agent, attempts or inputs say otherwise" in refusal(TaskDag.from_state, state)
    state["tasks"][3]["state"] = "lost"
    assert refusal(TaskDag.from_state, state) == "tasks[3].state: there is no state 'lost'"
    assert refusal(TaskDag.from_state, {**diamond().to_dict(), "next_id": 2}).startswith("next_id: expected 4 to ")


def test_the_metrics_of_a_diamond() -> None:
    metrics = diamond().metrics()
    assert metrics.critical_nodes == ("a", "b", "d") and metrics.slack == (0, 0, 3, 0)
    assert (metrics.width, metrics.depth, metrics.critical_path, metrics.work) == (2, 3, 7, 9)
    assert metrics.parallelism == 9 / 7 and metrics.density == 4 / 6 and metrics.coupling == 0.5
    assert pickle.loads(pickle.dumps(metrics)) == metrics


def test_a_schedule_for_a_chart(small: turnout.Router) -> None:
    dag = TaskDag.from_dict({**DIAMOND, "e": {"seconds": 2.0, "device_class": "gpu", "inputs": ["a"], "cost": 3.0}})
    chart = dag.schedule()
    assert chart.bars() == [
        ("a", "any/0", 0, 1),
        ("b", "any/0", 1, 6),
        ("c", "any/1", 1, 3),
        ("e", "gpu/0", 1, 3),
        ("d", "any/0", 6, 7),
    ]
    assert chart.seconds == dag.metrics().critical_path and chart.cost == 3 and chart.feasible
    assert TaskDag().schedule().tasks == ()
    plan = small.route("search the web and prove it", value_usd=1.0).plan
    chart = TaskDag.from_plan(plan).schedule()
    assert {bar.device for bar in chart.tasks} == {node.llm for node in plan}


def test_one_of_many_threads_gets_each_task() -> None:
    dag = TaskDag.from_arrays([f"t{i}" for i in range(200)], [])
    won: list[list[str]] = [[] for _ in range(4)]
    together = threading.Barrier(4)

    def take(worker: int) -> None:
        together.wait()
        for name in dag:
            with contextlib.suppress(InputError):
                dag.start(name, f"w{worker}")
                won[worker].append(name)

    threads = [threading.Thread(target=take, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for names in won for name in names) == sorted(dag) and dag.count("running") == 200
    assert all(dag[name].agent == f"w{worker}" for worker, names in enumerate(won) for name in names)


def test_integers_that_do_not_fit_are_named() -> None:
    dag = diamond()
    for fields, path in [({"priority": 2**31}, "priority"), ({"skills": -1}, "skills"), ({"skills": 2**64}, "skills")]:
        for call in (dag.add, dag.change):
            with pytest.raises(InputError) as error:
                call("e" if call == dag.add else "a", **fields)
            assert error.value.path == path
    assert dag == diamond()


def batched(dag: TaskDag, edit: str, *arguments: Any, **keywords: Any) -> None:
    with dag.batch() as edits:
        getattr(edits, edit)(*arguments, **keywords)


def test_values_of_another_type_are_named() -> None:
    dag = diamond()
    crew: list[Any] = [Agent("one"), Agent("two", load="much")]  # type: ignore[arg-type]
    state = {**dag.to_dict(), "tasks": [{**dag.to_dict()["tasks"][0], "seconds": "1"}]}
    calls: list[tuple[Any, str]] = [
        (lambda: dag.add(5), "name: expected a str, got int"),  # type: ignore[arg-type]
        (lambda: dag.add("e\ud800"), "name: expected text without halves of characters"),
        (lambda: dag.add("e", inputs=3), "inputs: expected names, got int"),  # type: ignore[arg-type]
        (lambda: dag.add("e", inputs=["a", 3]), "inputs[1]: expected a str, got int"),  # type: ignore[list-item]
        (lambda: dag.add("e", inputs={"a": None}), "inputs[0].coupling: expected a number, got NoneType"),  # type: ignore[dict-item]
        (lambda: dag.add("e", seconds="2"), "seconds: expected a number, got str"),  # type: ignore[arg-type]
        (lambda: dag.add("e", cost=10**400), "cost: expected a number, got an integer beyond every float"),
        (lambda: dag.add("e", priority=1.5), "priority: expected an integer, got float"),  # type: ignore[arg-type]
        (lambda: dag.add("e", skills=10**5000), "skills: expected an integer of 64 bits without a sign"),
        (lambda: dag.change("b", operator=None), "operator: expected a str, got NoneType"),
        (lambda: dag.connect("a", 3), "to: expected a str, got int"),  # type: ignore[arg-type]
        (lambda: dag.connect("a", "d", None), "coupling: expected a number, got NoneType"),  # type: ignore[arg-type]
        (lambda: dag.start("a", 3), "agent: expected a str, got int"),  # type: ignore[arg-type]
        (lambda: dag.cancel("a", dependents=3), "dependents: expected a str, got int"),  # type: ignore[arg-type]
        (lambda: dag.remove(3), "task: expected a str, got int"),  # type: ignore[arg-type]
        (lambda: dag[0], "task: expected a str, got int"),  # type: ignore[index]
        (lambda: batched(dag, "add", 5), "edits[0].task: expected a str, got int"),
        (lambda: batched(dag, "change", "b", seconds="2"), "edits[0].seconds: expected a number, got str"),
        (lambda: batched(dag, "connect", "a", 3), "edits[0].to: expected a str, got int"),
        (lambda: TaskDag.from_dict(["a"]), "tasks: expected names and their attributes, got list"),  # type: ignore[arg-type]
        (lambda: TaskDag.from_dict({"a": "x"}), "tasks.a: expected attributes by name, got str"),  # type: ignore[dict-item]
        (lambda: TaskDag.from_dict({"a": {"operator": 3}}), "tasks[0].operator: expected a str, got int"),
        (lambda: TaskDag.from_dict({1: {}}), "tasks[0].name: expected a str, got int"),  # type: ignore[dict-item]
        (lambda: TaskDag.from_arrays(["a", 2], []), "names[1]: expected a str, got int"),  # type: ignore[list-item]
        (lambda: TaskDag.from_state(state), "tasks[0].seconds: expected a number, got str"),
        (lambda: TaskDag.from_state({}), "tasks: is missing"),
        (lambda: TaskDag.from_state({"tasks": [{}], "next_id": 1}), "tasks[0].id: is missing"),
        (lambda: assign_agents(dag, crew), "agents[1].load: expected a number, got str"),
        (lambda: assign_agents(dag, [3]), "agents[0]: expected an Agent, got int"),  # type: ignore[list-item]
    ]
    for call, message in calls:
        assert refusal(call).startswith(message)
        assert dag == diamond()


def test_sequences_are_not_rounded_or_parsed() -> None:
    for columns, path in [
        ({"priority": [1.5]}, "priority"),
        ({"seconds": ["1.5"]}, "seconds"),
        ({"skills": [0.0]}, "skills"),
    ]:
        assert refusal(TaskDag.from_arrays, ["a"], [], **columns).startswith(f"{path}: expected ")
    assert refusal(TaskDag.from_arrays, ["a", "b"], [(0.5, 1.7)]).startswith("edges: expected int32: got fractions")
    dag = TaskDag.from_arrays(["a"], [], seconds=[1], skills=[2**64 - 1], priority=(True,))
    assert dag["a"][4:8] == (1.0, 0.0, 1, 2**64 - 1)


def test_a_refused_edit_of_a_batch_leaves_nothing_of_it() -> None:
    dag = diamond()
    with dag.batch() as edits:
        for refused in ({"inputs": {"a": 0.5, "b": "firm"}}, {"second": 1.0}):
            with pytest.raises(InputError):
                edits.add("e", **refused)  # type: ignore[arg-type]
    assert dag == diamond()


def test_changes_of_other_attributes_are_kept() -> None:
    """What a change does not name is read when it is made, not when it is asked for."""
    dag = diamond()
    with dag.batch() as edits:
        edits.change("b", cost=2.0)
        edits.add("e", seconds=4.0)
        edits.change("e", cost=3.0)
        edits.change("e", priority=1)
        dag.change("b", seconds=9.0)  # as another thread may
    assert dag["b"][4:6] == (9.0, 2.0) and dag["e"][4:7] == (4.0, 3.0, 1)
    assert refusal(batched, dag, "change", "zz", cost=1.0) == "edits[0].task: there is no task 'zz'"


# Parity ---------------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from([f"t{i}" for i in range(12)])
COUPLINGS = st.sampled_from([0.0, 0.25, 0.5, 1.0])
BEHIND = st.sampled_from(["block", "skip"])


class Lockstep(RuleBasedStateMachine):
    """Any call on both: both refuse it and keep their state, or both take it and stay equal."""

    def __init__(self) -> None:
        super().__init__()
        self.dag, self.twin = TaskDag(), twin.TaskDag()

    def both(self, method: str, *arguments: Any, **keywords: Any) -> None:
        before = self.dag.digest()
        own = {"retry": lambda name: self.dag.fail(name, retry=True)}.get(method) or getattr(self.dag, method)
        try:
            getattr(self.twin, method)(*arguments, **keywords)
        except twin.RefusedError:
            with pytest.raises(InputError):
                own(*arguments, **keywords)
            assert self.dag.digest() == before
            return
        own(*arguments, **keywords)

    @rule(name=NAMES, inputs=st.lists(st.tuples(NAMES, COUPLINGS), max_size=3), priority=st.integers(-1, 1))
    def add(self, name: str, inputs: list[tuple[str, float]], priority: int) -> None:
        inputs = list(dict(inputs).items())
        before = self.dag.digest()
        try:
            self.twin.add(name, inputs, priority=priority)
        except twin.RefusedError:
            with pytest.raises(InputError):
                self.dag.add(name, inputs=dict(inputs), priority=priority)
            assert self.dag.digest() == before
            return
        self.dag.add(name, inputs=dict(inputs), priority=priority)

    @rule(source=NAMES, to=NAMES, coupling=COUPLINGS)
    def connect(self, source: str, to: str, coupling: float) -> None:
        self.both("connect", source, to, coupling)

    @rule(source=NAMES, to=NAMES)
    def disconnect(self, source: str, to: str) -> None:
        self.both("disconnect", source, to)

    @rule(name=NAMES, seconds=st.floats(0, 9))
    def change(self, name: str, seconds: float) -> None:
        self.both("change", name, seconds=seconds)

    @rule(name=NAMES, agent=st.sampled_from(["", "one", "two"]), method=st.sampled_from(["start", "assign"]))
    def give(self, name: str, agent: str, method: str) -> None:
        self.both(method, name, agent)

    @rule(name=NAMES, method=st.sampled_from(["remove", "complete", "complete", "retry"]))
    def act(self, name: str, method: str) -> None:
        self.both(method, name)

    @rule(name=NAMES, method=st.sampled_from(["fail", "cancel"]), dependents=BEHIND)
    def give_up(self, name: str, method: str, dependents: str) -> None:
        self.both(method, name, dependents=dependents)

    @rule(edges=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=3))
    def batch(self, edges: list[tuple[str, str]]) -> None:
        before = self.dag.digest()

        def connect() -> None:
            with self.dag.batch() as edits:
                for source, to in edges:
                    edits.connect(source, to)

        try:
            self.twin.apply([("connect", edge, {}) for edge in edges])
        except twin.RefusedError:
            assert refusal(connect).startswith("edits[")
            assert self.dag.digest() == before
            return
        connect()

    @rule()
    def rebuild(self) -> None:
        self.dag = TaskDag.from_state(self.dag.to_dict())

    @invariant()
    def equal(self) -> None:
        assert self.dag.digest() == self.twin.digest()
        assert self.dag.ready() == self.twin.ready() and set(self.dag.blocked()) == self.twin.blocked()
        place = {name: i for i, name in enumerate(self.dag.order())}
        for task in self.dag.tasks():
            mine = self.twin.tasks[task.name]
            assert task == Task(**{**vars(mine), "inputs": task.inputs}) and dict(task.inputs) == mine.inputs
            assert all(place[source] < place[task.name] for source in mine.inputs)
        assert [self.dag.count(s) for s in STATES] == [
            sum(t.state == s for t in self.twin.tasks.values()) for s in STATES
        ]


Lockstep.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLockstep = Lockstep.TestCase


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=40), skills=st.integers(0, 2**64 - 1), priority=st.integers(-(2**31), 2**31 - 1))
def test_any_text_is_taken_or_refused(text: str, skills: int, priority: int) -> None:
    dag, same = TaskDag(), twin.TaskDag()
    plain = text and not any(ord(c) < 32 or ord(c) == 127 for c in text)
    try:
        dag.add(text, operator=text, skills=skills, priority=priority)
    except InputError:
        assert not plain
        return
    assert plain and dag[text].name == text
    same.add(text, operator=text, skills=skills, priority=priority)
    assert dag.digest() == same.digest()
