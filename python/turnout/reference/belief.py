"""Twin of belief: every outcome of every call is played out over all hypotheses.

A hypothesis is how much harder the query is than it looked (a node), which answer is right (the truth) and which wrong
one attracts (the trap). Truth and trap are classes 0 .. n - 1 or n, which stands for all that were not seen.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from turnout.reference import consensus

POINTS = (-2.8569700138728056, -1.3556261799742659, 0.0, 1.3556261799742659, 2.8569700138728056)
SHARES = (0.011257411327720689, 0.22207592200561264, 0.53333333333333333, 0.22207592200561264, 0.011257411327720689)
WIDTH = 8


class Model(NamedTuple):
    others: int
    common: float
    common_gain: float
    spread: float
    rho: float
    score_weight: float


class Llm(NamedTuple):
    p_correct: float
    usd: float = 0.0
    seconds: float = 0.0
    allowed: bool = True
    samples: int = 1


class Answer(NamedTuple):
    llm: int
    answer: int | None  # its class; None: the call failed
    sample: Hashable = None
    reused: bool = False
    score: float | None = None


def at_nodes(probability: float, spread: float) -> list[float]:
    """P(correct) at each node, with the mean `probability`."""
    p = min(max(probability, 1e-6), 1 - 1e-6)
    odds = target = p / (1 - p)
    for round_ in range(3):
        shifted = [odds * math.exp(spread * x) for x in POINTS]
        out = [o / (1 + o) for o in shifted]
        mean = sum(w * x for w, x in zip(SHARES, out, strict=True))
        if round_ < 2:
            odds *= target * (1 - mean) / mean
    if mean < p:
        return [1 - (1 - x) * ((1 - p) / (1 - mean)) for x in out]
    return [x * (p / mean) for x in out]


@dataclass
class Voter:
    p: list[float]
    common: float
    own: list[int] = field(default_factory=list)  # classes of its earlier samples


class Weights:
    """Weight of each hypothesis."""

    def __init__(self, model: Model, distinct: int) -> None:
        self.model = model._replace(others=max(model.others, distinct + 2))
        self.n = 0
        self.w = {(z, 0, 0): share for z, share in enumerate(SHARES)}

    def copy(self) -> Weights:
        other = Weights(self.model, 0)
        other.model, other.n, other.w = self.model, self.n, dict(self.w)
        return other

    @property
    def unseen(self) -> int:
        return self.model.others + 1 - self.n

    def add_class(self) -> None:
        """One of the unseen classes is told apart from the others."""
        n, u, split = self.n, self.unseen, {}
        for (z, t, d), w in self.w.items():
            pairs = 1.0
            truths = [(t, 1)] if t < n else [(n, 1), (n + 1, u - 1)]
            traps = [(d, 1)] if d < n else [(n, 1), (n + 1, u - 1)]
            if t == n and d == n:
                pairs = u * (u - 1)
            elif t == n or d == n:
                pairs = u
            for new_t, a in truths:
                for new_d, b in traps:
                    both = {n: 0, n + 1: (u - 1) * (u - 2)}[new_t] if new_t == new_d and t == n and d == n else a * b
                    split[z, new_t, new_d] = w * both / pairs
        self.n, self.w = n + 1, split

    def likelihood(self, voter: Voter, answer: int, z: int, truth: int, trap: int) -> float:
        m, p = self.model, voter.p[z]
        wrong = (1 - p) * ((voter.common if trap == answer else 0.0) + (1 - voter.common) / m.others)
        fresh = p if truth == answer else wrong
        return ((1 - m.rho) * fresh + m.rho * voter.own.count(answer)) / (1 - m.rho + m.rho * len(voter.own))

    def observe(self, voter: Voter, answer: int) -> None:
        self.w = {h: w * self.likelihood(voter, answer, *h) for h, w in self.w.items()}

    def normalise(self) -> None:
        total = self.total()
        self.w = {h: w / total for h, w in self.w.items()}

    def mass(self, truth: int) -> float:
        return sum(w for (_, t, _), w in self.w.items() if t == truth)

    def total(self) -> float:
        return sum(self.w.values())

    def after(self, voter: Voter) -> list[Weights]:
        """The weights after each outcome of a further answer, which carry its probability: a class, or a new one."""
        out = []
        for answer in range(self.n + 1):
            then, times = self.copy(), 1
            if answer == self.n:
                times = self.unseen
                then.add_class()
            then.observe(voter, answer)
            then.w = {h: w * times for h, w in then.w.items()}
            out.append(then)
        return out


def counted(answers: Sequence[Answer]) -> list[bool]:
    """Which answers are votes: none that failed, no sample twice, reused ones only where their LLM has no other."""

    def counts(i: int) -> bool:
        a = answers[i]
        others = [(j, b) for j, b in enumerate(answers) if j != i and b.llm == a.llm and b.answer is not None]
        repeated = any(j < i and a.sample is not None and b.sample == a.sample for j, b in others)
        stale = a.reused and any(not b.reused or j < i for j, b in others)
        return a.answer is not None and not repeated and not stale

    return [counts(i) for i in range(len(answers))]


class Case:
    """What is known of one query. Classes are numbered in the order in which they were counted."""

    def __init__(self, llms: Sequence[Llm], answers: Sequence[Answer], model: Model) -> None:
        self.llms, self.answers, self.model = llms, answers, model
        self.votes = [a for a, counts in zip(answers, counted(answers), strict=True) if counts]
        self.keys = list(dict.fromkeys(a.answer for a in [*self.votes, *answers] if a.answer is not None))
        self.weights = Weights(model, len(self.keys))
        for i, a in enumerate(self.votes):
            place = self.keys.index(a.answer)  # type: ignore[arg-type]
            if place == self.weights.n:
                self.weights.add_class()
            self.weights.observe(self.voter(a.llm, i), place)
            self.weights.normalise()
        while self.weights.n < len(self.keys):
            self.weights.add_class()
        self._judge()

    def voter(self, llm: int, end: int | None = None) -> Voter:
        p, m = self.llms[llm].p_correct, self.model
        own = [self.keys.index(a.answer) for a in self.votes[:end] if a.llm == llm]  # type: ignore[arg-type]
        return Voter(at_nodes(p, m.spread), m.common + m.common_gain * p, own)

    def _judge(self) -> None:
        for place, key in enumerate(self.keys):
            scores = [min(max(a.score, 0.001), 0.999) for a in self.votes if a.answer == key and a.score is not None]
            if scores:
                odds = math.exp(self.model.score_weight * consensus.median([math.log(s / (1 - s)) for s in scores]))
                self.weights.w = {h: w * odds if h[1] == place else w for h, w in self.weights.w.items()}
        self.weights.normalise()

    def posterior(self) -> dict[int | None, float]:
        found: dict[int | None, float] = {key: self.weights.mass(i) for i, key in enumerate(self.keys)}
        return {**found, None: self.weights.mass(self.weights.n)}

    def ability(self, key: int | None = None) -> float:
        return max((self.llms[a.llm].p_correct for a in self.votes if key is None or a.answer == key), default=0.0)

    def best(self) -> int | None:
        found, best = self.posterior(), None
        for key in sorted(k for k in found if k is not None):
            ahead = math.inf if best is None else found[key] - found[best]
            if ahead > 1e-12 or (ahead >= -1e-12 and self.ability(key) > self.ability(best)):
                best = key
        return best

    def left(self, llm: int) -> bool:
        failed = any(a.llm == llm and a.answer is None for a in self.answers)
        drawn = sum(a.llm == llm for a in self.votes)
        return self.llms[llm].allowed and not failed and drawn < self.llms[llm].samples


class Call(NamedTuple):
    llm: int
    voi: float
    cost: float


@dataclass
class Question:
    llms: Sequence[Llm]
    answers: Sequence[Answer]
    value_usd: float
    wrong_usd: float
    usd_per_second: float
    left: tuple[float, float, float]
    model: Model
    depth: int

    def cost(self, llm: int) -> float:
        return self.llms[llm].usd + self.usd_per_second * self.llms[llm].seconds

    def fits(self, llm: int, left: tuple[float, float, float]) -> bool:
        return self.llms[llm].usd <= left[0] and self.llms[llm].seconds <= left[1] and left[2] >= 1

    def stop(self, w: Weights) -> tuple[int, float]:
        """The best choice, -1 for no answer, and its value."""
        total, best = w.total(), (-1, 0.0)
        for k in range(w.n):
            value = self.value_usd * w.mass(k) - self.wrong_usd * (total - w.mass(k))
            best = (k, value) if value > best[1] else best
        return best

    def front(self, llms: Sequence[int]) -> list[int]:
        """By cost, each abler than all that cost less; thinned to `WIDTH`."""
        kept: list[int] = []
        for m in sorted(llms, key=lambda m: (self.cost(m), -self.llms[m].p_correct, m)):
            if not kept or self.llms[m].p_correct > self.llms[kept[-1]].p_correct:
                kept.append(m)
        return kept if len(kept) <= WIDTH else [kept[k * (len(kept) - 1) // (WIDTH - 1)] for k in range(WIDTH)]


def next_step(q: Question) -> tuple[str, str, int, int | None, float, float, float, float, int, bool]:
    """Action, reason, LLM, answer, posterior, voi, cost, sigma, votes, abstain."""
    case = Case(q.llms, q.answers, q.model)
    nobody = not any(case.left(m) for m in range(len(q.llms)))
    calls = _calls(q, case)
    best = _best([c for c in calls if q.fits(c.llm, q.left)])
    beyond = _best([c for c in calls if not q.fits(c.llm, q.left)])
    answer, sigma = case.best(), consensus.agreement([a.answer for a in case.votes])[2]
    posterior = 0.0 if answer is None else case.posterior()[answer]
    shown = best or beyond or Call(-1, 0.0, 0.0)
    facts = (posterior, shown.voi, shown.cost, sigma, len(case.votes))
    if best and best.voi > best.cost:
        return (*_ask(q, case, best.llm, sigma), best.llm, answer, *facts, False)
    over = beyond is not None and beyond.voi > beyond.cost
    reason = _why_stop(case, nobody, over, any(c.voi > 0 for c in calls), sigma)
    abstain = answer is None or q.value_usd * posterior < q.wrong_usd * (1 - posterior)
    return ("stop", reason, -1, answer, *facts, abstain)


def _calls(q: Question, case: Case) -> list[Call]:
    """Every call that may be made, with what it is worth."""
    left = [m for m in range(len(q.llms)) if case.left(m)]
    front, voters = q.front(left), {m: case.voter(m) for m in left}
    now = q.stop(case.weights)

    def gain(
        w: Weights, m: int, now: tuple[int, float], left: tuple[float, float, float], depth: int, used: set[int]
    ) -> float:
        then = [(after, q.stop(after)) for after in w.after(voters[m])]
        if depth == 1:
            return 0.0 if all(s[0] == now[0] for _, s in then) else max(0.0, sum(s[1] for _, s in then) - now[1])
        rest = (left[0] - q.llms[m].usd, left[1] - q.llms[m].seconds, left[2] - 1)
        further = [s[1] + best_gain(after, s, rest, depth - 1, used | {m}) for after, s in then]
        return max(0.0, sum(further) - now[1])

    def best_gain(
        w: Weights, now: tuple[int, float], left: tuple[float, float, float], depth: int, used: set[int]
    ) -> float:
        able = [m for m in front if m not in used and q.fits(m, left)]
        return max([0.0, *(gain(w, m, now, left, depth, used) - w.total() * q.cost(m) for m in able)])

    def worth(m: int) -> float:
        one = gain(case.weights, m, now, q.left, 1, set())
        return max(one, gain(case.weights, m, now, q.left, q.depth, set())) if q.depth > 1 and m in front else one

    return [Call(m, worth(m), q.cost(m)) for m in left]


def _best(calls: Sequence[Call]) -> Call | None:
    """Of the largest voi - cost; then the cheapest, then the first."""
    return max(calls, key=lambda c: (c.voi - c.cost, -c.cost, -c.llm), default=None)


def _ask(q: Question, case: Case, llm: int, sigma: float) -> tuple[str, str]:
    if case.answers and case.answers[-1].answer is None:
        return "retry", "call_failed"
    if not case.votes:
        return "probe", "unanswered"
    action = "escalate" if q.llms[llm].p_correct > case.ability() else "probe"
    return action, "disagreed" if sigma > 0 else "unsure"


def _why_stop(case: Case, nobody: bool, over: bool, matters: bool, sigma: float) -> str:
    if nobody:
        return "no_llm_left"
    if over:
        return "no_budget"
    if len(case.votes) > 1 and sigma == 0:
        return "agreed"
    return "not_worth_it" if matters or not case.votes else "confident"


# States ---------------------------------------------------------------------------------------------------------------


def log_likelihoods(ratings: Sequence[Sequence[float]], trim: float | None) -> list[float]:
    """Of the median of the models' ratings, or of their trimmed mean."""
    columns = list(zip(*ratings, strict=True))
    mean = [consensus.median(c) if trim is None else consensus.trimmed_mean(c, trim) for c in columns]
    return [math.log(r + 0.5) for r in mean]


def update(p: Sequence[float], log_likelihood: Sequence[float], alpha: float) -> list[float]:
    logs = [math.log(x) + alpha * log for x, log in zip(p, log_likelihood, strict=True)]
    powers = [math.exp(x - max(logs)) for x in logs]
    return [x / sum(powers) for x in powers]


def act(p: Sequence[float], loss: Sequence[Sequence[float]]) -> tuple[int, float]:
    expected = [sum(x * y for x, y in zip(p, row, strict=True)) for row in loss]
    return expected.index(min(expected)), min(expected)


def value_of_information(
    p: Sequence[float], loss: Sequence[Sequence[float]], likelihood: Sequence[Sequence[float]]
) -> float:
    now = act(p, loss)
    then = [act([x * y for x, y in zip(p, row, strict=True)], loss) for row in likelihood]
    return 0.0 if all(a == now[0] for a, _ in then) else max(0.0, now[1] - sum(loss for _, loss in then))
