"""Training on small generated data: planted truths are recovered, what is written is what was trained."""

from __future__ import annotations

import csv
import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bundles

pytest.importorskip("torch", reason="training needs the extra turnout[train]")
pytest.importorskip("safetensors", reason="training needs the extra turnout[train]")

import onnxruntime
import torch

from turnout import _native
from turnout.bundle import Bundle
from turnout.core import BundleError, ConfigError, InputError
from turnout.train import (
    abilities,
    assessor,
    bundle,
    capabilities,
    check,
    crossfit,
    data,
    distil,
    export,
    metrics,
    pipeline,
    regions,
    response,
    vae,
)

DIM = 32
FAST = vae.Settings(latent=6, skills=2, hidden=16, epochs=25, batch=64, learning_rate=1e-2, dropout=0.0)
WORDS = [w for w in bundles.vocab() if w.isalpha() and len(w) > 2]


@pytest.fixture(scope="module")
def table() -> distil.StaticTable:
    rng = np.random.default_rng(3)
    vocabulary = bundles.vocab()
    rows = rng.integers(-127, 128, (len(vocabulary), DIM)).astype(np.int8)
    weights = rng.integers(0, 2048, len(vocabulary)).astype(np.int16)
    return distil.StaticTable("planted", vocabulary, rows, weights, head=4, tail=12)


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
                    tokens = [10, 40 + i % 7] if name == "mmlupro29" else ["", ""]
                    answered.writerow([f"{name}{i}", llm, int(rng.random() < p), "", *tokens])
    return folder


def write_sources(folder: Path) -> Path:
    folder.mkdir()
    pool = "\n".join(
        f'[[llms]]\nid = "{name}"\nability = "{name}"\nusd_per_mtok_in = 0.1\nusd_per_mtok_out = 0.2\n'
        "price_date = 2026-01-01\ncontext_tokens = 4096\nmax_output_tokens = 1024\n"
        for name in ("weak", "mid", "strong")
    )
    (folder / "pool.toml").write_text(pool)
    (folder / "operators.toml").write_text(bundles.OPERATORS)
    (folder / "capabilities.toml").write_text(bundles._capabilities_toml())
    return folder


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(sets: Path, table: distil.StaticTable) -> pipeline.Trained:
    torch.set_num_threads(1)
    outcomes = data.load(sets, ("mmlupro29", "llmrouter9")).split("train")
    return pipeline.train(outcomes, table, FAST, lambda message: None)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Sources:
    return pipeline.Sources.load(write_sources(tmp_path_factory.mktemp("sources") / "src"))


def all_files(trained: pipeline.Trained, sources: pipeline.Sources) -> tuple[dict[str, bytes], dict[str, object]]:
    exact = trained.table.rows.astype(float) * trained.table.weights[:, None]
    training = pipeline.facts(trained, pipeline.data_digest(trained.outcomes))
    figures = pipeline.measured(trained, exact, sources)
    files = pipeline.files(trained, sources, training, figures, "planted")
    return files, bundle.manifest(files, "planted", training, figures)


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


def test_the_embedding_is_the_exact_integer_sum(table: distil.StaticTable) -> None:
    texts = ["what is the capital of war", "find a matrix " * 9, "xyz, xyz!", ""]
    for ids, vector in zip(table.ids(texts), table.embed(table.ids(texts)), strict=True):
        sums = [sum(int(table.weights[t]) * int(table.rows[t, j]) for t in ids) for j in range(DIM)]
        norm = np.sqrt(float(sum(s * s for s in sums))) or 1.0
        assert vector.tolist() == [float(np.float32(s / norm)) for s in sums]
    assert len(table.ids(["find a matrix " * 9])[0]) == 16


def test_the_native_embedder_gives_the_same_bits(table: distil.StaticTable) -> None:
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


# The network


def test_d_ranks_queries_that_the_network_never_saw(trained: pipeline.Trained) -> None:
    d = crossfit.difficulty(trained.held, trained.found)
    hard = np.array(
        [
            int(name[len("mmlupro29") :] if "29" in name else name[len("llmrouter9") :]) % 2
            for name in trained.outcomes.query_ids
        ]
    )
    assert d[hard == 1].mean() - d[hard == 0].mean() > 0.5
    p = crossfit.probabilities(trained.outcomes, trained.held, trained.found)
    assert metrics.calibration(p, trained.outcomes.score).ece < 0.05


def test_abilities_keep_their_order(trained: pipeline.Trained) -> None:
    table = abilities.ability_table(trained.outcomes, trained.fitted, trained.found, trained.model, ["mid"])
    order = [entry["id"] for entry in table["llms"] if entry["id"] in ("weak", "mid", "strong")]
    assert order == ["strong", "mid", "weak"]
    known = {entry["id"]: entry for entry in table["llms"]}
    assert known["other"]["output_tokens"] == "assumed" and known["mid"]["output_tokens"] == "measured"
    assert table["scores"]["mmlu_pro"]["slope"] > 0 and table["scores"]["mmlu_pro"]["residual_sd"] > 0


