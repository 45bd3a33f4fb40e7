"""The contextual bandit: the twin's choices, exact propensities, regret, arms that come and go, and every refusal."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from turnout.bandit import EpsilonGreedy, LinUCB, Softmax, Thompson, pair_features
from turnout.bandit.linear import LinearBandit
from turnout.core import ConfigError, InputError
from turnout.reference.bandit import DenseBandit

Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

KINDS: list[tuple[Callable[..., LinearBandit], dict[str, Any], str, dict[str, Any]]] = [
    (LinUCB, {"alpha": 0.7}, "ucb", {"alpha": 0.7}),
    (Thompson, {"scale": 0.5}, "thompson", {"alpha": 0.5}),
    (EpsilonGreedy, {"epsilon": 0.3}, "epsilon", {"epsilon": 0.3}),
    (Softmax, {"temperature": 0.2}, "temperature", {"temperature": 0.2}),
    (Softmax, {"temperature": 0.0}, "temperature", {"temperature": 0.0}),
    (Softmax, {"r": 0.4}, "power", {"temperature": 0.4}),
    (Softmax, {"r": 0.0}, "power", {"temperature": 0.0}),
]


def names(n: int) -> list[str]:
    return [f"arm {i}" for i in range(n)]


def rows(rng: np.random.Generator, n: int, d: int) -> Features:
    x: Features = rng.normal(size=(n, d)).astype(np.float32)
    return x


def one_hot(rng: np.random.Generator, n: int) -> Features:
    """As GreenServ's: 5 tasks, 3 clusters, 4 bins."""
    x = np.zeros((n, 12), np.float32)
    for start, size in ((0, 5), (5, 3), (8, 4)):
        x[np.arange(n), start + rng.integers(0, size, n)] = 1
    return x


@pytest.mark.parametrize(("arms", "dim", "make"), [(64, 32, None), (16, 12, one_hot)])
def test_choices_equal_the_dense_inverse_over_ten_thousand_rounds(arms: int, dim: int, make: Any) -> None:
    rng = np.random.default_rng(5)
    x = rows(rng, 10_000, dim) if make is None else make(rng, 10_000)
    theta, noise = rng.normal(size=(arms, dim)) / math.sqrt(dim), rng.normal(size=10_000)
    ours, twin = (
        LinUCB(dim, names(arms), alpha=0.1, ridge=0.05),
        DenseBandit(dim, arms, alpha=0.1, ridge=0.05, keep=True),
    )
    for i, row in enumerate(x):
        selected, (arm, scores, _) = ours.select(row), twin.select(row)
        assert selected.arm == f"arm {arm}", f"round {i}"
        reward = float(theta[arm] @ row + 0.1 * noise[i])
        ours.update(selected.arm, row, reward)
        twin.update(arm, row, reward)
        if i % 1000 == 0:
            np.testing.assert_allclose(selected.scores, scores, atol=1e-10)


@pytest.mark.parametrize(("make", "options", "policy", "twin_options"), KINDS)
def test_every_policy_equals_the_twin(make: Any, options: Any, policy: Any, twin_options: Any) -> None:
    rng = np.random.default_rng(1)
    ours = make(5, names(6), ridge=0.5, cost_weight=0.3, seed=7, **options)
    twin = DenseBandit(5, 6, policy, ridge=0.5, cost_weight=0.3, seed=7, **twin_options)
    for i, x in enumerate(rows(rng, 400, 5)):
        allowed = rng.random(6) < 0.7
        allowed[i % 6] = True
        cost, prior = rng.random(6), rng.random(6)
        seed = None if i % 3 else i
        got = ours.select(x, allowed=allowed, cost=cost, prior=prior, seed=seed)
        arm, scores, propensities = twin.select(x, allowed, cost, prior, seed)
        assert got.arm == f"arm {arm}" and got.score == got.scores[arm]
        np.testing.assert_allclose(got.scores, scores, atol=1e-11)
        np.testing.assert_allclose(got.propensities, propensities, atol=1e-11)
        reward, weight = float(rng.normal()), float(rng.random())
        ours.update(got.arm, x, reward, weight=weight, prior=prior[arm])
        twin.update(arm, x, reward, weight, prior[arm])
        if i % 100 == 99:
            ours.discount(0.5)
            twin.discount(0.5)


