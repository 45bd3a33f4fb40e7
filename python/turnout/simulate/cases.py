"""What happens to pools: scenarios on recorded outcomes, and how soon each policy notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from turnout.evaluate.measure import plain
from turnout.simulate import stream as streams
from turnout.simulate.policies import Make, Setting, offline
from turnout.simulate.recorded import Recorded
from turnout.simulate.replicas import Replicas
from turnout.simulate.run import OTHERS, POINTS, Draws, Played, curve, learners, play, play_all, share
from turnout.simulate.stream import Scenario, Stream, shuffled
from turnout.simulate.twin import UNKNOWN, Learning, Turnout

Progress = Callable[[str], None]

AT = 400  # the round of the change
AFTER = 200  # rounds that a killed arm's share is counted over
NOTICE = 50  # rounds that are left out of the second share: what finding out takes
WINDOW = 25  # rounds over which the drawn shares are taken
GAIN, GAIN_ROUNDS, GAIN_SEEDS = 0.30, 500, 100
VALUE_USD = 0.01


class Case(NamedTuple):
    """One thing that happens.

    change : what becomes of the arm; None: nothing.
    arm : "favourite", which offline routing asks most, or "best", the best fixed arm.
    cold : whether nothing is known of the LLMs beforehand.
    """

    title: str
    change: Scenario | None
    arm: str = "favourite"
    cold: bool = False


CASES: Mapping[str, Case] = {
    "cold-start": Case("nothing is known of the LLMs", None, cold=True),
    "new-arm": Case("the best LLM joins", streams.joins(AT), "best"),
    "degrades": Case("the favourite's scores are halved", streams.degrades(AT)),
    "price": Case("the favourite costs four times as much", streams.costs(AT)),
    "dead": Case("the favourite scores 0", streams.degrades(AT, 0.0)),
    "errors": Case("every call of the favourite fails", streams.fails(AT)),
}
WITHOUT_TEST = "turnout without the test"
NO_TRUST = "turnout, told so"  # that nothing is known of the LLMs


def favourite(data: Recorded, value_usd: float) -> int:
    """The arm that offline routing asks most."""
    utility = data.correct - data.expected_usd / value_usd
    return int(np.bincount(utility.argmax(1), minlength=len(data.llms)).argmax())


def best(data: Recorded, value_usd: float) -> int:
    """The best fixed arm."""
    return int((data.score - data.usd / value_usd).mean(0).argmax())


def cases(
    data: Recorded,
    value_usd: float = VALUE_USD,
    seeds: int = 20,
    draws: int = 1000,
    progress: Progress = lambda _: None,
) -> list[dict[str, Any]]:
    """A report of each case on these queries."""
    drawn = Draws(seeds, len(data), draws)
    found = []
    for name, case in CASES.items():
        progress(f"{data.name}: {case.title}")
        known = data.cold() if case.cold else data
        arm = (best if case.arm == "best" else favourite)(data, value_usd)
        made = [shuffled(known, seed) for seed in range(seeds)]
        made = [case.change(stream, arm) for stream in made] if case.change else made
        found.append({"case": name} | _case(case, known, arm, made, value_usd, drawn))
    plained: list[dict[str, Any]] = plain(found)
    return plained


def _case(case: Case, data: Recorded, arm: int, made: list[Stream], value_usd: float, drawn: Draws) -> dict[str, Any]:
    extra: Make = partial(Turnout, how=UNKNOWN if case.cold else Learning(dead=None))
    makers = {**learners(data), NO_TRUST if case.cold else WITHOUT_TEST: extra, **OTHERS}
    played = {name: play_all(make, data, made, value_usd) for name, make in makers.items()}
    oracle = played["oracle"].reward
    start = 0 if case.cold else AT
    rows = []
    for name, one in played.items():
        lost = oracle - one.reward
        lost[:, :start] = np.nan
        after = Played(one.chosen[:, start:], one.reward[:, start:], one.query[:, start:])
        rows.append(
            {
                "name": name,
                "regret_after": drawn.mean(after, POINTS * lost[:, start:]),
                "share_before": share(one, arm, 0, AT),
                "share_next": share(one, arm, AT, AT + AFTER),
                "share_later": share(one, arm, AT + NOTICE, AT + NOTICE + AFTER),
                "curve": curve(oracle - one.reward),
                "shares": _shares(one, len(data.llms)),
            }
        )
    return {"title": case.title, "at": start, "arm": data.llms[arm], "llms": list(data.llms), "policies": rows}


def _shares(played: Played, arms: int) -> dict[str, Any]:
    """Shares of the arms in windows of rounds: [windows, arms]."""
    windows = played.chosen.shape[1] // WINDOW
    chosen = played.chosen[:, : windows * WINDOW].reshape(len(played.chosen), windows, WINDOW)
    found = np.stack([(chosen == m).mean((0, 2)) for m in range(arms)], 1)
    return {"round": np.arange(windows) * WINDOW + WINDOW // 2, "share": found}


# A planted gain, replicas, false alarms ------------------------------------------------------------------------------


def gain(data: Recorded, value_usd: float = VALUE_USD, seeds: int = GAIN_SEEDS) -> dict[str, Any]:
    """How often an arm that is 30 points better than the router believes is found within 500 rounds: it takes most of
    the last 100 choices. The arm is the second best one, so that the gain makes it the best."""
    order = np.argsort(-(data.score - data.usd / value_usd).mean(0), kind="stable")
    arm = int(order[1])
    change = streams.gains(GAIN)
    made = [change(shuffled(data, seed, GAIN_ROUNDS), arm) for seed in range(seeds)]
    rows = {}
    for name, make in {**learners(data), "offline routing": offline}.items():
        late = play_all(make, data, made, value_usd).chosen[:, -100:] == arm
        rows[name] = float((late.mean(1) > 0.5).mean())
    return {"arm": data.llms[arm], "seeds": seeds, "rounds": GAIN_ROUNDS, "found": rows}


def replicas(data: Recorded, value_usd: float = VALUE_USD, seeds: int = 20) -> dict[str, Any]:
    """Regret of 8 replicas that share their evidence every 80 decisions, over that of sharing every 8: with the LLMs
    unknown at the start, where there is something to learn."""
    cold = data.cold()
    made = [shuffled(cold, seed) for seed in range(seeds)]
    oracle = play_all(OTHERS["oracle"], cold, made, value_usd).reward.mean()
    regret = {}
    for every in (8, 80):
        played = play_all(partial(Replicas, every=every, how=UNKNOWN), cold, made, value_usd)
        regret[every] = POINTS * float(oracle - played.reward.mean())
    return {"every_8": regret[8], "every_80": regret[80], "ratio": regret[80] / regret[8]}


def false_alarms(data: Recorded, value_usd: float = VALUE_USD, seeds: int = 20) -> dict[str, Any]:
    """Suspensions of LLMs that are alive, on streams where nothing happens."""
    count, decisions = 0, 0
    for seed in range(seeds):
        stream = shuffled(data, seed)
        policy = Turnout(Setting(data, value_usd, seed), stream)
        play(policy, stream)
        assert policy.dead is not None
        count += len(policy.dead.suspensions)
        decisions += len(stream.order)
    return {"suspensions": count, "decisions": decisions}
