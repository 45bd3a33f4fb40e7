"""A router that learns: what outcomes change, what they never change, and that all of it repeats."""

from __future__ import annotations

import math
import pickle
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import turnout
import turnout.reference.state as twin_state
from test_parity import NEVER_COMPARED, assert_close
from turnout.bench.workload import built_in_queries
from turnout.learning import Learner, Learning, Outcome
from turnout.reference.learning import ReferenceLearner
from turnout.reference.router import ReferenceRouter

QUERIES = built_in_queries()[:24]


def load(bundle: Path, learning: Learning | bool = True, **options: Any) -> turnout.Router:
    return turnout.Router.load(bundle, learning=learning, **options)


def teach(router: turnout.Router, llm: str, score: float, times: int = 40, value_usd: float = 1.0) -> None:
    """Outcomes of one LLM on all kinds of queries."""
    only = turnout.Constraints(allow=[llm])
    for i in range(times):
        decision = router.route(QUERIES[i % len(QUERIES)], constraints=only, value_usd=value_usd)
        for node in range(len(decision.plan)):
            assert router.feedback(decision, score, node=node) == "accepted"


def test_a_router_does_not_learn_unless_told(small: turnout.Router) -> None:
    assert small.learner is None
    for call in (lambda: small.feedback(small.route("x"), 1.0), small.flush):
        with pytest.raises(turnout.ConfigError, match=r"learning: .*Router.load\(learning=True\)"):
            call()


def test_without_outcomes_every_decision_is_the_offline_one(small: turnout.Router, small_bundle: Path) -> None:
    learning = load(small_bundle)
    for query in QUERIES:
        for options in ({}, {"budget_usd": 0.002}, {"seed": 5}, {"value_usd": 1.0}):
            decision = learning.route(query, **options)
            assert decision == small.route(query, **options)
            assert decision.propensity == 1 and decision.candidates == () and decision.state_version == 0
    assert list(learning.route_batch(QUERIES)) == list(small.route_batch(QUERIES))


def test_outcomes_move_the_choice_and_the_trace_says_so(small: turnout.Router, small_bundle: Path) -> None:
    router = load(small_bundle)
    query = QUERIES[0]
    before = small.route(query, value_usd=1.0)
    teach(router, before.llm, 0.0)
    after = router.route(query, value_usd=1.0)
    worse = next(a for a in after.alternatives if a.llm == before.llm)
    best = next(a for a in before.alternatives if a.llm == before.llm)
    assert worse.p_correct < best.p_correct and after.llm != before.llm
    assert after.state_version > 0 and "learning   state" in after.trace
    assert after.to_dict()["learning"]["propensity"] == 1


def test_prices_are_learned(small_bundle: Path) -> None:
    router = load(small_bundle)
    first = router.route(QUERIES[0])
    for query in QUERIES * 4:
        d = router.route(query)
        router.feedback(d, Outcome(usd=4 * d.usd))
    assert router.learner is not None
    known = next(row for row in router.learner.report() if row.llm == first.llm)
    name, ratio = known.llm, known.usd_ratio
    assert known.outcomes == 0 and 1.5 < ratio < 4
    again = turnout.Constraints(allow=[name])
    cap = router.route(QUERIES[0], constraints=again, statistic="cap")
    mean = router.route(QUERIES[0], constraints=again)
    offline = turnout.Router.load(small_bundle)
    assert mean.plan[0].usd == pytest.approx(ratio * offline.route(QUERIES[0], constraints=again).plan[0].usd)
    # What was learned never lowers a cap, and raises it where prices rose.
    assert cap.plan[0].usd_bound > offline.route(QUERIES[0], constraints=again, statistic="cap").plan[0].usd_bound


def test_receipts(small_bundle: Path) -> None:
    router = load(small_bundle, Learning(tickets=4))
    d = router.route(QUERIES[0])
    assert router.feedback(d, True) == "accepted" and router.feedback(d.ticket, 0.0) == "duplicate"
    assert router.feedback(12345, 1.0) == "unknown"
    for query in QUERIES[:8]:
        router.route(query)
    assert router.feedback(d, 1.0) == "expired"


