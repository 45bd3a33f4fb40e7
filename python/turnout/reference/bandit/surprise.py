"""One arm's tests against what was predicted of it: CUSUM over log-likelihood ratios, suspension, probes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

SURE = 0.01  # predictions are taken to be no surer


def log_ratio(p: float, q: float, score: float) -> float:
    """Of a score in [0, 1]: log P(score | q) / P(score | p)."""
    return score * math.log(q / p) + (1 - score) * math.log((1 - q) / (1 - p))


@dataclass
class Cusum:
    threshold: float
    sum: float = 0.0
    alarm: bool = False

    def add(self, step: float) -> None:
        self.sum = min(max(self.sum + step, 0.0), self.threshold)
        if self.sum in (0.0, self.threshold):
            self.alarm = self.sum == self.threshold


@dataclass
class Watch:
    """One arm."""

    dead_score: float = 0.02
    drift: float = 0.15
    false_alarm: float = 1e-4
    probe_after: int = 100
    probe_at_most: int = 6400
    dead: bool = False
    admitted: bool = True
    wait: int = 0
    waited: int = 0
    death: Cusum = field(init=False)
    up: Cusum = field(init=False)
    down: Cusum = field(init=False)

    def __post_init__(self) -> None:
        self.death, self.up, self.down = (Cusum(-math.log(self.false_alarm)) for _ in range(3))

    def observe(self, p: float, score: float) -> None:
        sure = min(max(p, SURE), 1 - SURE)
        self.up.add(log_ratio(sure, min(sure + self.drift, 1 - SURE), score))
        self.down.add(log_ratio(sure, max(sure - self.drift, SURE), score))
        step = log_ratio(sure, self.dead_score, score) if sure > self.dead_score else 0.0
        if not self.dead:
            self.death.add(step)
            if self.death.sum == self.death.threshold:
                self.dead, self.admitted, self.wait, self.waited = True, False, self.probe_after, 0
        elif step < 0 or (step == 0 and score > self.dead_score):
            self.dead, self.admitted = False, True
            self.death = Cusum(self.death.threshold)

    def decided(self, chosen: bool) -> None:
        """A decision was made, for this arm or for another one."""
        if not self.dead or (self.admitted and not chosen):
            return
        if self.admitted:
            self.admitted, self.wait, self.waited = False, min(2 * self.wait, self.probe_at_most), 0
            return
        self.waited += 1
        self.admitted = self.waited >= self.wait
