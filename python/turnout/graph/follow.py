"""A tool graph that follows telemetry: dearer ways to tools that fare badly, none to those whose breaker is open."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.graph.health import health_weights
from turnout.graph.tool_graph import MAX_WEIGHT, ToolGraph
from turnout.telemetry import ArmState, Telemetry

USUAL_MS = 100.0
"""The latency at which `health_weights` leaves a weight alone; slower tools stand for multiples of it."""
MOST_LOAD = 0.95


@dataclass(frozen=True)
class Followed:
    """What one look at telemetry came to.

    Attributes
    ----------
    version : int
        Of the telemetry that was read.
    factors : dict of str to float
        Of the tools whose edges are not at their base weight: by how much these are multiplied.
    masked, unmasked : tuple of str
        Tools whose breaker has opened, and those whose breaker lets calls through again, since the last look.
    """

    version: int
    factors: dict[str, float] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    unmasked: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"{tool} x {factor:.2f}" for tool, factor in self.factors.items()]
        parts += [f"{tool} masked" for tool in self.masked] + [f"{tool} back" for tool in self.unmasked]
        return f"telemetry version {self.version}: " + ("; ".join(parts) or "nothing to say")


class Follower:
    """Keeps the weights and masks of a graph as telemetry says; tools are matched with arms by name.

    The weight of an edge is its base weight times the factor of the tool that it leads to: Self-Healing Router's
    ``max(.5, latency) / max(.01, reliability) * (1 + 5 * rate_limit_proximity)``, where latency is the arm's latency
    ratio and waiting in line, ``latency_ratio / (1 - load)``, and reliability its health. An arm without outcomes has
    the factor 1, so that telemetry without evidence leaves every bit of the graph alone.

    Parameters
    ----------
    graph : ToolGraph
        Its weights now are the base weights.
    telemetry : Telemetry
    """

    def __init__(self, graph: ToolGraph, telemetry: Telemetry) -> None:
        self.graph, self.telemetry = graph, telemetry
        self.base = graph.weights.copy()
        self._targets = graph.targets
        self._edges = np.arange(graph.edge_count, dtype=np.int32)
        nodes = set(graph.names)
        self._arms = [arm for arm in telemetry.arms if arm in nodes]
        self._masked: set[str] = set()

    def refresh(self) -> Followed:
        """Looks at telemetry and changes the graph. Searches that run meanwhile see all of it or nothing of it, each
        of weights and masks for itself."""
        version = self.telemetry.version
        states = self.telemetry.states()
        factors = self._factors(states)
        self.graph.set_weights(self._edges, np.minimum(self.base * factors[self._targets], MAX_WEIGHT))
        masked, unmasked = self._mask()
        named = {tool: float(factors[self.graph.node(tool)]) for tool in self._arms}
        return Followed(version, {t: f for t, f in named.items() if f != 1.0}, masked, unmasked)

    def release(self) -> None:
        """Puts the base weights back, and takes off the masks that this object put on."""
        self.graph.set_weights(self._edges, self.base)
        for tool in self._masked:
            self.graph.unmask_node(tool)
        self._masked.clear()

    def _factors(self, states: dict[str, ArmState]) -> npt.NDArray[np.float64]:
        """One a node."""
        latency, health, proximity = np.full((3, len(self.graph)), [[USUAL_MS], [1.0], [0.0]])
        for tool in self._arms:
            i, state = self.graph.node(tool), states[tool]
            latency[i] = USUAL_MS * state.latency_ratio / (1.0 - min(state.load, MOST_LOAD))
            health[i], proximity[i] = state.health, state.rate_limit_proximity
        return health_weights(np.ones(len(self.graph)), latency, health, proximity)

    def _mask(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Only what this object masked is unmasked: what the caller masks stays."""
        down = {tool for tool in self._arms if not self.telemetry.admits(tool)}
        now = set(self.graph.masked_nodes)
        self._masked &= now  # what the caller took off meanwhile, as by reset(), is masked again where it is down
        masked = tuple(tool for tool in self._arms if tool in down - now)
        unmasked = tuple(tool for tool in self._arms if tool in self._masked - down)
        for tool in masked:
            self.graph.mask_node(tool)
        for tool in unmasked:
            self.graph.unmask_node(tool)
        self._masked = (self._masked | set(masked)) - set(unmasked)
        return masked, unmasked


def limits_of(account: _native.Account) -> dict[str, Any]:
    """What is left of an account as the limits of `Criteria.pareto_paths`: `max_usd` and `max_seconds`."""
    left = account.remaining
    limits = {"max_usd": left.usd, "max_seconds": left.seconds}
    return {name: limit for name, limit in limits.items() if limit < math.inf}