@pytest.mark.parametrize(
    ("outcome", "path"),
    [
        (1.5, "score"),
        (-0.1, "score"),
        (float("nan"), "score"),
        (Outcome(usd=-1.0), "usd"),
        (Outcome(seconds=float("inf")), "seconds"),
        (Outcome(score=1.0, failure="timeout"), "failure"),
        (Outcome(failure="bored"), "failure"),  # type: ignore[arg-type]
    ],
)
def test_wrong_outcomes_name_the_culprit_and_change_nothing(small_bundle: Path, outcome: Any, path: str) -> None:
    router = load(small_bundle)
    d = router.route(QUERIES[0])
    assert router.learner is not None
    before = router.learner.memory.slots()
    with pytest.raises(turnout.InputError, match=path):
        router.feedback(d, outcome)
    assert router.learner.memory.slots() == before
    assert router.feedback(d, 1.0) == "accepted"


def test_a_wrong_node_is_an_error(small_bundle: Path) -> None:
    router = load(small_bundle)
    d = router.route(QUERIES[0])
    with pytest.raises(turnout.InputError, match="node"):
        router.feedback(d, 1.0, node=len(d.plan))
    with pytest.raises(TypeError, match="outcome"):
        router.feedback(d, "good")  # type: ignore[arg-type]


@pytest.mark.parametrize("score", [np.float32(0.5), np.bool_(True), np.int64(1), Decimal("0.25"), True])
def test_a_score_is_any_number(small_bundle: Path, score: Any) -> None:
    router = load(small_bundle)
    assert router.feedback(router.route(QUERIES[0]), score) == "accepted"
    assert router.feedback(router.route(QUERIES[0]), Outcome(score=score)) == "accepted"


def test_tickets_and_nodes_of_every_kind(small_bundle: Path) -> None:
    router = load(small_bundle)
    d = router.route(QUERIES[0])
    for ticket in (-1, 0, 2**64, 2**70):
        assert router.feedback(ticket, 1.0) == "unknown"
    for nothing in ("1", None, 1.5):
        with pytest.raises(TypeError, match="ticket: expected a Decision or its ticket"):
            router.feedback(nothing, 1.0)  # type: ignore[arg-type]
    with pytest.raises(turnout.InputError, match="node"):
        router.feedback(d, 1.0, node=-1)
    with pytest.raises(TypeError, match="node"):
        router.feedback(d, 1.0, node=0.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="outcome"):
        router.feedback(d, None)  # type: ignore[arg-type]
    assert router.feedback(np.uint64(d.ticket), 1.0, node=np.int32(0)) == "accepted"  # type: ignore[arg-type]


def test_late_doubled_and_disordered_outcomes_give_the_same_state(small_bundle: Path) -> None:
    def run(order: list[int], twice: bool) -> tuple[bytes, list[turnout.Decision]]:
        router = load(small_bundle)
        assert router.learner is not None
        decisions = [router.route(query) for query in QUERIES]
        for i in order:
            outcome = Outcome(score=(i * 37 % 11) / 10, usd=0.001 * (i + 1))
            assert router.feedback(decisions[i], outcome) == "accepted"
            if twice:
                assert router.feedback(decisions[i], outcome) == "duplicate"
        totals = [router.learner.memory.totals(a) for a in range(router.learner.memory.arms)]
        return repr([(t["precision"].tobytes(), t["moment"].tobytes(), t["usd"]) for t in totals]).encode(), [
            router.route(query, value_usd=1.0) for query in QUERIES
        ]

    expected = run(list(range(len(QUERIES))), False)
    rng = np.random.default_rng(0)
    for _ in range(5):
        assert run(rng.permutation(len(QUERIES)).tolist(), True) == expected


def test_a_frozen_learner_counts_and_learns_nothing(small_bundle: Path) -> None:
    router = load(small_bundle)
    assert router.learner is not None
    offline = turnout.Router.load(small_bundle)
    router.learner.freeze()
    teach(router, "giant", 0.0)
    assert [router.route(q, value_usd=1.0) for q in QUERIES] == [offline.route(q, value_usd=1.0) for q in QUERIES]
    router.learner.freeze(False)
    teach(router, "giant", 0.0)
    assert router.route(QUERIES[0], value_usd=1.0).state_version > 0


EXPLORING = Learning(epsilon=0.5, temperature=0.2, seed=3)


