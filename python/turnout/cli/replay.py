"""``turnout replay``: logged decisions asked again, and how they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from turnout._native import Decision
from turnout.cli.output import print_json, print_table, say
from turnout.replay import Replayed, read, replay
from turnout.router import Router


def run_replay(folder: Path, bundle: Path | None, pool: Path | None, show: int, json: bool) -> bool:
    """Prints what a replay found; returns whether every decision came out the same."""
    log = read(folder)
    found = list(replay(log, Router.load(bundle, pool=pool)))
    identical = sum(one.identical for one in found)
    same_plan = sum(one.same_plan for one in found)
    differing = [one for one in found if not one.identical]
    unreachable = log.decisions - len(found)
    if json:
        print_json(
            {
                "decisions": len(found),
                "identical": identical,
                "same_plan": same_plan,
                "unreachable": unreachable,
                "torn_bytes": log.torn_bytes,
                "differing": [_difference(one) for one in differing],
            }
        )
        return not differing and not unreachable
    say(f"{len(found)} decisions: {identical} identical to the last bit, {same_plan} with the same plan", style="bold")
    if unreachable:
        say(f"{unreachable} not asked again: they read a state that the log no longer leads to")
    if log.torn_bytes:
        say(f"{log.torn_bytes} bytes of the log were not written to their end")
    if differing:
        print_table(["ticket", "logged", "again", "P(correct)", "USD"], [_row(one) for one in differing[:show]])
    if len(differing) > show:
        say(f"and {len(differing) - show} more: --show, or --json for all")
    return not differing and not unreachable


def _plan(decision: Decision) -> str:
    steps = [f"{node.operator} on {node.llm}" for node in decision.plan]
    return " > ".join(dict.fromkeys(steps)) or "no plan"


def _row(one: Replayed) -> list[str]:
    a, b = one.recorded, one.again
    return [
        str(one.ticket),
        _plan(a),
        _plan(b) if not one.same_plan else "the same plan",
        f"{a.p_correct:.3f} -> {b.p_correct:.3f}",
        f"{a.usd:.6f} -> {b.usd:.6f}",
    ]


def _difference(one: Replayed) -> dict[str, Any]:
    return {
        "ticket": one.ticket,
        "same_plan": one.same_plan,
        "recorded": one.recorded.to_dict(),
        "again": one.again.to_dict(),
    }
