"""Twin of the budget room: a ledger as dictionaries, every rule in its plainest form.

Units are whole nano-USD, tokens, microseconds and calls. A refusal is (reason, path, dimension, missing units); a
settlement is (counted, late, overrun).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

UNITS_PER = (1e9, 1.0, 1e6, 1.0)
UNLIMITED = 2**61
NOISE = 2.0**-50
SLACK = 1.0  # seconds back that are two threads out of step, not a jump

Units = tuple[int, int, int, int]
Amount = tuple[float, float, float, float]
Refusal = tuple[str, str, int, int]
Settlement = tuple[bool, bool, bool]

STALE: Settlement = (False, False, False)


def whole(units: float, up: bool) -> int:
    """Up or down to a whole number; what is within four roundings of one is that one."""
    below = math.floor(units)
    rest = units - below
    if rest <= units * NOISE:
        return below
    return below + 1 if up or 1.0 - rest <= units * NOISE else below


def amount_units(amount: Amount) -> Units:
    usd, tokens, seconds, calls = (whole(a * k, True) for a, k in zip(amount, UNITS_PER, strict=True))
    return usd, tokens, seconds, calls


def limit_units(limits: Amount) -> Units:
    usd, tokens, seconds, calls = (
        UNLIMITED if math.isinf(a) else whole(a * k, False) for a, k in zip(limits, UNITS_PER, strict=True)
    )
    return usd, tokens, seconds, calls


@dataclass
class ForwardClock:
    """Time as the sum of a clock's forward steps."""

    before: float = 0.0
    anchor: float = 0.0
    last: float | None = None

    def advance(self, now: float) -> float:
        if self.last is None or now < self.last - SLACK:
            self.before += (self.last or 0.0) - self.anchor
            self.anchor = self.last = now
        self.last = max(self.last, now)
        return self.before + (self.last - self.anchor)


@dataclass
class Account:
    limits: Units
    spent: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    held: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    overrun: list[int] = field(default_factory=lambda: [0, 0, 0, 0])

    def rest(self, d: int) -> int:
        return self.limits[d] - self.spent[d] - self.held[d]


@dataclass
class Hold:
    account: str
    units: Units
    expires: float


def line(path: str) -> list[str]:
    """The path itself, its parent, and so on up to the root."""
    names = path.split("/")
    return ["/".join(names[:i]) for i in range(len(names), 0, -1)]


