"""Kills a process that learns at random moments, again and again, and checks what the next one finds.

    python bench/state_kills.py 1000

Each child recovers what the one before left, reports outcomes, and says through a pipe how many after each flush that
returned. SIGKILL comes at a random moment: while it recovers, writes, syncs or compacts. Nothing that a flush returned
for may be lost, and the sums must be those of the first n outcomes, whatever n is found.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from turnout.state import FileStore, Keeper

EACH = 3  # outcomes a flush
NOTE = bytes(1 << 16)  # of which some flushes write many: a large write can be cut


def score(n: Any) -> Any:
    return n * 7919 % 1024 / 1024


def opened(folder: Path) -> Keeper:
    store = FileStore(folder, history_bytes=1 << 16)
    return Keeper.open(store, dim=4, space="kills", tickets=64, flush_seconds=None, compact_bytes=1 << 22)


def report(keeper: Keeper, n: int) -> int:
    memory = keeper.memory
    arm = memory.arm("llm")
    ticket = memory.open(
        np.ones(4, np.float32),
        candidates=[(arm, 1.0, 0.5, 0.0, 0.0)],
        chosen=0,
        steps=[(arm, 0.5, 0.0)],
        prior=0.5,
        value_usd=1.0,
        usd_per_second=0.0,
        state_version=memory.version,
    )
    assert memory.report(ticket, score=score(n)) == "accepted"
    return ticket


def found(keeper: Keeper) -> int:
    """How many outcomes the memory has; asserts that they are the first ones."""
    if keeper.memory.arms == 0:
        return 0
    totals = keeper.memory.totals(0)
    n = round(totals["weight"])
    assert abs(totals["score"] - float(score(np.arange(1, n + 1)).sum())) < 1e-6, (n, totals["score"])
    return n


def child(folder: Path, pipe: int) -> None:
    keeper = opened(folder)
    n = found(keeper)
    os.write(pipe, b"found %d %d\n" % (n, keeper.recovery.torn_bytes))
    while True:
        for _ in range(EACH):
            n += 1
            ticket = report(keeper, n)
        for _ in range(32 if n // EACH % 4 == 0 else 0):
            keeper.memory.note(ticket, NOTE)
        keeper.flush(sync=n // EACH % 8 == 0)
        os.write(pipe, b"kept %d\n" % n)


def spawn(folder: Path) -> tuple[int, int]:
    """A child's process id, and the end of its pipe."""
    out, into = os.pipe()
    pid = os.fork()
    if pid:
        os.close(into)
        return pid, out
    try:
        os.close(out)
        child(folder, into)
    except BaseException:
        os.write(into, b"failed " + traceback.format_exc().encode().replace(b"\n", b"|") + b"\n")
    finally:
        os._exit(1)


def read(pipe: int, seconds: float) -> Iterator[bytes]:
    """What comes within some seconds, or until the end."""
    end = time.monotonic() + seconds
    while select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
        data = os.read(pipe, 1 << 16)
        if not data:
            return
        yield data


def killed(folder: Path, seconds: float, recovered: bool) -> list[list[bytes]]:
    """What a child said until it was killed, by words: `seconds` after it began, or after it had recovered."""
    pid, pipe = spawn(folder)
    said = os.read(pipe, 1 << 16) if recovered else b""
    said += b"".join(read(pipe, seconds))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    said += b"".join(read(pipe, 60.0))
    os.close(pipe)
    return [line.split(b" ", 2) for line in said.split(b"\n") if line]


class Check:
    """What children said, against what the next ones find."""

    def __init__(self) -> None:
        self.kept = self.outcomes = self.recoveries = self.torn = 0

    def found(self, n: int) -> None:
        assert n in (self.kept, self.kept + EACH), f"{self.kept} were flushed, {n} were found"
        self.kept = self.outcomes = n

    def said(self, words: list[bytes]) -> None:
        if words[0] == b"failed":
            raise AssertionError(words)
        if words[0] == b"kept":
            self.kept = int(words[1])
        else:
            self.found(int(words[1]))
            self.recoveries += 1
            self.torn += words[2] != b"0"


def run(kills: int, seed: int, folder: Path) -> str:
    rng, check = random.Random(seed), Check()
    for i in range(kills):
        for words in killed(folder, 0.03 * rng.random() ** 2, recovered=i % 4 > 0):
            check.said(words)
    with opened(folder) as keeper:
        check.found(found(keeper))
    return (
        f"{kills} kills, seed {seed}: {check.outcomes} outcomes, {check.recoveries} recoveries, "
        f"{check.torn} with a torn tail; nothing lost that a flush had returned for"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where to work; default: where temporary files go")
    arguments = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        print(run(arguments.kills, arguments.seed, Path(folder) / "state"))
    print(f"{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
