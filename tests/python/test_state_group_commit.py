"""Callers share writes and syncs, and nobody returns before what he asked for is done."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from turnout.state import StoreError
from turnout.state.group_commit import GroupCommit


class Log:
    """Counts what was accepted, written and synced. The first write waits until `go`."""

    def __init__(self) -> None:
        self.accepted = self.written = self.synced = 0
        self.writes = self.syncs = 0
        self.go = threading.Event()
        self.begun = threading.Event()
        self.fails: set[str] = set()
        self.inside = threading.Lock()
        self.commit = GroupCommit(self.write, self.sync)

    def write(self) -> None:
        assert self.inside.acquire(blocking=False), "two at once"
        try:
            accepted = self.accepted
            self.writes += 1
            self.begun.set()
            assert self.go.wait(60)
            if "write" in self.fails:
                raise StoreError("the disk is full")
            self.written = accepted
        finally:
            self.inside.release()

    def sync(self) -> None:
        self.syncs += 1
        if "sync" in self.fails:
            raise StoreError("the disk is dying")
        self.synced = self.written


def together(calls: list[Callable[[], None]]) -> list[BaseException | None]:
    """Runs calls in threads; what each raised."""
    raised: list[BaseException | None] = [None] * len(calls)

    def run(i: int) -> None:
        try:
            calls[i]()
        except BaseException as error:
            raised[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return raised


def crowd(log: Log, syncs: list[bool]) -> list[BaseException | None]:
    """A leader that is held up in its write, and a caller for each of `syncs` that comes meanwhile."""
    waiting = threading.Barrier(len(syncs) + 1)

    def follow(sync: bool) -> None:
        log.accepted += 1
        number = log.accepted
        waiting.wait()
        log.commit(sync)
        assert log.written >= number and (not sync or log.synced >= number)

    def lead() -> None:
        log.commit()

    def release() -> None:
        assert log.begun.wait(60)
        waiting.wait()
        while log.commit._calls < len(syncs) + 1:  # all of them wait for the leader
            threading.Event().wait(0.001)
        log.go.set()

    def late(sync: bool) -> Callable[[], None]:
        def run() -> None:
            assert log.begun.wait(60)
            follow(sync)

        return run

    return together([lead, release, *map(late, syncs)])


def test_a_crowd_shares_one_write_and_one_sync() -> None:
    log = Log()
    assert crowd(log, [i % 2 == 0 for i in range(64)]) == [None] * 66
    assert (log.writes, log.syncs) == (2, 1)  # the leader's own, and one for all the others
    assert (log.written, log.synced) == (64, 64)


def test_nobody_syncs_for_those_who_only_write() -> None:
    log = Log()
    assert crowd(log, [False] * 16) == [None] * 18
    assert (log.writes, log.syncs) == (2, 0)


def test_a_failed_write_is_everyones() -> None:
    log = Log()
    log.fails = {"write"}
    raised = crowd(log, [i % 2 == 0 for i in range(16)])
    assert raised[1] is None and all(isinstance(x, StoreError) for i, x in enumerate(raised) if i != 1)
    assert len({id(x) for x in raised}) == len(raised)  # each its own, for its traceback
    assert (log.writes, log.syncs) == (2, 0)
    log.fails.clear()
    log.accepted += 1
    log.commit(True)
    assert log.synced == log.accepted


def test_a_failed_sync_is_theirs_who_wanted_it() -> None:
    log = Log()
    log.fails = {"sync"}
    syncs = [i % 2 == 0 for i in range(16)]
    raised = crowd(log, syncs)
    assert [isinstance(x, StoreError) for x in raised[2:]] == syncs
    assert (log.writes, log.syncs) == (2, 1)


def test_a_sync_that_failed_is_not_tried_again_for_those_who_only_write() -> None:
    log = Log()
    log.go.set()
    log.fails = {"sync"}
    with pytest.raises(StoreError, match="dying"):
        log.commit(True)
    log.commit()
    assert (log.writes, log.syncs) == (2, 1)
    log.fails.clear()
    log.commit(True)
    assert log.syncs == 2


def test_a_leader_that_is_interrupted_as_it_lets_go_of_the_lock_leaves_the_lead() -> None:
    log = Log()
    log.go.set()
    release = log.commit._changed.release

    def interrupted() -> None:
        release()
        log.commit._changed.release = release  # type: ignore[method-assign]
        raise KeyboardInterrupt

    log.commit._changed.release = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        log.commit()
    assert together([log.commit]) == [None] and log.writes == 1


def test_an_interrupted_leader_leaves_the_lead() -> None:
    log = Log()
    log.go.set()
    calls = iter([KeyboardInterrupt(), None])
    write = log.write

    def interrupted() -> None:
        error = next(calls)
        if error is not None:
            raise error
        write()

    commit = GroupCommit(interrupted, log.sync)
    with pytest.raises(KeyboardInterrupt):
        commit()
    commit()
    assert log.writes == 1