class Ledger:
    """Accounts by path, holds by serial number."""

    def __init__(self, max_reservations: int) -> None:
        self.max_reservations = max_reservations
        self.accounts: dict[str, Account] = {}
        self.holds: dict[int, Hold] = {}
        self.expired: OrderedDict[int, Hold] = OrderedDict()
        self.made = 0
        self.clock = ForwardClock()
        self.counts = dict.fromkeys(
            ("reserved", "refused", "committed", "released", "expired", "late", "overrun", "stale"), 0
        )

    def open(self, path: str, limits: Amount, now: float) -> None:
        self.settle(now)
        for missing in line(path)[1:]:
            self.accounts.setdefault(missing, Account((UNLIMITED,) * 4))
        self.accounts[path] = Account(limit_units(limits))

    def set_limits(self, path: str, limits: Amount, now: float) -> None:
        self.settle(now)
        self.accounts[path].limits = limit_units(limits)

    def close(self, path: str, now: float) -> None:
        self.settle(now)
        inside = [p for p in self.accounts if path in line(p)]
        heir = path.rpartition("/")[0]
        for serial in sorted(s for s, hold in self.holds.items() if hold.account in inside):
            self._expire(serial)
        for serial in [s for s, hold in self.expired.items() if hold.account in inside]:
            if heir:
                self.expired[serial].account = heir
            else:
                del self.expired[serial]
        for p in inside:
            del self.accounts[p]

    def settle(self, now: float) -> float:
        """Gives back what has expired by `now`, in the order of expiry and then of making."""
        time = self.clock.advance(now)
        over = sorted((hold.expires, serial) for serial, hold in self.holds.items() if hold.expires <= time)
        for _, serial in over:
            self._expire(serial)
        return time

    def _expire(self, serial: int) -> None:
        hold = self.holds.pop(serial)
        self._change("held", hold.account, hold.units, -1)
        self.expired[serial] = hold
        self.counts["expired"] += 1

    def _change(self, what: str, path: str, units: Sequence[int], sign: int = 1) -> None:
        for p in line(path):
            counters: list[int] = getattr(self.accounts[p], what)
            for d in range(4):
                counters[d] += sign * units[d]

    def check(self, path: str, amount: Amount, now: float) -> Refusal | None:
        self.settle(now)
        units = amount_units(amount)
        for p in line(path):
            for d in range(4):
                missing = units[d] - self.accounts[p].rest(d)
                if missing > 0:
                    return "limit", p, d, missing
        return ("table_full", path, 0, 0) if len(self.holds) == self.max_reservations else None

    def reserve(self, path: str, amount: Amount, now: float, ttl: float) -> int | Refusal:
        """The reservation's serial number, or why there is none."""
        refusal = self.check(path, amount, now)
        if refusal is not None:
            self.counts["refused"] += 1
            return refusal
        if len(self.holds) + len(self.expired) == self.max_reservations:
            self.expired.popitem(last=False)  # forgets the oldest
        self.made += 1
        self.counts["reserved"] += 1
        hold = Hold(path, amount_units(amount), self.clock.advance(now) + ttl)
        self.holds[self.made] = hold
        self._change("held", path, hold.units)
        return self.made

    def _end(self, serial: int) -> tuple[Hold, bool] | None:
        """Takes a hold out of the table: (hold, late); None where there is none."""
        late = serial in self.expired
        hold = self.expired.pop(serial, None) or self.holds.pop(serial, None)
        if hold is None:
            self.counts["stale"] += 1
            return None
        if not late:
            self._change("held", hold.account, hold.units, -1)
        self.counts["late"] += late
        return hold, late

    def commit(self, serial: int, actual: Amount, now: float) -> Settlement:
        self.settle(now)
        ended = self._end(serial)
        if ended is None:
            return STALE
        hold, late = ended
        spent = amount_units(actual)
        beyond = [max(0, s - u) for s, u in zip(spent, hold.units, strict=True)]
        self._change("spent", hold.account, spent)
        self._change("overrun", hold.account, beyond)
        self.counts["committed"] += 1
        self.counts["overrun"] += any(beyond)
        return True, late, any(beyond)

    def release(self, serial: int, now: float) -> Settlement:
        self.settle(now)
        ended = self._end(serial)
        if ended is None:
            return STALE
        self.counts["released"] += 1
        return True, ended[1], False

    def extend(self, serial: int, ttl: float, now: float) -> bool:
        time = self.settle(now)
        if serial in self.holds:
            self.holds[serial].expires = time + ttl
        return serial in self.holds

    def sweep(self, now: float) -> int:
        before = self.counts["expired"]
        self.settle(now)
        return self.counts["expired"] - before

    def remaining(self, path: str, now: float) -> Amount:
        self.settle(now)
        least = [math.inf] * 4
        for p in line(path):
            account = self.accounts[p]
            for d in range(4):
                if account.limits[d] != UNLIMITED:
                    least[d] = min(least[d], max(0, account.rest(d)) / UNITS_PER[d])
        return least[0], least[1], least[2], least[3]

    def pressure(self, path: str, now: float) -> float:
        self.settle(now)
        least = 1.0
        for p in line(path):
            account = self.accounts[p]
            for d in range(4):
                if account.limits[d] != UNLIMITED:
                    least = min(least, account.rest(d) / account.limits[d] if account.rest(d) > 0 else 0.0)
        return least

    def snapshot(self, now: float) -> list[tuple[str, tuple[int | None, ...], Units, Units, Units]]:
        self.settle(now)
        return [
            (path, tuple(None if u == UNLIMITED else u for u in a.limits), *map(tuple, (a.spent, a.held, a.overrun)))  # type: ignore[misc]
            for path, a in sorted(self.accounts.items(), key=lambda item: item[0].encode())
        ]
