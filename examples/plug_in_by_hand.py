"""Runs a plan: calls in topological order, each with the outputs of the calls that it depends on.

`call_llm` stands for your LLM clients; this one computes here, so that the example needs no key. Prints each call, what
it was given and what it said; the last output is the answer, about 2.
"""

import math

import turnout

QUERY = "Evaluate the integral of x^2 e^{-x} from 0 to infinity."


def integrate(steps: int, end: float = 60.0) -> float:
    width = end / steps
    return width * sum((i * width) ** 2 * math.exp(-i * width) for i in range(steps + 1))


def call_llm(llm: str, role: str, query: str, context: list[str], max_tokens: int) -> str:
    """Asks `llm`: here a critic checks the drafts, an editor mends them, others draft coarsely."""
    if role == "critic":
        holds = all(math.isclose(float(draft), integrate(100_000), rel_tol=1e-5) for draft in context)
        return f"{' '.join(context)}: {'correct' if holds else 'too coarse, take smaller steps'}"
    return f"{integrate(100_000 if role == 'editor' and 'too coarse' in context[0] else 100):.4f}"


router = turnout.Router.load()
decision = router.route(QUERY, value_usd=0.05, max_seconds=60)
if not decision.feasible or "out_of_domain" in decision.reasons:
    raise SystemExit("abstain, or take a default")
outputs: list[str] = []
for node in decision.plan:
    context = [outputs[i] for i in node.depends_on]
    outputs.append(call_llm(node.llm, node.role, QUERY, context, max_tokens=node.max_output_tokens))
    print(f"{node.operator}/{node.role} on {node.llm}, given {context}: {outputs[-1]}")
print(f"Answer: {outputs[-1]}")
