"""What a router learns from outcomes: it corrects the bundle's outcome model, explores where it may, forgets nothing.

    P(correct) = clip(prior + theta . x, 0, 1)

`prior` is the bundle's outcome model, x the query's features, theta a ridge regression of (score - prior) on x, one for
each LLM. Without outcomes theta is 0: decisions are, bit for bit, those of a router that does not learn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.core import ConfigError, InputError
from turnout.schema import fail

if TYPE_CHECKING:
    from turnout.bundle import Bundle
    from turnout.state import StateStore, Status

Feature = Literal["difficulty", "domains", "latent"]
Strategy = Literal["mean", "ucb", "thompson"]
Log = Literal["outcomes", "vectors", "texts"]
Failure = Literal["timeout", "rate_limited", "unavailable", "refused", "invalid", "other"]
Receipt = Literal["accepted", "duplicate", "expired", "unknown"]

FEATURES: tuple[Feature, ...] = get_args(Feature)
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
LOGS: tuple[Log, ...] = get_args(Log)
FAILURES: tuple[Failure, ...] = get_args(Failure)
RECEIPTS: tuple[Receipt, ...] = get_args(Receipt)

_FAILURE_CODES: dict[str | None, int] = {None: 0, **{name: i + 1 for i, name in enumerate(FAILURES)}}


class Outcome(msgspec.Struct, frozen=True):
    """What came of a plan, or of one of its nodes; what is not known is None.

    Attributes
    ----------
    score : float
        How good the answer was, in [0, 1]; True and False count as 1 and 0.
    usd, seconds : float
        What it cost, and how long it took.
    in_tokens, out_tokens : float
        Of the prompt and of the answer.
    failure : str
        Why there is no answer: one of `FAILURES`. It has no score: a wrong answer is a score of 0, not a failure.
    """

    score: float | None = None
    usd: float | None = None
    seconds: float | None = None
    in_tokens: float | None = None
    out_tokens: float | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Learning:
    """How a router learns. The defaults learn from outcomes and never explore.

    Attributes
    ----------
    features : tuple of {"difficulty", "domains", "latent"}
        What of a query corrections depend on, beside a constant.
    ridge : float
        How many outcomes' worth of trust the bundle's outcome model has: the precision of the prior theta = 0.
    gate, gate_up : float
        Standard deviations up to which a correction downwards, or upwards, is none, for chance could explain it; 0: all
        count. Downwards is more, because an LLM that is left gets no outcomes to rise by.
    usd_prior : float
        How many outcomes' worth of trust the catalog's prices have.
    strategy : {"mean", "ucb", "thompson"}
        Which P(correct) decides: the mean, the upper bound mean + `width` * deviation (LinUCB, Li et al. 2010), or a
        draw from N(mean, (width * deviation)^2) (Thompson sampling, Agrawal and Goyal 2013).
    width : float
        In standard deviations of a score; see `strategy`.
    epsilon : float
        Probability that the plan is drawn from a softmax over the ranked feasible plans. 0: never.
    temperature : float
        Of that softmax over utilities, in multiples of `value_usd`.
    quality_floor : float
        Least P(correct) of a plan that may be drawn instead of the best one.
    budget_share : float
        Of all USD that were decided on since the start, the most that drawn plans may cost beyond the best ones.
    suspend : bool
        Leave an LLM out whose answers say that it is dead; probes bring it back. The trace says so.
    discount : float
        Of evidence, an epoch: 1 forgets nothing.
    epoch_seconds : float, optional
        Length of an epoch by the wall clock, at least 1; default: epochs pass by `Learner.advance` alone.
    epochs : int
        How many are kept apart for late outcomes; a ticket older than that has expired.
    tickets : int
        How many decisions may wait for their outcome; beyond it the oldest is forgotten, and counted.
    log : {"outcomes", "vectors", "texts"}
        What is logged beside tickets and outcomes: nothing, or each decision with its options and the query's vector,
        or with its text. `turnout replay` needs one of the latter two.
    seed : int
        Of draws.
    """

    features: tuple[Feature, ...] = ("domains",)
    ridge: float = 10.0
    gate: float = 2.5
    gate_up: float = 1.0
    usd_prior: float = 20.0
    strategy: Strategy = "mean"
    width: float = 0.0
    epsilon: float = 0.0
    temperature: float = 0.05
    quality_floor: float = 0.0
    budget_share: float = 1.0
    suspend: bool = True
    discount: float = 1.0
    epoch_seconds: float | None = None
    epochs: int = 8
    tickets: int = 65536
    log: Log = "outcomes"
    seed: int = 0

    @property
    def in_order(self) -> bool:
        """Whether a decision depends on what those before it cost: a batch is then decided by one thread."""
        return self.epsilon > 0 and self.budget_share < 1

    def __post_init__(self) -> None:
        for feature in self.features:
            _expect(feature in FEATURES, "features", f"expected some of {list(FEATURES)}, got {feature!r}")
        _expect(len(set(self.features)) == len(self.features), "features", "one is given twice")
        _expect(self.strategy in STRATEGIES, "strategy", f"expected one of {list(STRATEGIES)}, got {self.strategy!r}")
        _expect(self.log in LOGS, "log", f"expected one of {list(LOGS)}, got {self.log!r}")
        if self.epoch_seconds is not None:
            expected = f"expected seconds from 1 to 1e12, got {self.epoch_seconds}"  # epochs since 1970 have 32 bits
            _expect(1 <= self.epoch_seconds <= 1e12, "epoch_seconds", expected)


def _expect(ok: bool, name: str, what: str) -> None:
    if not ok:
        raise fail(ConfigError, f"learning.{name}", what)


def _ticket(ticket: object) -> int:
    """The number of a ticket; 0, which is nobody's, where none is so negative or large."""
    if isinstance(ticket, _native.Decision):
        return int(ticket.ticket)
    try:
        number = index(ticket)  # type: ignore[arg-type]  # what is none says so
    except TypeError:
        raise TypeError(f"ticket: expected a Decision or its ticket, got {type(ticket).__name__}") from None
    return number if 0 <= number < 1 << 64 else 0


