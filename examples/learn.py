"""A service that learns: outcomes come back, one of them by another process, and a restart forgets nothing.

Prints which LLM answers before and after its answers went wrong, what is known of it, and the receipt of an outcome
that came after the restart.
"""

import pickle
import tempfile
from pathlib import Path

import turnout

pool, state = Path(__file__).parent / "pool.toml", Path(tempfile.mkdtemp()) / "state"
router = turnout.Router.load(pool=pool, learning=turnout.Learning(log="vectors"), state=state)
query = "How many ordered triples (a, b, c) of positive integers satisfy abc = 3600 and gcd(a, b, c) = 1?"

first = router.route(query, value_usd=0.01)
for _ in range(40):
    decision = router.route(query, value_usd=0.01)
    for node, call in enumerate(decision.plan):  # your client calls it; here the LLM of the first plan went wrong
        router.feedback(decision, turnout.Outcome(score=float(call.llm != first.llm), usd=call.usd), node=node)
print(f"before {first.llm}, after {router.route(query, value_usd=0.01).llm}")
known = next(row for row in router.learner.report() if row.llm == first.llm)
print(f"{known.llm}: {known.outcomes:.0f} outcomes, correction {known.correction:+.2f}, dead {known.dead}")

waiting = pickle.dumps(router.route(query, value_usd=0.01))  # a user may think about it for a while
router.learner.close()  # a deploy
router = turnout.Router.load(pool=pool, learning=turnout.Learning(log="vectors"), state=state)
print(router.feedback(pickle.loads(waiting), True))
router.learner.close()