def test_the_export_equals_torch() -> None:
    rng = np.random.default_rng(2)
    torch.manual_seed(4)
    x = rng.normal(size=(64, DIM)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    net = vae.Network(DIM, 5, FAST).eval()
    with torch.inference_mode():
        net.ability.copy_(torch.randn(5))
        mean, logvar = net.encode(torch.tensor(x))
        b, s = net.read(mean)
    model = assessor.from_network(net, x)
    session = onnxruntime.InferenceSession(export.to_onnx(model))
    out = session.run(["assessment"], {"embedding": x})[0]
    z = model.latent
    with torch.inference_mode():
        gains = net.contrast(s - s.mean(0)).numpy()
        shift = float(net.ability.mean())
    assert np.abs(out[:, :z] - mean.numpy()).max() < 1e-5
    assert np.abs(out[:, z : 2 * z] - logvar.numpy()).max() < 1e-5
    assert np.abs(out[:, 2 * z] - (b.numpy() - shift)).max() < 1e-5
    assert np.abs(out[:, 2 * z + 1 :] @ model.skill.T - gains).max() < 1e-5
    step = rng.normal(size=z)
    moved = (mean.numpy()[0] + step) @ model.heads.T + model.intercepts
    assert np.abs(moved - (out[0, 2 * z :] + model.heads @ step)).max() < 1e-5
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata == {"latent": "6", "skills": "2"}


def test_training_is_deterministic(trained: pipeline.Trained) -> None:
    again = crossfit.fit(crossfit.problem(trained.outcomes, trained.x, trained.fitted), FAST)
    once = crossfit.fit(crossfit.problem(trained.outcomes, trained.x, trained.fitted), FAST)
    other = crossfit.fit(crossfit.problem(trained.outcomes, trained.x, trained.fitted), replace(FAST, seed=9))
    assert export.to_onnx(again) == export.to_onnx(once) != export.to_onnx(other)


def test_calibration_recovers_a_planted_slope(trained: pipeline.Trained) -> None:
    outcomes, rng = trained.outcomes, np.random.default_rng(8)
    b = rng.normal(0, 2, outcomes.queries)
    ability = np.linspace(-1, 1, len(outcomes.llms))
    contrast = rng.normal(0, 1, (outcomes.queries, len(outcomes.llms)))
    logit = ability[outcomes.llm] + 0.5 * contrast[outcomes.query, outcomes.llm] - (0.7 * b[outcomes.query] + 0.3)
    planted_outcomes = replace(outcomes, score=response.sigmoid(logit))  # fractional scores: no noise
    found = crossfit.calibrate(planted_outcomes, crossfit.OutOfFold(b, contrast))
    assert found.contrast_slope == pytest.approx(0.5, abs=0.05)
    assert found.slope == pytest.approx(0.7, abs=0.1)


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


def test_the_bundle_is_whole_and_loads(trained: pipeline.Trained, sources: pipeline.Sources, tmp_path: Path) -> None:
    import turnout

    files, header = all_files(trained, sources)
    bundle.write(tmp_path / "b", files, header)
    loaded = Bundle.load(tmp_path / "b")
    assert loaded.files == files
    router = turnout.Router.load(tmp_path / "b")
    text = trained.outcomes.texts[0]
    decision = router.route(text)
    b, _ = trained.model.assess(trained.table.embed(trained.table.ids([text])))
    assert decision.difficulty == pytest.approx(float(response.sigmoid(b)[0]), abs=1e-5)
    card = (tmp_path / "b" / "model_card.md").read_text()
    assert "{" not in card and "planted" in card


def test_equal_content_gives_equal_bytes(trained: pipeline.Trained, sources: pipeline.Sources, tmp_path: Path) -> None:
    for name in "ab":
        files, header = all_files(trained, sources)
        bundle.write(tmp_path / name, files, header)
    listing = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
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
    with pytest.raises(ConfigError, match=r"operators\.toml"):
        pipeline.Sources.load(tmp_path)
    with pytest.raises(ConfigError, match=r"capabilities\[0\]\.kind"):
        capabilities.read(b'[[capabilities]]\nid = "x"\nkind = "robot"\ndescription = "y"\n', "c.toml")


# The bundle that ships

MODELS = Path(__file__).parents[2] / "models"


def test_the_default_bundle_is_made_from_its_sources() -> None:
    shipped = check.Shipped.load(MODELS / "default")
    files = shipped.bundle.files
    assert files["operators/operators.toml"] == (MODELS / "src" / "operators.toml").read_bytes()
    assert files["capability/capabilities.toml"] == (MODELS / "src" / "capabilities.toml").read_bytes()
    assert files["pool.toml"] == (MODELS / "src" / "pool.toml").read_bytes()
    entries = capabilities.read(files["capability/capabilities.toml"], "capabilities.toml")
    kinds = [entry["kind"] for entry in entries]
    assert kinds.count("agent") >= 6 and kinds.count("code") >= 2 and kinds.count("retrieval") >= 2
    centres = shipped.bundle.array("difficulty/centroids.npy", np.float32, (None, None))
    rows = shipped.bundle.array("capability/vectors.npy", np.float32, (len(entries), None))
    # LAPACK may round otherwise on another machine.
    np.testing.assert_allclose(capabilities.vectors(entries, shipped.table, centres), rows, atol=1e-6)
    known = {llm.id for llm in shipped.abilities.llms}
    assert len(shipped.abilities.default_pool) == 16 and known.issuperset(shipped.abilities.default_pool)


@pytest.mark.skipif("TURNOUT_DATA" not in os.environ, reason="a release check: needs the outcome sets in TURNOUT_DATA")
def test_the_default_bundle_holds_its_promises() -> None:
    cache = os.environ.get("TURNOUT_CACHE")  # of the teacher's vectors, which take minutes
    figures = check.check(Path(os.environ["TURNOUT_DATA"]), MODELS / "default", Path(cache) if cache else None)
    assert figures["active_units"] >= 12
    assert figures["least_depth_share"] >= 0.05
    assert figures["int8_cosine_min"] >= 0.999
    assert figures["less_than_teacher"] <= 0.02
