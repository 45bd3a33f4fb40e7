"""What all of the native classes share: pickling, arguments that are None, the GIL, odd memory, limits of texts."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundles
import turnout
from turnout.onnx import load_session

MEBIBYTE = 1 << 20
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def decision(small: turnout.Router) -> turnout.Decision:
    return small.route("search the web and prove it", value_usd=1.0)


# Pickling -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_decisions_nodes_and_alternatives_are_pickled_at_every_protocol(
    decision: turnout.Decision, protocol: int
) -> None:
    assert len(decision.plan) > 0 and len(decision.tools) > 0
    for whole in (decision, *decision.plan, *decision.alternatives):
        again = pickle.loads(pickle.dumps(whole, protocol))
        assert again == whole and again.to_dict() == whole.to_dict() and repr(again) == repr(whole)
        assert copy.copy(whole) == whole == copy.deepcopy(whole)


# In a process of its own: at protocols 0 and 1 it aborted.
UNPICKLABLE = """
import pickle, sys
import turnout
from turnout import _native
router = turnout.Router.load(sys.argv[1])
made = [router._native, router.route_batch(["a"]), router.parts.embedder, _native.Philox(1), _native.Slot(role="a")]
for value in made:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            pickle.dumps(value, protocol)
        except TypeError as error:
            assert str(error) == f"cannot pickle '{type(value).__name__}' object", error
        else:
            raise AssertionError(value)
pickle.loads(pickle.dumps(router.route("a"), 0))
for cls in vars(_native).values():
    if isinstance(cls, type):
        assert "__reduce_ex__" in vars(cls) and "__reduce__" in vars(cls), cls
print("done")
"""


def test_what_cannot_be_pickled_says_so_at_every_protocol(small_bundle: Path) -> None:
    run = python(UNPICKLABLE, str(small_bundle))
    assert run.stdout == "done\n", run.stderr


def state_of(value: Any) -> tuple[Any, ...]:
    return tuple(value.__getstate__())


def test_broken_states_are_refused(decision: turnout.Decision) -> None:
    version, names, record = state_of(decision)
    more = [f"more{i}" for i in range(5000)]
    bad_states: list[Any] = [
        (version + 1, names, record),
        (version, names[:-1], record),
        (version, names, record[:-1]),
        (version, names, record + b"\0"),
        (version, names, b""),
        (version, (*names[:3], [], *names[4:]), record),  # no LLMs
        (version, (*names[:4], names[4] + more, names[5] + [["x"]] * 5000, *names[6:]), record),
        (version, (*names[:7], []), record),  # no tools
        (version, (*names[:7], [(-7, "x")]), record),
        (version, (*names[:7], [(1 << 30, "x")]), record),
    ]
    for bad in bad_states:
        with pytest.raises((turnout.InputError, TypeError)):
            turnout.Decision.__new__(turnout.Decision).__setstate__(bad)
    node = decision.plan[0]
    for state in (state_of(decision), (state_of(decision), 0, 0), state_of(node)[:2]):
        with pytest.raises((turnout.InputError, TypeError, RuntimeError)):
            turnout.PlanNode.__new__(turnout.PlanNode).__setstate__(state)
    with pytest.raises(turnout.InputError):
        turnout.Alternative.__new__(turnout.Alternative).__setstate__(state_of(decision))


def test_decisions_with_other_tools_are_not_equal(decision: turnout.Decision) -> None:
    version, names, record = state_of(decision)
    other = turnout.Decision.__new__(turnout.Decision)
    other.__setstate__((version, (*names[:7], [(i, "other_" + name) for i, name in names[7]]), record))
    assert other != decision and other.tools != decision.tools
    assert any(a.tools for a in decision.plan)
    assert all((a == b) == (not a.tools) for a, b in zip(decision.plan, other.plan, strict=True))


def test_a_batch_says_how_many(small: turnout.Router) -> None:
    assert repr(small.route_batch(["a", "b"])) == "<DecisionBatch of 2 decisions>"


# Arguments ------------------------------------------------------------------------------------------------------------


def test_none_is_no_engine_object() -> None:
    code = """
from turnout import _native
import numpy as np
rows = np.ones((1, 2), np.float32)
tries = [
    lambda: _native.Session(None, b"", "x"),
    lambda: _native.OnnxEmbedder(b"[UNK]\\n[CLS]\\n[SEP]", None, "x"),
    lambda: _native.DifficultyModel(
        None, latent=2, skills=0, heads=rows, centroids=rows, domain_threshold=0.0, mean_difficulty=0.5
    ),
]
for call in tries:
    try:
        call()
    except TypeError:
        print("refused")
