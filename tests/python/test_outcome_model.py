"""The outcome model and what it stands on, without torch: planted truths are recovered from generated outcomes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="training needs the extra turnout[train]")

import bundles
from turnout import _native
from turnout.core import ConfigError
from turnout.embed import lexical_features
from turnout.train import domains, lengths, lexical, outcome, prices, twoway
from turnout.train.checkpoints import Checkpoints
from turnout.train.response import sigmoid

WORDS = [w for w in bundles.vocab() if w.isalpha() and len(w) > 2]


def draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(p.shape) < p).astype(float)


# Abilities by domain


def test_two_way_recovers_abilities_domains_and_deviations() -> None:
    rng = np.random.default_rng(1)
    theta, a = np.linspace(-1, 1, 6), np.array([-0.5, 0.0, 0.8, 1.2])
    deviation = rng.normal(0, 0.5, (6, 4))
    deviation -= deviation.mean(0)
    n = np.full((6, 4), 4000.0)
    right = n * sigmoid(theta[:, None] + a + deviation)
    found = twoway.fit(n, right, np.zeros(6, int))
    assert np.abs(found.logit - (theta[:, None] + a + deviation)).max() < 0.05
    assert found.tau[0] == pytest.approx(deviation.std(), abs=0.15)


def test_two_way_shrinks_noise_away_and_keeps_signal_by_group_of_llms() -> None:
    rng = np.random.default_rng(2)
    theta, a = rng.normal(0, 1, 16), rng.normal(0, 0.5, 10)
    signal = np.zeros((16, 10))
    signal[8:] = rng.normal(0, 1.0, (8, 10))  # the second group's LLMs differ between domains, the first's do not
    n = np.full((16, 10), 60.0)
    p = sigmoid(theta[:, None] + a + signal)
    right = rng.binomial(60, p).astype(float)
    found = twoway.fit(n, right, np.repeat([0, 1], 8))
    assert found.tau[0] < 0.25 < 0.7 < found.tau[1]
    raw = (right + 0.5) / (n + 1.0)
    error = lambda q: float(np.abs(q[:8] - p[:8]).mean())  # noqa: E731
    assert error(sigmoid(found.logit)) < 0.7 * error(raw)


def test_two_way_puts_sets_on_one_scale_by_llms_that_answered_both() -> None:
    theta, a = np.array([-1.0, 0.0, 1.0, 0.5]), np.array([0.0, 2.0])
    n = np.array([[500.0, 0], [500, 500], [0, 500], [0, 500]])
    found = twoway.fit(n, n * sigmoid(theta[:, None] + a), np.zeros(4, int))
    gap = found.ability - found.ability.mean() - (theta - theta.mean())
    assert np.abs(gap).max() < 0.15
    assert (found.deviation[n == 0] == 0).all()


# P(correct)


def world(queries: int, seed: int, llms: int = 6, domains_n: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    domain = rng.integers(0, domains_n, queries)
    theta = np.linspace(-1.2, 1.2, llms)
    deviation = rng.normal(0, 0.8, (llms, domains_n))
    centre = np.array([-0.6, 0.0, 0.4, 0.9])[:domains_n]
    b = centre[domain] + rng.normal(0, 0.8, queries)
    p = sigmoid(theta + deviation.T[domain] - b[:, None])
    logits = 3.0 * np.eye(domains_n)[domain] + rng.normal(0, 1.0, (queries, domains_n))
    posterior = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return {
        "scores": draw(p, rng),
        "p": p,
        "domain": domain,
        "views": outcome.Views(2.0 * b + 0.7 + rng.normal(0, 0.5, queries), posterior),  # another scale, and noise
        "fold": rng.integers(0, 5, queries),
    }


def part(w: dict[str, np.ndarray], rows: slice) -> dict[str, np.ndarray]:
    return {name: value.keep(rows) if name == "views" else value[rows] for name, value in w.items()}


def fitted(w: dict[str, np.ndarray]) -> outcome.Model:
    group = np.zeros(w["scores"].shape[1], int)
    return outcome.fit(w["scores"], w["views"], w["domain"], group, w["fold"])


def test_the_outcome_model_predicts_new_queries() -> None:
    both = world(8000, 3)
    known, new = part(both, slice(0, 4000)), part(both, slice(4000, None))
    model = fitted(known)
    p = model.predict(new["views"])
    baseline = known["scores"].mean(0)
    assert ((p - new["p"]) ** 2).mean() < 0.35 * ((baseline - new["p"]) ** 2).mean()
    for m in range(p.shape[1]):
        bins = np.array_split(np.argsort(p[:, m]), 10)
        assert max(abs(p[rows, m].mean() - new["p"][rows, m].mean()) for rows in bins) < 0.09
    assert model.ability.mean() == pytest.approx(0.0, abs=1e-9)
    assert model.slope == pytest.approx(0.5, abs=0.15)  # the views' scale is twice the truth's
    means = known["p"].mean(0)
    assert np.argmax(model.ability) == np.argmax(means) and np.corrcoef(model.ability, means)[0, 1] > 0.95


def test_missing_outcomes_and_fractions_are_welcome() -> None:
    w = world(3000, 4)
    rng = np.random.default_rng(0)
    w["scores"] = np.where(rng.random(w["scores"].shape) < 0.5, w["p"], np.nan)  # fractional scores, half of them gone
    p = fitted(w).predict(w["views"])
    assert np.isfinite(p).all() and np.corrcoef(p.ravel(), w["p"].ravel())[0, 1] > 0.8


def test_noise_in_the_labels_degrades_smoothly() -> None:
    errors = []
    for noise in (0.0, 0.1, 0.2, 0.3):
        w = world(3000, 5)
        flip = np.random.default_rng(6).random(w["scores"].shape) < noise
        w["scores"] = np.where(flip, 1.0 - w["scores"], w["scores"])
        p = fitted(w).predict(w["views"])
        errors.append(-np.corrcoef((p - p.mean(0)).ravel(), (w["p"] - w["p"].mean(0)).ravel())[0, 1])
    assert errors == sorted(errors) and errors[-1] < -0.7


def test_the_order_of_llms_changes_nothing() -> None:
    w = world(1500, 7)
    p = fitted(w).predict(w["views"])
    order = np.random.default_rng(1).permutation(6)
    again = fitted({**w, "scores": w["scores"][:, order]}).predict(w["views"])
    np.testing.assert_allclose(again, p[:, order], atol=1e-7)


def test_a_guess_floor_is_taken_where_it_is_real_and_left_where_not() -> None:
    w = world(8000, 8)
    rng = np.random.default_rng(9)
    sharp = outcome.Views(2.0 * w["views"].b, w["views"].posterior)
    hard = sigmoid(np.linspace(-2, 2, 6) - 1.5 * w["views"].b[:, None])
    guessing = {**w, "views": sharp, "scores": draw(0.25 + 0.75 * hard, rng)}
    assert fitted(guessing).domain_floor.min() > 0.05
    plain = {**w, "views": sharp, "scores": draw(hard, rng)}
    assert fitted(plain).domain_floor.max() < 0.05


# Lexical scores

TOKENIZER = _native.Tokenizer(("\n".join(bundles.vocab()) + "\n").encode())


def features(texts: list[str]) -> object:
    return lexical_features(TOKENIZER, texts, lexical.BITS)


def test_lexical_regression_finds_the_words_that_matter() -> None:
    rng = np.random.default_rng(10)
    half = len(WORDS) // 2
    hard = rng.integers(0, 2, 400)
    texts = [" ".join(rng.choice(WORDS[:half] if h else WORDS[half:], 8)) for h in hard.tolist()]
    found = features(texts)
    idf = lexical.inverse_document_frequency(found, np.arange(300))
    x = lexical.design(found, idf, np.zeros((400, 8), np.float32))
    weights, level = lexical.ridge(x[:300], hard[:300, None].astype(float), np.array([2.0]))
    predicted = (x[300:] @ weights + level)[:, 0]
    assert predicted[hard[300:] == 1].min() > predicted[hard[300:] == 0].max()


def test_conjugate_gradients_solve_the_ridge_regression() -> None:
    import scipy.sparse as sparse

    rng = np.random.default_rng(11)
    x = sparse.random(80, 40, 0.3, random_state=3, format="csr")
    y = rng.normal(size=(80, 3))
    y[:20, 1] = np.nan  # a column with missing targets is fitted on the others
    weights, level = lexical.ridge(x, y, np.array([0.5, 1.0, 2.0]), steps=200)
    for t, penalty in enumerate((0.5, 1.0, 2.0)):
        rows = ~np.isnan(y[:, t])
        a, mean = x.toarray()[rows], y[rows, t].mean()
        exact = np.linalg.solve(a.T @ a + penalty * np.eye(40), a.T @ (y[rows, t] - mean))
        np.testing.assert_allclose(weights[:, t], exact, atol=1e-8)
        assert level[t] == pytest.approx(mean)


def test_the_quantised_table_scores_as_the_regression_and_as_the_core() -> None:
    rng = np.random.default_rng(12)
    texts = [" ".join(rng.choice(WORDS, rng.integers(2, 30))) + "?" * int(rng.integers(0, 3)) for _ in range(200)]
    texts += ["", "A. one\nB. two\nC. 3 $x^2$"]
    found = features(texts)
    idf = lexical.inverse_document_frequency(found, np.arange(len(texts)))
    x = lexical.design(found, idf, np.zeros((len(texts), 4), np.float32))
    weights = np.zeros((x.shape[1], 3))
    weights[: (1 << lexical.BITS) + lexical.MARKS] = rng.normal(0, 1, ((1 << lexical.BITS) + lexical.MARKS, 3))
    table = lexical.quantise(weights, idf, 16)
    scores = table.score(found)
    exact = x @ weights
    worded = found.tokens > 0
    assert np.corrcoef(scores[worded, :3].ravel(), exact[worded].ravel())[0, 1] > 0.999
    assert (scores[:, 3:] == 0).all() and (scores[~worded] == 0).all()
    vocabulary = len(bundles.vocab())
    native = _native.StaticEmbedder(
        ("\n".join(bundles.vocab()) + "\n").encode(),
        rng.integers(-9, 9, (vocabulary, 16)).astype(np.int8),
        np.ones(vocabulary, np.int16),
        name="x",
        lexical=(table.rows, table.weights, table.scale, table.marks),
    )
    for text, expected in zip(texts, scores, strict=True):
        assert np.array_equal(np.asarray(native.embed(text))[16:], expected), text


# Domains, lengths, prices, checkpoints


def test_small_domains_join_the_one_that_reads_alike() -> None:
    base = np.eye(3, 8, dtype=np.float32)
    labels = ["law"] * 100 + ["tort"] * 10 + ["code"] * 100
    x = np.vstack(
        [np.tile(base[0], (100, 1)), np.tile(0.9 * base[0] + 0.1 * base[2], (10, 1)), np.tile(base[1], (100, 1))]
    )
    names, group = domains.group(np.zeros(210, int), ["s"], labels, x)
    assert names == ["s/code", "s/law + s/tort"]
    assert set(group[:110].tolist()) == {1} and set(group[110:].tolist()) == {0}


def test_without_labels_like_texts_make_the_domains() -> None:
    rng = np.random.default_rng(13)
    x = np.repeat(np.eye(3, 8, dtype=np.float32), 80, 0) + rng.normal(0, 0.05, (240, 8)).astype(np.float32)
    names, group = domains.group(np.zeros(240, int), ["logs"], [""] * 240, x)
    assert 2 <= len(names) <= 4 and all(name.startswith("logs/cluster") for name in names)
    assert sum(len(set(group[i : i + 80].tolist())) for i in (0, 80, 160)) <= len(names) + 1


def test_lengths_follow_what_llms_share_and_keep_totals() -> None:
    rng = np.random.default_rng(14)
    v, posterior = rng.normal(0, 0.7, 3000), np.eye(2)[rng.integers(0, 2, 3000)]
    own = np.array([[0.4, -0.4], [0.0, 0.0], [0.0, 0.0]])
    tokens = np.exp(np.log([300.0, 80.0, 50.0]) + v[:, None] + posterior @ own.T + rng.normal(0, 0.3, (3000, 3)))
    tokens[:, 2] = 1.0  # an option's letter: not how long it writes
    found = lengths.fit(lengths.usable(tokens), v, posterior)
    assert found.measured.tolist() == [True, True, False] and found.gain.tolist() == [1.0, 1.0, 0.0]
    predicted = found.mean * found.scale(v, posterior)
    np.testing.assert_allclose(predicted[:, :2].sum(0), tokens[:, :2].sum(0), rtol=1e-9)
    assert np.corrcoef(np.log(predicted[:, 0]), np.log(tokens[:, 0]))[0, 1] > 0.9
    above = (tokens[:, :2] > (found.p90 * found.scale(v, posterior))[:, :2]).mean(0)
    assert np.abs(above - 0.1).max() < 0.01
    assert (found.scale(v, posterior)[:, 2] == 1.0).all()


def test_prices_are_read_from_recorded_costs() -> None:
    rng = np.random.default_rng(15)
    tokens, out = rng.uniform(20, 400, 500), rng.uniform(10, 900, 500)
    usd = (2.5 * tokens + 10.0 * out) / 1e6 + 1e-4
    found = prices.fit(usd, tokens, out, 256.0)
    assert found is not None
    assert found == pytest.approx((2.5, 10.0, 1e-4), rel=1e-6)
    unknown = np.full(500, np.nan)
    assumed = prices.fit((2.5 * tokens + 10.0 * 256) / 1e6, tokens, unknown, 256.0)
    assert assumed == pytest.approx((2.5, 10.0, 0.0), rel=1e-6)
    assert prices.fit(unknown, tokens, out, 256.0) is None
    assert prices.fit(np.zeros(500), tokens, out, 256.0) == (0.0, 0.0, 0.0)


def test_a_stage_is_done_once_and_a_broken_file_is_done_again(tmp_path) -> None:  # type: ignore[no-untyped-def]
    calls: list[int] = []

    def work() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"x": np.arange(3)}

    told: list[tuple[str, bool]] = []
    stage = Checkpoints(tmp_path / "work", "key", lambda name, kept: told.append((name, kept)))
    assert stage("fold 1", work)["x"].tolist() == stage("fold 1", work)["x"].tolist() == [0, 1, 2]
    assert len(calls) == 1 and told == [("fold 1", False), ("fold 1", True)]
    (tmp_path / "work" / "key" / "fold-1.npz").write_bytes(b"half a fi")
    assert stage("fold 1", work)["x"].tolist() == [0, 1, 2] and len(calls) == 2
    assert Checkpoints(tmp_path / "work", "other")("fold 1", work) and len(calls) == 3
    stage.clear()
    Checkpoints(tmp_path / "work", "other").clear()
    assert not (tmp_path / "work").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        Checkpoints(tmp_path / "file", "key")("a", work)
