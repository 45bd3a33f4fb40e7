"""``turnout explain``: one decision in full."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from turnout import _native
from turnout.cli.output import console, print_json, usd
from turnout.router import Router


def _plan(decision: _native.Decision) -> Table:
    table = Table(title="plan", title_justify="left", header_style="bold", pad_edge=False)
    for name in ("node", "after", "operator", "role", "LLM", "calls", "P(correct)", "USD", "seconds", "tools"):
        table.add_column(name, justify="right" if name in ("node", "calls", "P(correct)", "USD", "seconds") else "left")
    for i, node in enumerate(decision.plan):
        table.add_row(
            str(i),
            ",".join(map(str, node.depends_on)) or "-",
            node.operator,
            node.role,
            node.llm,
            str(node.calls),
            f"{node.p_correct:.3f}",
            usd(node.usd),
            f"{node.seconds:.2f}",
            ", ".join(node.tools),
        )
    return table


def _alternatives(decision: _native.Decision) -> Table:
    table = Table(title="alternatives, as single calls", title_justify="left", header_style="bold", pad_edge=False)
    for name in ("LLM", "P(correct)", "USD", "seconds", "utility", "excluded by"):
        table.add_column(name, justify="left" if name in ("LLM", "excluded by") else "right")
    for a in decision.alternatives:
        rule = "" if a.feasible else a.rule
        table.add_row(a.llm, f"{a.p_correct:.3f}", usd(a.usd), f"{a.seconds:.2f}", f"{a.utility:.6f}", rule)
    return table


def explain_one(router: Router, text: str, options: dict[str, Any], as_json: bool) -> None:
    """Routes `text` and prints every stage, the plan and the alternatives."""
    router.route(text, **options)  # warm, so that the timings are those of a service
    decision = router.route(text, **options)
    if as_json:
        print_json({**decision.to_dict(), "trace": decision.trace.splitlines()})
        return
    out = console()
    out.print(str(decision), style="bold", highlight=False, markup=False, soft_wrap=True)
    out.print(decision.explain(), highlight=False, markup=False, soft_wrap=True)
    if decision.plan:
        out.print(_plan(decision))
    out.print(_alternatives(decision))
