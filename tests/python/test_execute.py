"""The reference executor on real plans: which calls are made, what each reads, whose answer wins."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bundles
import tables
import turnout
from turnout.execute import Call, Done, Output, Result, arun, run

QUERY = "Evaluate the integral of x^2 e^{-x} from 0 to infinity."


def planned(router: turnout.Router, *operators: str) -> turnout.Decision:
    """The default router's plan where only these operators may be used."""
    others = [o for o in router.operators if o not in operators]
    decision = router.route(QUERY, value_usd=10.0, constraints=turnout.Constraints(disable_operators=others))
    assert tuple(dict.fromkeys(node.operator for node in decision.plan)) == operators
    return decision


class Recorder:
    """Answers each call by a function of it, and keeps the calls."""

    def __init__(self, answer: Callable[[Call], str] = lambda c: f"{c.index}.{c.round}.{c.sample}") -> None:
        self.answer = answer
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> str:
        self.calls.append(call)
        return self.answer(call)

    def read(self) -> list[tuple[str, ...]]:
        return [tuple(said.text for said in call.context) for call in self.calls]


# Operator by operator -------------------------------------------------------------------------------------------------

PLANS = [
    ("direct",),
    ("chain_of_thought",),
    ("self_consistency",),
    ("multi_llm_ensemble",),
    ("debate",),
    ("react",),
    ("program_and_test",),
    ("chain_of_thought", "self_refine"),
    ("chain_of_thought", "review"),
    ("self_consistency", "review"),
    ("multi_llm_ensemble", "review"),
    ("debate", "review"),
]


@pytest.mark.parametrize("operators", PLANS, ids=" > ".join)
def test_every_node_is_called_as_often_as_it_is_paid_for(router: turnout.Router, operators: tuple[str, ...]) -> None:
    decision = planned(router, *operators)
    ask = Recorder()
    result = run(decision, ask)
    made = Counter((call.index, call.round) for call in ask.calls)
    assert made == {
        (i, r): node.calls // node.rounds for i, node in enumerate(decision.plan) for r in range(node.rounds)
    }
    assert [(o.index, o.round, o.sample) for o in result.outputs] == [(c.index, c.round, c.sample) for c in ask.calls]
    assert all(call.node == decision.plan[call.index] for call in ask.calls)
    assert asyncio.run(arun(decision, as_async(Recorder()))) == result


def test_every_operator_of_the_table_is_among_the_plans(router: turnout.Router) -> None:
    assert {o for plan in PLANS for o in plan} == set(router.operators) - {"early_stop"}


@pytest.mark.parametrize("seed", range(40))
def test_what_a_node_depends_on_is_what_it_reads(router: turnout.Router, seed: int) -> None:
    for query in (QUERY, "Who wrote the opera Carmen?", "Write a Python function that reverses a list."):
        decision, ask = router.route(query, value_usd=10.0, seed=seed), Recorder()
        run(decision, ask)
        plan = decision.plan
        for at, call in enumerate(ask.calls):
            before = {c.index for c in ask.calls[:at]}
            assert before >= set(call.node.depends_on)
            own = [i for i in call.node.depends_on if is_of(plan[i], call.node)]
            assert {said.index for said in call.said if said.index != call.index} >= set(own)
            assert (call.draft is None) == (not any(not is_of(n, call.node) for n in plan[: call.index]))
            if call.draft is not None and not own:
                assert call.draft.index in call.node.depends_on


def is_of(a: turnout.PlanNode, b: turnout.PlanNode) -> bool:
    return (a.layer, a.operator) == (b.layer, b.operator)


def test_the_documentation_says_it_operator_by_operator() -> None:
    section = (tables.ROOT / "docs/operators.md").read_text(encoding="utf-8").split("## How a plan is run")[1]
    rows = {row.split("`")[1]: row for row in section.splitlines() if row.startswith("| `")}
    operators = tables.default_operators()
    assert list(rows) == [op.id for op in operators]
    for op in operators:
        assert all(f"{slot.calls}, {slot.rounds}" in rows[op.id] and slot.role in rows[op.id] for slot in op.slots)
        assert ("side by side" in rows[op.id]) == op.parallel


def test_a_critic_reads_the_draft_and_the_editor_both(router: turnout.Router) -> None:
    ask = Recorder(lambda c: c.node.role)
    assert run(planned(router, "chain_of_thought", "review"), ask).answer == "editor"
    assert ask.read() == [(), ("reasoner",), ("reasoner", "critic")]
    assert [call.draft and call.draft.text for call in ask.calls] == [None, "reasoner", "reasoner"]


