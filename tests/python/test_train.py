"""Training on small generated data: planted truths are recovered, what is written is what was trained."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bundles

pytest.importorskip("torch", reason="training needs the extra turnout[train]")
pytest.importorskip("safetensors", reason="training needs the extra turnout[train]")

import onnxruntime
import torch

import turnout
from turnout import _native, outcomes
from turnout.bundle import Bundle
from turnout.core import BundleError, ConfigError, InputError
from turnout.train import (
    assessor,
    base,
    bundle,
    capabilities,
    data,
    distil,
    distil_table,
    export,
    metrics,
    pipeline,
    regions,
    response,
    run,
    vae,
)

DIM = 32
FAST = vae.Settings(free=2, hidden=16, bend=16, epochs=12, learning_rate=1e-2, dropout=0.0)
WORDS = [w for w in bundles.vocab() if w.isalpha() and len(w) > 2]


@pytest.fixture(scope="module")
def table() -> distil_table.StaticTable:
    rng = np.random.default_rng(3)
    vocabulary = bundles.vocab()
    rows = rng.integers(-127, 128, (len(vocabulary), DIM)).astype(np.int8)
    weights = rng.integers(0, 2048, len(vocabulary)).astype(np.int16)
    return distil_table.StaticTable("planted", vocabulary, rows, weights, head=4, tail=12)


def planted(llms: np.ndarray, difficulty: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random((len(difficulty), len(llms))) < response.sigmoid(llms - difficulty[:, None])).astype(float)


def write_sets(folder: Path, queries: int = 400) -> Path:
    """Two sets on disk, linked by one LLM under two names; long words' share makes a query hard."""
    rng = np.random.default_rng(11)
    out = folder / "outcomes"
    out.mkdir(parents=True)
    sets = {
        "mmlupro29": ["weak", "mid", "strong", "Meta-Llama-3_1-8B-Instruct"],
        "llmrouter9": ["llama-3.1-8b-instruct", "other"],
    }
    ability = {"weak": -1.5, "mid": 0.0, "strong": 1.5, "other": 0.5}
    for name, llms in sets.items():
        with (
            gzip.open(out / f"{name}.queries.csv.gz", "wt", newline="") as q,
            gzip.open(out / f"{name}.outcomes.csv.gz", "wt", newline="") as r,
        ):
            asked, answered = csv.writer(q), csv.writer(r)
            asked.writerow(["query_id", "domain", "text", "split"])
            answered.writerow(["query_id", "model", "score", "cost_usd", "in_tokens", "out_tokens"])
            for i in range(queries):
                hard = i % 2
                words = rng.choice(WORDS[: len(WORDS) // 2] if hard else WORDS[len(WORDS) // 2 :], 8)
                asked.writerow(
                    [f"{name}{i}", "law" if i % 3 else "code", " ".join(words), "test" if i % 5 == 4 else "train"]
                )
                for llm in llms:
                    p = response.sigmoid(np.array(ability.get(llm, 0.0) - (2.0 if hard else -2.0)))
                    tokens = [10, 40 + 40 * hard + i % 7] if name == "mmlupro29" else ["", ""]
                    usd = 1e-6 * (10 + 3 * tokens[1]) if name == "mmlupro29" else ""
                    answered.writerow([f"{name}{i}", llm, int(rng.random() < p), usd, *tokens])
    return folder


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def ground(table: distil_table.StaticTable) -> base.Base:
    tools = bundles._capabilities_toml().encode()
    return base.Base("planted 1", table, bundles.OPERATORS.encode(), tools, None, "nobody")


@pytest.fixture(scope="module")
def trained(sets: Path, ground: base.Base) -> pipeline.Trained:
    torch.set_num_threads(1)
    found = data.load(sets, ("mmlupro29", "llmrouter9")).split("train")
    return pipeline.train(found, ground, FAST, progress=lambda message: None)


@pytest.fixture(scope="module")
def folder(sets: Path, ground: base.Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "planted"
    run.train_bundle(data.load(sets, ("mmlupro29", "llmrouter9")), path, settings=FAST, base=ground)
    return path


def test_defective_domains_are_left_out(sets: Path) -> None:
    names = ("mmlupro29", "llmrouter9")
    everything = data.load(sets, names, exclude=frozenset())
    kept = data.load(sets, names, exclude=frozenset({("llmrouter9", "law")}))
    gone = [
        i
        for i, d, s in zip(everything.query_ids, everything.domains, everything.sets, strict=True)
        if s == 1 and d == "law"
    ]
    assert gone and set(everything.query_ids) - set(kept.query_ids) == set(gone)
    assert len(kept.score) == len(everything.score) - 2 * len(gone)


# Item response


def test_item_response_recovers_abilities_across_linked_sets() -> None:
    rng = np.random.default_rng(5)
    ability = np.array([-1.5, -0.5, 0.2, 0.8, 1.0])
    sets = np.repeat([0, 1], 3000)
    difficulty = np.where(sets == 0, rng.normal(1.0, 1.5, 6000), rng.normal(-1.0, 1.0, 6000))
    matrix = planted(ability, difficulty, rng)
    matrix[:3000, 3:] = np.nan  # LLMs 0, 1, 2 answered set 0, LLMs 2, 3, 4 set 1
    matrix[3000:, :2] = np.nan
    fitted = response.fit(matrix, sets)
    error = (fitted.ability - (ability - ability.mean())) / fitted.ability_se
    assert np.abs(error).max() < 3.5
    assert np.abs(fitted.set_mean - (np.array([1.0, -1.0]) - ability.mean())).max() < 0.2
    assert np.corrcoef(fitted.difficulty, difficulty)[0, 1] > 0.7


def test_a_question_and_its_copy_share_a_fold() -> None:
    base = "Which of these laws names the force on a moving charge?"
    copies = [base, base.upper() + "\nA. one\nB. two", base + "\n(A) three"]
    assert len(set(data.folds(copies).tolist())) == 1


# Distillation and the static table


def test_the_embedding_is_the_exact_integer_sum(table: distil_table.StaticTable) -> None:
    texts = ["what is the capital of war", "find a matrix " * 9, "xyz, xyz!", ""]
    for ids, vector in zip(table.ids(texts), table.embed(table.ids(texts)), strict=True):
        sums = [sum(int(table.weights[t]) * int(table.rows[t, j]) for t in ids) for j in range(DIM)]
        norm = np.sqrt(float(sum(s * s for s in sums))) or 1.0
        assert vector.tolist() == [float(np.float32(s / norm)) for s in sums]
    assert len(table.ids(["find a matrix " * 9])[0]) == 16


def test_the_native_embedder_gives_the_same_bits(table: distil_table.StaticTable) -> None:
    native = _native.StaticEmbedder(
        "\n".join(table.vocabulary).encode(),
        table.rows,
        table.weights,
        name="planted",
        head=table.head,
        tail=table.tail,
    )
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 40))) for _ in range(200)] + ["", "[MASK] unknown 42!"]
    expected = table.embed(table.ids(texts))
    assert all(np.array_equal(np.asarray(native.embed(t)), e) for t, e in zip(texts, expected, strict=True))


