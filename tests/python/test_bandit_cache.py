"""The cache of examples: never above its bytes, at least half of the best possible, by what examples help."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from turnout.bandit import ExampleCache
from turnout.bandit.cache import _Example
from turnout.core import ConfigError, InputError


def best(sizes: list[int], values: list[float], capacity: int) -> float:
    """By brute force."""
    subsets = itertools.product((0, 1), repeat=len(sizes))
    fitting = (s for s in subsets if sum(a * b for a, b in zip(s, sizes, strict=True)) <= capacity)
    return max(sum(a * v for a, v in zip(s, values, strict=True)) for s in fitting)


@pytest.mark.parametrize("seed", range(20))
def test_bytes_never_exceed_the_capacity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cache = ExampleCache(1000)
    for step in range(400):
        key = int(rng.integers(60))
        if rng.random() < 0.6:
            kept = cache.put(key, int(rng.integers(1, 1400)), float(rng.random()))
            assert kept == (key in cache)
        else:
            cache.helped(key, float(rng.random()))
        assert cache.size <= 1000, step


@pytest.mark.parametrize("seed", range(40))
def test_what_is_kept_is_worth_at_least_half_of_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 10
    sizes, values = rng.integers(1, 50, n).tolist(), rng.random(n).tolist()
    cache = ExampleCache(100)
    cache._kept = {i: _Example(sizes[i], values[i], i) for i in range(n - 1)}  # as if they had all fitted
    cache.put(n - 1, sizes[-1], values[-1])
    assert sum(cache.value(key) for key in cache) >= 0.5 * best(sizes, values, 100) - 1e-12


def test_one_large_example_may_be_worth_more_than_many_dense_ones() -> None:
    cache = ExampleCache(100)
    assert cache.put("dense", 1, 0.02) and cache.put("large", 100, 1.0)
    assert list(cache) == ["large"]


def test_examples_live_by_what_they_help() -> None:
    cache = ExampleCache(100, smoothing=0.5)
    cache.put("old", 60, 0.9)
    for _ in range(6):
        cache.helped("old", 0.0)
    assert cache.value("old") == pytest.approx(0.9 / 64)
    assert cache.put("new", 60, 0.5) and "old" not in cache
    assert not cache.put("useless", 60, 0.0) and "new" in cache
    assert not cache.put("too large", 101, 9.0) and len(cache) == 1
    cache.helped("unknown", 1.0)


@pytest.mark.parametrize(
    ("call", "error", "path"),
    [
        (lambda: ExampleCache(0), ConfigError, "cache.capacity"),
        (lambda: ExampleCache(10, smoothing=0.0), ConfigError, "cache.smoothing"),
        (lambda: ExampleCache(10).put("a", 0, 1.0), InputError, "size"),
        (lambda: ExampleCache(10).put("a", 1, math.nan), InputError, "value"),
        (lambda: ExampleCache(10).helped("a", -1.0), InputError, "gain"),
    ],
)
def test_wrong_calls_name_the_culprit(call: object, error: type[Exception], path: str) -> None:
    with pytest.raises(error, match=path):
        call()  # type: ignore[operator]