def test_exploration_draws_with_the_probabilities_that_it_states(small_bundle: Path) -> None:
    router = load(small_bundle, EXPLORING)
    counts: dict[str, int] = {}
    n = 4000
    decisions = [router.route(QUERIES[0], value_usd=0.05) for _ in range(n)]
    best = decisions[0].candidates[0][0]
    for d in decisions:
        assert d.candidates == decisions[0].candidates
        assert sum(p for _, p in d.candidates) == pytest.approx(1)
        assert ("explored" in d.reasons) == (d.propensity != d.candidates[0][1])
        counts[d.llm] = counts.get(d.llm, 0) + 1
    assert best is None or counts[best] > n / 2
    for llm, p in decisions[0].candidates:
        if llm is not None:
            assert abs(counts.get(llm, 0) - n * p) < 4 * np.sqrt(n * p * (1 - p)) + 1


def test_exploration_keeps_hard_limits_floor_and_budget(small_bundle: Path) -> None:
    floor = load(small_bundle, Learning(epsilon=1.0, temperature=10.0, quality_floor=0.6))
    limited = load(small_bundle, Learning(epsilon=1.0, temperature=10.0))
    frugal = load(small_bundle, Learning(epsilon=1.0, temperature=10.0, budget_share=0.05))
    spent, extra = 0.0, 0.0
    for query in QUERIES * 10:
        d = floor.route(query, value_usd=0.05)
        assert all(a.p_correct >= 0.6 for a in d.alternatives if "explored" in d.reasons and a.llm == d.llm)
        d = limited.route(query, value_usd=0.05, budget_usd=0.0005, constraints=turnout.Constraints(deny=["giant"]))
        assert d.llm != "giant" and (not d.feasible or d.usd_bound <= 0.0005)
        d = frugal.route(query, value_usd=0.05)
        spent += d.usd
        offline = next(a for a in d.alternatives if a.llm == d.candidates[0][0]) if d.candidates[0][0] else None
        extra += max(0.0, d.usd - offline.usd) if offline is not None else 0.0
    assert extra <= 0.05 * spent * 1.001


FRUGAL = Learning(epsilon=0.5, temperature=0.2, budget_share=0.02, seed=3)


@pytest.mark.parametrize("learning", [EXPLORING, FRUGAL, Learning(strategy="thompson", width=0.5, seed=3)])
def test_draws_do_not_depend_on_threads_or_batches(small_bundle: Path, learning: Learning) -> None:
    queries = QUERIES * 20
    alone = load(small_bundle, learning)
    expected = [alone.route(query, value_usd=0.05) for query in queries]
    for threads in (1, 2, 5):
        batch = load(small_bundle, learning).route_batch(queries, value_usd=0.05, threads=threads)
        assert list(batch) == expected


TWINS = [
    Learning(features=(), suspend=False),
    Learning(features=("difficulty", "domains", "latent"), ridge=2.0, gate=0.0, gate_up=0.0, suspend=False),
    Learning(epsilon=0.5, temperature=0.2, quality_floor=0.4, seed=3, suspend=False),
    Learning(strategy="ucb", width=1.0, suspend=False),
    Learning(strategy="thompson", width=0.5, seed=9, suspend=False),
]


@pytest.mark.parametrize("learning", TWINS)
def test_native_equals_the_twin(small_bundle: Path, learning: Learning) -> None:
    router = load(small_bundle, learning)
    twin, learner = ReferenceRouter(router.parts), ReferenceLearner(learning)
    domains, compared = router.parts.bundle.difficulty_config().domains, 0
    for i, query in enumerate(QUERIES * 3):
        d = router.route(query, value_usd=0.05)
        said = d.to_dict()
        draw = (said["learning"] or {}).get("draw", 0)
        found = twin.route(query, value_usd=0.05, learner=learner, draw=draw)
        if [n.llm for n in d.plan] != [n["llm"] for n in found["plan"]]:
            assert abs(d.utility - found["utility"]) < 1e-6  # of what is kept in steps of 2^-15: a tie
            continue
        compared += 1
        assert_close({k: v for k, v in said.items() if k not in NEVER_COMPARED}, found, rel=1e-3)
        x = learner.features(twin.assess(query), domains)
        ratios = dict(zip(router.llms, learner.ratios(router.llms), strict=True))
        for n, node in enumerate(d.plan):
            score = (i * 7 + n) % 4 / 3
            router.feedback(d, Outcome(score=score, usd=2 * node.usd), node=n)
            learner.learn(node.llm, x, score, node.prior)
            learner.pay(node.llm, 2 * node.usd, node.usd / ratios[node.llm])
    assert compared >= 3 * len(QUERIES) - 2


