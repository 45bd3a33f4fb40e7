"""Ledgers: what they promise, every refusal, and parity with the twin after any sequence of calls."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from turnout import budget
from turnout.budget import DIMENSIONS, Ledger, Refusal, Reservation, Settlement
from turnout.core import BudgetExceeded, ConfigError, InputError, TurnoutError
from turnout.reference import budget as twin


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Ledger:
    made = Ledger(clock)
    made.open("acme", usd=10.0)
    made.open("acme/search", usd=4.0)
    made.open("acme/search/run-17", usd=5.0, tokens=1e6, calls=200)
    return made


@pytest.fixture
def run(ledger: Ledger) -> budget.Account:
    return ledger.account("acme/search/run-17")


# Reservations ---------------------------------------------------------------------------------------------------------


def test_a_commit_counts_in_every_ancestor(ledger: Ledger, run: budget.Account) -> None:
    with run.reserve(usd=0.01, tokens=2000, calls=1, ttl=60) as hold:
        assert all(ledger.account(p).held == hold.amount for p in twin.line(run.path))
        assert hold.commit(usd=0.004, tokens=1480) == Settlement(counted=True)
    for path in twin.line(run.path):
        account = ledger.account(path)
        assert account.held == budget.Amount()
        assert account.spent == budget.Amount(usd=0.004, tokens=1480, calls=1)  # calls: as reserved
    assert run.remaining == budget.Amount(usd=3.996, tokens=998520, seconds=math.inf, calls=199)
    assert run.pressure == 0.995 and run.overrun == budget.Amount()


def test_leaving_without_a_commit_releases(run: budget.Account) -> None:
    with run.reserve(usd=1.0):
        pass
    with pytest.raises(ZeroDivisionError), run.reserve(usd=1.0):
        _ = 1 / 0
    assert run.held == run.spent == budget.Amount()
    with run.reserve(usd=1.0) as hold:
        hold.release()
    with run.reserve(usd=1.0) as hold:
        hold.commit()
    assert run.spent == budget.Amount(usd=1.0) and run.held == budget.Amount()


def test_a_refusal_is_a_value_or_an_error(ledger: Ledger, run: budget.Account) -> None:
    refusal = run.try_reserve(usd=4.5)
    assert isinstance(refusal, Refusal) and not refusal
    assert (refusal.reason, refusal.account, refusal.dimension) == ("limit", "acme/search", "usd")
    assert refusal.missing == 0.5 and repr(refusal) == "<Refusal by acme/search: 0.5 usd more than remains>"
    with pytest.raises(BudgetExceeded, match=r"acme/search\.usd: 0\.5 usd more than remains") as error:
        run.reserve(usd=4.5)
    assert isinstance(error.value, TurnoutError)
    assert (error.value.path, error.value.account) == ("acme/search.usd", "acme/search")
    assert (error.value.dimension, error.value.missing) == ("usd", 0.5)
    check = run.check(usd=4.5)
    assert check is not None and check.missing == 0.5 and run.check(usd=4.0) is None
    assert run.held == budget.Amount() and ledger.held == 0
    made = run.try_reserve(usd=4.0)
    assert isinstance(made, Reservation) and made


def test_a_full_table_refuses() -> None:
    ledger = Ledger(max_reservations=2)
    run = ledger.open("run")
    run.reserve()
    run.reserve()
    with pytest.raises(BudgetExceeded, match="max_reservations") as error:
        run.reserve(usd=1)
    assert (error.value.path, error.value.dimension, error.value.missing) == ("run", None, 0.0)
    refusal = run.try_reserve(usd=1)
    assert isinstance(refusal, Refusal) and refusal.reason == "table_full" and refusal.dimension is None


def test_holds_expire_and_late_commits_count(clock: Clock, ledger: Ledger, run: budget.Account) -> None:
    hold, kept = run.reserve(usd=4.0, ttl=10), None
    clock.now = 9.0
    assert hold.extend(5.0)
    clock.now = 14.0
    kept = run.reserve(usd=4.0)
    assert not hold.extend(5.0)
    assert hold.commit(usd=1.0) == Settlement(counted=True, late=True)
    assert hold.commit(usd=1.0) == Settlement() and hold.release() == Settlement()
    clock.now = 1e9
    assert run.held == budget.Amount(usd=4.0)  # without a ttl
    assert kept.commit(usd=5.5) == Settlement(counted=True, overrun=True)
    assert run.overrun == budget.Amount(usd=1.5) and run.pressure == 0.0
    assert isinstance(run.try_reserve(calls=1), Refusal)
    assert ledger.counts == {
        "reserved": 2, "refused": 1, "committed": 2, "released": 0, "expired": 1, "late": 1, "overrun": 1, "stale": 2,
    }  # fmt: skip
    run.set_limits(usd=8.0)
    ledger.account("acme/search").set_limits(usd=8.0)
    assert run.try_reserve(calls=1)


def test_an_expired_hold_that_is_left_is_not_released_twice(clock: Clock, ledger: Ledger, run: budget.Account) -> None:
    with run.reserve(usd=1.0, ttl=1):
        clock.now = 2.0
    assert ledger.counts["expired"] == 1 and ledger.counts["released"] == 0 and ledger.sweep() == 0


def test_prices_in_cents_are_exact(ledger: Ledger) -> None:
    """1.07 * 1e9 is more than 1,070,000,000 in doubles: a reservation of it must fit in a limit of it."""
    for cents in range(1, 2000):
        account = ledger.open(f"cents/{cents}", usd=cents / 100)
        account.reserve(usd=cents / 100).commit()
        assert account.spent.usd == cents / 100 and account.remaining.usd == 0.0


# Accounts -------------------------------------------------------------------------------------------------------------


def test_missing_ancestors_are_opened_without_limits() -> None:
    ledger = Ledger()
    step = ledger.open("acme/search/run/step", calls=3)
    assert list(ledger) == ["acme", "acme/search", "acme/search/run", "acme/search/run/step"]
    assert ledger.account("acme").limits == budget.Amount(**dict.fromkeys(DIMENSIONS, math.inf))
    assert step.limits.calls == 3 and ledger.account("acme").open("other", usd=1).path == "acme/other"
    assert ledger.account("acme").pressure == 1.0 and ledger.account("acme").remaining.usd == math.inf


def test_closing_keeps_what_was_spent(ledger: Ledger, run: budget.Account) -> None:
    run.reserve(usd=1.0).commit()
    hold = run.reserve(usd=1.0)
    run.close()
    assert not run.is_open and "acme/search/run-17" not in ledger and repr(run) == "<Account, closed>"
    acme = ledger.account("acme")
    assert acme.spent.usd == 1.0 and acme.held.usd == 0.0
    assert hold.commit(usd=0.5) == Settlement(counted=True, late=True) and acme.spent.usd == 1.5
    again = ledger.open("acme/search/run-17")
    assert again != run and again == ledger.account("acme/search/run-17") and hash(again) != hash(run)
    for use in (run.reserve, run.try_reserve, run.check, run.close, run.set_limits, lambda: run.remaining):
        with pytest.raises(InputError, match="is closed") as error:
            use()
        assert error.value.path == "account"


@pytest.mark.parametrize("path", ["", "a//b", "/a", "a/", "a\nb", "a\ud800b", "a/" + "b" * 257])
def test_what_is_no_path_is_refused(ledger: Ledger, path: str) -> None:
    with pytest.raises(InputError) as error:
        ledger.open(path)
    assert error.value.path == "name" and len(list(ledger)) == 3


def test_opening_has_limits(ledger: Ledger, run: budget.Account) -> None:
    with pytest.raises(InputError, match="'acme' is open") as error:
        ledger.open("acme")
    assert error.value.path == "name"
    with pytest.raises(InputError, match="deeper than 16"):
        ledger.open("/".join("a" * 17))
    with pytest.raises(InputError, match="did you mean 'acme'"):
        ledger.account("acne")
    with pytest.raises(InputError, match="3 of 3 are open") as error:
        small = Ledger(max_accounts=3)
        small.open("a/b/c")
        small.open("a/d")
    assert error.value.path == "ledger.max_accounts"
    with pytest.raises(InputError) as error:
        run.open("x", usd=-1.0)
    assert error.value.path == "limits.usd" and len(list(ledger)) == 3


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ({"usd": -1.0}, "amount.usd"),
        ({"usd": math.nan}, "amount.usd"),
        ({"tokens": math.inf}, "amount.tokens"),
        ({"seconds": 1e9}, "amount.seconds"),
        ({"calls": 1e14}, "amount.calls"),
        ({"ttl": 0.0}, "ttl"),
        ({"ttl": math.nan}, "ttl"),
    ],
)
def test_what_is_no_amount_is_refused(ledger: Ledger, run: budget.Account, call: dict[str, float], path: str) -> None:
    before = ledger.snapshot()
    for method in (run.reserve, run.try_reserve):
        with pytest.raises(InputError) as error:
            method(**call)
        assert error.value.path == path
    assert ledger.snapshot() == before
    hold = run.reserve(usd=1.0)
    if "ttl" not in call:
        with pytest.raises(InputError) as error:
            hold.commit(**call)
        assert error.value.path == path.replace("amount", "actual") and run.held.usd == 1.0


def test_wrong_types_are_type_errors(run: budget.Account) -> None:
    hold = run.reserve()
    for call in (
        lambda: run.reserve(1.0),  # type: ignore[call-arg,misc]
        lambda: run.reserve(dollars=1.0),  # type: ignore[call-arg]
        lambda: run.reserve(usd="1"),  # type: ignore[arg-type]
        lambda: hold.commit(1.0),  # type: ignore[call-arg,misc]
        lambda: hold.commit(ttl=1.0),  # type: ignore[call-arg]
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(TypeError, match=r"^usd: expected a number, got str$"):
        run.reserve(usd="1")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^amount\.tokens: expected a number from 0 to .*, got inf"):
        run.reserve(tokens=10**400)
    with pytest.raises(InputError, match=r"^limits\.usd: expected a number, got str"):
        run.open("x", usd="1")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^name: expected a str, got int"):
        Ledger().open(5)  # type: ignore[arg-type]
    keyword = "".join(["u", "sd"])  # not the interned one
    assert run.reserve(**{keyword: 1}).amount.usd == 1.0


@pytest.mark.parametrize("clock", [lambda: math.nan, lambda: math.inf, lambda: "now", lambda: 1 / 0])
def test_a_broken_clock_is_an_error(clock: Any) -> None:
    with pytest.raises((InputError, TypeError, ZeroDivisionError)):
        Ledger(clock).open("a")
    with pytest.raises(InputError):
        Ledger(3.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("beyond", [1.7e18, -1.7e308, 1.7e308])
def test_a_clock_that_is_far_off_for_a_moment_costs_nothing(clock: Clock, run: budget.Account, beyond: float) -> None:
    """Nanoseconds for seconds, once: counted as time they would expire every later hold at once."""
    clock.now = 1.7e9
    kept = run.reserve(usd=1.0, ttl=60)
    clock.now = beyond
    with pytest.raises(InputError, match=r"now: expected seconds from -1e12 to 1e12"):
        run.reserve(usd=1.0)
    clock.now = 1.7e9 + 59
    assert run.held.usd == 1.0 and kept.commit().late is False
    run.reserve(usd=3.0, ttl=60)
    assert not run.try_reserve(usd=0.5)


def test_daemon_threads_end_with_the_interpreter() -> None:
    """A thread that waits for the GIL in a Python clock is unwound through the fast calls."""
    code = """
