"""Memories against their twin, to the byte; the log as columns; bad input."""

from __future__ import annotations

import copy
import math
import random
import struct
import threading
from dataclasses import fields

import numpy as np
import pytest

from turnout._native import Memory, failure_names, max_candidates
from turnout.core import ConfigError, InputError
from turnout.reference import state as twin
from turnout.state_log import FeedbackLog, read_log

ARMS = ("large", "small", "naïve")
SCALES = [64.0, 64.0 * 2**15, 64.0 * 2**15, 1e9, 1e9, 1.0]


def native(replica: int = 1, **options: object) -> Memory:
    given = {"dim": 2, "space": "toy", "replica": replica, "ticket_prefix": replica, "discount": 0.8, "epochs": 2}
    memory = Memory(**(given | options))  # type: ignore[arg-type]
    for name in ARMS:
        memory.arm(name)
    return memory


class Pair:
    """A memory and its twin, which hear the same."""

    def __init__(self, replica: int, rng: random.Random) -> None:
        self.native, self.rng = native(replica), rng
        self.twin = twin.Memory(2, "toy", replica, 0.8, 2)
        self.ids: list[int] = []

    def decide(self) -> None:
        steps = [
            twin.Step(
                self.rng.choice([*ARMS, None]), self.rng.random(), self.rng.choice([0.0, self.rng.random() / 100])
            )
            for _ in range(self.rng.randint(1, 3))
        ]
        context = np.array([self.rng.uniform(-9, 9) for _ in range(2)], np.float32)
        ticket = twin.Ticket([float(x) for x in context], self.rng.random(), steps)
        number = {name: i for i, name in enumerate(ARMS)}
        self.twin.open(ticket)
        self.ids.append(
            self.native.open(
                context,
                candidates=[(0, 1.0, 0.5, 0.01, 1.0)],
                chosen=0,
                steps=[(-1 if s.arm is None else number[s.arm], s.prior, s.usd) for s in steps],
                prior=ticket.prior,
                value_usd=0.1,
                usd_per_second=0.0,
                state_version=self.native.version,
            )
        )

    def hear(self) -> None:
        if not self.ids:
            return
        i = self.rng.randrange(len(self.ids))
        node = self.rng.randint(-1, len(self.twin.tickets[i].steps) - 1)
        failure = self.rng.choice(["none", "none", "none", *failure_names[1:]])
        score = self.rng.choice([0.0, 1.0, self.rng.random(), math.nan]) if failure == "none" else math.nan
        usd = self.rng.choice([math.nan, self.rng.random() / 50])
        expected = self.twin.report(i, node, twin.Outcome(score, usd, failure))
        assert self.native.report(self.ids[i], node, score=score, usd=usd, failure=failure) == expected

    def advance(self) -> None:
        epoch = self.native.epoch + self.rng.randint(0, 3)
        self.twin.advance(epoch)
        self.native.advance(epoch)

    def agrees(self) -> None:
        assert self.native.slots() == self.twin.encode()
        assert self.native.version == self.twin.version
        for name in ARMS:
            sums = self.twin.totals(name)
            got = self.native.totals(self.native.arm(name))
            scalars = [got[k] for k in ("weight", "score", "prior", "usd", "usd_expected", "usd_count")]
            assert scalars == [s / scale for s, scale in zip(sums, SCALES, strict=False)]
            np.testing.assert_array_equal(got["moment"], np.array(sums[6:8]) / 2.0**33)
            np.testing.assert_array_equal(got["precision"], np.array(sums[8:]) / 2.0**30)


@pytest.mark.parametrize("seed", range(60))
def test_three_replicas_agree_with_their_twins(seed: int) -> None:
    rng = random.Random(seed)
    pairs = [Pair(replica, rng) for replica in (1, 2, 3)]
    wire: list[tuple[bytes, list[tuple[int, twin.Slot]]]] = []
    for _ in range(60):
        pair = rng.choice(pairs)
        what = rng.randrange(8)
        if what < 3:
            pair.decide()
        elif what < 6:
            pair.hear()
        elif what == 6:
            pair.advance()
            wire.append((pair.native.slots(), copy.deepcopy(list(pair.twin.slots.items()))))
        elif wire:
            data, slots = rng.choice(wire)
            pair.native.merge(data)
            pair.twin.merge(slots)
    for pair in pairs:
        pair.agrees()
    for pair in pairs:
        for other in pairs:
            pair.native.merge(other.native.slot())
            pair.twin.merge([(other.twin.replica, copy.deepcopy(other.twin.own))])
    for pair in pairs:
        pair.agrees()
        assert pair.native.slots() == pairs[0].native.slots()


def opened(memory: Memory, **given: object) -> int:
    ticket = {
        "context": np.array([1, 2], np.float32),
        "candidates": [(0, 0.75, 0.9, 0.01, 1.5), (1, 0.25, 0.5, 0.001, 0.5)],
        "chosen": 1,
        "steps": [(1, 0.5, 0.001)],
        "prior": 0.5,
        "value_usd": 0.1,
        "usd_per_second": 0.01,
        "state_version": 7,
    } | given
    return memory.open(**ticket)  # type: ignore[arg-type]


