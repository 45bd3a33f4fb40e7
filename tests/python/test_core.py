"""Philox and the fixed-order inner product: native == reference == NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout import _native
from turnout.reference import core as reference


@given(seed=st.integers(0, 2**64 - 1), stream=st.integers(0, 2**64 - 1))
def test_philox_equals_its_twin_and_numpy(seed: int, stream: int) -> None:
    native, twin = _native.Philox(seed, stream), reference.Philox(seed, stream)
    numpy = np.random.Philox(key=np.array([seed, stream], np.uint64)).random_raw(9).tolist()
    assert [native.next() for _ in range(9)] == [twin.next() for _ in range(9)] == numpy


def test_uniform_and_normal_equal_the_twin() -> None:
    native, twin = _native.Philox(5), reference.Philox(5)
    for _ in range(300):
        assert native.uniform() == twin.uniform()
        assert native.normal() == twin.normal()


@given(n=st.integers(0, 300), seed=st.integers(0, 1000))
def test_dot_equals_its_twin_bit_for_bit(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n)).astype(np.float32)
    assert _native.dot(a, b) == reference.dot(a.tolist(), b.tolist())
    assert _native.dot(a, b) == pytest.approx(float(a.astype(float) @ b.astype(float)), abs=1e-4)


def test_dot_refuses_other_lengths_and_types() -> None:
    with pytest.raises(ValueError, match="as many"):
        _native.dot(np.ones(3, np.float32), np.ones(4, np.float32))
    with pytest.raises(TypeError):
        _native.dot(np.ones(3), np.ones(3))