@pytest.mark.parametrize(("make", "options"), [(EpsilonGreedy, {"epsilon": 0.4}), (Softmax, {"temperature": 0.5})])
def test_arms_are_drawn_as_their_propensities_say(make: Any, options: Any) -> None:
    bandit = make(2, names(4), **options)
    x = np.array([1, 0], np.float32)
    for arm, reward in zip(bandit.arms, (0.1, 0.9, 0.5, 0.4), strict=True):
        bandit.update(arm, x, reward)
    wanted = bandit.select(x).propensities
    assert wanted.sum() == pytest.approx(1, abs=1e-15)
    drawn = [bandit.select(x, seed=seed).arm for seed in range(4000)]
    counts = [drawn.count(arm) for arm in bandit.arms]
    assert stats.chisquare(counts, 4000 * wanted).pvalue > 0.001


def test_thompson_says_what_its_propensities_are() -> None:
    bandit = Thompson(2, names(3), scale=0.5)
    x = np.array([1, 1], np.float32)
    for arm, reward in zip(bandit.arms, (0.0, 0.6, 0.5), strict=True):
        bandit.update(arm, x, reward)
    assert np.isnan(bandit.select(x).propensities).all()
    allowed = ["arm 1", "arm 2"]
    estimated = bandit.select(x, draws=20_000, seed=1, allowed=allowed).propensities
    drawn = [bandit.select(x, seed=seed, allowed=allowed).arm for seed in range(4000)]
    assert estimated[0] == 0 and estimated.sum() == pytest.approx(1)
    assert estimated[1] == pytest.approx(drawn.count("arm 1") / 4000, abs=0.03)
    chosen = [bandit.select(x, seed=seed, draws=5).arm for seed in range(50)]
    assert chosen == [bandit.select(x, seed=seed).arm for seed in range(50)]  # estimating takes no number of the draw


def regret(make: Callable[[int], LinearBandit | None], seed: int, rounds: int) -> Floats:
    """Cumulative; 8 arms, d = 6, noise of 0.1. None: an arm at random."""
    rng = np.random.default_rng(seed)
    theta, x = rng.normal(size=(8, 6)) / math.sqrt(6), rows(rng, rounds, 6)
    means, bandit, lost = x @ theta.T, make(seed), np.zeros(rounds)
    for i, row in enumerate(x):
        at = int(rng.integers(8)) if bandit is None else int(bandit.select(row).arm.split()[1])
        if bandit is not None:
            bandit.update(f"arm {at}", row, float(means[i, at] + 0.1 * rng.normal()))
        lost[i] = means[i].max() - means[i, at]
    out: Floats = np.cumsum(lost)
    return out


