"""A batch of edits of a `TaskDag`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turnout.dag.columns import coupling as number
from turnout.dag.task import Inputs, attributes, check_attributes, pairs

if TYPE_CHECKING:
    from turnout.dag.task_dag import TaskDag


class Edits:
    """Edits that a `TaskDag` takes all at once or not at all; see `TaskDag.batch`."""

    def __init__(self, dag: TaskDag) -> None:
        self._dag = dag
        self._edits: list[tuple[int, str, tuple[Any, ...] | dict[str, Any] | None, str, float]] = []

    def add(self, name: str, *, inputs: Inputs = (), **fields: Any) -> None:
        """As `TaskDag.add`."""
        own, sources = attributes(fields), pairs(inputs)  # either may refuse, and then nothing is added
        self._edits.append((0, name, own, "", 0.0))
        self._edits.extend((2, name, None, source, value) for source, value in sources)

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
        check_attributes(fields)
        self._edits.append((4, name, fields, "", 0.0))

    def __enter__(self) -> Edits:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._dag._core.apply(self._edits)