import sys, threading, time
from turnout.budget import Ledger
sys.setswitchinterval(1e-6)
run = Ledger(lambda: time.monotonic() + 0.0 * sum(range(50))).open("run", usd=1.0)
started = threading.Barrier(9)
def work():
    started.wait()
    while True:
        if hold := run.try_reserve(usd=0.01):
            hold.commit(usd=0.0)
for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
started.wait()
for _ in range(200):
    run.pressure
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_sizes_have_limits() -> None:
    for sizes, path in (
        ({"max_accounts": 2**31}, "max_accounts"),
        ({"max_reservations": 2**70}, "max_reservations"),
        ({"max_accounts": 0}, "max_accounts"),
        ({"max_reservations": 65537}, "max_reservations"),
    ):
        with pytest.raises(ConfigError) as error:
            Ledger(**sizes)
        assert error.value.path == f"ledger.{path}"


# Audits ---------------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_a_tree_of_plain_data(ledger: Ledger, run: budget.Account) -> None:
    run.reserve(usd=1.0).commit(usd=1.25)
    run.reserve(tokens=7)
    tree = json.loads(json.dumps(ledger.snapshot()))
    assert tree["held"] == 1 and tree["counts"]["overrun"] == 1
    (acme,) = tree["accounts"]
    (search,) = acme["children"]
    (leaf,) = search["children"]
    assert leaf == {
        "path": "acme/search/run-17",
        "limits": {"usd": 5.0, "tokens": 1e6, "seconds": None, "calls": 200.0},
        "spent": {"usd": 1.25, "tokens": 0.0, "seconds": 0.0, "calls": 0.0},
        "held": {"usd": 0.0, "tokens": 7.0, "seconds": 0.0, "calls": 0.0},
        "overrun": {"usd": 0.25, "tokens": 0.0, "seconds": 0.0, "calls": 0.0},
        "children": [],
    }
    assert acme["spent"] == leaf["spent"]


