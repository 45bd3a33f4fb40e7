"""A batch of edits of a `TaskDag`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turnout.dag.columns import coupling as number
from turnout.dag.task import Inputs, Task, attributes, pairs

if TYPE_CHECKING:
    from turnout.dag.task_dag import TaskDag


class Edits:
    """Edits that a `TaskDag` takes all at once or not at all; see `TaskDag.batch`."""

    def __init__(self, dag: TaskDag) -> None:
        self._dag = dag
        self._edits: list[tuple[int, str, tuple[Any, ...] | None, str, float]] = []
        self._changed: dict[str, tuple[Any, ...]] = {}

    def add(self, name: str, *, inputs: Inputs = (), **fields: Any) -> None:
        """As `TaskDag.add`."""
        self._changed[name] = attributes(fields)
        self._edits.append((0, name, self._changed[name], "", 0.0))
        for source, value in pairs(inputs):
            self.connect(source, name, value)

    def remove(self, name: str) -> None:
        """As `TaskDag.remove`."""
        self._edits.append((1, name, None, "", 0.0))

    def connect(self, source: str, to: str, coupling: float | str = 0.0) -> None:
        """As `TaskDag.connect`."""
        self._edits.append((2, to, None, source, number(coupling)))

    def disconnect(self, source: str, to: str) -> None:
        """As `TaskDag.disconnect`."""
        self._edits.append((3, to, None, source, 0.0))

    def change(self, name: str, **fields: Any) -> None:
        """As `TaskDag.change`."""
        old = self._changed.get(name)
        before = self._dag[name] if old is None else Task._make((0, name, *old, "pending", "", 0, ()))
        self._changed[name] = attributes(fields, before)
        self._edits.append((4, name, self._changed[name], "", 0.0))

    def __enter__(self) -> Edits:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._dag._core.apply(self._edits)