def _node(node: object) -> int:
    try:
        number = index(node)  # type: ignore[arg-type]  # what is none says so
    except TypeError:
        raise TypeError(f"node: expected an int or None, got {type(node).__name__}") from None
    if not 0 <= number < 1 << 31:
        raise fail(InputError, "node", f"expected the number of a node, got {number}")
    return number


def space_of(bundle: Bundle, learning: Learning) -> str:
    """What the features mean: two learners understand each other's evidence only where this is equal."""
    files = bundle.manifest.files
    read = sha256()
    for name in sorted(files):
        if name.startswith(("difficulty/", "embed/")):
            read.update(f"{name}:{files[name].sha256}\n".encode())
    return f"{read.hexdigest()[:16]}:{'+'.join(learning.features)}"


def dim_of(bundle: Bundle, learning: Learning) -> int:
    """d: how many features a query has."""
    latent: int = bundle.array("difficulty/heads.npy", np.float32, (None, None)).shape[1]
    sizes = {"difficulty": 1, "domains": bundle.difficulty_config().domains, "latent": latent}
    return 1 + sum(sizes[name] for name in learning.features)


def _epoch(now: float, seconds: float) -> int:
    epoch = now / seconds
    if not epoch < 1 << 32:
        raise fail(InputError, "clock", f"expected seconds below 2**32 epochs of {seconds:g}, got {now}")
    return max(0, int(epoch))


def native_learner(memory: _native.Memory, learning: Learning) -> _native.Learner:
    """What corrects decisions by a memory's evidence."""
    return _native.Learner(
        memory=memory,
        logit="difficulty" in learning.features,
        domains="domains" in learning.features,
        latent="latent" in learning.features,
        ridge=learning.ridge,
        gate=learning.gate,
        gate_up=learning.gate_up,
        usd_prior=learning.usd_prior,
        strategy=STRATEGIES.index(learning.strategy),
        width=learning.width,
        epsilon=learning.epsilon,
        temperature=learning.temperature,
        quality_floor=learning.quality_floor,
        budget_share=learning.budget_share,
        suspend=learning.suspend,
        notes=LOGS.index(learning.log),
        seed=learning.seed,
    )


def check_learner(learner: Learner, bundle: Bundle, learning: object, state: object) -> None:
    """Whether an open learner can serve a router over this bundle."""
    if learning or state is not None:
        raise fail(ConfigError, "learner", "it is open already: give it alone, without learning= and state=")
    space = space_of(bundle, learner.learning)
    if space != learner.space:
        raise fail(ConfigError, "learner", f"it learned in the space {learner.space}, this bundle's is {space}")


class Learned(NamedTuple):
    """What was learned of one LLM.

    Attributes
    ----------
    llm : str
    outcomes : float
        With a score, discounted; those of whole plans count by their share.
    correction : float
        Of P(correct), on a query of no particular domain: the first entry of theta, as far as it is believed.
    usd_ratio : float
        By which its prices are multiplied.
    dead : bool
        Suspended but for probes.
    drifting : int
        1: its scores lie above what was predicted; -1: below; 0: neither is evident.
    sound : bool
        False: its sums are none that outcomes can have left; a broken replica was merged, and nothing is corrected.
    theta : float64[d]
        The whole regression, before any of it is held back.
    """

    llm: str
    outcomes: float
    correction: float
    usd_ratio: float
    dead: bool
    drifting: int
    sound: bool
    theta: npt.NDArray[np.float64]


