"""`aroute`: nothing slow on the event loop, every shape of a caller's embedder, options that a type checker knows."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

import bundles
import turnout
from turnout.router import RouteOptions

DIM = 48


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.make(tmp_path_factory.mktemp("external"), external=("house", DIM))


def vector(text: str | bytes) -> np.ndarray:
    row = np.random.default_rng(len(text)).normal(size=DIM).astype(np.float32)
    return row / np.linalg.norm(row)


def routed_by(external: Path, function: Callable[[Any], Any], **options: Any) -> turnout.Router:
    return turnout.Router.load(external, embedder=turnout.CallableEmbedder(function, name="house", dim=DIM, **options))


# The event loop -------------------------------------------------------------------------------------------------------

LONG = "court law contract " * 5000
CHAT = {"role": "user", "content": "prove the integral"}


@pytest.mark.parametrize(
    ("query", "leaves"),
    [
        ("short", False),
        (LONG, True),
        (LONG.encode(), True),
        ([CHAT], False),
        ([{"role": "user", "content": LONG}], True),
        ([{"role": "system", "content": LONG}, CHAT], True),
        ([{"role": "user", "content": [{"type": "text", "text": LONG}]}], True),
        ([{"role": "user", "content": LONG[:40000]}, {"role": "user", "content": LONG[:40000]}], True),
    ],
)
def test_long_texts_and_conversations_leave_the_event_loop(
    small: turnout.Router, monkeypatch: pytest.MonkeyPatch, query: Any, leaves: bool
) -> None:
    threads: list[int] = []
    route = turnout.Router.route

    def noted(self: turnout.Router, *args: Any, **options: Any) -> turnout.Decision:
        threads.append(threading.get_ident())
        return route(self, *args, **options)

    monkeypatch.setattr(turnout.Router, "route", noted)
    assert asyncio.run(small.aroute(query, value_usd=0.02)) == route(small, query, value_usd=0.02)
    assert [thread != threading.get_ident() for thread in threads] == [leaves]


def test_a_callers_embedder_reads_long_conversations_off_the_loop(external: Path) -> None:
    threads: list[int] = []

    def count(text: str | bytes) -> int:
        threads.append(threading.get_ident())
        return len(text)

    async def embed(text: str) -> np.ndarray:
        threads.append(threading.get_ident())
        return vector(text)

    router = routed_by(external, embed, count_tokens=count)
    asyncio.run(router.aroute([{"role": "system", "content": LONG}, CHAT]))
    assert [thread == threading.get_ident() for thread in threads] == [False, True]


# Embedders of every shape ---------------------------------------------------------------------------------------------


async def later(text: str) -> np.ndarray:
    await asyncio.sleep(0)
    return vector(text)


class Client:
    async def __call__(self, text: str) -> np.ndarray:
        return await later(text)

    async def embed(self, text: str) -> np.ndarray:
        return await later(text)


class Later:
    """Awaitable, but no coroutine."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __await__(self) -> Any:
        return later(self.text).__await__()


@pytest.mark.parametrize(
    "function",
    [vector, later, Client(), Client().embed, partial(later), partial(Client()), lambda text: later(text), Later],
    ids=["plain", "async", "async object", "async method", "partial", "partial of object", "lambda", "awaitable"],
)
def test_a_callable_that_gives_an_awaitable_is_awaited(external: Path, function: Callable[[str], Any]) -> None:
    plain, router = routed_by(external, vector), routed_by(external, function)
    for query in ("find the energy", [CHAT], [{"role": "system", "content": "be brief"}, CHAT]):
        assert asyncio.run(router.aroute(query)) == plain.route(query)
        assert asyncio.run(router.aroute(query, in_tokens=7, budget_usd=0.01)) == plain.route(
            query, in_tokens=7, budget_usd=0.01
        )


def test_async_functions_run_on_the_loop_and_plain_ones_beside_it(external: Path) -> None:
    threads: list[int] = []

    async def on_loop(text: str) -> np.ndarray:
        threads.append(threading.get_ident())
        return vector(text)

    class OnLoop:
        def __call__(self, text: str) -> Awaitable[np.ndarray]:
            return on_loop(text)

    class AsyncObject:
        async def __call__(self, text: str) -> np.ndarray:
            return await on_loop(text)

    for function in (on_loop, OnLoop(), AsyncObject(), lambda text: on_loop(text)):
        asyncio.run(routed_by(external, function).aroute("text"))
    assert set(threads) == {threading.get_ident()} and len(threads) == 4


def test_slow_plain_callables_run_side_by_side(external: Path) -> None:
    together = threading.Barrier(2, timeout=10)

    def slow(text: str) -> np.ndarray:
        together.wait()  # on the loop, the second would never come
        time.sleep(0.01)
        return vector(text)

    async def both() -> list[turnout.Decision]:
        router = routed_by(external, slow)
        return await asyncio.gather(router.aroute("one"), router.aroute("two texts"))

    assert len(asyncio.run(both())) == 2


@pytest.mark.parametrize("wrong", [None, "text", np.ones(3)])
def test_what_an_awaitable_gives_is_checked(external: Path, wrong: Any) -> None:
    async def embed(text: str) -> Any:
        return wrong

    for function in (embed, lambda text: embed(text)):
        with pytest.raises(turnout.InputError, match="from 'house'"):
            asyncio.run(routed_by(external, function).aroute("text"))


# Options --------------------------------------------------------------------------------------------------------------


def test_the_typed_options_are_those_of_route() -> None:
    keywords = [p.name for p in inspect.signature(turnout.Router.route).parameters.values() if p.kind is p.KEYWORD_ONLY]
    hints = get_type_hints(turnout.Router.route)
    assert get_type_hints(RouteOptions) == {name: hints[name] for name in keywords}


def test_a_wrong_name_is_a_type_error(small: turnout.Router, external: Path) -> None:
    for router in (small, routed_by(external, vector)):
        with pytest.raises(TypeError, match="bugdet_usd"):
            asyncio.run(router.aroute("text", bugdet_usd=0.1))  # type: ignore[call-arg]


def test_mypy_finds_a_wrong_name_in_the_callers_code(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is no dependency of the tests")
    user = tmp_path / "user.py"
    user.write_text(
        "import turnout\n\n\nasync def ask(router: turnout.Router) -> turnout.Decision:\n"
        "    await router.aroute('x', value_usd=0.1, budget_usd=None, statistic='cap')\n"
        "    return await router.aroute('x', bugdet_usd=0.1)\n"
    )
    package = Path(turnout.__file__).parents[1]
    installed = package == Path(sysconfig.get_path("platlib"))  # which mypy finds by itself, and refuses in its path
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(user)],
        env={} if installed else {"MYPYPATH": str(package)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1 and "bugdet_usd" in errors[0] and "user.py:6" in errors[0], done.stdout
