"""Case bandit_64x32: a LinUCB selection and update, 64 arms, d = 32; ours, and rivals that choose the same arms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.bandit import LinUCB
from turnout.bench.cases import Case
from turnout.bench.rooms import Floats, looped

NAME = "bandit_64x32"
ARMS, DIM, ALPHA, RIDGE = 64, 32, 0.1, 0.05
ROWS = 256


def workload(seed: int = 1) -> tuple[npt.NDArray[np.float32], Floats]:
    """Contexts, float32 [256, 32], and what each arm would earn, float64 [256, 64]."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, DIM)).astype(np.float32)
    theta = rng.normal(size=(ARMS, DIM)) / math.sqrt(DIM)
    return x, np.ascontiguousarray(x @ theta.T + 0.1 * rng.normal(size=(ROWS, ARMS)), np.float64)


class Greenserv:
    """As GreenServ's: an inverse of every arm at every selection."""

    def __init__(self) -> None:
        self.a = [RIDGE * np.eye(DIM) for _ in range(ARMS)]
        self.b = [np.zeros(DIM) for _ in range(ARMS)]

    def round(self, x: npt.NDArray[np.float32], reward: Floats) -> int:
        wide, scores = x.astype(np.float64), []
        for a, b in zip(self.a, self.b, strict=True):
            inverse = np.linalg.inv(a)
            scores.append(inverse @ b @ wide + ALPHA * math.sqrt(wide @ inverse @ wide))
        arm = int(np.argmax(scores))
        self.a[arm] += np.outer(wide, wide)
        self.b[arm] += reward[arm] * wide
        return arm


class Vectorised:
    """Sherman and Morrison in NumPy, all arms' scores at once."""

    def __init__(self) -> None:
        self.inverse = np.stack([np.eye(DIM) / RIDGE] * ARMS)
        self.theta = np.zeros((ARMS, DIM))

    def round(self, x: npt.NDArray[np.float32], reward: Floats) -> int:
        wide = x.astype(np.float64)
        gains = self.inverse @ wide
        arm = int(np.argmax(self.theta @ wide + ALPHA * np.sqrt(gains @ wide)))
        gain = gains[arm]
        step = gain / (1 + wide @ gain)
        self.theta[arm] += step * (reward[arm] - self.theta[arm] @ wide)
        self.inverse[arm] -= np.outer(step, gain)
        return arm


def _wanted(rounds: int) -> list[int]:
    x, rewards = workload()
    return list(_native.time_bandit(x, rewards, rounds, ALPHA, RIDGE)[2])


def _rounds(play: Callable[[npt.NDArray[np.float32], Floats], int]) -> Callable[[Any], int]:
    x, rewards = workload()
    turn: Iterator[int] = iter(range(1 << 62))

    def one(_: Any) -> int:
        i = next(turn) % ROWS
        return play(x[i], rewards[i])

    return one


def _ours() -> Callable[[npt.NDArray[np.float32], Floats], int]:
    bandit = LinUCB(DIM, [str(i) for i in range(ARMS)], alpha=ALPHA, ridge=RIDGE)

    def play(x: npt.NDArray[np.float32], reward: Floats) -> int:
        arm = bandit.select(x).arm
        bandit.update(arm, x, float(reward[int(arm)]))
        return int(arm)

    return play


def _agreement(make: Callable[[], Callable[[npt.NDArray[np.float32], Floats], int]], rounds: int) -> float:
    """Share of the first rounds in which it chooses what ours chooses."""
    one = _rounds(make())
    return float(np.mean([one(None) == arm for arm in _wanted(rounds)]))


def bandit_calls(quick: bool) -> list[Case]:
    """Ours: inside C++, and from Python."""
    samples = 2000 if quick else 20_000
    x, rewards = workload()
    first = _wanted(samples)

    def loop() -> tuple[Floats, int, Any]:
        return _native.time_bandit(x, rewards, samples, ALPHA, RIDGE)

    return [
        looped(NAME, "native", loop, samples, lambda chosen: chosen == first and len(set(chosen)) > 1),
        Case(NAME, "native_python", _rounds(_ours()), [None] * samples, agreement=lambda: _agreement(_ours, 500)),
    ]


def bandit_rivals(quick: bool) -> list[Case]:
    """The twin's dense inverse and NumPy's rank-one update."""
    runs = 20 if quick else 100
    rivals = (("python", Greenserv, runs), ("numpy", Vectorised, 10 * runs))
    return [
        Case(
            NAME,
            rival,
            _rounds(make().round),
            [None] * n,
            runs=1,
            agreement=lambda make=make: _agreement(lambda: make().round, 300),  # type: ignore[misc]
        )
        for rival, make, n in rivals
    ]
