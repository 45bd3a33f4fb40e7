"""One purse for many threads, and an LLM that breaks down: decisions on an account, with telemetry.

Sixteen threads route queries on one run's account. Each takes what its plan may cost before it makes the calls, and
says what they did cost. Then the LLM that was used most starts to fail: its circuit breaker opens, and plans do without
it. Prints what was used before and after, how many plans were refused once little was left, and the purse, which is
never overspent.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import turnout
from turnout.budget import Ledger
from turnout.telemetry import Telemetry

router = turnout.Router.load()
telemetry = Telemetry(router.llms)
run = Ledger().open("acme/search/run-17", usd=0.1)
query = "Prove that every group of prime order is cyclic, and say where the proof needs the order to be prime."


def call(llm: str, broken: str | None) -> bool:
    """Stands for your client."""
    return llm != broken


def serve(broken: str | None) -> str:
    decision = router.route(query, value_usd=0.3, account=run, telemetry=telemetry)
    if decision.reservation is None:
        return "refused"
    with decision.reservation as held:  # given back if this block does not get to the commit
        for node in decision.plan:
            ok = call(node.llm, broken)
            telemetry.record(node.llm, ok=ok, seconds=node.catalog_seconds, expected_seconds=node.catalog_seconds)
            if not ok:
                return "failed"
        held.commit(usd=decision.usd)
    return " + ".join(dict.fromkeys(node.llm for node in decision.plan))


with ThreadPoolExecutor(16) as pool:
    first = Counter(pool.map(serve, [None] * 40))
    broken = first.most_common(1)[0][0].split(" + ")[0]
    second = Counter(pool.map(serve, [broken] * 40))
    rest = Counter(pool.map(serve, [broken] * 400))
print(f"while all is well: {dict(first)}")
print(f"{broken} breaks down: {dict(second)}; its breaker is {telemetry.state(broken).breaker}")
print(f"until the purse is empty: {sum(rest.values()) - rest['refused']} more paid, {rest['refused']} refused")
print(f"spent ${run.spent.usd:.4f} of ${run.limits.usd:.2f}, held ${run.held.usd:.4f}, overrun ${run.overrun.usd:.4f}")
