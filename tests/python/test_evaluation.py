"""A whole evaluation on generated outcomes: the protocol's promises, its guards, and what the report says."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recorded
from turnout import Router
from turnout.core import ConfigError, InputError
from turnout.evaluate import (
    calibration,
    frontier,
    leakage,
    measure,
    networks,
    plots,
    protocol,
    report,
    tables,
    two_arms,
)
from turnout.evaluate.baselines import BASELINES, Examples, Queries
from turnout.evaluate.bundled import at_log_prices, router_of
from turnout.evaluate.html import page
from turnout.evaluate.measure import Draws, Frontier
from turnout.evaluate.protocol import PLACEBO, REFERENCES, SINGLES, TURNOUT, Decided
from turnout.evaluate.run import evaluate, trainer
from turnout.evaluate.task import Task, tasks
from turnout.outcomes import Outcomes, concat, folds

Report = dict[str, Any]


def decide(found: Outcomes, bundle: Path, pools: Any = None) -> Decided:
    (task,) = tasks(found, pools)
    return protocol.decide(task, [protocol.split_fold(task, router_of(bundle, task.llms))])


@pytest.fixture(scope="module")
def decided(small_bundle: Path) -> Decided:
    return decide(recorded.outcomes(), small_bundle)


@pytest.fixture(scope="module")
def found(small_bundle: Path) -> Report:
    return evaluate(small_bundle, recorded.outcomes(900), draws=100)


def policy_of(task: Report, name: str) -> Report:
    return next(policy for policy in task["policies"] if policy["name"] == name)


# Tasks ----------------------------------------------------------------------------------------------------------------


def test_a_pool_has_the_rows_that_are_complete() -> None:
    full = recorded.outcomes(60)
    holes = replace(full, usd=np.where(np.arange(len(full.usd)) == 5, np.nan, full.usd))
    (task,) = tasks(holes)
    assert task.name == "logs/all" and task.dropped == 1 and len(task.texts) == 59
    assert task.query_ids[0] == "logs0" and "logs1" not in task.query_ids
    assert task.cost_kinds == {"measured": 59 * 4}
    (task,) = tasks(holes, {"logs": {"pair": ["tiny", "giant"]}})
    assert task.llms == ("tiny", "giant") and task.dropped == 0  # cell 5 is another LLM's
    np.testing.assert_array_equal(task.score, full.matrix()[:, [3, 0]])


def test_llms_that_answered_little_are_not_in_the_pool_of_all() -> None:
    full = recorded.outcomes(60)
    (task,) = tasks(replace(full, usd=np.where((full.llm == 2) & (full.query > 20), np.nan, full.usd)))
    assert task.llms == ("giant", "large", "tiny") and task.left_out == ("small",) and task.dropped == 0


@pytest.mark.parametrize(
    ("pools", "message"),
    [
        ({"log": {"a": "*"}}, r"pools\.log: expected one of logs; did you mean 'logs'"),
        ({"logs": {"a": ["giant", "tinny"]}}, r"pools\.logs\.a\[1\]: 'tinny' has no outcomes.*did you mean 'tiny'"),
        ({"logs": {"a": ["giant", "giant"]}}, r"pools\.logs\.a\[1\]: 'giant' is named twice"),
        ({"logs": {"a": ["giant"]}}, r"pools\.logs\.a: expected at least 2 LLMs"),
        ({"logs": {"a": "all"}}, r"expected a list of LLMs or '\*', got 'all'"),
    ],
)
def test_wrong_pools_are_refused(pools: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tasks(recorded.outcomes(60), pools)


def test_too_few_rows_are_refused(small_bundle: Path) -> None:
    with pytest.raises(InputError, match=r"logs/all: expected at least 20 test queries .*got 10"):
        evaluate(small_bundle, recorded.outcomes(30), draws=10)
    untrained = replace(recorded.outcomes(60), splits=["test"] * 60)
    with pytest.raises(InputError, match="at least 20 training queries"):
        evaluate(small_bundle, untrained, draws=10)


# What a decision may see ----------------------------------------------------------------------------------------------


def garbage(found: Outcomes) -> Outcomes:
    """The test rows with another cost, other tokens, another domain, and turned scores."""
    rng = np.random.default_rng(9)
    test = np.array(found.splits) == "test"
    cells = test[found.query]
    noise = rng.uniform(0.0, 9.0, len(cells))
    domains = [f"nonsense {i % 7}" if t else d for i, (t, d) in enumerate(zip(test, found.domains, strict=True))]
    columns = {name: np.where(cells, noise, getattr(found, name)) for name in ("usd", "in_tokens", "out_tokens")}
    score = np.where(cells, 1.0 - found.score, found.score)
    return replace(found, domains=domains, score=score, **columns)


def test_decisions_do_not_see_the_rows_cost_tokens_domain_or_score(decided: Decided, small_bundle: Path) -> None:
    other = decide(garbage(recorded.outcomes()), small_bundle)
    assert other.arms == decided.arms
    for policy in decided.policies:
        if policy.chosen is None:
            continue
        same = np.array_equal(other.policy(policy.name).chosen, policy.chosen)
        assert same == (policy.name not in REFERENCES), policy.name


def by_name(decided: Decided, name: str) -> np.ndarray:
    return np.array(decided.task.llms)[decided.policy(name).chosen]


def names(decided: Decided) -> list[str]:
    return [p.name for p in decided.policies if p.chosen is not None and p.name != "random"]


def test_the_order_of_llms_changes_no_choice(small_bundle: Path) -> None:
    smooth = recorded.outcomes(smooth=True)
    one = decide(smooth, small_bundle, {"logs": {"a": ["giant", "large", "small", "tiny"]}})
    other = decide(smooth, small_bundle, {"logs": {"a": ["small", "giant", "tiny", "large"]}})
    for name in names(one):
        assert (by_name(one, name) == by_name(other, name)).mean() > 0.9999, name


def test_the_scale_of_prices_changes_no_choice(decided: Decided, small_bundle: Path) -> None:
    full = recorded.outcomes()
    other = decide(replace(full, usd=10.0 * full.usd), small_bundle)
    for name in names(decided):
        assert (by_name(decided, name) == by_name(other, name)).mean() > 0.999, name


def test_baselines_see_no_lexical_scores(lexical: Router) -> None:
    x = protocol.unit_vectors(lexical, ["prove the integral of a matrix", "court and contract law"])
    assert x.shape == (2, lexical.dim - 32) and np.linalg.norm(x, axis=1) == pytest.approx(1.0)
    report = evaluate(lexical.parts.bundle.path, recorded.outcomes(90), draws=10)
    assert policy_of(report["tasks"][0], TURNOUT)["score"][0] is not None


def test_costs_are_brought_to_the_price_level_of_the_log() -> None:
    usd = np.array([[1.0, 0.0], [3.0, 0.0], [8.0, 0.0]])
    found = at_log_prices(usd, np.array([0, 1]), np.array([20.0, 5.0]))
    assert found.tolist() == [[10.0, 5.0], [30.0, 5.0], [80.0, 5.0]]


# What is found --------------------------------------------------------------------------------------------------------


def test_the_cheapest_and_the_best_are_found(decided: Decided) -> None:
    llms = decided.task.llms
    assert (llms[decided.arms.cheapest], llms[decided.arms.best]) == ("tiny", "giant")
    assert set(by_name(decided, "cheapest").ravel()) == {"tiny"}
    assert set(by_name(decided, "strongest").ravel()) == {"giant"}


@pytest.mark.parametrize("name", ["soft_domain_table", "cluster_table", "centred_ridge", "knn40"])
def test_learners_beat_the_hull_and_the_placebo_does_not(found: Report, name: str) -> None:
    (task,) = found["tasks"]
    assert policy_of(task, name)["points"][1] > 0.0
    assert policy_of(task, PLACEBO)["points"][1] <= 0.0 and task["placebo_holds"] is True
    assert policy_of(task, "oracle")["points"][0] > policy_of(task, name)["points"][0]


def test_a_placebo_above_the_hull_is_told() -> None:
    level = np.full(50, 0.5)
    found = {SINGLES: Frontier(level, level, level), PLACEBO: Frontier(level + 0.01, level, level)}
    assert report._placebo_holds(found) is False
    assert report._placebo_holds({**found, PLACEBO: found[SINGLES]}) is True


@pytest.mark.parametrize("name", ["soft_domain_table", "centred_ridge"])
def test_label_noise_degrades_smoothly(small_bundle: Path, name: str) -> None:
    full = recorded.outcomes(900)
    (task,) = tasks(full)
    fold = protocol.split_fold(task, router_of(small_bundle, task.llms))
    x = protocol.unit_vectors(fold.router, task.texts)
    rng = np.random.default_rng(4)
    coins = rng.random(task.score.shape)
    points = []
    for noise in (0.0, 0.1, 0.2, 0.3, 0.4):
        score = np.where(coins < noise, 1.0 - task.score, task.score)
        train = Examples(x[fold.train], score[fold.train], [task.domains[i] for i in fold.train])
        p = BASELINES[name](train, Queries(x[fold.held], [task.domains[i] for i in fold.held]))
        points.append(_points(task, fold.held, p))
    assert points[0] > 0.03
    assert max(np.diff(points)) < 0.01  # never better by more than chance
    assert min(np.diff(points)) > -0.75 * points[0]  # and never all at once
    assert points[1] > 0.6 * points[0]


def _points(task: Task, held: np.ndarray, p: np.ndarray) -> float:
    assert task.cost is not None
    arms = frontier.single_arms(task.score[task.train], task.cost[task.train])
    score, cost = task.score[held], task.cost[held]
    price = np.broadcast_to(task.cost[task.train].mean(0), p.shape)
    walk = frontier.curve(frontier.choices(p, price, arms.scale), score, cost)
    low, high = cost[:, arms.cheapest].mean(), cost[:, arms.best].mean()
    singles = frontier.Curve(cost.mean(0), score.mean(0))
    return frontier.aiq(walk, low, high) - frontier.aiq(singles, low, high)


def test_routing_does_not_collapse_to_one_llm(found: Report) -> None:
    (task,) = found["tasks"]
    for name in ("soft_domain_table", "ridge", "cluster_table"):
        mixed = max(policy_of(task, name)["at_weights"], key=lambda at: at["entropy_bits"])
        assert max(mixed["shares"].values()) < 0.8 and mixed["entropy_bits"] > 0.8, name


def test_an_llm_that_dominates_takes_all_and_there_is_no_aiq(small_bundle: Path) -> None:
    full = recorded.outcomes()
    score = np.where(full.llm == 3, 1.0, 0.3 * full.score)  # "tiny" is the cheapest, and now the best
    (task,) = evaluate(small_bundle, replace(full, score=score), draws=20)["tasks"]
    assert task["undefined"].startswith("the cheapest LLM is the best one")
    for name in ("soft_domain_table", "means", "centred_ridge"):
        policy = policy_of(task, name)
        assert all(at["shares"]["tiny"] == 1.0 for at in policy["at_weights"]) and policy["points"][0] is None


# Measures -------------------------------------------------------------------------------------------------------------


def repeated(counts: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts.astype(int))


def test_draws_are_resampled_queries(decided: Decided) -> None:
    draws = Draws.make(len(decided.rows), 5)
    assert (draws.counts[0] == 1).all() and (draws.counts.sum(1) == len(decided.rows)).all()
    found = measure.frontiers(decided, draws)
    for name in ("soft_domain_table", TURNOUT, SINGLES):
        policy = decided.policy(name)
        for b, counts in enumerate(draws.counts):
            rows = repeated(counts)
            curve = frontier.Curve(policy.cost[:, rows].mean(1), policy.score[:, rows].mean(1))
            low, high = (decided.cost[rows, m].mean() for m in (decided.arms.cheapest, decided.arms.best))
            best = decided.score[rows, decided.arms.best].mean()
            assert found[name].aiq[b] == pytest.approx(frontier.aiq(curve, low, high))
            assert found[name].cost_ratio[b] == pytest.approx(frontier.cost_at(curve, best) / high)
            half = frontier.height(curve, np.array([0.5 * high]))[0]
            assert found[name].half_quality[b] == pytest.approx(half, nan_ok=True)


def test_a_policy_without_weights_has_no_frontier(found: Report) -> None:
    (task,) = found["tasks"]
    for name in ("random", "cheapest", "strongest", "uniform_mixture"):
        policy = policy_of(task, name)
        assert policy["points"][0] is None and policy["score"][0] is not None and policy["usd"][0] > 0.0
    assert policy_of(task, "uniform_mixture")["usd"][0] == pytest.approx(
        np.mean([single["usd"] for single in task["single_llms"]])
    )


def test_intervals_cover_what_they_estimate() -> None:
    rng = np.random.default_rng(6)
    held = 0
    for seed in range(200):
        score = rng.normal(0.4, 0.3, (1, 80))
        found = measure.interval(Draws.make(80, 200, seed).means(score)[:, 0])
        held += found.low <= 0.4 <= found.high
    assert 178 <= held <= 199


def test_undefined_and_infinite_values_have_honest_intervals() -> None:
    assert measure.interval(np.array([np.nan, 1.0, 2.0])).low is not None
    assert np.isnan(measure.interval(np.array([np.nan, 1.0, 2.0])).low)
    found = measure.interval(np.array([0.5, *[0.4] * 50, *[np.inf] * 50]))
    assert (found.low, found.high) == (0.4, np.inf)


def test_two_arms_in_every_draw() -> None:
    rng = np.random.default_rng(8)
    strong, weak = (rng.random(90) < 0.8).astype(float), (rng.random(90) < 0.4).astype(float)
    preference = np.round(strong - weak + rng.normal(0.0, 1.0, 90), 1)  # with ties
    draws = Draws.make(90, 4)
    found = measure.two_arms(preference, weak, strong, draws)
    for b, counts in enumerate(draws.counts):
        args = tuple(column[repeated(counts)] for column in (preference, weak, strong))
        assert found.apgr[b] == pytest.approx(two_arms.apgr(*args))
        assert found.cpt50[b] == pytest.approx(two_arms.cpt(*args, 0.5), abs=1.0 / 90)
        assert found.cpt80[b] == pytest.approx(two_arms.cpt(*args, 0.8), abs=1.0 / 90)
    assert np.isnan(measure.two_arms(preference, strong, weak, draws).apgr).all()


def test_calibration_by_hand() -> None:
    p, score = np.array([0.1, 0.1, 0.9, 0.9]), np.array([0.0, 1.0, 1.0, 1.0])
    assert calibration.ece(p, score) == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)
    assert calibration.brier(p, score) == pytest.approx((0.01 + 0.81 + 0.01 + 0.01) / 4)
    bins = calibration.reliability(p, score)
    assert bins.cells[1] == 2 and bins.score[1] == 0.5 and bins.score[13] == 1.0 and np.isnan(bins.score[0])


def test_the_limit_of_calibration_is_what_chance_gives() -> None:
    rng = np.random.default_rng(5)
    below = 0
    for seed in range(60):
        p = rng.uniform(0.05, 0.95, (150, 2))
        score = (rng.random(p.shape) < p).astype(float)
        overall, alone = calibration.calibrations(p, score, draws=200, seed=seed)
        below += overall.ece <= overall.limit
        assert len(alone) == 2 and alone[0].ece == calibration.ece(p[:, 0], score[:, 0])
    assert 51 <= below <= 60  # 95 % of 60
    p = rng.uniform(0.05, 0.95, (2000, 2))
    wrong = (rng.random(p.shape) < p**2).astype(float)
    assert not calibration.calibrations(p, wrong)[0].passes


# Leakage --------------------------------------------------------------------------------------------------------------


def test_planted_duplicates_are_found() -> None:
    words = [f"word{i}" for i in range(400)]
    rng = np.random.default_rng(2)
    train = [" ".join(rng.choice(words, 40)) for _ in range(200)]
    changed = train[7].split()
    changed[20] = "another"
    test = [" ".join(changed), train[9].upper() + "!", " ".join(rng.choice(words, 40)), train[11] + "\nA. x\nB. y"]
    assert [(near.test, near.train) for near in leakage.near_duplicates(train, test)] == [(0, 7), (1, 9), (3, 11)]
    assert [(near.test, near.train) for near in leakage.same_stem(train, test)] == [(1, 9), (3, 11)]


def test_near_duplicates_are_those_of_all_pairs() -> None:
    rng = np.random.default_rng(3)
    base = [list(rng.choice([f"w{i}" for i in range(60)], 30)) for _ in range(30)]

    def blurred(words: list[str]) -> str:
        return " ".join("new" if rng.random() < 0.04 else word for word in words)

    train, test = [blurred(words) for words in base], [blurred(words) for words in base]

    def grams(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}

    alike = [[len(grams(a) & grams(b)) / len(grams(a) | grams(b)) for a in train] for b in test]
    expected = {i: max(row) for i, row in enumerate(alike) if max(row) >= 0.8}
    found = {near.test: near.similarity for near in leakage.near_duplicates(train, test)}
    assert 3 < len(expected) < 30 and found == pytest.approx(expected)


def test_short_texts_are_compared_whole() -> None:
    found = leakage.near_duplicates(["hello", "", "good day"], ["hello", "good night", "Good day!"])
    assert [(near.test, near.train) for near in found] == [(0, 0), (2, 2)]


def test_the_report_counts_leaks(small_bundle: Path) -> None:
    full = recorded.outcomes(90)
    texts = list(full.texts)
    texts[2] = texts[0] + "!"  # a test query that is the first training query
    (task,) = evaluate(small_bundle, replace(full, texts=texts), draws=10)["tasks"]
    assert task["leakage"]["equal_stems"] == {"queries": 1, "share": 1 / 30, "examples": [["logs2", "logs0"]]}
    assert task["leakage"]["near_duplicates"]["examples"] == [["logs2", "logs0"]]


# The bundle -----------------------------------------------------------------------------------------------------------


def with_stranger(full: Outcomes) -> Outcomes:
    return replace(full, llms=("giant", "stranger", "small", "tiny"))


def test_unknown_llms_are_an_error_that_says_what_to_do(small_bundle: Path) -> None:
    with pytest.raises(InputError, match=r"does not know stranger: .*turnout train.*turnout pool add.*--known-only"):
        evaluate(small_bundle, with_stranger(recorded.outcomes()), draws=10)
    found = evaluate(small_bundle, with_stranger(recorded.outcomes()), draws=10, known_only=True)
    assert found["unknown_llms_left_out"] == ["stranger"]
    assert found["tasks"][0]["llms"] == ["giant", "small", "tiny"]
    nobody = replace(recorded.outcomes(), llms=("a", "b", "c", "tiny"))
    with pytest.raises(InputError, match="knows fewer than 2 of its LLMs: tiny"):
        evaluate(small_bundle, nobody, draws=10, known_only=True)


def test_a_pool_without_costs_is_evaluated_for_quality(small_bundle: Path) -> None:
    full = recorded.outcomes()
    free = replace(full, usd=np.full(len(full.usd), np.nan), usd_kind=["missing"] * len(full.usd))
    report = evaluate(small_bundle, free, draws=20)
    (task,) = report["tasks"]
    assert task["undefined"] == "the pool has no costs: quality alone is shown" and task["cost_range"] is None
    policy = policy_of(task, "soft_domain_table")
    assert "points" not in policy and policy["score"][0] > 0.8 and policy["auc"] > 0.7
    assert [at["cost_of_pass"] for at in policy["at_weights"]] == [None]
    assert "quality alone is shown" in page(report)


def test_without_torch_the_networks_are_named(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "available", lambda: False)
    report = evaluate(small_bundle, recorded.outcomes(90), draws=10)
    missing = {p["name"]: p["note"] for p in report["tasks"][0]["policies"] if p["kind"] == "missing"}
    assert missing == dict.fromkeys(networks.NETWORKS, "needs turnout[train]")
    assert "mlp (needs turnout[train])" in page(report)


def test_out_of_fold_each_bundle_is_trained_without_its_fold(small_bundle: Path) -> None:
    a, b = recorded.outcomes(150), recorded.outcomes(120, seed=1, name="more")
    both = concat([a, replace(b, texts=[f"{text} more" for text in b.texts])])
    seen: list[set[str]] = []

    def train(outcomes: Outcomes, folder: Path) -> None:
        assert set(outcomes.splits) == {"train"}
        seen.append(set(outcomes.texts))
        shutil.copytree(small_bundle, folder)

    report = evaluate(small_bundle, both, train=train, draws=10)
    fold = folds(both.texts)
    assert seen == [{t for t, f in zip(both.texts, fold, strict=True) if f != k} for k in range(5)]
    assert report["mode"] == "out-of-fold"
    assert [(task["name"], task["queries"]["evaluated"]) for task in report["tasks"]] == [
        ("logs/all", 150),
        ("more/all", 120),
    ]


def test_training_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "turnout.train.run", None)
    with pytest.raises(ConfigError, match=r"out-of-fold: .*turnout\[train\]"):
        trainer()


# The report -----------------------------------------------------------------------------------------------------------


def test_the_report_is_plain_data_and_repeats_itself(found: Report, small_bundle: Path) -> None:
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    again = evaluate(small_bundle, recorded.outcomes(900), draws=100)
    assert json.dumps(again) == text


def test_the_report_has_every_measure(found: Report) -> None:
    (task,) = found["tasks"]
    turnout = policy_of(task, TURNOUT)
    for key in ("score", "usd", "aiq", "points", "cost_ratio", "half_quality"):
        value, low, high = turnout[key]
        assert value is None or ((low is None or low <= value + 1e-12) and (high is None or value <= high + 1e-12)), key
    assert [round(at["weight"], 2) for at in turnout["at_weights"]] == [0.0, 0.01, 0.11, 0.92, 9.62]
    for at in turnout["at_weights"]:
        assert sum(at["shares"].values()) == pytest.approx(1.0) and 0.0 <= at["entropy_bits"] <= 2.0
        assert at["regret"] >= 0.0 and at["cost_of_pass"] == pytest.approx(at["usd"] / at["score"])
    assert turnout["at_weights"][0]["regret"] == pytest.approx(turnout["at_weights"][0]["oracle_gap"])
    assert set(turnout["by_llm"]) == set(task["llms"]) and 0.0 <= turnout["auc"] <= 1.0
    assert turnout["abstention"]["answered"][-1] == 1.0
    assert turnout["abstention"]["score"][-1] == pytest.approx(turnout["score"][0])
    assert -1.0 <= turnout["difficulty_spearman"] <= 1.0
    assert -1.0 <= task["assessed_difficulty_spearman"] <= 1.0
    against = [d["against"] for d in task["differences"]]
    assert against[0] == SINGLES and {"soft_domain_table", *BASELINES} <= set(against) and TURNOUT not in against
    assert sum(task["plans"]["depth"].values()) == task["queries"]["evaluated"]


def test_a_pool_of_two_has_the_metrics_of_two_arms(small_bundle: Path) -> None:
    report = evaluate(small_bundle, recorded.outcomes(), pools={"logs": {"pair": ["giant", "tiny"]}}, draws=20)
    (task,) = report["tasks"]
    best = policy_of(task, "soft_domain_table")
    assert best["apgr"][0] > 0.6 > policy_of(task, "means")["apgr"][0] == 0.5
    assert best["cpt50"][0] < 0.4 and best["cpt50"][0] <= best["cpt80"][0]


class Reader(HTMLParser):
    """Collects what a page loads, and whether its tags close."""

    VOID = ("meta", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "data", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(found: Report) -> None:
    pytest.importorskip("matplotlib")
    reader = Reader()
    text = page(found)
    reader.feed(text)
    assert reader.open == [] and len(reader.loads) == 3
    assert all(load.startswith("data:image/png;base64,") for load in reader.loads)
    assert not reader.tags & {"script", "link", "iframe"} and "url(" not in text and "@import" not in text
    assert all(f"<td>{policy['name']}" in text for policy in found["tasks"][0]["policies"])


def test_names_cannot_break_the_page(found: Report) -> None:
    pytest.importorskip("matplotlib")
    text = page({**found, "unknown_llms_left_out": ["<script>alert(1)</script>"]})
    assert "<script>" not in text and "&lt;script&gt;" in text


def test_pictures_are_png(found: Report) -> None:
    pytest.importorskip("matplotlib")
    pictures = plots.pictures(found["tasks"][0])
    assert sorted(pictures) == ["cost-quality", "reliability", "shares-depths"]
    assert all(png.startswith(b"\x89PNG\r\n") and len(png) > 5000 for png in pictures.values())


def test_pictures_need_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"pip install 'turnout\[plots\]'"):
        plots.require()


DOCUMENT = Path(__file__).parents[2] / "docs" / "evaluate.md"


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the documents lie in the source tree only")
def test_the_document_names_every_policy_and_column(found: Report) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (task,) = found["tasks"]
    assert [p["name"] for p in task["policies"] if f"`{p['name']}`" not in text] == []
    pair = {**task, "llms": task["llms"][:2]}
    titles = {c.title for c in [*tables.frontier_columns(pair), *tables.quality_columns(pair)]} - {"ECE (limit)"}
    assert [title for title in titles if title not in text] == []