def test_a_decision_with_what_was_learned_is_pickled_whole(small_bundle: Path) -> None:
    router = load(small_bundle, EXPLORING)
    teach(router, "giant", 0.0)
    for query in QUERIES:
        d = router.route(query, value_usd=0.05)
        copy = pickle.loads(pickle.dumps(d))
        assert copy == d and copy.candidates == d.candidates and copy.to_dict() == d.to_dict()


def test_many_threads_route_and_report(small_bundle: Path) -> None:
    router = load(small_bundle)
    receipts: list[str] = []

    def work() -> None:
        for query in QUERIES * 5:
            receipts.append(router.feedback(router.route(query), 1.0))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert receipts == ["accepted"] * (8 * 5 * len(QUERIES))
    assert router.learner is not None and router.learner.memory.version == len(receipts)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"


def test_what_was_learned_survives(small_bundle: Path, folder: Path) -> None:
    settings = Learning(suspend=False)  # who is suspended is the present, and not kept
    router = load(small_bundle, settings, state=folder)
    teach(router, "giant", 0.0)
    waiting = router.route(QUERIES[1])
    router.flush(sync=True)
    expected = [router.route(query, value_usd=1.0) for query in QUERIES]
    assert router.learner is not None
    router.learner.close()
    again = load(small_bundle, settings, state=folder)
    assert [again.route(query, value_usd=1.0) for query in QUERIES] == expected
    assert again.feedback(waiting, 1.0) == "accepted"
    assert again.learner is not None
    again.learner.close()


def test_a_router_that_cannot_be_made_lets_go_of_its_state(
    small_bundle: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken, pytest.raises(MemoryError):
        broken.setattr(turnout.Router, "__init__", _out_of_memory)
        load(small_bundle, state=folder)
    with pytest.raises(TypeError, match="learning"):
        load(small_bundle, 0.5, state=folder)  # type: ignore[arg-type]
    learning = Learning(epsilon=np.float32(0.5))  # type: ignore[arg-type]
    load(small_bundle, learning, state=folder).learner.close()  # type: ignore[union-attr]


def _out_of_memory(*_: object) -> None:
    raise MemoryError


def test_one_learner_serves_routers_with_other_pools(small_bundle: Path) -> None:
    router = load(small_bundle)
    assert router.learner is not None
    teach(router, "giant", 0.0)
    reloaded = turnout.Router.load(small_bundle, learner=router.learner)
    assert reloaded.route(QUERIES[0], value_usd=1.0) == router.route(QUERIES[0], value_usd=1.0)
    with pytest.raises(turnout.ConfigError, match="learner: it is open already"):
        turnout.Router.load(small_bundle, learner=router.learner, learning=True)


def test_a_state_of_another_space_is_refused(small_bundle: Path, folder: Path) -> None:
    load(small_bundle, state=folder).learner.close()  # type: ignore[union-attr]
    with pytest.raises(turnout.TurnoutError, match="space"):
        load(small_bundle, Learning(features=()), state=folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ridge", 0.0),
        ("gate", -1.0),
        ("epsilon", 1.5),
        ("temperature", 0.0),
        ("quality_floor", 2.0),
        ("budget_share", -0.1),
        ("usd_prior", 0.0),
        ("width", -1.0),
        ("strategy", "best"),
        ("features", ("mood",)),
        ("log", "everything"),
        ("discount", 2.0),
        ("epoch_seconds", 0.1),
    ],
)
def test_wrong_settings_name_the_culprit(small_bundle: Path, field: str, value: Any) -> None:
    with pytest.raises(turnout.ConfigError, match=field):
        load(small_bundle, Learning(**{field: value}))