@pytest.mark.parametrize(("first", "drafts"), [("multi_llm_ensemble", 3), ("self_consistency", 5), ("debate", 6)])
def test_what_is_reviewed_is_the_vote(router: turnout.Router, first: str, drafts: int) -> None:
    ask = Recorder(lambda c: ["4", " 5", "5\n", "6", "5"][c.index + c.sample] if c.draft is None else "7")
    result = run(planned(router, first, "review"), ask)
    critic, editor = ask.calls[drafts:]
    assert [said.text.strip() for said in critic.context] == ["5"]
    assert [said.text.strip() for said in editor.context] == ["5", "7"]
    assert result.answer == "7" and len(result.outputs) == drafts + 2


def test_debaters_read_one_another_a_round_later(router: turnout.Router) -> None:
    ask = Recorder()
    run(planned(router, "debate"), ask)
    assert [(c.round, c.index) for c in ask.calls] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert ask.read() == [()] * 3 + [("0.0.0", "1.0.0", "2.0.0")] * 3


def test_a_debate_is_decided_by_its_last_round(router: turnout.Router) -> None:
    said = {(0, 0): "a", (0, 1): "a", (0, 2): "a", (1, 0): "b", (1, 1): "c", (1, 2): "c"}
    assert run(planned(router, "debate"), lambda c: said[c.round, c.index]).answer == "c"


@pytest.mark.parametrize(("operator", "rounds"), [("react", 4), ("program_and_test", 2)])
def test_rounds_of_one_node_read_what_it_said_before(router: turnout.Router, operator: str, rounds: int) -> None:
    ask = Recorder()
    assert run(planned(router, operator), ask).answer == f"0.{rounds - 1}.0"
    assert ask.read() == [tuple(f"0.{r}.0" for r in range(before)) for before in range(rounds)]


def test_an_actor_that_has_its_answer_makes_no_further_rounds(router: turnout.Router) -> None:
    ask = Recorder(lambda c: Done("42") if c.round == 1 else "search")
    result = run(planned(router, "react"), ask)
    assert result.answer == "42" and len(result.outputs) == 2


def test_one_debater_may_be_done_before_the_others(router: turnout.Router) -> None:
    ask = Recorder(lambda c: Done("a") if c.index == 0 else "abc"[c.round + 1])
    result = run(planned(router, "debate"), ask)
    assert [(c.round, c.index) for c in ask.calls] == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2)]
    assert result.answer == "c"


# Votes ----------------------------------------------------------------------------------------------------------------


def test_a_plurality_wins_over_the_ablest(router: turnout.Router) -> None:
    decision = planned(router, "multi_llm_ensemble")
    ablest = max(range(3), key=lambda i: decision.plan[i].p_correct)
    assert run(decision, lambda c: "x" if c.index == ablest else " y ").answer == " y "


def test_a_tie_goes_to_the_ablest_and_then_to_the_first(router: turnout.Router) -> None:
    decision = planned(router, "multi_llm_ensemble")
    p = [node.p_correct for node in decision.plan]
    assert len(set(p)) == 3
    assert run(decision, lambda c: str(c.index)).answer == str(p.index(max(p)))
    samples = planned(router, "self_consistency")
    assert run(samples, lambda c: "bbaac"[c.sample]).answer == "b"


def test_self_consistency_is_a_vote_of_samples(router: turnout.Router) -> None:
    ask = Recorder(lambda c: "abcbd"[c.sample])
    assert run(planned(router, "self_consistency"), ask).answer == "b"
    assert ask.read() == [()] * 5 and [c.sample for c in ask.calls] == [0, 1, 2, 3, 4]


def test_the_key_says_what_is_compared(router: turnout.Router) -> None:
    texts = ["I say (A)", "no idea", "It must be (B)", "no idea", "(B), clearly"]

    def letter(text: str) -> str | None:
        return text.split("(")[1][0] if "(" in text else None

    decision = planned(router, "self_consistency")
    assert run(decision, lambda c: texts[c.sample], key=letter).answer == "It must be (B)"
    assert run(decision, lambda c: texts[c.sample]).answer == "no idea"
    assert run(decision, lambda c: f"none {c.sample}", key=letter).answer == "none 0"


# A table of one's own -------------------------------------------------------------------------------------------------

OWN = """
[[operators]]
id = "panel"
generates = true
parallel = true
fix = 1.0
break = 1.0
curve = { logit_shift = 2.0 }
source = "planted"
slots = [{ role = "chair", calls = 5, rounds = 2 }, { role = "guest" }]

[[operators]]
id = "early_stop"
stops = true
source = "planted"
"""


