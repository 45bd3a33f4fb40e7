"""Twin of TaskDag: a dict of tasks, checked from scratch at every edit."""

from __future__ import annotations

import copy
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_MASK = (1 << 64) - 1
STATES = ("pending", "running", "done", "failed", "skipped", "cancelled")


class RefusedError(Exception):
    """The call would break a rule; the DAG is as it was."""


@dataclass
class Task:
    id: int
    name: str
    operator: str = ""
    device_class: str = ""
    seconds: float = 0.0
    cost: float = 0.0
    priority: int = 0
    skills: int = 0
    state: str = "pending"
    agent: str = ""
    attempts: int = 0
    inputs: dict[str, float] = field(default_factory=dict)  # by name


def _require(ok: bool) -> None:
    if not ok:
        raise RefusedError


class TaskDag:
    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.next_id = 0

    # Edits ------------------------------------------------------------------------------------------------------------

    def add(self, name: str, inputs: Iterable[tuple[str, float]] = (), **attributes: Any) -> None:
        inputs = list(inputs)
        _require(name not in self.tasks and all(source in self.tasks for source, _ in inputs))
        _require(len(dict(inputs)) == len(inputs))
        self.tasks[name] = Task(self.next_id, name, **attributes, inputs=dict(inputs))
        self.next_id += 1

    def remove(self, name: str) -> None:
        self._pending(name)
        _require(all(self.tasks[other].state == "pending" for other in self.dependents(name)))
        for other in self.dependents(name):
            del self.tasks[other].inputs[name]
        del self.tasks[name]

    def connect(self, source: str, to: str, coupling: float = 0.0) -> None:
        _require(source in self.tasks)
        self._pending(to)
        _require(source not in self.tasks[to].inputs and to not in self._before(source))
        self.tasks[to].inputs[source] = coupling

    def disconnect(self, source: str, to: str) -> None:
        _require(source in self.tasks)
        self._pending(to)
        _require(source in self.tasks[to].inputs)
        del self.tasks[to].inputs[source]

    def change(self, name: str, **attributes: Any) -> None:
        self._pending(name)
        for key, value in attributes.items():
            setattr(self.tasks[name], key, value)

    def apply(self, edits: Iterable[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> None:
        """(method, arguments, keywords), all or none."""
        edited = copy.deepcopy(self)
        for method, arguments, keywords in edits:
            getattr(edited, method)(*arguments, **keywords)
        self.tasks, self.next_id = edited.tasks, edited.next_id

    # Running ----------------------------------------------------------------------------------------------------------

    def assign(self, name: str, agent: str) -> None:
        self._pending(name)
        _require(self.tasks[name].agent == "" and agent != "")
        self.tasks[name].agent = agent

    def start(self, name: str, agent: str = "") -> None:
        _require(name in self.ready())
        task = self.tasks[name]
        _require(agent in ("", task.agent) if task.agent else agent != "")
        task.agent, task.state, task.attempts = task.agent or agent, "running", task.attempts + 1

    def complete(self, name: str) -> None:
        self._running(name).state = "done"

    def retry(self, name: str) -> None:
        task = self._running(name)
        task.state, task.agent = "pending", ""

    def fail(self, name: str, dependents: str = "block") -> None:
        self._running(name).state = "failed"
        self._skip_behind(name, dependents)

    def cancel(self, name: str, dependents: str = "block") -> None:
        _require(name in self.tasks and self.tasks[name].state in ("pending", "running"))
        self.tasks[name].state = "cancelled"
        self._skip_behind(name, dependents)

    # Questions --------------------------------------------------------------------------------------------------------

    def ready(self) -> list[str]:
        """By (priority descending, id ascending)."""
        waiting = [t for t in self.tasks.values() if t.state == "pending"]
        free = [t for t in waiting if all(self.tasks[source].state == "done" for source in t.inputs)]
        return [t.name for t in sorted(free, key=lambda t: (-t.priority, t.id))]

    def blocked(self) -> set[str]:
        dead = {"failed", "skipped", "cancelled"}
        pending = [t.name for t in self.tasks.values() if t.state == "pending"]
        return {name for name in pending if any(self.tasks[b].state in dead for b in self._before(name) - {name})}

    def dependents(self, name: str) -> list[str]:
        return [t.name for t in self.tasks.values() if name in t.inputs]

    def digest(self) -> str:
        """SplitMix64's finaliser over every word, on top of those before."""
        value = 0
        for word in self._words():
            value = (value + (word & _MASK) + 0x9E3779B97F4A7C15) & _MASK
            value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
            value ^= value >> 31
        return f"{value:016x}"

    def _words(self) -> Iterable[int]:
        yield self.next_id
        for t in sorted(self.tasks.values(), key=lambda t: t.id):
            yield t.id
            for text in (t.name, t.operator, t.device_class, t.agent):
                data = text.encode()
                yield len(data)
                yield from (int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8))
            yield from (_bits(t.seconds), _bits(t.cost), t.priority, t.skills)
            yield from (STATES.index(t.state), t.attempts, len(t.inputs))
            for source, coupling in sorted(t.inputs.items(), key=lambda item: self.tasks[item[0]].id):
                yield from (self.tasks[source].id, _bits(coupling))

    # Helpers ----------------------------------------------------------------------------------------------------------

    def _pending(self, name: str) -> None:
        _require(name in self.tasks and self.tasks[name].state == "pending")

    def _running(self, name: str) -> Task:
        _require(name in self.tasks and self.tasks[name].state == "running")
        return self.tasks[name]

    def _before(self, name: str) -> set[str]:
        """What it runs after, and itself."""
        seen, left = {name}, [name]
        while left:
            new = set(self.tasks[left.pop()].inputs) - seen
            seen |= new
            left += new
        return seen

    def _skip_behind(self, name: str, dependents: str) -> None:
        for task in list(self.tasks.values()) if dependents == "skip" else []:
            if task.state == "pending" and name in self._before(task.name):
                task.state = "skipped"


def _bits(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value + 0.0))[0])
