"""Twin of the walks that learn from outcomes: AMRO-S's ant colony."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from turnout.reference.graph.rows import INFINITY, Graph, Path


class Uniform(Protocol):
    """A generator of numbers in [0, 1), as Philox."""

    def uniform(self) -> float: ...


@dataclass(frozen=True)
class Config:
    """Fields as in the native PheromoneConfig."""

    evaporation: float = 0.1
    deposit: float = 1.0
    cost_floor: float = 1e-6
    pheromone_power: float = 1.0
    desirability_power: float = 1.0
    initial: float = 1.0
    least: float = 1e-6
    most: float = 1e6


class Pheromones:
    """values[task][edge]."""

    def __init__(self, graph: Graph, tasks: int, config: Config) -> None:
        self.graph, self.config = graph, config
        self.values = [[config.initial] * len(graph.sources) for _ in range(tasks)]

    def walk(self, source: int, goal: int, weights: Sequence[float], eta: Sequence[float], rng: Uniform) -> Path | None:
        """One uniform number a step; None where no node is left to go to."""
        graph, nodes, edges, cost = self.graph, [source], [], 0.0
        if source in graph.masked_nodes:
            return None
        while nodes[-1] != goal:
            options = [e for e in graph.out[nodes[-1]] if graph.cost(e) < INFINITY and graph.targets[e] not in nodes]
            if not options:
                return None
            edge = self.draw(options, weights, eta, rng)
            edges.append(edge)
            nodes.append(graph.targets[edge])
            cost += graph.cost(edge)
        return Path(tuple(nodes), tuple(edges), cost)

    def draw(self, options: Sequence[int], weights: Sequence[float], eta: Sequence[float], rng: Uniform) -> int:
        cumulative: list[float] = []
        mass = 0.0
        for edge in options:
            tau = 0.0
            for weight, values in zip(weights, self.values, strict=True):
                if weight > 0:
                    tau += weight * values[edge]
            mass += math.pow(tau, self.config.pheromone_power) * math.pow(
                eta[self.graph.targets[edge]], self.config.desirability_power
            )
            cumulative.append(mass)
        return options[min(bisect.bisect_right(cumulative, rng.uniform() * mass), len(options) - 1)]

    def update(self, path: Iterable[int], weights: Sequence[float], cost: float, gate: bool) -> None:
        """tau <- (1 - rho) tau, on the path + w Q / (cost + epsilon); only through an open gate."""
        c, used = self.config, set(path)
        for weight, values in zip(weights, self.values, strict=True):
            if not gate or weight == 0:
                continue
            deposit = weight * c.deposit / (cost + c.cost_floor)
            for edge in range(len(values)):
                tau = (1 - c.evaporation) * values[edge]
                values[edge] = min(max(tau + deposit if edge in used else tau, c.least), c.most)


def desirability(ability: float, load: float, seconds: float, weights: tuple[float, float, float]) -> float:
    """eta of one node."""
    return weights[0] * ability + weights[1] / load + weights[2] / seconds