def test_quantised_vectors_keep_their_direction() -> None:
    rng = np.random.default_rng(1)
    vocabulary = [f"t{i}" for i in range(3000)]
    vectors = rng.normal(size=(3000, 64)).astype(np.float32) * np.linspace(3, 0.1, 64, dtype=np.float32)
    table, exact = distil.distil(vectors, vocabulary, dim=48)
    ids = [rng.integers(0, 3000, n) for n in (1, 2, 5, 40, 400)]
    assert (distil.exact_vectors(exact, ids) * table.embed(ids)).sum(1).min() > 0.999
    assert table.weights.min() >= 0 and table.weights.max() == distil.MAX_WEIGHT
    again, _ = distil.distil(vectors, vocabulary, dim=48)
    assert again.name == table.name and np.array_equal(again.rows, table.rows)


# The network and what stands on it


def hard_ones(names: list[str]) -> np.ndarray:
    return np.array([int(name.removeprefix("mmlupro29").removeprefix("llmrouter9")) % 2 for name in names])


def test_d_ranks_queries_that_nothing_was_fitted_to(trained: pipeline.Trained) -> None:
    d, hard = trained.difficulty, hard_ones(trained.outcomes.query_ids)
    assert d[hard == 1].mean() - d[hard == 0].mean() > 0.5
    p, scores = trained.model.predict(trained.views), trained.outcomes.matrix()
    seen = ~np.isnan(scores)
    assert metrics.calibration(p[seen], scores[seen]).ece < 0.05