def slope(curve: Floats) -> float:
    """Of log regret over log rounds, in the second half: 1 is linear."""
    at = np.unique(np.geomspace(len(curve) // 8, len(curve) - 1, 30).astype(int))
    return float(np.polyfit(np.log(at), np.log(curve[at]), 1)[0])


def test_regret_is_sublinear() -> None:
    ucb = np.mean([regret(lambda s: LinUCB(6, names(8), alpha=0.5, seed=s), seed, 3000) for seed in range(20)], 0)
    thompson = np.mean(
        [regret(lambda s: Thompson(6, names(8), scale=0.3, seed=s), seed, 3000) for seed in range(20)], 0
    )
    random = np.mean([regret(lambda s: None, seed, 3000) for seed in range(20)], 0)
    assert slope(random) > 0.97
    assert slope(ucb) < 0.5 and slope(thompson) < 0.5
    assert max(ucb[-1], thompson[-1]) < 0.05 * random[-1]


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: LinUCB(1, names(6), alpha=1.0, ridge=1.0, seed=seed),
        lambda seed: Softmax(1, names(6), temperature=0.1, ridge=1.0, seed=seed),
    ],
)
def test_a_planted_gain_is_found_against_a_wrong_prior(make: Callable[[int], LinearBandit]) -> None:
    """The last of six arms wins .8, the others .5; the prior says .5 of all but the last, and .4 of that."""
    x, prior = np.ones(1, np.float32), np.array([0.5] * 5 + [0.4])
    found = 0
    for seed in range(100):
        rng, bandit, last = np.random.default_rng(seed), make(seed), []
        for _ in range(500):
            arm = bandit.select(x, prior=prior).arm
            at = int(arm.split()[1])
            bandit.update(arm, x, float(rng.random() < (0.8 if at == 5 else 0.5)), prior=prior[at])
            last.append(at == 5)
        means = [prior[i] + bandit.predict(arm, x)[0] for i, arm in enumerate(bandit.arms)]
        found += int(np.argmax(means) == 5 and np.mean(last[-100:]) > 0.5)
    print(f"found in {found} of 100 seeds")
    assert found >= 90


def test_arms_come_and_go_amid_the_stream() -> None:
    rng = np.random.default_rng(3)
    ours, twin = LinUCB(4, names(3), alpha=0.3), DenseBandit(4, 3, alpha=0.3)
    order = list(ours.arms)
    for i, x in enumerate(rows(rng, 600, 4)):
        if i % 40 == 10:
            ours.add_arm(f"new {i}")
            twin.add_arm()
            order.append(f"new {i}")
        if i % 60 == 50:
            gone = order.pop(i % len(order))
            twin.remove_arm(ours.arms.index(gone))
            ours.remove_arm(gone)
            with pytest.raises(InputError, match="there is no arm"):
                ours.update(gone, x, 1.0)
        arm, scores, _ = twin.select(x)
        got = ours.select(x)
        assert ours.arms == tuple(order) and got.arm == order[arm]
        np.testing.assert_allclose(got.scores, scores, atol=1e-11)
        reward = float(rng.normal())
        ours.update(got.arm, x, reward)
        twin.update(arm, x, reward)


def test_a_batch_is_its_updates_and_a_late_one_is_an_early_one() -> None:
    rng = np.random.default_rng(4)
    x, reward, weight = rows(rng, 1500, 5), rng.normal(size=1500), rng.random(1500)
    prior, arms = rng.random(1500), [f"arm {i}" for i in rng.integers(0, 2, 1500)]
    one, batch = LinUCB(5, names(2)), LinUCB(5, names(2))
    for i, arm in enumerate(arms):
        one.update(arm, x[i], reward[i], weight=weight[i], prior=prior[i])
    batch.update_batch(arms, x, reward, weight=weight, prior=prior)
    assert one.snapshot() == batch.snapshot()
    early, late = LinUCB(5, names(2)), LinUCB(5, names(2))
    early.update("arm 0", x[0], 1.0)  # the other arm's outcome comes before or after
    early.update("arm 1", x[1], 0.5)
    late.update("arm 1", x[1], 0.5)
    late.update("arm 0", x[0], 1.0)
    assert early.snapshot() == late.snapshot()
    batch.update_batch([], x[:0], reward[:0])
    before = batch.snapshot()
    for column, value in ((x, math.nan), (reward, math.inf), (weight, -1.0)):
        wrong = [c.copy() for c in (x, reward, weight)]
        next(w for w, c in zip(wrong, (x, reward, weight), strict=True) if c is column)[1400] = value
        with pytest.raises(InputError):
            batch.update_batch(arms, wrong[0], wrong[1], weight=wrong[2])
        assert batch.snapshot() == before


