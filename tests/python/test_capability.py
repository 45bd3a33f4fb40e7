"""Capabilities: native == twin == brute force, under every filter; every kind of index; damaged bytes."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import turnout
from turnout import _native, engines
from turnout.capability import build_index, load_index, matched_filter
from turnout.reference import capability as reference

faiss = pytest.importorskip("faiss")


def unit(n: int, dim: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def columns(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    i = np.arange(n)
    kinds = (i % 4).astype(np.uint8)
    requires = np.where(i % 10 == 0, 0, 1 << (i % 3)).astype(np.uint32)
    return kinds, requires, (0.01 * (i % 5)).astype(np.float32)


def load(vectors: np.ndarray, data: bytes, path: str = "test.faiss") -> _native.CapabilityIndex:
    return load_index(data, path, vectors, *columns(len(vectors)))


@settings(max_examples=60, deadline=None)
@given(
    n=st.sampled_from([1, 7, 90]),
    seed=st.integers(0, 50),
    k=st.integers(0, 9),
    kinds=st.integers(0, 15),
    granted=st.integers(0, 7),
    bias=st.sampled_from([0.0, 0.5, 20.0]),
    threshold=st.sampled_from([None, -1.0, 0.0, 0.3, 0.45]),
    scale=st.sampled_from([1.0, 0.4]),
)
def test_equal_to_the_twin(
    n: int, seed: int, k: int, kinds: int, granted: int, bias: float, threshold: float | None, scale: float
) -> None:
    vectors = unit(n, 20, seed) * np.linspace(scale, 1.0, n, dtype=np.float32)[:, None]
    native = load_index(build_index(vectors), "test.faiss", vectors, *columns(n), threshold)
    twin = reference.Index(vectors.tolist(), *(c.tolist() for c in columns(n)), native.threshold)
    queries = unit(3, 20, seed + 1000)
    ids, scores, similarities, counts = native.search(queries, k, kinds=kinds, granted=granted, cost_bias=bias)
    for row, x in enumerate(queries):
        hits = twin.search(x.tolist(), k, reference.Filter(kinds, granted, bias))
        assert counts[row] == len(hits)
        assert ids[row, : len(hits)].tolist() == [hit.id for hit in hits]
        assert scores[row, : len(hits)].tolist() == [hit.score for hit in hits]
        assert similarities[row, : len(hits)].tolist() == [hit.similarity for hit in hits]
        assert (ids[row, len(hits) :] == -1).all() and (similarities[row, len(hits) :] == 0).all()


KINDS = [
    "Flat",
    "HNSW16,Flat",
    "SQ8",
    "SQfp16",
    "IVF8,Flat",
    "IVF8,SQ8",
    "PCA12,Flat",
    "PQ5x4",
    "OPQ5_10,PQ5x4",
    "IVF8_HNSW8,Flat",
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_bare_search_equals_faiss_from_python(kind: str) -> None:
    vectors, queries = unit(600, 20), unit(30, 20, 7)
    index = faiss.index_factory(20, kind, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    if index.metric_type != faiss.METRIC_INNER_PRODUCT:
        pytest.skip(f"FAISS builds {kind} with another metric")
    native = load(vectors, faiss.serialize_index(index).tobytes())
    for rows in (queries, queries[:1]):
        distances, labels = native.search_bare(rows, 12)
        expected_distances, expected_labels = index.search(rows, 12)
        assert (labels == expected_labels).all()
        assert np.allclose(distances, expected_distances)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    centres=st.integers(1, 3),
    noise=st.sampled_from([0.0, 1e-8, 1e-7, 1e-6, 1e-3]),
    granted=st.sampled_from([7, 3]),
    bias=st.sampled_from([0.0, 1e-7, 1e-3]),
)
def test_near_ties_equal_the_twin(seed: int, centres: int, noise: float, granted: int, bias: float) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(centres, 16, seed)[rng.integers(0, centres, 400)]
    vectors = (vectors + noise * rng.normal(size=vectors.shape)).astype(np.float32)
    twin = reference.Index(vectors.tolist(), *(c.tolist() for c in columns(400)))
    x = vectors[:1]
    hits = twin.search(x[0].tolist(), 4, reference.Filter(granted=granted, cost_bias=bias))
    ids, scores, *_ = load(vectors, build_index(vectors)).search(x, 4, granted=granted, cost_bias=bias)
    assert ids[0].tolist() == [hit.id for hit in hits]
    assert scores[0].tolist() == [hit.score for hit in hits]


def test_hnsw_under_a_narrow_filter_is_exact() -> None:
    vectors, queries = unit(3000, 32), unit(50, 32, 9)
    kinds, requires, usd = columns(3000)
    flat = load_index(build_index(vectors, "flat"), "flat", vectors, kinds, requires, usd)
    graph = load_index(build_index(vectors, "hnsw"), "hnsw", vectors, kinds, requires, usd)
    for options in ({"kinds": 1, "granted": 1}, {"granted": 0}):
        for ours, exact in zip(graph.search(queries, 4, **options), flat.search(queries, 4, **options), strict=True):
            assert (ours == exact).all()


def test_the_threads_of_the_host_are_left_as_they_were() -> None:
    vectors = unit(50, 16)
    index = load(vectors, build_index(vectors))
    before = faiss.omp_get_max_threads()
    try:
        for threads in (1, 2, 5):
            faiss.omp_set_num_threads(threads)
            index.search(vectors, 4)
            assert faiss.omp_get_max_threads() == threads
    finally:
        faiss.omp_set_num_threads(before)


def test_hnsw_finds_what_a_scan_finds() -> None:
    vectors, queries = unit(3000, 32), unit(200, 32, 9)
    index = load(vectors, build_index(vectors, "hnsw"))
    assert "HNSW" in index.type
    ids = index.search(queries, 4)[0]
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :4]
    recall = np.mean([len(set(a) & set(b)) / 4 for a, b in zip(ids.tolist(), exact.tolist(), strict=True)])
    assert recall > 0.5  # unit vectors at random are the hardest case


def test_a_batch_equals_single_searches() -> None:
    vectors, queries = unit(700, 24), unit(300, 24, 5)
    index = load(vectors, build_index(vectors))
    for options in ({}, {"kinds": 1, "granted": 1}, {"cost_bias": 3.0}):
        batch = index.search(queries, 4, **options)
        for row in range(300):
            single = index.search(queries[row : row + 1], 4, **options)
            assert all((a[row] == b[0]).all() for a, b in zip(batch, single, strict=True))


def test_threads_share_an_index() -> None:
    vectors, queries = unit(500, 24), unit(50, 24, 5)
    index = load(vectors, build_index(vectors))
    expected = index.search(queries, 4)[0]
    wrong: list[int] = []

    def work() -> None:
        for _ in range(40):
            if not (index.search(queries, 4)[0] == expected).all():
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_damaged_bytes_are_refused() -> None:
    vectors = unit(50, 16)
    data = build_index(vectors)
    for broken in (b"", b"garbage" * 9, data[:10], data[: len(data) // 2], data[:-1], b"\0" * len(data)):
        with pytest.raises(turnout.BundleError) as error:
            load(vectors, broken)
        assert error.value.path == "test.faiss"
    binary = faiss.IndexBinaryFlat(16)
    with pytest.raises(turnout.BundleError):
        load(vectors, faiss.serialize_index_binary(binary).tobytes())
    untrained = faiss.index_factory(16, "IVF4,Flat", faiss.METRIC_INNER_PRODUCT)
    with pytest.raises(turnout.BundleError):
        load(np.zeros((0, 16), np.float32), faiss.serialize_index(untrained).tobytes())
    l2 = faiss.IndexFlatL2(16)
    l2.add(vectors)
    with pytest.raises(turnout.BundleError, match="inner-product"):
        load(vectors, faiss.serialize_index(l2).tobytes())


def test_an_index_with_ids_of_its_own_is_refused_when_they_leave_the_table() -> None:
    vectors = unit(20, 16)
    index = faiss.IndexIDMap(faiss.IndexFlatIP(16))
    index.add_with_ids(vectors, np.arange(20) + 1000)
    native = load(vectors, faiss.serialize_index(index).tobytes())
    with pytest.raises(turnout.EngineError, match="no such vector"):
        native.search(vectors[:1], 4)


def test_an_index_that_does_not_fit_is_refused() -> None:
    data = build_index(unit(50, 16))
    with pytest.raises(turnout.BundleError, match="16 dimensions, the vectors 12"):
        load(unit(50, 12), data)
    with pytest.raises(turnout.BundleError, match="holds 50 vectors, expected 49"):
        load(unit(49, 16), data)


def test_wrong_queries_are_refused() -> None:
    vectors = unit(50, 16)
    index = load(vectors, build_index(vectors))
    with pytest.raises(turnout.InputError, match=r"float32\[N, 16\]"):
        index.search(unit(1, 12), 4)
    with pytest.raises(TypeError, match="float64"):
        index.search(unit(1, 16).astype(float), 4)
    with pytest.raises(turnout.InputError, match="finite"):
        index.search(np.full((1, 16), np.nan, np.float32), 4)
    with pytest.raises(turnout.InputError, match="k: expected"):
        index.search(unit(1, 16), -1)
    for bias in (-1.0, float("nan"), float("inf")):
        with pytest.raises(turnout.InputError, match="cost_bias: expected"):
            index.search(unit(1, 16), 4, cost_bias=bias)


def test_columns_that_are_not_finite_are_refused() -> None:
    vectors = unit(5, 16)
    kinds, requires, usd = columns(5)
    usd[3] = np.inf
    with pytest.raises(turnout.ConfigError, match=r"capability.usd_per_call\[3\]"):
        load_index(build_index(vectors), "x", vectors, kinds, requires, usd)
    other = vectors.copy()
    other[1, 2] = np.nan
    with pytest.raises(turnout.ConfigError, match=r"capability.vectors\[18\]"):
        load_index(build_index(vectors), "x", other, *columns(5))


def test_below_the_threshold_nothing_is_returned() -> None:
    vectors = unit(50, 16)
    best = float(load(vectors, build_index(vectors)).search(unit(1, 16, 3), 1)[2][0, 0])
    for threshold, count in ((best, 4), (float(np.nextafter(np.float32(best), np.float32(2))), 0), (None, 4)):
        index = load_index(build_index(vectors), "x", vectors, *columns(50), threshold)
        assert index.search(unit(1, 16, 3), 4)[3].tolist() == [count]
    with pytest.raises(turnout.ConfigError, match=r"capability\.threshold"):
        load_index(build_index(vectors), "x", vectors, *columns(50), float("nan"))


def test_libraries_that_are_no_faiss() -> None:
    for path in ("/nowhere/libfaiss.so", "libm.so.6"):
        with pytest.raises(turnout.EngineError) as error:
            _native.faiss_version(path)
        assert error.value.path == path
    assert _native.faiss_version(engines.faiss_library()) == faiss.__version__


def test_indexes_are_freed() -> None:
    vectors = unit(100, 16)
    data = build_index(vectors)
    before = _native.live_faiss_indexes()
    for _ in range(200):
        load(vectors, data)
    assert _native.live_faiss_indexes() == before


def test_build_index_checks_its_input() -> None:
    for wrong in (np.ones(4, np.float32), np.ones((2, 4)), np.full((2, 4), np.nan, np.float32)):
        with pytest.raises(turnout.InputError):
            build_index(wrong)
    with pytest.raises(turnout.InputError, match="auto, flat or hnsw"):
        build_index(unit(3, 4), "ivf")


def test_matched_filter_ranks_by_what_is_particular() -> None:
    rng = np.random.default_rng(4)
    shared, topics = unit(1, 32, 1), unit(20, 32, 2)
    asked = rng.integers(0, 20, 400)
    noise = 0.2 * rng.normal(size=(400, 32))
    queries = (3.0 * shared + topics[asked] + noise).astype(np.float32)
    # Some tools have more of what all queries share: plain cosines prefer them whatever is asked.
    tools = (topics + rng.uniform(-1.0, 2.0, size=(20, 1)) * shared).astype(np.float32)
    tools /= np.linalg.norm(tools, axis=1, keepdims=True)
    plain = (queries @ tools.T).argmax(1) == asked
    filtered = (queries @ matched_filter(tools, queries[:100]).T).argmax(1) == asked
    assert plain.mean() < 0.6 and filtered.mean() > 0.8


def test_matched_filter_keeps_norms_and_zeros() -> None:
    tools = unit(5, 16, 3)
    tools[2] = 0.0
    filtered = matched_filter(tools, unit(8, 16, 4))
    assert filtered.dtype == np.float32 and filtered.flags.c_contiguous
    assert np.linalg.norm(filtered, axis=1) == pytest.approx([1, 1, 0, 1, 1], abs=1e-6)
    assert np.allclose(matched_filter(tools, unit(8, 16, 4), damping=1e9), tools, atol=1e-6)
