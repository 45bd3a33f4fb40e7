"""Task DAGs of any size, part of the room `plan`, which has these names, too. A twin: `turnout.reference.dag`."""

from __future__ import annotations

from turnout import _native
from turnout.dag.agents import Agent, AgentPolicy, Assignments, assign_agents
from turnout.dag.columns import COUPLING
from turnout.dag.edits import Edits
from turnout.dag.merging import (
    EpochPlan,
    EpochStep,
    MergedDag,
    QueryNode,
    merge,
    plan_epochs,
)
from turnout.dag.placement import Placement, ScheduledTask, place
from turnout.dag.reliability import Path, Reliability, best_path, reliability, with_retries
from turnout.dag.shape import (
    DagMetrics,
    TopologyChoice,
    TopologyThresholds,
    choose_topology,
    exact_width,
    largest_antichain,
    measure,
)
from turnout.dag.slo import ConfigurationChoice, choose_configuration
from turnout.dag.task import STATES, Columns, Task
from turnout.dag.task_dag import TaskDag

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
    "Columns",
    "ConfigurationChoice",
    "DagMetrics",
    "Edits",
    "EpochPlan",
    "EpochStep",
    "MergedDag",
    "Path",
    "Placement",
    "QueryNode",
    "Reliability",
    "ScheduledTask",
    "Task",
    "TaskDag",
    "TopologyChoice",
    "TopologyThresholds",
    "assign_agents",
    "best_path",
    "choose_configuration",
    "choose_topology",
    "exact_width",
    "largest_antichain",
    "measure",
    "merge",
    "place",
    "plan_epochs",
    "reliability",
    "with_retries",
]
