"""Twin of the state room: one memory without bounds or a log, in exact integers; slots to the byte."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MAX_FEATURE = 7.99
MAX_SUM = 2**62 - 1
FAILURES = ("none", "timeout", "rate_limited", "unavailable", "refused", "invalid", "other")
SCALARS = 6  # weight, score, prior, usd, usd_expected, usd_count


def rounded(x: float) -> int:
    """To the nearest, halves to the even one."""
    return round(x)


def fixed_feature(x: float) -> int:
    return rounded(min(max(x, -MAX_FEATURE), MAX_FEATURE) * 2**12)


def fixed_share(p: float) -> int:
    return rounded(p * 2**15)


def fixed_usd(usd: float) -> int:
    return rounded(usd * 1e9)


def power(factor: float, n: int) -> float:
    """factor^n by repeated squaring, as the core does it."""
    out = 1.0
    while n:
        if n & 1:
            out *= factor
        n >>= 1
        factor *= factor
    return out


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@dataclass
class Step:
    arm: str | None
    prior: float
    usd: float


@dataclass
class Ticket:
    context: Sequence[float]
    prior: float
    steps: Sequence[Step]
    epoch: int = 0
    answered: set[int] = field(default_factory=set)


@dataclass
class Outcome:
    score: float = math.nan
    usd: float = math.nan
    failure: str = "none"


@dataclass
class Arm:
    """Sums by epoch; the folded ones as of the last of them."""

    changes: int = 0
    failures: list[int] = field(default_factory=lambda: [0] * len(FAILURES))
    base: tuple[int, list[int]] | None = None
    parts: dict[int, list[int]] = field(default_factory=dict)

    def fold(self, last: int, discount: float) -> None:
        for epoch in sorted(e for e in self.parts if e <= last):
            part = self.parts.pop(epoch)
            if self.base is not None:
                self.changes += 1
                part = folded(self.base[1], power(discount, epoch - self.base[0]), part)
            self.base = (epoch, part)


def folded(base: list[int], factor: float, part: list[int]) -> list[int]:
    """round(base * factor) + part; the base is halved while a sum would leave its range."""
    while True:
        kept = base if factor == 1 else [rounded(b * factor) for b in base]
        out = [k + p for k, p in zip(kept, part, strict=True)]
        if all(abs(s) <= MAX_SUM for s in out):
            return out
        base = [rounded(b * 0.5) for b in base]


@dataclass
class Slot:
    epoch: int = 0
    sequence: int = 0
    arms: dict[str, Arm] = field(default_factory=dict)


@dataclass
class Observation:
    arm: str
    weight: int = 0
    score: int = 0
    prior: int = 0
    usd: int | None = None
    usd_expected: int = 0


def observe(ticket: Ticket, node: int, outcome: Outcome) -> list[Observation]:
    """What an outcome says of each distinct arm of its ticket's plan, or of one node."""
    scored = outcome.failure == "none" and not math.isnan(outcome.score)
    charged = not math.isnan(outcome.usd)
    expected: dict[str, int] = {}
    for i, step in enumerate(ticket.steps):
        if step.arm is not None and node in (-1, i):
            expected[step.arm] = expected.get(step.arm, 0) + fixed_usd(step.usd)
    every = sum(fixed_usd(s.usd) for s in ticket.steps)
    prior = ticket.prior if node == -1 else ticket.steps[node].prior
    out = []
    for arm, usd in expected.items():
        o = Observation(arm, usd_expected=usd)
        if scored:
            o.weight, o.score, o.prior = rounded(64 / len(expected)), fixed_share(outcome.score), fixed_share(prior)
        if charged:
            o.usd = fixed_usd(outcome.usd)
            if node == -1:
                o.usd = rounded(float(o.usd) * usd / every) if every else rounded(o.usd / len(expected))
        out.append(o)
    return out


