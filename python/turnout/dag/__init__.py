"""Task DAGs of any size, part of the room `plan`, which has these names, too. A twin: `turnout.reference.dag`."""

from __future__ import annotations

from turnout import _native
from turnout.dag.agents import Agent, AgentPolicy, Assignments, assign_agents
from turnout.dag.columns import COUPLING
from turnout.dag.shape import (
    DagMetrics,
    TopologyChoice,
    TopologyThresholds,
    choose_topology,
    exact_width,
    largest_antichain,
    measure,
)
from turnout.dag.task_dag import STATES, Edits, Task, TaskDag

MAX_TASKS: int = _native.max_tasks
MAX_EDGES: int = _native.max_edges

__all__ = [
    "COUPLING",
    "MAX_EDGES",
    "MAX_TASKS",
    "STATES",
    "Agent",
    "AgentPolicy",
    "Assignments",
    "DagMetrics",
    "Edits",
    "Task",
    "TaskDag",
    "TopologyChoice",
    "TopologyThresholds",
    "assign_agents",
    "choose_topology",
    "exact_width",
    "largest_antichain",
    "measure",
]
