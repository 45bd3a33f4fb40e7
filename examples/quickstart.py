"""A pool of your own, one query, and the decision for it.

Prints a sentence (operators, LLMs, P(correct), cost), then one line a stage, from "embed" to "reasons".
"""

from pathlib import Path

import turnout

router = turnout.Router.load(pool=Path(__file__).parent / "pool.toml")
decision = router.route(
    "Compute the definite integral of x^3 exp(-x^2) from 0 to infinity.",
    value_usd=0.05,  # what a correct answer is worth to you
    budget_usd=0.004,  # hard limit, on the p90 of the plan's cost
)
print(decision)
print(decision.trace)
