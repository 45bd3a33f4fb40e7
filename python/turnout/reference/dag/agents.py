"""Twin of assign_agents."""

from __future__ import annotations

from turnout.reference.dag.tasks import TaskDag

Agent = tuple[str, str, int, float, int]  # name, device_class, skills, load, slots


def rank(agents: list[Agent], i: int, needed: int, policy: str, turn: int) -> tuple[float, ...]:
    """Lower is better."""
    _, _, skills, load, _ = agents[i]
    if policy == "round_robin":
        return ((i - turn) % len(agents),)
    if policy == "capability_match":
        return (skills & ~needed).bit_count(), load, i
    return load, i


def assign_agents(
    dag: TaskDag, agents: list[Agent], policy: str, turn: int = 0
) -> tuple[list[tuple[str, str]], list[str], list[str], int]:
    """(taken, waiting, impossible, turn)."""
    agents = list(agents)
    taken: list[tuple[str, str]] = []
    waiting: list[str] = []
    impossible: list[str] = []
    for name in dag.ready():
        task = dag.tasks[name]
        if task.agent:
            continue
        may = [
            i
            for i, (_, device_class, skills, _, _) in enumerate(agents)
            if not task.skills & ~skills and task.device_class in ("", device_class)
        ]
        free = [i for i in may if agents[i][4] > 0]
        if not free:
            (waiting if may else impossible).append(name)
            continue

        best = min(free, key=lambda i: rank(agents, i, task.skills, policy, turn))
        agent, device_class, skills, load, slots = agents[best]
        agents[best] = (agent, device_class, skills, load + task.seconds, slots - 1)
        taken.append((name, agent))
        turn = (best + 1) % len(agents)
    return taken, waiting, impossible, turn