def test_a_decision_after_quiet_epochs_is_of_the_present_one(small_bundle: Path) -> None:
    router = load(small_bundle, Learning(epoch_seconds=3600.0, epochs=2))
    learner = router.learner
    assert learner is not None and learner.memory.epoch == int(time.time() / 3600)  # of the first decision, too
    assert router.feedback(router.route("What is 2 + 2?"), 1.0) == "accepted"
    later = time.time() + 100 * 3600
    learner.clock = lambda: later
    learner._ticker._call()  # as its thread does
    first, second = router.route("What is 2 + 2?"), router.route("What is 3 + 3?")
    assert [router.feedback(d, 1.0) for d in (first, second)] == ["accepted", "accepted"]
    assert learner.memory.epoch == int(later / 3600)
    learner.close()
    assert not learner._ticker._thread.is_alive()


def test_a_clock_that_makes_no_sense_changes_nothing(small_bundle: Path) -> None:
    router = load(small_bundle, Learning(epoch_seconds=1e4))
    learner = router.learner
    assert learner is not None
    decision, epoch = router.route("What is 2 + 2?"), learner.memory.epoch
    for now in (math.nan, math.inf, 1e14):
        learner.clock = lambda now=now: now  # type: ignore[misc]
        with pytest.raises(turnout.InputError, match="clock: expected seconds below"):
            router.feedback(decision, 1.0)
    learner.clock = lambda: -5.0  # a jump back is no earlier epoch
    assert router.feedback(decision, 1.0) == "accepted" and learner.memory.epoch == epoch
    learner.close()


def test_a_learner_is_a_context_manager(small_bundle: Path, folder: Path) -> None:
    router = load(small_bundle, state=folder)
    assert isinstance(router.learner, Learner)
    with router.learner:
        router.feedback(router.route(QUERIES[0]), 1.0)
    with pytest.raises(turnout.TurnoutError, match="closed"):
        router.flush()


def test_replicas_that_merge_decide_alike(small_bundle: Path) -> None:
    routers = [load(small_bundle, Learning(suspend=False)) for _ in range(3)]
    for router, llm in zip(routers, ("giant", "large", "small"), strict=True):
        teach(router, llm, 0.0)
    slots = [router.learner.memory.slot() for router in routers if router.learner is not None]
    for i, router in enumerate(routers):
        assert router.learner is not None
        for slot in slots[i:] + slots[:i] + slots:  # in any order, some twice
            router.learner.memory.merge(slot)
    decisions = [[router.route(query, value_usd=1.0) for query in QUERIES] for router in routers]
    assert decisions[0] == decisions[1] == decisions[2]
    assert decisions[0][0].state_version > 0


def test_an_arm_that_another_router_brought_is_learned_too(small_bundle: Path) -> None:
    router = load(small_bundle)
    assert router.learner is not None
    memory = router.learner.memory
    arm = memory.arm("a newcomer of another pool")
    x = np.zeros(memory.dim, np.float32)
    ticket = memory.open(
        x,
        candidates=[(arm, 1.0, 0.5, 0.001, 1.0)],
        chosen=0,
        steps=[(arm, 0.5, 0.001)],
        prior=0.5,
        value_usd=0.01,
        usd_per_second=0.0,
        state_version=0,
    )
    assert router.feedback(ticket, 1.0) == "accepted"
    assert router.learner.report()[arm].outcomes == 1.0


def test_sums_that_no_outcomes_can_have_left_correct_nothing_and_are_said(small_bundle: Path) -> None:
    router = load(small_bundle, Learning(features=("difficulty", "latent")))
    assert router.learner is not None
    memory = router.learner.memory
    peer = twin_state.Memory(memory.dim, memory.space, replica=5)
    ticket = peer.open(twin_state.Ticket([1.0] * memory.dim, 0.5, [twin_state.Step("giant", 0.5, 0.001)]))
    peer.report(ticket, -1, twin_state.Outcome(score=0.0))
    sums = peer.own.arms["giant"].parts[0]
    sums[twin_state.SCALARS + memory.dim + 1] = 1 << 34  # of x0 x1, above what its diagonal allows
    assert memory.merge(peer.encode())
    known = next(row for row in router.learner.report() if row.llm == "giant")
    assert not known.sound and not known.theta.any()
    assert router.route(QUERIES[0], value_usd=1.0).plan