def test_answers_to_hard_queries_are_longer(trained: pipeline.Trained) -> None:
    hard = hard_ones(trained.outcomes.query_ids)
    scale = trained.lengths.scale(trained.length, trained.views.posterior)
    mid = trained.outcomes.llms.index("mid")
    tokens = trained.lengths.mean[mid] * scale[:, mid]
    assert tokens[hard == 1].mean() == pytest.approx(83, rel=0.1)
    assert tokens[hard == 0].mean() == pytest.approx(43, rel=0.1)


def planted_network(llms: int = 5, domains: int = 3) -> tuple[vae.Network, vae.Data, np.ndarray, np.ndarray]:
    """A network with random weights, and regressions that are linear in its input."""
    rng = np.random.default_rng(2)
    torch.manual_seed(4)
    x = rng.normal(size=(64, DIM + 16)).astype(np.float32)
    x[:, :DIM] /= np.linalg.norm(x[:, :DIM], axis=1, keepdims=True)
    projection, intercept = rng.normal(size=(domains + 2, DIM + 16)), rng.normal(size=domains + 2)
    linear = x @ projection.T + intercept
    nothing = np.zeros(64)
    found = vae.Data(
        x, DIM, np.zeros((64, llms)), nothing, nothing, linear, nothing.astype(int), domains, nothing, nothing
    )
    net = vae.Network(found, FAST).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return net, found, projection, intercept


def test_the_export_equals_torch() -> None:
    net, found, projection, intercept = planted_network()
    with torch.inference_mode():
        mean, logvar = net.encode(torch.tensor(found.x), torch.tensor(found.linear, dtype=torch.float32))
    b, logits, length = vae.assess(net, found.x, found.linear)
    model = assessor.from_network(net, projection, intercept)
    session = onnxruntime.InferenceSession(export.to_onnx(model))
    out = session.run(["assessment"], {"embedding": found.x})[0]
    z, k = model.latent, model.domains
    close = {"rtol": 1e-4, "atol": 1e-3}
    np.testing.assert_allclose(out[:, :z], mean.numpy(), **close)
    np.testing.assert_allclose(out[:, z : 2 * z], logvar.numpy(), **close)
    np.testing.assert_allclose(out[:, 2 * z], b, **close)
    np.testing.assert_allclose(out[:, 2 * z + 1 : 2 * z + 1 + k], logits, **close)
    assert (out[:, -2] == 0).all()
    np.testing.assert_allclose(out[:, -1], length, **close)
    assert session.get_modelmeta().custom_metadata_map == {"latent": "7", "skills": "3"}
    np.testing.assert_allclose(model.assess(found.x)[1], logits, **close)


def test_training_is_deterministic(trained: pipeline.Trained) -> None:
    _, found, _, _ = planted_network()
    found = replace(found, scores=(np.arange(320) % 3 == 0).reshape(64, 5).astype(float), weight=np.ones(64))
    once, again = (vae.train(found, FAST).state_dict() for _ in range(2))
    other = vae.train(found, replace(FAST, seed=9)).state_dict()
    assert all(torch.equal(once[name], again[name]) for name in once)
    assert any(not torch.equal(once[name], other[name]) for name in once)