def test_a_log_and_a_snapshot_give_a_memory_back() -> None:
    memory = native()
    first, second = opened(memory), opened(memory)
    assert memory.report(first, score=1.0) == "accepted"
    snapshot = memory.snapshot()
    assert memory.report(second, failure="timeout") == "accepted"
    memory.advance(1)
    log = memory.take()
    assert memory.take() == b""
    one, two = native(), native()
    assert one.apply(log) == len(log)
    two.restore(snapshot)
    assert two.apply(log + b"torn") == len(log)
    assert one.slots() == two.slots() == memory.slots()
    assert two.snapshot() == memory.snapshot()
    assert memory.totals(1)["failures"]["timeout"] == 1


def test_the_log_as_columns() -> None:
    memory = native()
    answered = [
        opened(memory),
        opened(memory, steps=[(0, 0.5, 0.0), (2, 0.5, 0.0)], candidates=[(-1, 1, 0, 0, 0)], chosen=0),
    ]
    opened(memory)
    memory.report(answered[1], 1, score=0.5)  # of a node only
    memory.report(answered[1], score=0.25, usd=0.5, in_tokens=10, out_tokens=20, seconds=3, learn=False)
    memory.note(answered[0], b"decision")
    first = memory.take()
    memory.report(answered[0], 0, failure="refused")
    memory.report(answered[0], failure="refused")
    log = read_log([first, memory.take() + b"\0\0"])
    assert len(log) == 2 and log.tickets == 3 and log.unanswered == 1 and log.orphans == 0
    assert log.ticket.tolist() == [answered[1], answered[0]]
    assert log.chosen.tolist() == [0, 1] and log.candidate_count.tolist() == [1, 2]
    assert log.probabilities.shape == (2, max_candidates)
    assert log.probabilities[1, :3].tolist() == [0.75, 0.25, 0.0]
    assert [[log.arm_names[a] if a >= 0 else None for a in row[:3]] for row in log.arms] == [
        [None, None, None],
        ["large", "small", None],
    ]
    np.testing.assert_allclose(log.predicted_quality[1, :2], [0.9, 0.5], rtol=1e-7)
    np.testing.assert_allclose(log.predicted_usd[1, :2], [0.01, 0.001], rtol=1e-7)
    assert log.predicted_seconds[1, :2].tolist() == [1.5, 0.5]
    assert log.context.tolist() == [[1.0, 2.0]] * 2 and log.prior.tolist() == [0.5, 0.5]
    np.testing.assert_array_equal(log.score, [0.25, np.nan])
    np.testing.assert_array_equal(log.seconds, [3, np.nan])
    assert log.usd[0] == 0.5 and log.in_tokens[0] == 10 and log.out_tokens[0] == 20
    assert [failure_names[f] for f in log.failure] == ["none", "refused"]
    assert log.learned.tolist() == [False, True] and log.state_version.tolist() == [7, 7]
    assert log.value_usd.tolist() == [0.1, 0.1] and log.usd_per_second.tolist() == [0.01, 0.01]
    assert log.notes == ((answered[0], b"decision"),)
    assert log.read[0] == len(first)
    later = read_log([memory.take(), b""])
    assert len(later) == 0 and later.read == (0, 0)


def test_a_log_of_several_runs_and_a_lost_beginning() -> None:
    memory = native()
    ticket = opened(memory)
    beginning = memory.take()
    memory.report(ticket, score=1.0)
    end = memory.take()
    assert read_log([end]).orphans == 1
    other = Memory(dim=2, space="toy", replica=1, ticket_prefix=9)
    for name in ("other", "large"):
        other.arm(name)
    again = opened(other)
    other.report(again, score=0.0)
    log = read_log([beginning, end, end, other.take()])
    assert log.ticket.tolist() == [ticket, again]
    assert [log.arm_names[row[0]] for row in log.arms] == ["large", "other"]
    assert [log.arm_names[row[1]] for row in log.arms] == ["small", "large"]


def test_columns_are_the_documented_ones() -> None:
    log = read_log([])
    assert len(log) == 0 and log.arm_names == ()
    documented = FeedbackLog.__doc__ or ""
    for f in fields(FeedbackLog):
        assert f"\n    {f.name} : " in documented
        value = getattr(log, f.name)
        if isinstance(value, np.ndarray):
            assert f"    {f.name} : {value.dtype}[n" in documented


