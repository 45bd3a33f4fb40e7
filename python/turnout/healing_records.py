"""What a self-healing run is asked for, and what its log says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from turnout.healing_monitors import Signal

State = Literal["running", "done", "escalated"]
Kind = Literal["plan", "reroute", "escalate", "demote", "retarget", "restore", "resume"]
Reason = Literal["none", "tool_failed", "tool_down", "no_path", "retries_spent", "signal"]


@dataclass(frozen=True)
class Goal:
    """A tool that the run must reach.

    Attributes
    ----------
    tool : str
    fallbacks : tuple of (str, float)
        Tools that may stand in for it, each with what that loses, in the unit of the graph's weights.
    drop_loss : float, optional
        What giving the goal up loses, beside other goals; None: it cannot be given up.
    """

    tool: str
    fallbacks: tuple[tuple[str, float], ...] = ()
    drop_loss: float | None = None


@dataclass(frozen=True)
class Demotion:
    """The cheapest way to lower the goals: each goal that is cut off with its stand-in (None: given up)."""

    changes: tuple[tuple[str, str | None], ...]
    loss: float


@dataclass(frozen=True)
class Escalation:
    """Why somebody else must decide.

    Attributes
    ----------
    down : tuple of str
        Tools that are masked.
    cut : tuple of str
        Those of them that could be called now were they up, and that every way to a goal goes through. Empty where
        the goals can be reached, or could not with every tool up.
    demotion : Demotion, optional
        The cheapest; None where there is none.
    """

    down: tuple[str, ...]
    cut: tuple[str, ...]
    demotion: Demotion | None


@dataclass(frozen=True, kw_only=True)
class Record:
    """An entry of a run's log. Every failure is exactly one: a reroute or an escalation.

    Attributes
    ----------
    sequence : int
        From 1.
    now : float
        Seconds of the clock.
    kind : {"plan", "reroute", "escalate", "demote", "retarget", "restore", "resume"}
    reason : {"none", "tool_failed", "tool_down", "no_path", "retries_spent", "signal"}
    tool, error : str, optional
        What failed, tripped or came back, and how.
    plan : tuple of str
        The tools that are still to be called, in an order in which they can be.
    cost : float, optional
        What they cost; None: there is no plan.
    signal : Signal, optional
        The monitor's that was acted on.
    escalation : Escalation, optional
    """

    sequence: int
    now: float
    kind: Kind
    reason: Reason
    tool: str | None
    error: str | None
    plan: tuple[str, ...]
    cost: float | None
    signal: Signal | None = None
    escalation: Escalation | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)