def test_centroids_are_unit_rows_that_cover_the_queries() -> None:
    rng = np.random.default_rng(6)
    centres = np.eye(8, dtype=np.float32)
    x = np.repeat(centres, 30, 0) + rng.normal(0, 0.05, (240, 8)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    rows = regions.centroids(x, 16)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    share = ((x @ rows.T).max(1) >= regions.threshold(x, rows)).mean()
    assert 0.98 <= share <= 1.0 and (centres @ rows.T).max(1).min() > 0.9


# Metrics


def test_metrics_on_known_answers() -> None:
    assert metrics.ranks(np.array([3.0, 1.0, 1.0, 5.0])).tolist() == [2.0, 0.5, 0.5, 3.0]
    assert metrics.spearman(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0])) == pytest.approx(-1.0)
    p = np.repeat([0.2, 0.8], 500)
    right = np.tile([1.0, 0, 0, 0, 0, 1, 1, 1, 1, 0], 100)[np.r_[0:500, 0:500]]
    perfect = np.concatenate([np.tile([1.0, 0, 0, 0, 0], 100), np.tile([1.0, 1, 1, 1, 0], 100)])
    assert metrics.calibration(p, perfect, bins=2).ece == pytest.approx(0.0, abs=1e-12)
    assert metrics.calibration(p, right, bins=2).ece == pytest.approx(0.3)


# The writer


def test_the_bundle_is_whole_and_routes_as_it_was_trained(
    folder: Path, sets: Path, ground: base.Base, trained: pipeline.Trained
) -> None:
    router = turnout.Router.load(folder)
    texts = trained.outcomes.texts
    found, assessed = router.predict(texts), router.assess(texts)
    unit = ground.table.embed(ground.table.ids(texts))
    x = np.stack([router.embed(text) for text in texts])
    assert np.array_equal(x[:, :DIM], unit)
    b, logits, _ = trained.network.assess(x)
    posterior = np.exp(logits - logits.max(1, keepdims=True))
    posterior /= posterior.sum(1, keepdims=True)
    np.testing.assert_allclose(assessed.skills, posterior, atol=1e-4)
    np.testing.assert_allclose(assessed.logit, b + posterior @ trained.model.domain_offset, atol=1e-3)
    hard = hard_ones(trained.outcomes.query_ids)
    strong = found.correct[:, found.llms.index("strong")]
    weak = found.correct[:, found.llms.index("weak")]
    assert (strong > weak).mean() > 0.99 and strong[hard == 0].mean() > strong[hard == 1].mean() + 0.1
    usd, recorded = (
        found.usd[:, found.llms.index("mid")],
        trained.outcomes.matrix("usd")[:, trained.outcomes.llms.index("mid")],
    )
    seen = ~np.isnan(recorded)
    assert usd[seen].mean() == pytest.approx(recorded[seen].mean(), rel=0.1)
    assert np.corrcoef(usd[seen], recorded[seen])[0, 1] > 0.8
    assert "other" not in found.llms  # no cost of it is known
    card = (folder / "model_card.md").read_text()
    assert "{" not in card and "planted" in card


