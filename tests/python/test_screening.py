"""Screening and a bandit over the few that it keeps (a27); bias against expensive arms under load (a24)."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from turnout.bandit import Candidate, LoadBias, ScreenedBandit, Softmax, stability
from turnout.core import ConfigError, InputError

AGENTS = [f"agent {i}" for i in range(8)]


def draw(rng: np.random.Generator, skill: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, Candidate]:
    """Similarity tells skill with noise; load, latency and a prior that is a rough estimate of it."""
    return {
        name: Candidate(
            similarity=float(np.clip(s + rng.normal(0, 0.1), 0, 1)),
            load=float(rng.uniform(0, 0.5)),
            seconds=float(rng.uniform(0, 1.5)),
            prior=float(np.clip(s + rng.normal(0, 0.05), 0, 1)),
        )
        for name, s in zip(AGENTS, skill, strict=True)
    }


def test_merit_is_as_published() -> None:
    c = Candidate(similarity=0.8, load=0.25, seconds=1.0, prior=0.6, availability=0.5)
    assert stability(c) == pytest.approx(0.4 * 0.75 + 0.4 * 0.5 + 0.2 * 0.5)
    assert c.features.tolist() == pytest.approx([1, 0.8, 0.25, 0.5, 0.6, 0.5])
    better = Candidate(similarity=0.8 + 0.001, load=0.25, seconds=1.0, prior=0.6, availability=0.5)
    assert ScreenedBandit(["a", "b", "c"], keep=2).screen({"a": c, "b": better, "c": c}) == ["b", "a"]
    assert Candidate(similarity=0, seconds=9.0).latency == 1


@pytest.mark.parametrize("keep", [3, 4])
def test_screening_never_drops_the_best(keep: int) -> None:
    """The best is ahead of the others by 0.4 of skill, as an expert is of the rest."""
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        skill = rng.uniform(0.1, 0.5, len(AGENTS))
        best = int(rng.integers(len(AGENTS)))
        skill[best] = 0.9
        assert AGENTS[best] in ScreenedBandit(AGENTS, keep=keep).screen(draw(rng, skill))


def test_warm_up_goes_round_robin_and_then_the_best_is_found() -> None:
    rng, bandit = np.random.default_rng(1), ScreenedBandit(AGENTS, alpha=0.3)
    skill = np.linspace(0.3, 0.9, len(AGENTS))
    chosen = []
    for _ in range(400):
        candidates = draw(rng, skill)
        name = bandit.select(candidates)
        bandit.update(name, candidates[name], float(rng.random() < skill[AGENTS.index(name)]))
        chosen.append(name)
    assert chosen[:120] == AGENTS * 15
    late = [AGENTS.index(name) for name in chosen[-100:]]
    assert skill[late].mean() > 0.8  # of 0.6 at random, and 0.9 at best
    assert max(set(late), key=late.count) == len(AGENTS) - 1


def test_a_killed_agents_share_falls_below_one_in_a_hundred() -> None:
    """It is killed at round 300 and detected at once (availability 0): within 50 rounds its share is below 1 %."""
    rng, bandit = np.random.default_rng(2), ScreenedBandit(AGENTS)
    skill, after = np.linspace(0.3, 0.9, len(AGENTS)), []
    for i in range(350):
        candidates = draw(rng, skill)
        if i >= 300:
            candidates[AGENTS[-1]] = Candidate(similarity=0.9, prior=0.9, availability=0.0)
            after.append(bandit.select(candidates))
        else:
            name = bandit.select(candidates)
            bandit.update(name, candidates[name], float(rng.random() < skill[AGENTS.index(name)]))
    assert after.count(AGENTS[-1]) / len(after) < 0.01


def test_late_rewards_of_different_agents_make_the_same_state() -> None:
    rng = np.random.default_rng(3)
    candidates, one, other = draw(rng, np.full(8, 0.5)), ScreenedBandit(AGENTS), ScreenedBandit(AGENTS)
    for name in AGENTS:
        one.update(name, candidates[name], 0.5)
    for name in reversed(AGENTS):
        other.update(name, candidates[name], 0.5)
    assert one.bandit.snapshot() == other.bandit.snapshot()
    mean, _ = one.bandit.predict(AGENTS[0], candidates[AGENTS[0]].features)
    x = candidates[AGENTS[0]].features.astype(float)
    reward = 0.5 - 0.2 * math.sqrt(candidates[AGENTS[0]].latency)
    assert mean == pytest.approx(reward * (x @ x) / (1 + x @ x), rel=1e-6)


def test_a_load_step_moves_share_off_the_big_arm_and_back() -> None:
    bias, cost = LoadBias(threshold=2.0, strength=0.5), np.array([0.1, 1.0])
    bandit, x = Softmax(1, ["small", "big"], temperature=0.1, ridge=0.01), np.ones(1, np.float32)
    for _ in range(200):
        bandit.update("small", x, 0.6)
        bandit.update("big", x, 0.8)
    shares = []
    for load in [1.0] * 30 + [25.0] * 30 + [1.0] * 60:  # a step of 25 times
        bias.observe(load)
        shares.append(bandit.select(x, prior=-bias.bias(cost)).propensities[1])
    calm, peak, after = shares[:30], shares[30:60], shares[60:]
    assert len(set(calm)) == 1 and calm[0] > 0.85  # no bias at all below the threshold
    assert all(a >= b for a, b in pairwise([calm[-1], *peak])) and peak[-1] < 0.1
    assert all(a <= b for a, b in pairwise(after)) and after[-1] == calm[0]


def test_no_bias_up_to_the_threshold() -> None:
    bias = LoadBias(threshold=2.0, smoothing=1.0)
    for load, none in ((0.0, True), (2.0, True), (2.01, False)):
        bias.observe(load)
        assert (bias.bias(np.array([0.0, 1.0])) == 0).all() == none


def test_what_is_wrong_is_refused_with_its_path() -> None:
    bandit, fine = ScreenedBandit(["a"]), Candidate(similarity=0.5)
    refused: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (InputError, "similarity: ", lambda: Candidate(similarity=math.nan)),
        (InputError, "load: ", lambda: Candidate(similarity=0, load=1.5)),
        (InputError, "seconds: ", lambda: Candidate(similarity=0, seconds=-1)),
        (InputError, "candidates: there is no agent 'b'", lambda: bandit.select({"b": fine})),
        (InputError, "candidates: none is available", lambda: bandit.select({})),
        (ConfigError, r"bandit\.keep: ", lambda: ScreenedBandit(["a"], keep=0)),
        (ConfigError, r"load\.threshold: ", lambda: LoadBias(0)),
        (ConfigError, r"load\.strength: ", lambda: LoadBias(1, strength=-1)),
        (ConfigError, r"load\.smoothing: ", lambda: LoadBias(1, smoothing=0)),
        (InputError, "load: ", lambda: LoadBias(1).observe(math.inf)),
        (InputError, "cost: ", lambda: LoadBias(1).bias(np.array([1.5]))),
    ]
    for kind, message, call in refused:
        with pytest.raises(kind, match=message):
            call()
