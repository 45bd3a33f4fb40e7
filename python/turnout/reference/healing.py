"""Twin of the self-healing runs: the plan is searched from scratch after every event. By ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from turnout.reference.graph import Graph, cheapest_plan, shortest_path

INFINITY = float("inf")


class Goal(NamedTuple):
    node: int
    drop_loss: float = INFINITY
    fallbacks: tuple[tuple[int, float], ...] = ()


class Record(NamedTuple):
    kind: str
    reason: str
    tool: int  # -1: none
    cost: float


class Plan(NamedTuple):
    nodes: tuple[int, ...] = ()
    edges: tuple[int, ...] = ()
    cost: float = INFINITY


@dataclass
class Run:
    """`required`: of each join, the inputs that it needs; `inputs`: what arrives along each edge."""

    graph: Graph  # masked as tools fail
    executed: list[int]
    goals: list[Goal]
    inputs: Sequence[int] = ()
    required: Mapping[int, Sequence[int]] = field(default_factory=dict)
    max_retries: int = 3
    state: str = "running"
    reason: str = "none"  # of the escalation
    failures: int = 0
    in_flight: set[int] = field(default_factory=set)
    plan: Plan = field(default_factory=Plan)
    log: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._planned("plan")

    def _path(self, goal: int) -> Plan:
        """From what has been executed; several goals, or joins: a join of its own needs them all."""
        if len(self.goals) > 1 or self.required:
            return self._plan_for([goal])
        found = shortest_path(self.graph, self.executed, [goal])
        return Plan() if found is None else Plan(found.nodes, found.edges, found.cost)

    def _plan_for(self, goals: Sequence[int]) -> Plan:
        g, root, edges = self.graph, self.graph.nodes, len(self.graph.sources)
        wide = Graph(
            root + 1, [*g.sources, *goals], [*g.targets, *[root] * len(goals)], [*g.weights, *[0.0] * len(goals)]
        )
        wide.masked_nodes, wide.masked_edges = g.masked_nodes, g.masked_edges
        first = max(self.inputs, default=-1) + 1
        own = range(first, first + len(goals))
        inputs = [*(self.inputs or [0] * edges), *own]
        found = cheapest_plan(wide, inputs, {**self.required, root: list(own)}, self.executed, root)
        if found is None:
            return Plan()
        return Plan(found.nodes[:-1], tuple(e for e in found.edges if e < edges), found.cost)

    def _note(self, kind: str, reason: str, tool: int) -> Record:
        self.log.append(Record(kind, reason, tool, self.plan.cost))
        return self.log[-1]

    def _give_up(self, reason: str, tool: int = -1) -> Record:
        self.state, self.reason, self.plan = "escalated", reason, Plan()
        return self._note("escalate", reason, tool)

    def _planned(self, kind: str, reason: str = "none", tool: int = -1) -> Record:
        nodes = [goal.node for goal in self.goals]
        self.plan = self._plan_for(nodes) if len(nodes) > 1 or self.required else self._path(nodes[0])
        if self.plan.cost == INFINITY:
            return self._give_up("no_path", tool)
        self._settle()
        return self._note(kind, reason, tool)

    def _settle(self) -> None:
        self.state = "done" if all(goal.node in self.executed for goal in self.goals) else "running"

    def _recover(self, reason: str, tool: int) -> Record:
        return self._give_up(self.reason, tool) if self.state == "escalated" else self._planned("reroute", reason, tool)

    def step(self) -> list[int]:
        """What the plan wants, and whose inputs are there."""
        if self.state != "running":
            return []
        sources, targets = self.graph.sources, self.graph.targets
        waiting = {targets[e] for e in self.plan.edges if sources[e] not in self.executed}
        ready = [v for v in self.plan.nodes if v not in waiting and v not in self.executed and v not in self.in_flight]
        self.in_flight.update(ready)
        return ready

    def succeeded(self, tool: int) -> None:
        self.in_flight.remove(tool)
        self.executed.append(tool)
        self.graph.masked_nodes.discard(tool)
        if self.state == "running":
            self._settle()

    def failed(self, tool: int) -> Record:
        self.in_flight.remove(tool)
        self.graph.masked_nodes.add(tool)
        self.failures += 1
        if self.failures > self.max_retries and self.state == "running":
            return self._give_up("retries_spent", tool)
        return self._recover("tool_failed", tool)

    def tripped(self, tool: int) -> Record | None:
        if tool in self.executed or tool in self.graph.masked_nodes:
            return None
        self.graph.masked_nodes.add(tool)
        return self._recover("tool_down", tool)

    def restored(self, tool: int) -> Record:
        self.graph.masked_nodes.remove(tool)
        if self.state == "escalated" and self.reason != "no_path":
            return self._note("restore", "none", tool)
        return self._planned("restore", tool=tool)

    def resume(self, more_retries: int = 0) -> Record:
        self.max_retries = max(self.max_retries, self.failures) + more_retries
        return self._planned("resume")

    def lost(self) -> list[int]:
        """Goals that cannot be reached."""
        return [goal.node for goal in self.goals if self._path(goal.node).cost == INFINITY]

    def cut(self) -> list[int]:
        """Masked tools that could run now, and from which a lost goal could be reached were all tools up."""
        wanted = set(self.lost())
        while more := {s for s, t in self._open() if t in wanted} - wanted:
            wanted |= more
        reached = {v for v in range(self.graph.nodes) if self._path(v).cost < INFINITY}
        return [v for v in sorted(self.graph.masked_nodes & wanted) if self._could_run(v, reached)]

    def _open(self) -> list[tuple[int, int]]:
        ends = zip(self.graph.sources, self.graph.targets, strict=True)
        return [end for edge, end in enumerate(ends) if edge not in self.graph.masked_edges]

    def _could_run(self, v: int, reached: set[int]) -> bool:
        edges = [e for e in self.graph.into[v] if e not in self.graph.masked_edges and self.graph.sources[e] in reached]
        if v in self.required:
            return set(self.required[v]) <= {self.inputs[e] for e in edges}
        return bool(edges)

    def demotion(self) -> tuple[list[tuple[int, int, float]], float] | None:
        """(goal, stand-in or -1, loss) of each lost goal, and the sum; None where a goal has none, or none is left."""
        changes = []
        for goal in self.goals:
            if goal.node in self.lost():
                options = [(loss + self._path(node).cost, node, loss) for node, loss in goal.fallbacks]
                options.append((goal.drop_loss, -1, goal.drop_loss))
                total, node, loss = min(options, key=lambda option: option[0])  # ties: the first
                if total == INFINITY:
                    return None
                changes.append((goal.node, node, loss))
        given_up = sum(node < 0 for _, node, _ in changes)
        if not changes or (given_up == len(self.goals) and not self._keep_one(changes)):
            return None
        return changes, sum(loss for _, _, loss in changes)

    def _keep_one(self, changes: list[tuple[int, int, float]]) -> bool:
        """Of all goals, which would be given up: the one stays whose stand-in adds the least."""
        least, place, kept = INFINITY, -1, (-1, -1, 0.0)
        for i, goal in enumerate(self.goals):
            for node, loss in goal.fallbacks:
                more = loss + self._path(node).cost - goal.drop_loss
                if more < least:
                    least, place, kept = more, i, (goal.node, node, loss)
        if place >= 0:
            changes[place] = kept
        return place >= 0

    def demote(self) -> Record:
        """The other stand-ins stay, for the next demotion."""
        found = self.demotion()
        if found is None:
            raise ValueError("there is no demotion")
        instead = {goal: node for goal, node, _ in found[0]}
        goals: dict[int, Goal] = {}
        for goal in self.goals:
            node = instead.get(goal.node, goal.node)
            rest = tuple(f for f in goal.fallbacks if goal.node not in instead or f[0] != node)
            if node >= 0:
                goals.setdefault(node, Goal(node, goal.drop_loss, rest))
        self.goals = list(goals.values())
        return self._planned("demote")