def test_it_reads_well(ledger: Ledger, run: budget.Account) -> None:
    hold = run.reserve(usd=1.0)
    hold.commit(usd=0.5)
    assert repr(ledger) == "<Ledger: 3 accounts, 0 reservations held>"
    assert (
        repr(ledger.account("acme")) == "<Account acme: remaining Amount(usd=9.5, tokens=inf, seconds=inf, calls=inf)>"
    )
    assert repr(hold).startswith("<Reservation ") and "usd=1.0" in repr(hold)
    assert ledger.describe().splitlines()[1] == "acme/search: usd 0.5 spent, 0 held, of 4"


# Parity ---------------------------------------------------------------------------------------------------------------

AMOUNTS = st.tuples(
    st.sampled_from([0.0, 0.1, 0.3, 1.07, 1e-10]) | st.floats(0, 2),
    st.integers(0, 500) | st.floats(0, 500),
    st.sampled_from([0.0, 0.25]) | st.floats(0, 3),
    st.integers(0, 2),
)
NO = math.inf
LIMITS = st.tuples(
    st.sampled_from([NO, NO, 0.0, 0.3, 5.0]), st.sampled_from([NO, 1000.0]), st.sampled_from([NO, 4.0]),
    st.sampled_from([NO, 0.0, 5.0, 20.0]),
)  # fmt: skip
NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
STEPS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 20.0, -0.5, -100.0, 1e9, -1e9])


