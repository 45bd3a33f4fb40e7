"""``turnout explain``: one decision in full."""

from __future__ import annotations

from typing import Any

from turnout import _native
from turnout.cli.output import call_of, print_json, print_table, print_trace, say, usd
from turnout.router import Router


def _print_plan(decision: _native.Decision) -> None:
    rows = [
        (
            str(i),
            ",".join(map(str, node.depends_on)) or "-",
            f"{node.p_correct:.3f}",
            usd(node.usd),
            f"{node.seconds:.2f}",
            call_of(node),
        )
        for i, node in enumerate(decision.plan)
    ]
    print_table(("node", "after", "P", "USD", "s", "operator/role: LLM"), rows)


def _print_alternatives(decision: _native.Decision) -> None:
    rows = [
        (
            f"{a.p_correct:.3f}",
            usd(a.usd),
            f"{a.seconds:.2f}",
            f"{a.utility:.6f}",
            a.llm if a.feasible else f"{a.llm} [{a.rule}]",
        )
        for a in decision.alternatives
    ]
    print_table(("P", "USD", "s", "utility", "a single call of [excluded by]"), rows)


def explain_one(router: Router, text: str, options: dict[str, Any], as_json: bool) -> None:
    """Routes `text` and prints every stage, the plan and the alternatives."""
    router.route(text, **options)  # warm, so that the timings are those of a service
    decision = router.route(text, **options)
    if as_json:
        print_json({**decision.to_dict(), "trace": decision.trace.splitlines()})
        return
    say(str(decision), style="bold")
    print_trace(decision.explain())
    if decision.plan:
        say("")
        _print_plan(decision)
    say("")
    _print_alternatives(decision)
    say("P: probability that the call alone is correct; USD, s: expected cost, seconds")
