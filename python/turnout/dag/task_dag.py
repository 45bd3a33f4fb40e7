"""TaskDag: a DAG of tasks that is edited while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from turnout import _native
from turnout.dag.columns import coupling as number
from turnout.dag.edits import Edits
from turnout.dag.shape import DagMetrics, TopologyChoice, TopologyThresholds, choose_topology
from turnout.dag.task import STATES, Columns, Dependents, Inputs, State, Task, check_attributes, pairs

if TYPE_CHECKING:
    from turnout.dag.placement import Placement


class TaskDag:
    """A DAG of tasks that is edited while it runs, after UFO3 (arXiv 2511.11332).

    After every call: an attempt at a task belongs to one agent; there is no cycle; only pending tasks change, and with
    them their inputs. A call that would break one of these raises and leaves the DAG as it was. Threads may share a
    DAG; one call runs at a time. Limits: 131,072 tasks, 1,048,576 edges, 1,048,576 ids over a DAG's life.

    Examples
    --------
    >>> dag = TaskDag()
    >>> dag.add("search", seconds=2.0)
    >>> dag.add("write", inputs={"search": "strong"}, seconds=5.0)
    >>> dag.ready()
    ['search']
    """

    __slots__ = ("_core",)
    _core: _native.TaskDag

    def __init__(self) -> None:
        self._core = _native.TaskDag()

    # Building ---------------------------------------------------------------------------------------------------------

    @classmethod
    def _of(cls, native: _native.TaskDag) -> TaskDag:
        dag = cls.__new__(cls)
        dag._core = native
        return dag

    @classmethod
    def from_dict(cls, tasks: Mapping[str, Mapping[str, Any]]) -> TaskDag:
        """From names to attributes, ``inputs`` among them; see `turnout.dag.build.from_dict`."""
        from turnout.dag.build import from_dict

        return from_dict(tasks)

    @classmethod
    def from_arrays(cls, names: Sequence[str], edges: Any, **columns: Any) -> TaskDag:
        """From columns; see `turnout.dag.build.from_arrays`."""
        from turnout.dag.build import from_arrays

        return from_arrays(names, edges, **columns)

    @classmethod
    def from_networkx(cls, graph: Any) -> TaskDag:
        """From a directed NetworkX graph; see `turnout.dag.build.from_networkx`."""
        from turnout.dag.build import from_networkx

        return from_networkx(graph)

    @classmethod
    def from_plan(cls, nodes: Sequence[Any]) -> TaskDag:
        """From ``decision.plan``; see `turnout.dag.build.from_plan`."""
        from turnout.dag.build import from_plan

        return from_plan(nodes)

    def copy(self) -> TaskDag:
        """An equal DAG that shares nothing with this one."""
        return self._of(self._core.copy())

    # Edits ------------------------------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        *,
        inputs: Inputs = (),
        operator: str = "",
        device_class: str = "",
        seconds: float = 0.0,
        cost: float = 0.0,
        priority: int = 0,
        skills: int = 0,
    ) -> None:
        """Adds a pending task.

        Parameters
        ----------
        name : str
            Not empty, at most 1,024 bytes, no control characters, not there yet.
        inputs : iterable of str, or mapping of str to coupling
            What it runs after. A coupling is a number in [0, 1] or ``"none"`` (0), ``"weak"`` (0.25), ``"strong"``
            (0.75).
        operator, device_class : str
        seconds, cost : float
            Expected, in [0, 1e9].
        priority : int
            Higher first.
        skills : int
            Bits 0 to 63.

        Raises
        ------
        InputError
            With the path to the culprit, as in ``inputs[1]``; nothing is added.
        """
        self._core.add(name, pairs(inputs), operator, device_class, seconds, cost, priority, skills)

    def remove(self, name: str) -> None:
        """Removes a pending task with its edges; what ran after it loses that input.

        Raises
        ------
        InputError
            It is not pending, or is an input of a task that is not (one that was skipped or cancelled).
        """
        self._core.remove(name)

    def connect(self, source: str, to: str, coupling: float | str = 0.0) -> None:
        """Makes `to`, which must be pending, run after `source`.

        Raises
        ------
        InputError
            A task that is not there or not pending, an edge that is there already, or a cycle: the message names its
            tasks in order, each before one that it depends on.
        """
        self._core.connect(source, to, number(coupling))

    def disconnect(self, source: str, to: str) -> None:
        """Takes the edge to the pending task `to` away."""
        self._core.disconnect(source, to)

    def change(self, name: str, **fields: Any) -> None:
        """Changes attributes of a pending task: operator, device_class, seconds, cost, priority, skills."""
        check_attributes(fields)
        self._core.change(name, fields)

    def batch(self) -> Edits:
        """Edits that are made at the end of a ``with`` block, all or none; O(V + E).

        Raises
        ------
        InputError
            At the end of the block, with a path such as ``edits[3].to``.
        """
        return Edits(self)

    # Running ----------------------------------------------------------------------------------------------------------

    def assign(self, name: str, agent: str) -> None:
        """Gives a pending task to an agent; once an attempt."""
        self._core.assign(name, agent)

    def start(self, name: str, agent: str = "") -> None:
        """Starts a ready task, by the agent that it was assigned to or that is named here."""
        self._core.start(name, agent)

    def complete(self, name: str) -> None:
        """Ends a running task; what waited for it alone is ready."""
        self._core.complete(name)

    def fail(self, name: str, *, retry: bool = False, dependents: Dependents = "block") -> None:
        """Ends a running task that failed.

        Parameters
        ----------
        name : str
        retry : bool
            Make it pending again, without an agent; `dependents` does not count then.
        dependents : {"block", "skip"}
            What becomes of the pending tasks behind it: they stay pending and never get ready until an edit takes the
            dependency away, or they are skipped for good.
        """
        if retry:
            self._core.retry(name)
        else:
            self._core.fail(name, dependents)

    def cancel(self, name: str, *, dependents: Dependents = "block") -> None:
        """Ends a pending or running task for good; `dependents` as in `fail`."""
        self._core.cancel(name, dependents)

    # Questions --------------------------------------------------------------------------------------------------------

    def ready(self) -> list[str]:
        """Pending tasks whose inputs are all done, by (priority descending, id ascending)."""
        return self._core.ready()

    def blocked(self) -> list[str]:
        """Pending tasks behind one that failed, was skipped or cancelled, in topological order."""
        return self._core.blocked()

    def order(self) -> list[str]:
        """Every task after its inputs, as the edits left it."""
        return self._core.order()

    def dependents(self, name: str) -> list[str]:
        """What has this task as an input, by id."""
        return self._core.dependents(name)

    def tasks(self) -> list[Task]:
        """All tasks, by id."""
        return [Task._make(task) for task in self._core.tasks()]

    def count(self, state: State) -> int:
        """How many tasks are in a state."""
        return self._core.count(state)

    @property
    def edges(self) -> int:
        """How many edges there are."""
        return self._core.edges()

    @property
    def finished(self) -> bool:
        """Nothing is pending and nothing runs."""
        return self.count("pending") == 0 and self.count("running") == 0

    def metrics(self) -> DagMetrics:
        """Shape and time in O(V + E); `slack` is by id, `critical_nodes` are names."""
        return DagMetrics._make(self._core.measure())

    def topology(self, thresholds: TopologyThresholds | None = None) -> TopologyChoice:
        """Which topology fits; see `choose_topology`."""
        return choose_topology(self.metrics(), thresholds)

    def schedule(self) -> Placement:
        """When each task runs if it starts as soon as its inputs are done: bars for a Gantt chart, a lane an LLM.

        The devices are the device classes (``any`` for tasks without). At most 4,096 tasks and 64 device classes.
        """
        from turnout.dag.build import schedule

        return schedule(self)

    def digest(self) -> str:
        """16 hexadecimal digits of all that the DAG holds; equal DAGs have equal digests."""
        return f"{self._core.digest():016x}"

    def columns(self) -> Columns:
        """Tasks and edges as arrays, by id, for the functions of `turnout.dag` that take ``edges``."""
        return Columns._make(self._core.columns())

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `from_state` makes an equal DAG of it."""
        tasks = [task._asdict() | {"inputs": dict(task.inputs)} for task in self.tasks()]
        return {"next_id": self._core.next_id(), "tasks": tasks}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TaskDag:
        """An equal DAG from `to_dict`'s result."""
        from turnout.dag.build import from_state

        return from_state(state)

    def __getitem__(self, name: str) -> Task:
        return Task._make(self._core.task(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._core.contains(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._core.names())

    def __len__(self) -> int:
        return self._core.size()

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self._core.equals(other._core) if isinstance(other, TaskDag) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __reduce__(self) -> tuple[Any, ...]:
        return TaskDag.from_state, (self.to_dict(),)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {state}" for state in STATES if (n := self.count(state)))
        return f"TaskDag({len(self)} tasks, {self.edges} edges{': ' if counts else ''}{counts})"