"""
    run = python(code)
    assert run.stdout == "refused\n" * 3, run.stderr


def unaligned(array: np.ndarray) -> np.ndarray:
    raw = np.zeros(array.nbytes + 1, np.uint8)
    raw[1:] = np.frombuffer(array.tobytes(), np.uint8)
    out = raw[1:].view(array.dtype).reshape(array.shape)
    assert not out.flags.aligned and out.flags.c_contiguous
    return out


def test_arrays_that_are_not_aligned_are_refused(small: turnout.Router) -> None:
    x = small.embed("prove it")
    assert small.route(x, in_tokens=2) == small.route(np.require(unaligned(x), requirements="AC"), in_tokens=2)
    with pytest.raises(TypeError, match="query: expected an array whose data is aligned"):
        small.route(unaligned(x))
    with pytest.raises(TypeError, match="queries: expected an array whose data is aligned"):
        small.route_batch(unaligned(x[None]))
    session = load_session(bundles.network(np.random.default_rng(3))[0], "test.onnx")
    with pytest.raises(TypeError, match="'embedding': expected an array whose data is aligned"):
        session.run([unaligned(np.ones((1, bundles.DIM), np.float32))], [[1, session.outputs[0][2][1]]])


def test_a_vector_that_overflows_is_an_input_error(small: turnout.Router) -> None:
    huge = np.full(small.dim, 3e38, np.float32)
    with pytest.raises(turnout.InputError, match="finite") as error:
        small.parts.difficulty.assess(huge)
    assert error.value.path == "query"
    for call in (lambda: small.route(huge), lambda: small.predict(huge[None]), lambda: small.assess(huge[None])):
        with pytest.raises(turnout.InputError, match="norm 1"):
            call()


def test_more_than_a_mebibyte_of_text_is_refused_everywhere(small: turnout.Router) -> None:
    embedder: Any = small.parts.embedder
    calls: list[Callable[[str], Any]] = [
        small.embed,
        small.parts.native.count_tokens,
        embedder.embed,
        embedder.count_tokens,
        embedder.tokenizer.encode,
        lambda text: embedder.embed_batch([text]),
    ]
    for call in calls:
        call("a" * MEBIBYTE)
        with pytest.raises(turnout.InputError, match="expected at most 1048576 bytes, got 1048577") as error:
            call("a" * (MEBIBYTE + 1))
        assert error.value.path == "text"


def test_tokens_are_counted_without_a_run(small: turnout.Router) -> None:
    embedder: Any = small.parts.embedder
    for text in ("", "prove it", "what is the capital " * 50):
        assert small.parts.native.count_tokens(text) == len(embedder.tokenizer.encode(text))
        assert embedder.count_tokens(text) == small.route(text).in_tokens


# The GIL --------------------------------------------------------------------------------------------------------------


def test_long_calls_release_the_gil(small: turnout.Router) -> None:
    native, rows = small.parts.native, np.tile(small.embed("prove it"), (20000, 1))
    text, index = "prove it " * 100_000, small.parts.index
    assert index is not None
    calls: list[Callable[[], Any]] = [
        lambda: native.embed(text),
        lambda: native.count_tokens(text),
        lambda: small.predict(rows, threads=1),
        lambda: small.assess(rows, threads=1),
        lambda: index.time_search(rows, 3),
    ]
    ticks, running = 0, True

    def tick() -> None:
        nonlocal ticks
        while running:
            ticks += 1
            time.sleep(1e-4)

    other = threading.Thread(target=tick)
    interval = sys.getswitchinterval()
    try:
        sys.setswitchinterval(1000)  # from here on a thread gives the GIL up only where it releases it
        other.start()
        for call in calls:
            for _ in range(50):
                before = ticks
                call()
                if ticks > before:
                    break
            else:
                pytest.fail(f"{call} held the GIL")
    finally:
        sys.setswitchinterval(interval)
        running = False
        other.join()


# Processes ------------------------------------------------------------------------------------------------------------


def test_an_unknown_simd_level_is_an_error() -> None:
    code = """
import turnout
from turnout import _native
try:
    _native.isa()
except turnout.ConfigError as error:
    print(error.path, "|", error)
"""
    run = python(code, TURNOUT_ISA="avx3")
    assert run.stdout.strip() == ('TURNOUT_ISA | TURNOUT_ISA: expected baseline, avx2 or avx512, got "avx3"'), (
        run.stderr
    )


def test_the_engines_are_printed_without_a_warning() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "turnout.engines"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0 and run.stderr == "" and run.stdout.startswith("export TURNOUT_ORT_LIBRARY=")


# An Arrow consumer that calls from C while there is no memory; then again, when there is.
ARROW = """
import ctypes, os, pathlib, resource, sys
import turnout

batch = turnout.Router.load(sys.argv[1]).route_batch(["prove it"] * 100)
capsule = batch.__arrow_c_stream__()
pointer = ctypes.pythonapi.PyCapsule_GetPointer
pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
stream = pointer(capsule, b"arrow_array_stream")
slots = ctypes.cast(stream, ctypes.POINTER(ctypes.c_void_p))
fill = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
get_schema, get_next = fill(slots[0]), fill(slots[1])
last_error = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)(slots[2])
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
malloc, reserve, out = libc.malloc, libc.malloc(1 << 24), ctypes.create_string_buffer(256)
sizes = [1 << 22, 1 << 18, 1 << 14, *range(4096, 0, -16)]
pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), hard))
for size in sizes:
    while malloc(size):
        pass
empty = get_schema(stream, out), last_error(stream), get_next(stream, out), last_error(stream)
libc.free(reserve)
resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
print(empty)
print(get_schema(stream, out), last_error(stream), int.from_bytes(out[32:40], "little"))
print(get_next(stream, out), last_error(stream), int.from_bytes(out[:8], "little"))
sys.stdout.flush()
os._exit(0)
"""


def test_an_arrow_stream_without_memory_returns_an_error(small_bundle: Path) -> None:
    run = python(ARROW, str(small_bundle))
    message = "b'turnout: not enough memory for the record batch'"
    assert run.stdout.splitlines() == [f"(12, {message}, 12, {message})", "0 None 13", "0 None 100"], run.stderr


def test_arrow_parts_may_be_taken_or_dropped(small: turnout.Router) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    batch = small.route_batch(["prove it"] * 100)
    batch.__arrow_c_stream__(), batch.__arrow_c_array__()  # dropped as they are
    table = pyarrow.table(batch)
    llm = table["llm"]
    del batch, table
    assert set(llm.to_pylist()) <= {name for name, *_ in bundles.LLMS}