def test_calls_that_do_not_divide_go_to_the_first_rounds(tmp_path: Path) -> None:
    files = bundles.files() | {"operators/operators.toml": OWN.encode()}
    decision = turnout.Router.load(bundles.write(tmp_path, files)).route("prove the integral")
    ask = Recorder()
    run(decision, ask)
    turns = [(c.node.role, c.round, c.sample) for c in ask.calls]
    assert turns == [*(("chair", 0, s) for s in range(3)), ("guest", 0, 0), ("chair", 1, 0), ("chair", 1, 1)]
    assert ask.read()[-1] == ("0.0.0", "0.0.1", "0.0.2", "1.0.0")


# asyncio --------------------------------------------------------------------------------------------------------------


def as_async(ask: Callable[[Call], str]) -> Callable[[Call], Any]:
    async def asked(call: Call) -> str:
        await asyncio.sleep(0)
        return ask(call)

    return asked


@pytest.mark.parametrize(
    ("operators", "width"),
    [
        (("self_consistency", "review"), [5] * 5 + [1, 1]),
        (("multi_llm_ensemble", "review"), [3] * 3 + [1, 1]),
        (("debate",), [3] * 6),
        (("react",), [1] * 4),
    ],
)
def test_independent_calls_are_in_flight_together(
    router: turnout.Router, operators: tuple[str, ...], width: list[int]
) -> None:
    in_flight, seen = 0, []

    async def ask(call: Call) -> str:
        nonlocal in_flight
        in_flight += 1
        await asyncio.sleep(0.01)
        seen.append(in_flight)
        await asyncio.sleep(0.01)
        in_flight -= 1
        return "x"

    asyncio.run(arun(planned(router, *operators), ask))
    assert seen == width


# Errors ---------------------------------------------------------------------------------------------------------------


class Broken(Exception):
    pass


def test_what_a_call_raises_is_raised(router: turnout.Router) -> None:
    decision = planned(router, "multi_llm_ensemble", "review")

    def ask(call: Call) -> str:
        if call.index == 1:
            raise Broken
        return "x"

    for error in (Broken, StopIteration):
        with pytest.raises(error):
            run(decision, Recorder(lambda c, e=error: raise_(e)))
    with pytest.raises(Broken):
        run(decision, ask)
    with pytest.raises(Broken):
        asyncio.run(arun(decision, as_async(ask)))


def raise_(error: type[Exception]) -> str:
    raise error


def test_a_failure_cancels_the_calls_beside_it(router: turnout.Router) -> None:
    ended: list[str] = []

    async def ask(call: Call) -> str:
        if call.index == 1:
            raise Broken
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append(call.node.llm)
            raise
        return "x"

    decision = planned(router, "multi_llm_ensemble")

    async def caught() -> None:
        with pytest.raises(Broken):
            await arun(decision, ask)
        assert ended == [decision.plan[0].llm, decision.plan[2].llm]

    asyncio.run(asyncio.wait_for(caught(), 30))


def test_a_cancelled_run_cancels_its_calls(router: turnout.Router) -> None:
    ended: list[int] = []

    async def ask(call: Call) -> str:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(call.index)
        return "x"

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(arun(planned(router, "debate"), ask), 0.05)
        assert sorted(ended) == [0, 1, 2]

    asyncio.run(main())


def test_a_call_must_return_a_text(router: turnout.Router) -> None:
    decision = planned(router, "chain_of_thought", "review")
    for wrong in (None, 3, b"x", ["x"]):
        with pytest.raises(TypeError, match=rf"plan\[1\] \(critic\), got {type(wrong).__name__}"):
            run(decision, lambda c, w=wrong: w if c.index == 1 else "x")  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="awaitable"):
        asyncio.run(arun(decision, lambda c: "x"))  # type: ignore[arg-type, return-value]


def test_an_empty_plan_is_an_input_error(router: turnout.Router) -> None:
    decision = router.route(QUERY, constraints=turnout.Constraints(allow=[]))
    assert decision.plan == ()
    with pytest.raises(turnout.InputError, match=r"nothing to run: .*no_llm_allowed") as error:
        run(decision, Recorder())
    assert error.value.path == "decision.plan"
    with pytest.raises(turnout.InputError, match="nothing to run"):
        asyncio.run(arun(decision, as_async(Recorder())))


def test_import_turnout_does_not_load_the_executor() -> None:
    code = "import sys, turnout; print('turnout.execute' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_results_are_plain_values(router: turnout.Router) -> None:
    decision = planned(router, "direct")
    node = decision.plan[0]
    assert run(decision, lambda c: "x") == Result("x", (Output(0, node, 0, 0, "x"),))
