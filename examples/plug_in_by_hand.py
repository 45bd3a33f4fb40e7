"""Runs two plans: an ensemble whose votes are merged, and a draft that a critic and an editor read.

`ask` stands for your LLM client; this one computes here, so that the example needs no key. Prints what every call said.
The third voter errs and is outvoted; the integral is about 2, once it is mended.
"""

import math
from functools import partial

import turnout
from turnout.execute import Call, run

SUM, INTEGRAL = "What is 17 + 25?", "Evaluate the integral of x^2 e^{-x} from 0 to infinity."


def integrate(steps: int, end: float = 60.0) -> float:
    width = end / steps
    return width * sum((i * width) ** 2 * math.exp(-i * width) for i in range(steps + 1))


def ask(query: str, call: Call) -> str:
    """Asks `call.node.llm`: here a critic checks the draft, an editor mends it, others answer, not always well."""
    if query == SUM:
        return "32" if call.index == 2 else "42"
    if call.node.role == "critic" and call.draft:
        return "correct" if math.isclose(float(call.draft.text), integrate(100_000), rel_tol=1e-5) else "too coarse"
    mended = any(said.text == "too coarse" for said in call.said)
    return f"{integrate(100_000 if mended else 100):.4f}"


router = turnout.Router.load()
vote = turnout.Constraints(disable_operators=[name for name in router.operators if name != "multi_llm_ensemble"])
for query, constraints in ((SUM, vote), (INTEGRAL, None)):
    decision = router.route(query, value_usd=0.05, max_seconds=60, constraints=constraints)
    if not decision.feasible or "out_of_domain" in decision.reasons:
        raise SystemExit("abstain, or take a default")
    result = run(decision, partial(ask, query))
    for said in result.outputs:
        print(f"{said.node.operator}/{said.node.role} on {said.node.llm}: {said.text}")
    print(f"Answer: {result.answer}")
