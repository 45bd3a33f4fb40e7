"""The 19 published scenarios of Self-Healing Router, as data.

What is taken over are facts: three topologies with their costs, which tools fail, and where no way is left (N. Bholani,
https://github.com/NeerajBholani/self-healing-router, ``scenarios/benchmarks.py``). Names and words are our own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from turnout.graph import ToolGraph
from turnout.healing import Goal, Healer, Run

Edges = tuple[tuple[str, str, float], ...]

# Linear pipeline: look the customer up, take a payment by one of two providers, tell them by one of two channels.
SUPPORT: Edges = (
    ("start", "lookup", 0.1),
    ("lookup", "card", 0.3),
    ("lookup", "bank", 0.5),
    ("card", "mail", 0.3),
    ("card", "text", 0.4),
    ("bank", "mail", 0.3),
    ("bank", "text", 0.4),
    ("mail", "end", 0.1),
    ("text", "end", 0.1),
)
# Dependencies: a bed needs the dates of the trip, a ride the place of the bed, the payment all of it.
TRAVEL: Edges = (
    ("start", "flight", 0.3),
    ("start", "train", 0.5),
    ("flight", "hotel", 0.3),
    ("flight", "hostel", 0.4),
    ("train", "hotel", 0.3),
    ("train", "hostel", 0.4),
    ("hotel", "car", 0.3),
    ("hotel", "bus", 0.4),
    ("hostel", "car", 0.4),
    ("hostel", "bus", 0.3),
    ("car", "pay", 0.2),
    ("bus", "pay", 0.2),
    ("pay", "end", 0.1),
)
# Fan-out: three moderators side by side, one score, two ways to a verdict.
MODERATION: Edges = (
    ("start", "words", 0.2),
    ("start", "images", 0.3),
    ("start", "video", 0.5),
    ("words", "score", 0.2),
    ("images", "score", 0.3),
    ("video", "score", 0.4),
    ("score", "human", 0.5),
    ("score", "auto", 0.2),
    ("human", "end", 0.1),
    ("auto", "end", 0.1),
)


@dataclass(frozen=True)
class Scenario:
    """What fails on which graph, and what must come of it.

    Attributes
    ----------
    name : str
        The published one's.
    edges : tuple
        (source, target, cost).
    failing : tuple of str
        Tools whose calls fail.
    calls : tuple of str
        Tools that end up executed, in order, where there is a way to the end; else empty.
    """

    name: str
    edges: Edges
    failing: tuple[str, ...]
    calls: tuple[str, ...] = ()

    @property
    def escalates(self) -> bool:
        """Whether no way is left."""
        return not self.calls


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("CS-1", SUPPORT, (), ("lookup", "card", "mail", "end")),
    Scenario("CS-2", SUPPORT, ("card",), ("lookup", "bank", "mail", "end")),
    Scenario("CS-3", SUPPORT, ("mail",), ("lookup", "card", "text", "end")),
    Scenario("CS-4", SUPPORT, ("card", "mail"), ("lookup", "bank", "text", "end")),
    Scenario("CS-5", SUPPORT, ("card", "bank")),
    Scenario("CS-6", SUPPORT, ("mail", "text")),
    Scenario("CS-7", SUPPORT, ("lookup",)),
    Scenario("TB-1", TRAVEL, (), ("flight", "hotel", "car", "pay", "end")),
    Scenario("TB-2", TRAVEL, ("flight",), ("train", "hotel", "car", "pay", "end")),
    Scenario("TB-3", TRAVEL, ("hotel", "car"), ("flight", "hostel", "bus", "pay", "end")),
    Scenario("TB-4", TRAVEL, ("flight", "train")),
    Scenario("TB-5", TRAVEL, ("flight", "hotel", "car"), ("train", "hostel", "bus", "pay", "end")),
    Scenario("TB-6", TRAVEL, ("pay",)),
    Scenario("CM-1", MODERATION, (), ("words", "score", "auto", "end")),
    Scenario("CM-2", MODERATION, ("words",), ("images", "score", "auto", "end")),
    Scenario("CM-3", MODERATION, ("auto",), ("words", "score", "human", "end")),
    Scenario("CM-4", MODERATION, ("words", "auto"), ("images", "score", "human", "end")),
    Scenario("CM-5", MODERATION, ("words", "images", "video")),
    Scenario("CM-6", MODERATION, ("score",)),
)


def graph_of(edges: Edges) -> ToolGraph:
    """A graph whose nodes stand in the order in which the edges name them."""
    names = list(dict.fromkeys(name for source, target, _ in edges for name in (source, target)))
    ids = {name: i for i, name in enumerate(names)}
    return ToolGraph.from_arrays(
        np.array([ids[source] for source, _, _ in edges], np.int32),
        np.array([ids[target] for _, target, _ in edges], np.int32),
        np.array([cost for _, _, cost in edges], np.float64),
        names=names,
    )


def play(scenario: Scenario, *, told: bool = False) -> tuple[Run, tuple[str, ...]]:
    """Plays a scenario to its end or its escalation.

    Parameters
    ----------
    scenario : Scenario
    told : bool
        Whether the health monitor is told what is down before each call, as in the published evaluation; else a call
        must fail first.

    Returns
    -------
    Run and tuple of str
        The run, with its log, and the tools whose calls ended well.
    """
    run = Healer(graph_of(scenario.edges)).run("start", Goal("end"))
    down = scenario.failing if told else ()
    run.signals(down=down)
    done: list[str] = []
    while tools := run.step():
        for tool in tools:
            if tool in scenario.failing:
                run.failed(tool, "unavailable")
            else:
                run.succeeded(tool)
                done.append(tool)
        run.signals(down=down)
    return run, tuple(done)