def test_cost_and_prior_are_in_the_score() -> None:
    bandit = LinUCB(1, ["a", "b"], alpha=0.0, cost_weight=2.0)
    x = np.ones(1, np.float32)
    got = bandit.select(x, prior={"a": 0.5, "b": 0.9}, cost={"b": 0.3})
    assert got.arm == "a" and got.scores == pytest.approx([0.5, 0.3])
    bandit.update("b", x, 0.9, prior=0.9)  # as expected: nothing to learn
    assert bandit.predict("b", x)[0] == 0


def test_ties_go_to_the_first_and_softmax_shares_them() -> None:
    x, allowed = np.ones(2, np.float32), ["arm 4", "arm 2", "arm 3"]
    for bandit in (LinUCB(2, names(5)), EpsilonGreedy(2, names(5), epsilon=0.0)):
        assert bandit.select(x, allowed=allowed).arm == "arm 2"
    for options in ({"temperature": 0.0}, {"r": 0.0}):
        assert Softmax(2, names(5), **options).select(x, allowed=allowed).propensities[2:].tolist() == [1 / 3] * 3


@pytest.mark.parametrize(("make", "options"), [(k[0], k[1]) for k in KINDS])
def test_a_copy_goes_on_with_the_same_bits(make: Any, options: Any) -> None:
    rng = np.random.default_rng(6)
    bandit = make(3, names(4), seed=3, **options)
    for x in rows(rng, 50, 3):
        bandit.update(bandit.select(x).arm, x, float(rng.normal()))
    later = rows(rng, 20, 3)
    copies = [pickle.loads(pickle.dumps(bandit)), type(bandit).from_snapshot(bandit.snapshot())]
    wanted = [bandit.select(x).arm for x in later]
    for copy in copies:
        assert type(copy) is type(bandit) and copy.arms == bandit.arms
        assert [copy.select(x).arm for x in later] == wanted and copy.snapshot() == bandit.snapshot()


def test_a_snapshot_of_another_class_or_damaged_is_refused() -> None:
    data = LinUCB(2, names(2)).snapshot()
    with pytest.raises(InputError, match="snapshot: is not of a Thompson"):
        Thompson.from_snapshot(data)
    for wrong in (b"", data[:-1], data + b"x", data[:40] + b"\x01" + data[41:]):
        with pytest.raises(InputError, match="snapshot"):
            LinUCB.from_snapshot(wrong)


def test_the_bits_do_not_depend_on_the_simd_level() -> None:
    code = (
        "import hashlib, numpy as np; from turnout.bandit import LinUCB; r = np.random.default_rng(0)\n"
        "b = LinUCB(13, ['a', 'b'], ridge=.05)\n"
        "for x in r.normal(size=(1300, 13)).astype(np.float32): b.update(b.select(x).arm, x, float(x[0]))\n"
        "b.discount(.9); print(hashlib.sha256(b.snapshot()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "TURNOUT_ISA": isa}, capture_output=True, check=True
        ).stdout
        for isa in ("baseline", "avx2", "avx512")
    }
    assert len(digests) == 1


