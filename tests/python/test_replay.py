"""Recorded answers replayed: against counts by hand, and on planted LLMs whose right policy is known."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra turnout[train]")

import torch

import tables
from turnout import catalog, operators
from turnout.catalog import PolicyNames, load_operators
from turnout.core import ConfigError
from turnout.evaluate import frontier
from turnout.train import data
from turnout.train.replay import (
    ablation,
    core_search,
    forecast,
    library,
    policy,
    predict,
    recorded,
    report,
    table,
    write,
)
from turnout.train.replay.actions import Action, Cascade, Single, Vote, all_cascades, name, play
from turnout.train.replay.predict import Predicted, Split
from turnout.train.replay.recorded import Recorded

LETTERS = 10


def planted(
    ability: list[float], price: list[float], queries: int = 3000, seed: int = 0, copies: bool = False
) -> Recorded:
    """LLMs that are right with sigmoid(ability - b), known to the predictor; wrong letters scatter, or all copy one."""
    rng = np.random.default_rng(seed)
    b = rng.normal(0.0, 1.5, queries)
    p = 1.0 / (1.0 + np.exp(b[:, None] - np.array(ability)))
    draw = rng.random((queries, 1 if copies else len(ability)))
    right = draw < p
    wrong = 2 + rng.integers(0, LETTERS - 1, right.shape) if not copies else np.full(right.shape, 2)
    letters = np.where(right, 1, wrong)
    usd = np.array(price) * rng.uniform(0.5, 1.5, (queries, 1))
    return Recorded(tuple(f"llm{m}" for m in range(len(ability))), letters, right.astype(float), usd, p, b)


def halves(rec: Recorded) -> Split:
    rows = np.arange(rec.queries)
    return Split(rec.rows(rows[::2]), rec.rows(rows[1::2]))


# Actions --------------------------------------------------------------------------------------------------------------


def by_hand(action: Action, letters: list[int], right: list[float], usd: list[float], p: list[float]) -> list[float]:
    """Right, USD and stopped of one query."""

    def vote(llms: list[int]) -> float:
        counts = Counter(letters[m] for m in llms if letters[m])
        most = [m for m in llms if counts[letters[m]] == max(counts.values(), default=0)]
        return right[max(most, key=lambda m: p[m])]

    if isinstance(action, Single):
        return [right[action.llm], usd[action.llm], 0]
    if isinstance(action, Vote):
        return [vote(list(action.llms)), sum(usd[m] for m in action.llms), 0]
    first = list(action.first)
    spent = sum(usd[m] for m in first)
    if letters[first[0]] and len({letters[m] for m in first}) == 1:
        return [right[first[0]], spent, 1]
    answer = vote([*first, action.then]) if action.vote else right[action.then]
    return [answer, spent + usd[action.then], 0]


def test_every_action_is_what_a_count_by_hand_says() -> None:
    rng = np.random.default_rng(3)
    letters = rng.integers(0, 4, (300, 5))
    right = (letters == rng.integers(1, 4, (300, 1))).astype(float)
    rec = Recorded(tuple("abcde"), letters, right, rng.random((300, 5)), rng.random((300, 5)), np.zeros(300))
    actions: list[Action] = [Single(2), Vote((0, 1, 4)), Vote((0, 1, 2, 3, 4)), *all_cascades(rec.usd.mean(0))]
    assert len(actions) > 20
    for action in actions:
        played = play(action, rec)
        rows = zip(*(column.tolist() for column in (letters, right, rec.usd, rec.p)), strict=True)
        expected = np.array([by_hand(action, *row) for row in rows])
        assert np.column_stack(played) == pytest.approx(expected)
        assert name(action, rec.llms)


def test_a_cascade_escalates_to_a_dearer_llm_only() -> None:
    price = np.array([1.0, 3.0, 2.0])
    for action in all_cascades(price):
        assert isinstance(action, Cascade)
        assert price[action.then] > max(price[m] for m in action.first)
    assert Cascade((0, 2), 1, True) in all_cascades(price)


def test_a_pool_has_only_queries_that_all_answered() -> None:
    rec = planted([0, 0, 0], [1, 1, 1], queries=10)
    rec.letters[3, 0], rec.usd[5, 1], rec.right[7, 2] = -1, np.nan, np.nan
    pool = rec.pool(["llm2", "llm1"])
    assert pool.llms == ("llm2", "llm1") and pool.queries == 8
    assert (pool.p[:, 0] == np.delete(rec.p[:, 2], [5, 7])).all()
    with pytest.raises(ConfigError, match="pool: no answers of gpt-9"):
        rec.pool(["gpt-9"])


# The vote table -------------------------------------------------------------------------------------------------------


def test_isotonic_regression_is_the_closest_sequence_that_does_not_fall() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        value, weight = rng.random(6), rng.random(6) + 0.1
        found = table.isotonic(value, weight)
        assert (np.diff(found) >= 0).all()
        loss = (weight * (found - value) ** 2).sum()
        for _ in range(200):  # no other such sequence is closer
            other = np.sort(np.clip(found + rng.normal(0, 0.05, 6), 0, 1))
            assert loss <= (weight * (other - value) ** 2).sum() + 1e-12


def test_the_vote_table_recovers_independent_voters() -> None:
    rec = planted([0.0] * 6, [1.0] * 6, queries=6000)
    found = table.fit(rec, 3, draws=20)
    p = rec.p[:, :3]
    truth = np.array([play(Vote(t), rec).right - rec.right[:, t[0]] for t in combinations(range(6), 3)]).mean(0)
    gain = found.predict(p) - p[:, 0]
    for low, high in ((0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9)):
        rows = (p[:, 0] > low) & (p[:, 0] < high)
        assert gain[rows].mean() == pytest.approx(truth[rows].mean(), abs=0.02)
    assert gain[np.abs(p[:, 0] - 0.5) < 0.1].mean() > 0.05
    assert sum(found.weights) == pytest.approx(1.0) and (np.diff(found.curve) >= 0).all()


def test_voters_that_copy_each_other_gain_nothing() -> None:
    rec = planted([0.0] * 6, [1.0] * 6, copies=True)
    found = table.fit(rec, 3, draws=10)
    assert found.curve == pytest.approx(table.GRID, abs=1e-3)


def test_an_able_voter_among_weak_ones_weighs_most() -> None:
    """Three alike share the weight more evenly than one far above the others, whom it hardly counts on."""
    alike = table.fit(planted([0.0] * 6, [1.0] * 6), 3, draws=12)
    apart = table.fit(planted([2.0, -1.0, -1.2, -1.4, -1.6, -2.0], [1.0] * 6), 3, draws=12)
    assert apart.weights[0] > alike.weights[0] or apart.weights[0] >= 0.7
    assert all(a >= b for a, b in zip(apart.weights, apart.weights[1:], strict=False))


def test_a_table_is_judged_by_what_votes_really_gain() -> None:
    split = halves(planted([0.2, 0.0, -0.2, -0.4, 0.4, 0.1], [1.0] * 6, queries=8000))
    found = table.fit(split.train, 3, draws=20)
    sets = list(combinations(range(6), 3))
    good = table.judge(found.predict, split.held, sets)
    bad = table.judge(lambda p: p.min(1), split.held, sets)
    assert good.gain < 0.015 < bad.gain and good.quality < bad.quality
    assert len(good.deciles) == 10


def test_the_table_is_written_where_the_core_reads_it(tmp_path: Path) -> None:
    rec = planted([0.5, 0.0, -0.5, 0.2], [1.0] * 4)
    found = table.fit(rec, 3, draws=4)
    before = (tables.ROOT / "models/src/operators.toml").read_text(encoding="utf-8")
    said = write.source(found, rec.queries, 4, "a planted set")
    after = write.into(before, ablation.ENSEMBLE, found, said)
    old, new = (load_operators(text.encode(), PolicyNames()) for text in (before, after))
    for a, b in zip(old, new, strict=True):
        if a.id != ablation.ENSEMBLE:
            assert a == b
            continue
        assert b.measured and b.source == said and "4 LLMs" in said
        assert [slot.weight for slot in b.slots] == pytest.approx(found.weights)
        assert b.curve == pytest.approx(found.curve.tolist(), abs=0.02)
    assert write.into(after, ablation.ENSEMBLE, found, said) == after


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "id 'vote', found 0"),
        ('[[operators]]\nid = "vote"\n', "operators.vote.curve: expected on a line of its own"),
    ],
)
def test_a_table_that_cannot_be_written_says_why(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        write.into(text, "vote", table.fit(planted([0, 0, 0], [1, 1, 1], 200), 3, draws=2), "x")


# Forecasts and the core's search --------------------------------------------------------------------------------------


def test_forecasts_are_right_on_the_mean_on_other_queries() -> None:
    split = halves(planted([1.5, 0.3, 0.0, -0.2], [9.0, 2.0, 1.0, 1.5], queries=12000))
    actions = [Single(0), Vote((1, 2, 3)), Cascade((1, 2), 0), Cascade((1, 2), 0, True)]
    found, lib = forecast.fit(split.train, actions), library.replay(actions, split.held)
    assert found.quality(split.held).mean(0) == pytest.approx(lib.right.mean(0), abs=0.015)
    assert found.usd(split.held).mean(0) == pytest.approx(lib.usd.mean(0), rel=0.03)
    hard = split.held.b > 1.0
    assert found.quality(split.held)[hard].mean(0) == pytest.approx(lib.right[hard].mean(0), abs=0.04)


def test_the_cores_choice_is_the_best_of_every_call_and_every_vote() -> None:
    rng = np.random.default_rng(4)
    voter = ablation.with_table(
        next(o for o in tables.default_operators() if o.id == ablation.ENSEMBLE),
        table.Table((0.5, 0.3, 0.2), np.linspace(0, 1, 65) ** 0.8, np.zeros(65), 0.0, 0),
    )
    p, price = rng.uniform(0.3, 0.7, (40, 1)) + rng.uniform(0, 0.2, (40, 5)), rng.random(5) * 0.05
    plans = core_search.decide([[[voter]]] * 40, p, price)
    for q in range(40):
        worth = {((m,),): p[q, m] - price[m] for m in range(5)}
        for llms in combinations(range(5), 3):
            c = -np.sort(-p[q, list(llms)]) @ [0.5, 0.3, 0.2]
            worth[(tuple(sorted(llms)),)] = catalog._native.curve_at(voter.curve, float(c)) - price[list(llms)].sum()
        chosen = tuple(tuple(sorted(stage)) for stage in plans[q].stages)
        assert worth[chosen] == pytest.approx(max(worth.values()), abs=1e-9)
    assert len({len(plan.stages[0]) for plan in plans}) == 2  # calls and votes


def test_no_vote_is_worth_more_than_its_bound() -> None:
    rng = np.random.default_rng(5)
    voter = ablation.with_table(
        next(o for o in tables.default_operators() if o.id == ablation.ENSEMBLE),
        table.Table((0.6, 0.3, 0.1), np.linspace(0, 1, 65), np.zeros(65), 0.0, 0),
    )
    p, price = rng.random((100, 6)), rng.random(6) * 0.1
    bound = core_search.bound(voter, p, price)
    for q in range(100):
        assert core_search.best([voter], p[q], price)[0] <= bound[q] + 1e-9


# The learned policy ---------------------------------------------------------------------------------------------------


def test_the_policy_gradient_is_the_exact_one_on_the_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    score = torch.randn(1, 4, generator=generator, dtype=torch.float64)
    reward, temperature = torch.tensor([[0.1, 1.0, 0.4, 0.0]], dtype=torch.float64), 0.7

    def gradient(value: torch.Tensor, leaf: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(value.mean(), leaf)[0].sum(0)

    one = score.clone().requires_grad_()
    exact = gradient(policy.exact_objective(one, reward, temperature), one)
    many = score.repeat(400_000, 1).requires_grad_()
    for level in (0.0, 0.5):  # a baseline changes the variance, not the mean
        baseline = torch.full((len(many),), level, dtype=torch.float64)
        value = policy.sampled_objective(many, reward.expand(len(many), 4), baseline, temperature, generator)
        assert gradient(value, many) == pytest.approx(exact, abs=4e-3)
    assert exact.abs().max() > 0.02


def problem(rec: Recorded, blind: bool) -> policy.Problem:
    """Two arms; a `blind` forecast knows their means only."""
    quality = np.tile(rec.right.mean(0), (rec.queries, 1)) if blind else rec.p
    cost = np.tile(rec.usd.mean(0), (rec.queries, 1))
    return policy.Problem(policy.features(rec), quality, cost, rec.right, rec.usd)


@pytest.mark.parametrize("sampled", [False, True])
def test_a_policy_learns_to_ask_the_strong_llm_where_it_helps(sampled: bool) -> None:
    """The strong LLM is worth its price where queries are neither trivial nor hopeless; the forecast does not know."""
    split = halves(planted([2.0, -1.0], [1.0, 0.0], queries=8000))
    found = policy.train(problem(split.train, blind=True), policy.Settings(sampled=sampled, decay=0.1, rate=0.01))
    learned = problem(split.held, blind=True)
    weight = 0.4
    score = learned.forecast + found.correction(learned.features) - weight * learned.cost
    truth = split.held.p - weight * learned.cost
    blind = truth[:, (learned.forecast[0] - weight * learned.cost[0]).argmax()].mean()
    best, reached = truth.max(1).mean(), truth[np.arange(len(truth)), score.argmax(1)].mean()
    assert reached > blind + 0.6 * (best - blind)


def test_training_is_repeatable_and_shapes_the_policy_only_by_its_seed() -> None:
    found = [
        policy.train(problem(planted([1.0, 0.0], [1.0, 0.1], 500), False), policy.Settings(steps=20, seed=s))
        for s in (1, 1, 2)
    ]
    assert (found[0].weight == found[1].weight).all() and (found[0].weight != found[2].weight).any()


# Predictions and the report -------------------------------------------------------------------------------------------


def outcomes_of(rec: Recorded) -> data.Outcomes:
    """As `turnout.train.data.load` gives them."""
    queries, llms = rec.letters.shape
    query, llm = (column.ravel() for column in np.indices((queries, llms)))
    texts = [f"what is planted in row number {i} of {queries}" for i in range(queries)]
    return data.Outcomes(
        ("planted",), rec.llms, [f"q{i}" for i in range(queries)], texts, ["d"] * queries, ["train"] * queries,
        np.zeros(queries, np.int64), query, llm, rec.right.ravel(), rec.usd.ravel(), np.zeros(len(query)),
        np.zeros(len(query)), np.zeros(len(query)), [""] * len(query), ["unstated"] * len(query),
    )  # fmt: skip


def test_no_prediction_that_a_policy_sees_knows_the_held_queries() -> None:
    rec = planted([0.5, 0.0], [1.0, 0.5], queries=200)
    outcomes = outcomes_of(rec)

    def mean(train: data.Outcomes, held: data.Outcomes) -> tuple[Predicted, Predicted]:
        assert not set(train.texts) & set(held.texts)
        p = train.matrix().mean(0)
        return tuple(Predicted(np.tile(p, (v.queries, 1)), np.zeros(v.queries)) for v in (train, held))  # type: ignore[return-value]

    splits = predict.out_of_fold(outcomes, rec.letters, mean)
    assert len(splits) == 5 and sum(split.held.queries for split in splits) == 200
    for split in splits:
        assert split.train.queries + split.held.queries == 200
        assert split.held.p[0] == pytest.approx(split.train.right.mean(0))
    together = recorded.joined([split.held for split in splits])
    assert sorted(together.usd[:, 0].tolist()) == sorted(rec.usd[:, 0].tolist())


def test_predictions_are_kept_by_what_they_rest_on(tmp_path: Path) -> None:
    rec = planted([0.5, 0.0], [1.0, 0.5], queries=50)
    outcomes, calls = outcomes_of(rec), []

    def count(train: data.Outcomes, held: data.Outcomes) -> tuple[Predicted, Predicted]:
        calls.append(train.queries)
        return Predicted(rec.p, rec.b), Predicted(rec.p[: held.queries], rec.b[: held.queries])

    kept = predict.cached(count, tmp_path / "new")
    for size in (10, 10, 20):
        inside, outside = kept(outcomes, outcomes.keep(np.arange(50) < size))
        assert (inside.p == rec.p).all() and len(outside.b) == size
    assert len(calls) == 2


def test_letters_are_read_beside_outcomes(tmp_path: Path) -> None:
    rec = planted([0.5, 0.0], [1.0, 0.5], queries=3)
    outcomes = outcomes_of(rec)
    (tmp_path / "outcomes").mkdir()
    path = tmp_path / "outcomes" / "planted.outcomes.csv.gz"

    def put(rows: list[list[str]], header: str = "query_id model answer") -> None:
        with gzip.open(path, "wt", newline="") as file:
            csv.writer(file).writerows([header.split(), *rows])

    put([["q0", "llm0", "B"], ["q2", "llm1", ""], ["elsewhere", "llm0", "A"]])
    assert recorded.letters(tmp_path, outcomes, "planted").tolist() == [[66, -1], [-1, -1], [-1, 0]]
    put([["q0", "llm0", "both"]])
    with pytest.raises(ConfigError, match="expected one letter or nothing, got 'both'"):
        recorded.letters(tmp_path, outcomes, "planted")
    put([["q0", "llm0"]], "query_id model")
    with pytest.raises(ConfigError, match="no column `answer`"):
        recorded.letters(tmp_path, outcomes, "planted")


def test_the_ablation_on_planted_llms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle is above all, the hull of the single models at 0 points, and knowing the difficulty pays."""
    monkeypatch.setattr(report, "DRAWS", 20)
    rec = planted([2.0, 0.4, 0.3, 0.2, -1.0], [9.0, 1.1, 1.0, 0.9, 0.5], queries=1600)
    core = ablation.Core(operators.OperatorsConfig(cut_points=[0.25, 0.5, 0.75]), tables.default_operators())
    lines = list[str]()
    found, fits = report.ablate([halves(rec)], core, policy.Settings(steps=100), 4, lines.append)
    rows = {row["name"]: row for row in found["rows"]}
    assert found["cheapest"] == "llm4" and found["best"] == "llm0" and len(lines) == len(rows) == 12
    oracle = rows["all, oracle"]["points"]
    assert all(row["points"].value <= oracle.value for row in rows.values())
    exact = rows["one call, exact search"]
    assert exact["over_router"].value == 0.0 and exact["points"].value > 0.0
    assert rows["all, learned, exact expectation"]["points"].value > 0.0
    assert {row["voters"] for row in report.judge_tables(fits, draws=4)} == {3, 5}
    tie = report.ties(fits[0].split.held, draws=4)
    assert tie["even"] <= tie["ablest"] + 0.02 and tie["log_odds"] > 0.3
    for row in report.cascades(fits[0].split.train, fits[0].split.held):
        assert 0.0 <= row["agreed_but_wrong"] <= 1.0 and row["usd"] < row["always_vote"][1]


def test_candidates_lie_near_the_hull() -> None:
    rec = planted([2.0, 0.4, 0.3, 0.2, -3.0], [9.0, 1.1, 1.0, 0.9, 8.0], queries=2000)
    assert 4 not in library.able(rec, 4)  # dear and weak
    found = library.candidates(rec, most_llms=4, most_each=3)
    assert found[:5] == [Single(m) for m in range(5)] and len(found) == 5 + 3 + 0 + 3
    lib = library.replay(found, rec)
    points = frontier.Curve(lib.usd.mean(0), lib.right.mean(0))
    assert library.below_hull(points.score, points.cost).min() >= -1e-12