@dataclass
class Memory:
    dim: int
    space: str
    replica: int
    discount: float = 1.0
    epochs: int = 8
    slots: dict[int, Slot] = field(default_factory=dict)
    tickets: list[Ticket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slots[self.replica] = Slot()

    @property
    def own(self) -> Slot:
        return self.slots[self.replica]

    @property
    def version(self) -> int:
        return sum(slot.sequence for slot in self.slots.values())

    def open(self, ticket: Ticket) -> int:
        ticket.epoch = self.own.epoch
        self.tickets.append(ticket)
        return len(self.tickets) - 1

    def report(self, number: int, node: int, outcome: Outcome) -> str:
        if not 0 <= number < len(self.tickets):
            return "unknown"
        ticket = self.tickets[number]
        if node == -1 and len(ticket.steps) == 1:
            node = 0
        if node in ticket.answered:
            return "duplicate"
        if ticket.epoch <= self.own.epoch - self.epochs:
            return "expired"
        ticket.answered.add(node)
        observations = observe(ticket, node, outcome)
        changes = [self._learn(ticket, o, outcome.failure) for o in observations]
        self.own.sequence += any(changes)
        return "accepted"

    def _learn(self, ticket: Ticket, o: Observation, failure: str) -> bool:
        if failure == "none" and not o.weight and o.usd is None:
            return False
        arm = self.own.arms.setdefault(o.arm, Arm())
        arm.changes += 1
        arm.failures[FAILURES.index(failure)] += failure != "none"
        if not o.weight and o.usd is None:
            return True
        size = SCALARS + self.dim + self.dim * (self.dim + 1) // 2
        sums = arm.parts.setdefault(ticket.epoch, [0] * size)
        x = [fixed_feature(v) for v in ticket.context]
        residual = o.score - o.prior
        triangle = [x[i] * x[j] for i in range(self.dim) for j in range(i, self.dim)]
        usd = (0, 0, 0) if o.usd is None else (o.usd, o.usd_expected, 1)
        terms = [1, o.score, o.prior, *(0, 0, 0), *(v * residual for v in x), *triangle]
        for i, term in enumerate(terms):
            sums[i] += o.weight * term
        for i, term in enumerate(usd):
            sums[3 + i] += term
        return True

    def advance(self, epoch: int) -> None:
        if epoch <= self.own.epoch:
            return
        self.own.epoch = epoch
        self.own.sequence += 1
        for arm in self.own.arms.values():
            arm.fold(epoch - self.epochs, self.discount)

    def merge(self, others: Iterable[tuple[int, Slot]]) -> None:
        """Of each other replica the slot with the larger (epoch, sequence)."""
        for replica, slot in others:
            known = self.slots.get(replica, Slot())
            if replica != self.replica and (slot.epoch, slot.sequence) > (known.epoch, known.sequence):
                self.slots[replica] = slot

    def totals(self, name: str) -> list[float]:
        """The sums of one arm, discounted to the latest epoch of any slot; in units of fixed point."""
        now = max(slot.epoch for slot in self.slots.values())
        size = SCALARS + self.dim + self.dim * (self.dim + 1) // 2
        out = [0.0] * size
        for replica in sorted(self.slots):
            arm = self.slots[replica].arms.get(name, Arm())
            mine = [0.0] * size
            for epoch, sums in ([arm.base] if arm.base else []) + sorted(arm.parts.items()):
                factor = power(self.discount, now - epoch)
                mine = [m + factor * s for m, s in zip(mine, sums, strict=True)]
            out = [a + b for a, b in zip(out, mine, strict=True)]
        return out

    def encode(self) -> bytes:
        """The bytes that the core's ``slots()`` gives."""
        known = [(r, s) for r, s in sorted(self.slots.items()) if s.sequence]
        out = b"turnslot" + struct.pack("<II", 1, self.dim) + text(self.space) + struct.pack("<I", len(known))
        for replica, slot in known:
            out += struct.pack("<QIQI", replica, slot.epoch, slot.sequence, len(slot.arms))
            for name, arm in sorted(slot.arms.items()):
                out += text(name) + struct.pack("<Q7q", arm.changes, *arm.failures)
                parts = ([arm.base] if arm.base else []) + sorted(arm.parts.items())
                out += struct.pack("<BB", arm.base is not None, len(arm.parts))
                out += b"".join(struct.pack(f"<I{len(sums)}q", epoch, *sums) for epoch, sums in parts)
        return out + struct.pack("<I", crc32c(out))


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<H", len(data)) + data