def test_what_is_wrong_is_refused_with_its_path() -> None:
    bandit = LinUCB(2, ["alpha", "beta"])
    x = np.ones(2, np.float32)
    before = bandit.snapshot()
    refused: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (InputError, r"x\[1\]: ", lambda: bandit.select(np.array([1, math.nan], np.float32))),
        (InputError, "x: expected 2 features, got 3", lambda: bandit.select(np.ones(3, np.float32))),
        (TypeError, "x: expected a C-contiguous numpy array of float32", lambda: bandit.select(np.ones(2))),  # type: ignore[arg-type]
        (InputError, "allowed: no arm is allowed", lambda: bandit.select(x, allowed=[])),
        (InputError, "allowed: there is no arm 'gamma'", lambda: bandit.select(x, allowed=["gamma"])),
        (InputError, "prior: there is no arm 'bet'; did you mean 'beta'", lambda: bandit.select(x, prior={"bet": 1.0})),
        (InputError, "cost: expected 2 numbers", lambda: bandit.select(x, cost=np.ones(3))),
        (InputError, r"cost\[0\]: ", lambda: bandit.select(x, cost={"alpha": math.inf})),
        (InputError, "arm: there is no arm 'bet'", lambda: bandit.update("bet", x, 1.0)),
        (InputError, "reward: ", lambda: bandit.update("beta", x, math.nan)),
        (InputError, "weight: ", lambda: bandit.update("beta", x, 1.0, weight=-1.0)),
        (
            InputError,
            "x: expected 2 rows",
            lambda: bandit.update_batch(["beta"] * 2, np.ones((1, 2), np.float32), np.ones(2)),
        ),
        (InputError, "gamma: ", lambda: bandit.discount(1.01)),
        (InputError, "arm: 'beta' stands twice", lambda: bandit.add_arm("beta")),
        (ConfigError, r"bandit\.arms\[1\]: ", lambda: LinUCB(2, ["a", "a"])),
        (ConfigError, r"bandit\.ridge: ", lambda: LinUCB(2, ["a"], ridge=0)),
        (ConfigError, r"bandit\.dim: ", lambda: LinUCB(129, ["a"])),
        (ConfigError, r"bandit\.temperature: ", lambda: Softmax(2, ["a"])),
        (ConfigError, r"bandit\.temperature: ", lambda: Softmax(2, ["a"], r=1.5)),
        (InputError, "arms: there are none", lambda: LinUCB(2, []).select(x)),
    ]
    for kind, message, call in refused:
        with pytest.raises(kind, match=message):
            call()
    assert bandit.snapshot() == before


def test_the_largest_features_leave_finite_models() -> None:
    """A is then too ill-conditioned to be factored; the rank-one inverse goes on."""
    rng, bandit = np.random.default_rng(10), LinUCB(9, ["a"], ridge=1e-6)
    for x in (1e6 * rng.choice([-1, 1], size=(1100, 9))).astype(np.float32):
        bandit.update("a", x, 1e6, weight=1e6)
    assert np.isfinite(bandit.predict("a", np.full(9, -1e6, np.float32))).all()
    twin = pickle.loads(pickle.dumps(bandit))
    assert twin.snapshot() == bandit.snapshot()


def test_pair_features_do_not_depend_on_the_order() -> None:
    rng = np.random.default_rng(8)
    for a, b in zip(rows(rng, 50, 7), rows(rng, 50, 7), strict=True):
        assert pair_features(a, b).tobytes() == pair_features(b, a).tobytes() and len(pair_features(a, b)) == 21
    with pytest.raises(InputError, match="one length"):
        pair_features(np.ones(2, np.float32), np.ones(3, np.float32))
    with pytest.raises(InputError, match="finite"):
        pair_features(np.array([math.nan], np.float32), np.ones(1, np.float32))
    with pytest.raises(TypeError, match="float32"):
        pair_features(np.ones(2), np.ones(2))  # type: ignore[arg-type]


def test_partners_are_found_by_pair_features() -> None:
    """KNEXA-FL's matchmaking: who gains most with whom, where likeness matters."""
    rng = np.random.default_rng(9)
    agents = rows(rng, 6, 3)
    bandit, gained = LinUCB(9, ["work together"], alpha=0.2, ridge=0.1), []
    gain = np.array([[-np.abs(a - b).sum() for b in agents] for a in agents])
    for i in range(400):
        me = i % 6
        others = [j for j in range(6) if j != me]
        upper = [
            m + 0.2 * s
            for m, s in (bandit.predict("work together", pair_features(agents[me], agents[j])) for j in others)
        ]
        with_ = others[int(np.argmax(upper))]
        bandit.update(
            "work together", pair_features(agents[with_], agents[me]), float(gain[me, with_] + 0.1 * rng.normal())
        )
        gained.append(gain[me, with_] == max(gain[me, j] for j in others))
    assert np.mean(gained[-100:]) > 0.9