def test_equal_data_give_equal_bytes_also_after_a_stop(
    folder: Path, sets: Path, ground: base.Base, tmp_path: Path
) -> None:
    found = data.load(sets, ("mmlupro29", "llmrouter9"))
    told: list[str] = []

    def stop(message: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    options = {"settings": FAST, "base": ground, "checkpoints": tmp_path / "work"}
    with pytest.raises(KeyboardInterrupt):
        run.train_bundle(found, tmp_path / "b", progress=stop, **options)
    assert not (tmp_path / "b").exists()
    run.train_bundle(found, tmp_path / "b", progress=lambda message, *_: told.append(message), **options)
    assert sum("kept" in message for message in told) == 3 and not (tmp_path / "work").exists()
    listing = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert listing == {
        p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()
    }
    assert "created" not in json.loads(listing[Path("manifest.json")])


def test_a_failed_write_leaves_the_old_bundle(tmp_path: Path) -> None:
    old = {"one.txt": b"1", "sub/two.txt": b"2"}
    bundle.write(tmp_path / "b", old, bundle.manifest(old, "old", {}, {}))
    broken = {"one.txt": b"9", "one.txt/below": b"a file cannot be a folder"}
    with pytest.raises(OSError):
        bundle.write(tmp_path / "b", broken, bundle.manifest(broken, "new", {}, {}))
    assert Bundle.load(tmp_path / "b").files == old
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
    fresh = {"three.txt": b"3"}
    bundle.write(tmp_path / "b", fresh, bundle.manifest(fresh, "new", {}, {}))
    assert Bundle.load(tmp_path / "b").files == fresh and not (tmp_path / "b" / "one.txt").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    files = {"one.txt": b"12345"}
    bundle.write(tmp_path / "b", files, bundle.manifest(files, "b", {}, {}))
    (tmp_path / "b" / "one.txt").write_bytes(b"12344")
    with pytest.raises(BundleError, match="sha256"):
        Bundle.load(tmp_path / "b")


# Wrong input


def test_errors_name_the_culprit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mmlupro29\.queries\.csv\.gz"):
        data.load(tmp_path)
    with pytest.raises(ConfigError, match=r"capabilities\[0\]\.kind"):
        capabilities.read(b'[[capabilities]]\nid = "x"\nkind = "robot"\ndescription = "y"\n', "c.toml")


def few(queries: int, llms: int = 2, usd: float = float("nan")) -> outcomes.Outcomes:
    n = queries * llms
    return outcomes.Outcomes(
        ("s",),
        tuple(f"m{i}" for i in range(llms)),
        [f"q{i}" for i in range(queries)],
        [f"{WORDS[i % len(WORDS)]} {WORDS[7 * i % len(WORDS)]} {i}" for i in range(queries)],
        [""] * queries,
        ["train"] * queries,
        np.zeros(queries, int),
        np.repeat(np.arange(queries), llms),
        np.tile(np.arange(llms), queries),
        np.arange(n) % 2 * 1.0,
        np.full(n, usd),
        *(np.full(n, np.nan) for _ in range(3)),
        [""] * n,
        ["missing"] * n,
    )


def test_too_little_data_is_refused_before_anything_is_done(ground: base.Base, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 100 queries"):
        run.train_bundle(few(99), tmp_path / "b", base=ground)
    with pytest.raises(InputError, match="at least 2 LLMs"):
        run.train_bundle(few(120, 1), tmp_path / "b", base=ground)
    with pytest.raises(ConfigError, match="cost_usd: no LLM has recorded costs"):
        run.train_bundle(few(120), tmp_path / "b", base=ground, settings=FAST)
    assert not (tmp_path / "b").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="no bundle: it is not replaced"):
        run.train_bundle(few(120, 3, 1e-4), tmp_path / "mine", base=ground, settings=FAST)


def test_logs_without_domains_and_tokens_train_too(ground: base.Base, tmp_path: Path) -> None:
    run.train_bundle(few(150, 3, 1e-4), tmp_path / "b", base=ground, settings=FAST)
    found = turnout.Router.load(tmp_path / "b").predict(["find a matrix"])
    assert found.llms and found.usd.min() > 0


# The bundle that ships

MODELS = Path(__file__).parents[2] / "models"


def test_the_default_bundle_is_made_from_its_sources() -> None:
    shipped = Bundle.load(MODELS / "default")
    files = shipped.files
    assert files["operators/operators.toml"] == (MODELS / "src" / "operators.toml").read_bytes()
    assert files["capability/capabilities.toml"] == (MODELS / "src" / "capabilities.toml").read_bytes()
    assert files["pool.toml"] == (MODELS / "src" / "pool.toml").read_bytes()
    entries = capabilities.read(files["capability/capabilities.toml"], "capabilities.toml")
    kinds = [entry["kind"] for entry in entries]
    assert kinds.count("agent") >= 6 and kinds.count("code") >= 2 and kinds.count("retrieval") >= 2
    centres = shipped.array("difficulty/centroids.npy", np.float32, (None, None))
    rows = shipped.array("capability/vectors.npy", np.float32, (len(entries), None))
    # LAPACK may round otherwise on another machine.
    table = base.static_table(shipped)
    np.testing.assert_allclose(capabilities.vectors(entries, table, centres), rows, atol=1e-6)
    known = {llm.id for llm in shipped.abilities().llms}
    assert len(shipped.abilities().default_pool) == 16 and known.issuperset(shipped.abilities().default_pool)
