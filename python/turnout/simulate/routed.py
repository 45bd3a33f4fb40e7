"""The real thing: `Router.route` and `Router.feedback` on a stream, in a policy's clothes."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from turnout._native import Decision
from turnout.constraints import Constraints
from turnout.learning import Learner, Learning, Outcome
from turnout.router import Router
from turnout.simulate.policies import Setting
from turnout.simulate.stream import Stream
from turnout.telemetry import BreakerConfig, Telemetry

Mask = npt.NDArray[np.bool_]

_BREAKER = BreakerConfig(consecutive_failures=3, cool_down_seconds=100.0)  # a round is a second


class Routed:
    """A router that learns, in single direct calls; errors go to telemetry, as a host would send them."""

    def __init__(self, setting: Setting, stream: Stream, learning: Learning | None = None) -> None:
        router = setting.data.router
        assert router is not None
        learner = Learner.open(router.parts.bundle, learning or Learning(seed=setting.seed))
        self.router = Router(router.parts, setting.value_usd, learner)
        self.texts, self.llms = setting.data.texts, setting.data.llms
        self.round = -1
        self.telemetry = Telemetry(self.llms, breaker=_BREAKER, clock=lambda: float(self.round))
        self.decision: Decision | None = None
        others = tuple(oper for oper in router.operators if oper != "direct")
        self.rules = cache(lambda there: Constraints(allow=there, disable_operators=others))

    def choose(self, query: int, there: Mask) -> int:
        self.round += 1
        rules = self.rules(tuple(llm for llm, here in zip(self.llms, there.tolist(), strict=True) if here))
        self.decision = self.router.route(self.texts[query], constraints=rules, tools=0, telemetry=self.telemetry)
        llm = self.decision.llm
        if llm is None:  # all are out: somebody has to be asked
            return int(np.flatnonzero(there)[0])
        return self.llms.index(llm)

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        assert self.decision is not None
        self.telemetry.record(self.llms[arm], ok=not failed, error="error" if failed else None)
        outcome = Outcome(failure="unavailable") if failed else Outcome(score=score, usd=usd)
        if self.decision.llm is not None:
            self.router.feedback(self.decision, outcome)
