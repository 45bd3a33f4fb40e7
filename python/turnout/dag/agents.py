"""Which agent takes which ready task: UFO3's three policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from turnout.core import InputError
from turnout.dag.task_dag import TaskDag
from turnout.schema import fail

AgentPolicy = Literal["round_robin", "capability_match", "load_balance"]


class Agent(NamedTuple):
    """Who runs tasks.

    Attributes
    ----------
    name, device_class : str
    skills : int
        Bits 0 to 63.
    load : float
        Seconds that it has to do already.
    slots : int
        Tasks that it may still take.
    """

    name: str
    device_class: str = ""
    skills: int = 0
    load: float = 0.0
    slots: int = 1


class Assignments(NamedTuple):
    """Who takes what.

    Attributes
    ----------
    taken : tuple of (task, agent)
        In the order of the ready set.
    waiting : tuple of str
        Tasks that no agent has a slot for now.
    impossible : tuple of str
        Tasks that no agent may take: skills or device class are missing.
    agents : tuple of Agent
        With their loads and slots afterwards.
    turn : int
        Where round_robin goes on.
    """

    taken: tuple[tuple[str, str], ...]
    waiting: tuple[str, ...]
    impossible: tuple[str, ...]
    agents: tuple[Agent, ...]
    turn: int


def assign_agents(
    dag: TaskDag, agents: Sequence[Agent], policy: AgentPolicy = "load_balance", *, turn: int = 0
) -> Assignments:
    """Proposes an agent for each ready task that has none; the DAG is not changed.

    An agent may take a task that needs no skill that it lacks and no other device class. ``round_robin`` takes the
    next in turn, ``capability_match`` the one with the fewest skills to spare (then the least load), ``load_balance``
    the one with the least load; ties go to the first. Loads grow by each task's seconds. O(ready tasks x agents).

    Raises
    ------
    InputError
        With the path to the culprit, as in ``agents[2].load``.
    """
    for i, agent in enumerate(agents):
        if not isinstance(agent, Agent):
            raise fail(InputError, f"agents[{i}]", f"expected an Agent, got {type(agent).__name__}")
    records = [(a.name, a.device_class, a.skills, a.load, a.slots) for a in agents]
    assigned, states, turn = dag._core.assign_agents(policy, records, turn)
    return Assignments(
        tuple((task, agents[agent].name) for task, agent, _ in assigned if agent >= 0),
        tuple(task for task, agent, possible in assigned if agent < 0 and possible),
        tuple(task for task, agent, possible in assigned if agent < 0 and not possible),
        tuple(agent._replace(load=load, slots=slots) for agent, (load, slots) in zip(agents, states, strict=True)),
        turn,
    )