def named(amount: tuple[float, ...]) -> dict[str, Any]:
    return dict(zip(DIMENSIONS, amount, strict=True))


class LedgerEqualsTwin(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.native = Ledger(self.clock, max_reservations=5)
        self.twin = twin.Ledger(5)
        self.made: list[Reservation] = []

    def account(self, data: st.DataObject) -> budget.Account:
        return self.native.account(data.draw(st.sampled_from(sorted(self.twin.accounts))))

    @rule(step=STEPS)
    def time_passes_or_jumps(self, step: float) -> None:
        self.clock.now += step

    @rule(path=NAMES, limits=LIMITS)
    def open(self, path: str, limits: tuple[float, float, float, float]) -> None:
        if path in self.twin.accounts:
            with pytest.raises(InputError):
                self.native.open(path)
            return
        self.native.open(path, **named(limits))
        self.twin.open(path, limits, self.clock.now)

    @precondition(lambda self: self.twin.accounts)
    @rule(data=st.data(), limits=LIMITS)
    def set_limits(self, data: st.DataObject, limits: tuple[float, float, float, float]) -> None:
        account = self.account(data)
        account.set_limits(**named(limits))
        self.twin.set_limits(account.path, limits, self.clock.now)

    @precondition(lambda self: self.twin.accounts)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        account = self.account(data)
        path = account.path
        account.close()
        self.twin.close(path, self.clock.now)

    @precondition(lambda self: self.twin.accounts)
    @rule(data=st.data(), amount=AMOUNTS, ttl=st.sampled_from([0.5, 2.0, 20.0, None]))
    def reserve(self, data: st.DataObject, amount: Any, ttl: float | None) -> None:
        account = self.account(data)
        got = account.try_reserve(**named(amount), ttl=ttl)
        want = self.twin.reserve(account.path, amount, self.clock.now, math.inf if ttl is None else ttl)
        if isinstance(got, Reservation):
            assert got.id >> 16 == want
            self.made.append(got)
        else:
            assert not isinstance(want, int)
            reason, path, dimension, missing = want
            assert (got.reason, got.account) == (reason, path)
            if reason == "limit":
                assert got.dimension == DIMENSIONS[dimension]
                assert got.missing == missing / budget.UNITS[dimension]

    @precondition(lambda self: self.made)
    @rule(data=st.data(), amount=AMOUNTS, how=st.sampled_from(["commit", "commit", "release", "extend"]))
    def settle(self, data: st.DataObject, amount: Any, how: str) -> None:
        hold = data.draw(st.sampled_from(self.made))
        now, serial = self.clock.now, hold.id >> 16
        if how == "extend":
            assert hold.extend(2.0) == self.twin.extend(serial, 2.0, now)
            return
        got = hold.release() if how == "release" else hold.commit(**named(amount))
        want = self.twin.release(serial, now) if how == "release" else self.twin.commit(serial, amount, now)
        assert (got.counted, got.late, got.overrun) == want

    @rule()
    def sweep(self) -> None:
        assert self.native.sweep() == self.twin.sweep(self.clock.now)

    @invariant()
    def they_are_equal(self) -> None:
        now = self.clock.now
        assert self.native._native.snapshot() == self.twin.snapshot(now)
        assert self.native.counts == self.twin.counts
        assert self.native.held == len(self.twin.holds)
        for path in self.twin.accounts:
            account, rest = self.native.account(path), self.twin.remaining(path, now)
            assert tuple(getattr(account.remaining, d) for d in DIMENSIONS) == rest
            assert account.pressure == self.twin.pressure(path, now)

    @invariant()
    def nothing_is_lost(self) -> None:
        self.twin.settle(self.clock.now)
        held_now, c = self.native.held, self.native.counts
        assert held_now == c["reserved"] - c["expired"] - c["committed"] - c["released"] + c["late"]
        held = [hold.units for hold in self.twin.holds.values()]
        tops = [state for state in self.native._native.snapshot() if "/" not in state[0]]
        assert [sum(u[d] for u in held) for d in range(4)] == [sum(state[3][d] for state in tops) for d in range(4)]


TestLedgerEqualsTwin = LedgerEqualsTwin.TestCase
TestLedgerEqualsTwin.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@settings(max_examples=300, deadline=None)
@given(value=st.floats(0, 7e4) | st.integers(0, 7 * 10**6).map(lambda cents: cents / 100))
def test_rounding_equals_the_twin(value: float) -> None:
    account = Ledger().open("a", usd=value)
    units = twin.amount_units((value, 0.0, 0.0, 0.0))[0]
    assert account.limits.usd == twin.limit_units((value, 0.0, 0.0, 0.0))[0] / 1e9
    account.set_limits()
    assert account.reserve(usd=value).commit().counted and account.spent.usd == units / 1e9


def test_threads_share_a_ledger() -> None:
    ledger = Ledger()
    run = ledger.open("acme/run", calls=1000)
    made = [0] * 8

    def work(i: int) -> None:
        while True:
            hold = run.try_reserve(calls=1)
            if isinstance(hold, Refusal):
                return
            hold.commit()
            made[i] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == 1000 and run.spent.calls == 1000 and run.remaining.calls == 0
