"""ONNX Runtime through its C ABI: equal to the Python package, leak-free, clear about broken files."""

from __future__ import annotations

import numpy as np
import pytest

import turnout
from bundles import DIM, LATENT, SKILLS, network
from turnout import _native
from turnout.onnx import load_runtime, load_session
from turnout.reference.onnx import Network

COLUMNS = 2 * LATENT + 1 + SKILLS


@pytest.fixture(scope="module")
def model() -> bytes:
    return network(np.random.default_rng(3))[0]


@pytest.fixture(scope="module")
def runtime() -> _native.Runtime:
    return load_runtime()


@pytest.fixture(scope="module")
def session(model: bytes) -> _native.Session:
    return load_session(model, "test.onnx")


def rows(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)


def test_equal_to_the_python_package_bit_for_bit(session: _native.Session, model: bytes) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    other = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    for n in (1, 2, 64, 300):
        (ours,) = session.run([rows(n)], [[n, COLUMNS]])
        (theirs,) = other.run(None, {"embedding": rows(n)})
        assert (ours == theirs).all()


def test_equal_to_the_twin(session: _native.Session, model: bytes) -> None:
    twin = Network(model)
    (ours,) = session.run([rows(5)], [[5, COLUMNS]])
    for row, x in zip(ours.tolist(), rows(5).tolist(), strict=True):
        assert row == pytest.approx(twin.run(x), abs=1e-4)
    assert twin.metadata == {"latent": str(LATENT), "skills": str(SKILLS)}


def test_a_batch_has_the_bits_of_its_rows(session: _native.Session) -> None:
    (batch,) = session.run([rows(256)], [[256, COLUMNS]])
    for i in range(256):
        (single,) = session.run([rows(256)[i : i + 1]], [[1, COLUMNS]])
        assert (single[0] == batch[i]).all()


def test_ports_and_metadata(session: _native.Session, runtime: _native.Runtime) -> None:
    assert session.inputs == [("embedding", "float32", [-1, DIM])]
    assert session.outputs == [("assessment", "float32", [-1, COLUMNS])]
    assert session.metadata("latent") == str(LATENT) and session.metadata("none") == ""
    assert runtime.version == pytest.importorskip("onnxruntime").__version__


@pytest.mark.parametrize("broken", [b"", b"garbage", b"\0" * 100])
def test_broken_models_are_refused(runtime: _native.Runtime, broken: bytes) -> None:
    with pytest.raises(turnout.BundleError) as error:
        _native.Session(runtime, broken, "broken.onnx")
    assert error.value.path == "broken.onnx"


def test_wrong_tensors_are_refused(session: _native.Session) -> None:
    with pytest.raises(turnout.InputError, match=r"inputs\[0\]"):
        session.run([np.ones((1, DIM + 1), np.float32)], [[1, COLUMNS]])
    with pytest.raises(turnout.InputError, match=r"outputs\[0\]"):
        session.run([rows(1)], [[1, COLUMNS + 1]])
    with pytest.raises(TypeError, match="float32"):
        session.run([rows(1).astype(float)], [[1, COLUMNS]])
    with pytest.raises(turnout.InputError, match="expected 1 arrays"):
        session.run([], [[1, COLUMNS]])
    with pytest.raises(turnout.EngineError):
        session.run([rows(2)], [[3, COLUMNS]])  # only the runtime knows that both are the batch


def test_libraries_that_are_no_runtime() -> None:
    for path in ("/nowhere/lib.so", "libm.so.6"):
        with pytest.raises(turnout.EngineError) as error:
            _native.Runtime.load(path)
        assert error.value.path == path


def test_nothing_leaks(runtime: _native.Runtime, model: bytes) -> None:
    before = _native.live_onnx_objects()
    for _ in range(50):
        _native.Session(runtime, model, "x").run([rows(3)], [[3, COLUMNS]])
    assert _native.live_onnx_objects() == before