@dataclass
class Learner:
    """What was learned, and where it is kept. One may serve several routers: reloaded ones, or ones with other pools.

    Make one with `Learner.open`, or let ``Router.load(learning=..., state=...)`` do it.
    """

    learning: Learning
    space: str
    memory: _native.Memory
    native: _native.Learner
    keeper: Any
    clock: Callable[[], float] = field(default=time.time)
    _ticker: Any = field(default=None, repr=False)

    @staticmethod
    def open(
        bundle: Bundle,
        learning: Learning | None = None,
        state: str | Path | StateStore | None = None,
        *,
        flush_seconds: float | None = 1.0,
        merge_seconds: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> Learner:
        """Recovers what a store holds, or begins anew.

        Parameters
        ----------
        bundle : Bundle
            Whose network gives the features.
        learning : Learning, optional
        state : path or StateStore, optional
            A folder, or a store of your own; default: in memory, gone with the process.
        flush_seconds : float, optional
            A thread flushes so often; None: only when you say so.
        merge_seconds : float, optional
            A thread exchanges evidence with other replicas so often; default: never.
        clock : callable
            Wall-clock seconds, for epochs.

        Raises
        ------
        ConfigError
            `learning` does not hold together, or the state was learned in another space: by another bundle's network,
            or on other features.
        """
        from turnout.state import FileStore, Keeper, MemoryStore

        learning = Learning() if learning is None else learning
        space, dim = space_of(bundle, learning), dim_of(bundle, learning)
        store = MemoryStore() if state is None else FileStore(state) if isinstance(state, str | Path) else state
        flush_seconds = None if state is None else flush_seconds  # nothing would outlive the process
        keeper = Keeper.open(
            store,
            dim=dim,
            space=space,
            tickets=learning.tickets,
            discount=learning.discount,
            epochs=learning.epochs,
            flush_seconds=flush_seconds,
            merge_seconds=merge_seconds,
        )
        memory = keeper.memory
        try:
            native = native_learner(memory, learning)
            memory.note(0, b"learning" + msgspec.json.encode(learning, enc_hook=float))  # for replays
        except BaseException:
            keeper.close()
            raise
        learner = Learner(learning, space, memory, native, keeper, clock)
        learner._keep_time()
        return learner

    def _keep_time(self) -> None:
        """Decisions read no clock: a thread begins the epochs that their tickets belong to, also when all is quiet."""
        from turnout.state.ticker import Ticker

        if self.learning.epoch_seconds is None:
            return
        with suppress(InputError):  # of the clock; feedback() says so
            self._begin_epoch()
        self._ticker = Ticker("turnout-epoch", self.learning.epoch_seconds / 8, self._tick)

    def _tick(self) -> None:
        with suppress(Exception):
            self._begin_epoch()

    def _begin_epoch(self) -> None:
        if self.learning.epoch_seconds is not None:
            self.memory.advance(_epoch(self.clock(), self.learning.epoch_seconds))

    def feedback(
        self, ticket: _native.Decision | int, outcome: Outcome | float | bool, node: int | None = None
    ) -> Receipt:
        """Takes in what came of a decision: see `Router.feedback`."""
        number = _ticket(ticket)
        self._begin_epoch()
        at = -1 if node is None else _node(node)
        if not isinstance(outcome, Outcome):
            if not hasattr(outcome, "__float__"):  # NumPy's scalars have it, too
                raise TypeError(f"outcome: expected turnout.Outcome or a score, got {type(outcome).__name__}")
            return RECEIPTS[self.native.report(number, at, outcome, None, None, None, None, 0)]
        code = _FAILURE_CODES.get(outcome.failure, -1)
        if code < 0:
            raise fail(InputError, "outcome.failure", f"expected one of {list(FAILURES)}, got {outcome.failure!r}")
        o = outcome
        return RECEIPTS[self.native.report(number, at, o.score, o.usd, o.in_tokens, o.out_tokens, o.seconds, code)]

    def flush(self, sync: bool = False) -> None:
        """Writes what was accepted: see `Router.flush`."""
        self.keeper.flush(sync=sync)

    def advance(self, epoch: int) -> None:
        """Begins a later epoch: older evidence counts `Learning.discount` as much. An earlier one is ignored."""
        self.memory.advance(epoch)

    def status(self) -> Status:
        """How durable what was learned is: see `turnout.state.Status`."""
        status: Status = self.keeper.status()
        return status

    def report(self) -> list[Learned]:
        """What is known of each LLM, in the order in which they were first seen."""
        return [Learned(*row) for row in self.native.report_arms()]

    def freeze(self, frozen: bool = True) -> None:
        """Stops learning, or goes on: outcomes are still logged and counted, and change nothing."""
        self.native.frozen = frozen

    def close(self) -> None:
        """Flushes, writes a snapshot and lets go of the store."""
        if self._ticker is not None:
            self._ticker.stop()
        self.keeper.close()

    def __enter__(self) -> Learner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