def test_bad_input() -> None:
    memory = native()
    with pytest.raises(ConfigError, match=r"memory\.replica: expected a number that is not 0, got 0"):
        native(0)
    with pytest.raises(ConfigError, match=r"memory\.discount"):
        native(discount=0.0)
    with pytest.raises(TypeError, match="context"):
        opened(memory, context=np.zeros(2))
    with pytest.raises(InputError, match=r"ticket\.dim: expected 2, got 3"):
        opened(memory, context=np.zeros(3, np.float32))
    with pytest.raises(InputError, match="candidates: expected at most 17, got 18"):
        opened(memory, candidates=[(0, 0, 0, 0, 0)] * 18)
    with pytest.raises(InputError, match="steps: expected at most 32, got 33"):
        opened(memory, steps=[(0, 0, 0)] * 33)
    ticket = opened(memory)
    with pytest.raises(InputError, match=r"outcome\.failure: there is no failure 'tired'"):
        memory.report(ticket, failure="tired")
    with pytest.raises(InputError, match=r"outcome\.score: expected none with a failure \(timeout\)"):
        memory.report(ticket, score=1.0, failure="timeout")
    with pytest.raises(InputError, match="arm: expected a str, got int"):
        memory.arm(3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="note"):
        memory.note(ticket, bytes(2**21 + 1))
    with pytest.raises(InputError, match="snapshot"):
        native().restore(b"")
    with pytest.raises(InputError, match=r"slots\.dim: expected 3, got 2"):
        native(dim=3).merge(memory.slots())
    other = native(2, dim=3)
    opened(other, context=np.zeros(3, np.float32))
    with pytest.raises(InputError, match=r"parts\[1\]\.dim: expected 2, got 3"):
        read_log([memory.take(), other.take()])
    assert memory.version == 0 and memory.counts()["accepted"] == 0


def record(kind: int, payload: bytes) -> bytes:
    body = bytes([kind]) + payload
    return struct.pack("<II", len(payload), twin.crc32c(body)) + body


def test_log_and_snapshot_have_the_documented_bytes() -> None:
    memory = Memory(dim=2, space="toy", replica=3, ticket_prefix=5)
    memory.arm("unused")
    number = memory.arm("small")
    ticket = opened(memory, candidates=[(number, 0.75, 0.9, 0.01, 1.5)], chosen=0, steps=[(number, 0.5, 0.001)])
    memory.report(ticket, score=1.0, usd=0.002)
    memory.advance(4)
    memory.note(ticket, b"why")
    identity = (5 << 40) + 1
    body = struct.pack("<QIQddHHBBB2h", identity, 0, 7, 0.1, 0.01, 2**14, 2, 1, 0, 1, 4096, 8192)
    body += struct.pack("<Hdfff", 1, 0.75, 0.9, 0.01, 1.5) + struct.pack("<HHqH", 1, 2**14, 1_000_000, 2**14)
    nan = math.nan
    log = b"".join(
        [
            record(1, struct.pack("<IIQ", 1, 2, 3) + twin.text("toy")),
            record(2, struct.pack("<I", 1) + b"small"),
            record(3, struct.pack("<Q", 1) + body),
            record(4, struct.pack("<QQbBB5d", 2, identity, 0, 0, 1, 1.0, 0.002, nan, nan, nan)),
            record(6, struct.pack("<QI", 3, 4)),
            record(7, struct.pack("<QQ", 4, identity) + b"why"),
        ]
    )
    assert memory.take() == log
    slots = memory.slots()
    snapshot = b"turnsnap" + struct.pack("<II", 1, 2) + twin.text("toy") + struct.pack("<QQ", 3, 4)
    snapshot += (
        struct.pack("<8Q", 1, 0, 0, 0, 1, 0, 0, 0) + struct.pack("<I", 2) + twin.text("unused") + twin.text("small")
    )
    snapshot += struct.pack("<Q", len(slots)) + slots + struct.pack("<IIQ", 1, 5, 1)
    snapshot += struct.pack("<QQH", 1, 0b10, len(body)) + body
    assert memory.snapshot() == snapshot + struct.pack("<I", twin.crc32c(snapshot))


def test_the_twin_knows_the_published_checksum() -> None:
    assert twin.crc32c(b"123456789") == 0xE3069283
    data = native().slots()
    assert struct.unpack("<I", data[-4:])[0] == twin.crc32c(data[:-4])


def test_threads_share_a_memory() -> None:
    memory = native(tickets=2**16)
    logs: list[bytes] = []

    def decide(arm: int) -> None:
        for _ in range(500):
            ticket = opened(memory, steps=[(arm, 0.5, 0.0)])
            assert memory.report(ticket, score=1.0) == "accepted"

    threads = [threading.Thread(target=decide, args=(arm,)) for arm in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        logs.append(memory.take())
        memory.snapshot()
    logs.append(memory.take())
    assert [memory.totals(arm)["weight"] for arm in range(3)] == [500.0] * 3
    back = native()
    assert back.apply(b"".join(logs)) == len(b"".join(logs)) and back.slots() == memory.slots()


def test_bytes_that_are_no_text_are_shown_in_the_error() -> None:
    slots = Memory(dim=2, space="abc", replica=1, ticket_prefix=1).slots()
    body = slots[:-4].replace(b"abc", b"a\xffc")
    with pytest.raises(InputError, match=r"slots\.space: expected 'abc', got 'a\\xffc'"):
        Memory(dim=2, space="abc", replica=2, ticket_prefix=1).merge(body + struct.pack("<I", twin.crc32c(body)))
