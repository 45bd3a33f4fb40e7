"""Walks that learn from outcomes: AMRO-S's ant colony, with pheromones per task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.core import InputError
from turnout.graph.path import Path
from turnout.graph.tool_graph import EdgeLike, NodeLike, ToolGraph
from turnout.schema import did_you_mean, fail

_DEFAULTS = {
    "evaporation": 0.1,
    "deposit": 1.0,
    "cost_floor": 1e-6,
    "pheromone_power": 1.0,
    "desirability_power": 1.0,
    "initial": 1.0,
    "least": 1e-6,
    "most": 1e6,
}


def desirability(
    ability: npt.NDArray[np.float64],
    load: npt.NDArray[np.float64],
    seconds: npt.NDArray[np.float64],
    *,
    ability_weight: float = 1.0,
    load_weight: float = 1.0,
    seconds_weight: float = 1.0,
) -> npt.NDArray[np.float64]:
    """What makes tools attractive before anything is learnt.

    ``ability_weight * ability + load_weight / load + seconds_weight / seconds``, AMRO-S's eta.

    Parameters
    ----------
    ability, load, seconds : float64[V]
        Loads and seconds above 0.

    Returns
    -------
    float64[V]
        In [1e-12, 1e12].

    Raises
    ------
    InputError
        With the path to the culprit, as in ``load[3]``.
    """
    return _native.graph_desirability(ability, load, seconds, ability_weight, load_weight, seconds_weight)


class Pheromones:
    """Pheromones of each task on each edge of a graph.

    A walk goes from node to node with probability in proportion to ``tau^a * eta^b``: tau is the mean of the tasks'
    pheromones by the query's task weights, eta the desirability of the next node. Walks read without a lock, also while
    `update` writes.

    Parameters
    ----------
    graph : ToolGraph
    tasks : sequence of str
        1 to 256 names.
    evaporation : float
        rho, in [0, 1]: what an update takes from every edge of the task.
    deposit : float
        Q, above 0.
    cost_floor : float
        epsilon, from 1e-12: an outcome without cost deposits ``deposit / cost_floor``.
    pheromone_power, desirability_power : float
        a and b, in [0, 8].
    initial, least, most : float
        Pheromone of every edge at first, and its bounds, within [1e-12, 1e12].

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``pheromones.evaporation``.
    """

    __slots__ = ("_config", "_core", "graph", "tasks")

    def __init__(self, graph: ToolGraph, tasks: Sequence[str], **config: float) -> None:
        for name in config:
            if name not in _DEFAULTS:
                raise TypeError(f"Pheromones: there is no option {name!r}" + did_you_mean(name, _DEFAULTS))
        self.graph, self.tasks = graph, tuple(tasks)
        if len(set(self.tasks)) < len(self.tasks):
            raise fail(InputError, "tasks", "a task is named twice")
        self._config = {**_DEFAULTS, **config}
        self._core = _native.GraphPheromones(graph.core, len(self.tasks), **self._config)

    def _weights(self, weights: str | Mapping[str, float]) -> npt.NDArray[np.float64]:
        out = np.zeros(len(self.tasks))
        for task, weight in ({weights: 1.0} if isinstance(weights, str) else weights).items():
            if task not in self.tasks:
                raise fail(InputError, "task_weights", f"there is no task {task!r}" + did_you_mean(task, self.tasks))
            out[self.tasks.index(task)] = weight
        return out

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The pheromones, float64[tasks, E]: a copy."""
        return self._core.values()

    def walk(
        self,
        source: NodeLike,
        goal: NodeLike,
        task_weights: str | Mapping[str, float],
        eta: npt.NDArray[np.float64] | None = None,
        *,
        seed: int | _native.Philox,
    ) -> Path | None:
        """Samples a path without a node twice; None where the walk ends at a node from which none is left to go to.

        Parameters
        ----------
        source, goal : node
        task_weights : str or mapping of str to float
            The query's task, or weights of several, in [0, 1].
        eta : float64[V], optional
            As `desirability` gives it; default: all 1.
        seed : int or Philox
            The same seed, pheromones and graph give the same walk. A generator goes on where the last walk ended.
        """
        rng = _native.Philox(seed) if isinstance(seed, int) else seed
        eta = np.ones(len(self.graph)) if eta is None else eta
        ends = self.graph.node(source, "source"), self.graph.node(goal, "goal")
        return self.graph.path_of(self._core.walk(*ends, self._weights(task_weights), eta, rng))

    def update(
        self, path: Path | Sequence[EdgeLike], task_weights: str | Mapping[str, float], cost: float, *, gate: bool
    ) -> None:
        """Learns from an outcome, off the decision path.

        With the gate open, for every task of weight w > 0: ``tau <- (1 - evaporation) tau`` on every edge, on those of
        the path ``+ w * deposit / (cost + cost_floor)``. With the gate closed (the judge did not let the outcome pass)
        nothing changes, to the bit.

        Parameters
        ----------
        path : Path, or its edges
        task_weights : str or mapping of str to float
        cost : float
            f_sys, what the outcome cost the system, >= 0.
        gate : bool
        """
        edges = path.edges if isinstance(path, Path) else [self.graph.edge(edge) for edge in path]
        self._core.update(edges, self._weights(task_weights), cost, gate)

    def __getstate__(self) -> dict[str, Any]:
        return {"graph": self.graph, "tasks": self.tasks, "config": self._config, "values": self.values}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["graph"], state["tasks"], **state["config"])  # type: ignore[misc]
        self._core.set_values(state["values"])
