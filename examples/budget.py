"""One query under ever smaller budgets: what they buy, and how a budget that nothing fits is reported.

Prints a line a budget. The bound (p90 of the cost) is never above the budget, except on the last line, which says
"budget_infeasible": then the plan is the one that exceeds it least, and `feasible` is False.
"""

from pathlib import Path

import turnout

router = turnout.Router.load(pool=Path(__file__).parent / "pool.toml")
query = "How many ordered triples (a, b, c) of positive integers satisfy abc = 3600 and gcd(a, b, c) = 1?"

for budget in (None, 0.02, 0.005, 0.001, 0.0002, 0.000001):
    d = router.route(query, value_usd=0.2, budget_usd=budget)
    calls = ", ".join(f"{node.role} {node.llm}" for node in d.plan)
    reasons = "budget_infeasible" if "budget_infeasible" in d.reasons else ""
    limit = "no limit" if budget is None else f"${budget:.6f}"
    print(f"{limit:>9}: p90 ${d.usd_bound:.6f}, P(correct) {d.p_correct:.2f}: {calls} {reasons}")
