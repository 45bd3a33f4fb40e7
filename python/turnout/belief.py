"""Second thoughts: what is known after each answer, what another one is worth, and when to stop.

>>> from turnout.belief import Answer, Observation, Option, next_step
>>> pool = [Option("small", 0.55, usd=0.0002), Option("large", 0.8, usd=0.004)]
>>> step = next_step(pool, Observation([Answer("B", "small")]), value_usd=0.05)
>>> step.action, step.llm
('escalate', 'large')
>>> seen = Observation([Answer("B", "small"), Answer("B", "large")])
>>> next_step(pool, seen, value_usd=0.05).action
'stop'
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.consensus import Numbers, classes_of, numbers
from turnout.core import ConfigError, InputError
from turnout.schema import did_you_mean, fail

Floats = npt.NDArray[np.float64]
Failure = Literal["timeout", "rate_limited", "unavailable", "refused", "invalid", "other"]
"""Why there is no answer."""
Action = Literal["stop", "retry", "escalate", "probe"]
"""``retry``: elsewhere, the last call failed. ``escalate``: to an LLM that is abler than all that have answered.
``probe``: more evidence, that is a first answer, another LLM's or another sample."""
Reason = Literal[
    "agreed",
    "confident",
    "not_worth_it",
    "no_budget",
    "no_llm_left",
    "unanswered",
    "unsure",
    "disagreed",
    "call_failed",
]
"""Of a stop: ``agreed`` (all answers are alike, and no further one is worth its cost), ``confident`` (no single further
answer would change what is returned), ``not_worth_it`` (one would, but costs more than that is worth), ``no_budget``
(one would be worth it, and does not fit into what is left), ``no_llm_left``. Of a call: ``unanswered`` (there is no
answer yet), ``unsure`` (the answers are alike, and not enough), ``disagreed``, ``call_failed`` (the last one)."""

ACTIONS: tuple[Action, ...] = get_args(Action)
REASONS: tuple[Reason, ...] = get_args(Reason)
FAILURES: tuple[Failure, ...] = get_args(Failure)
MAX_ANSWERS, MAX_DISTINCT = _native.max_answers, _native.max_distinct
_OTHERS, _COMMON, _COMMON_GAIN, _SPREAD, _RHO, _SCORE_WEIGHT = _native.answer_model
_OWN_SAMPLE = -1


class Option(NamedTuple):
    """An LLM that may be asked.

    Attributes
    ----------
    llm : str
    p_correct : float
        P(correct) on this query, before any answer to it.
    usd, seconds : float
        Of a call, as expected; what is left is compared with these, so give a bound where it must hold.
    allowed : bool
    samples : int
        How many may be drawn: 1 where it says the same each time.
    """

    llm: str
    p_correct: float
    usd: float = 0.0
    seconds: float = 0.0
    allowed: bool = True
    samples: int = 1


class Answer(NamedTuple):
    """What a call gave.

    Attributes
    ----------
    key : hashable
        What answers are compared by: a letter, a number, a stripped text. None only where the call failed.
    llm : str
    sample : hashable, optional
        Which sample of the LLM it is; the same one counts once. None: one of its own.
    reused : bool
        Kept from an earlier call: it counts only where nothing else of this LLM does.
    score : float, optional
        A judge's confidence in it, in [0, 1]; 0.5 says nothing.
    failed : str, optional
        Why there is no answer, one of `FAILURES`.
    usd, seconds : float
        What the call took.
    """

    key: Hashable
    llm: str
    sample: Hashable = None
    reused: bool = False
    score: float | None = None
    failed: Failure | None = None
    usd: float = 0.0
    seconds: float = 0.0


class Observation(NamedTuple):
    """The calls so far, in the order in which they ended. What is not stated as spent is the sum over the answers."""

    answers: Sequence[Answer] = ()
    spent_usd: float | None = None
    spent_seconds: float | None = None

    @property
    def usd(self) -> float:
        return math.fsum(a.usd for a in self.answers) if self.spent_usd is None else self.spent_usd

    @property
    def seconds(self) -> float:
        return math.fsum(a.seconds for a in self.answers) if self.spent_seconds is None else self.spent_seconds


class AnswerModel(NamedTuple):
    """How answers come about; see docs/second-thoughts.md for where the defaults come from.

    Attributes
    ----------
    others : int
        Wrong answers that exist.
    common : float
        Share of wrong answers that are the query's trap: LLMs agree, but are wrong.
    common_gain : float
        More of them, times the LLM's P(correct): where the able err, they err alike.
    spread : float
        How much harder or easier than predicted a query is for all LLMs: standard deviation in logits.
    rho : float
        Correlation between samples of one LLM.
    score_weight : float
        Of a judge's log odds.
    """

    others: int = _OTHERS
    common: float = _COMMON
    common_gain: float = _COMMON_GAIN
    spread: float = _SPREAD
    rho: float = _RHO
    score_weight: float = _SCORE_WEIGHT


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do next, and why.

    Attributes
    ----------
    action, reason : str
        See `Action` and `Reason`.
    llm : str or None
        Whom to ask; None on a stop.
    answer : hashable or None
        The key of the likeliest answer so far: what to return on a stop. None: there is none.
    posterior : float
        P(this answer is right).
    voi : float
        USD that the best next call is worth, less what a second one is expected to cost. A call is asked for where
        ``voi > cost``; on a stop it says how far from that it was.
    cost : float
        USD of that call, with the price of its time.
    sigma : float
        Disagreement of the answers: 0 all alike, 1 all different.
    votes : int
        Answers that count.
    abstain : bool
        On a stop: no answer is better than this one, or there is none.
    """

    action: Action
    reason: Reason
    llm: str | None
    answer: Hashable
    posterior: float
    voi: float
    cost: float
    sigma: float
    votes: int
    abstain: bool

    def __str__(self) -> str:
        worth = f"worth ${self.voi:.3g} at ${self.cost:.3g}"
        if self.action != "stop":
            return f"{self.action} {self.llm} ({self.reason}): {worth}; {self._so_far()}"
        return f"stop ({self.reason}): {'abstain; ' if self.abstain else ''}{self._so_far()}; the next call is {worth}"

    def _so_far(self) -> str:
        return "no answer yet" if self.votes == 0 else f"{self.answer!r} is right with {self.posterior:.3f}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the answer as it was given."""
        return asdict(self)


# The step -------------------------------------------------------------------------------------------------------------


def next_step(
    llms: Sequence[Option],
    observation: Observation = Observation(),  # noqa: B008 - immutable
    *,
    value_usd: float,
    wrong_usd: float = 0.0,
    usd_per_second: float = 0.0,
    max_usd: float = math.inf,
    max_seconds: float = math.inf,
    max_calls: float = math.inf,
    model: AnswerModel = AnswerModel(),  # noqa: B008 - immutable
    depth: int = 2,
) -> NextStep:
    """Stop, or ask whom next: optimal stopping by the value of information. A pure function.

    Parameters
    ----------
    llms : sequence of Option
        The pool, at most 256.
    observation : Observation
        What is known: at most 64 answers, 12 different ones.
    value_usd, wrong_usd : float
        What a right answer is worth, and what returning a wrong one costs.
    usd_per_second : float
        What waiting costs.
    max_usd, max_seconds, max_calls : float
        In all. What the observation has spent is taken off, a call each answer that is not reused.
    depth : int
        Calls to look ahead, 1 to 3: 1 sees what the next answer alone could change, 2 also what a second one could.

    Returns
    -------
    NextStep
        Ties go to the cheaper call, then to the first of `llms`; of equally likely answers to the ablest voter's.

    Raises
    ------
    InputError
        With the path, as in ``llms[2].p_correct`` or ``answers[1].llm``.
    ConfigError
        With the path ``model.<field>``.
    """
    rows, names = _options(llms)
    answers, keys = _answers(observation.answers, names)
    calls = sum(not a.reused for a in observation.answers)
    left = (max_usd - observation.usd, max_seconds - observation.seconds, max_calls - calls)
    worth = (value_usd, wrong_usd, usd_per_second)
    action, reason, llm, answer, *rest = _native.next_step(rows, answers, worth, left, tuple(model), depth)
    return NextStep(action, reason, llms[llm].llm if llm >= 0 else None, keys[answer] if answer >= 0 else None, *rest)


def posterior(
    llms: Sequence[Option],
    answers: Sequence[Answer],
    model: AnswerModel = AnswerModel(),  # noqa: B008 - immutable
) -> dict[Hashable, float]:
    """P(right) of each answer that was given, by key in the order of first appearance; None: P(none of them).

    Raises
    ------
    InputError, ConfigError
        As `next_step`.
    """
    rows, names = _options(llms)
    said, keys = _answers(answers, names)
    found = _native.answer_posterior(rows, said, tuple(model), len(keys)).tolist()
    return dict(zip([*keys, None], found, strict=True))


def _options(llms: Sequence[Option]) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    names = {option.llm: i for i, option in enumerate(llms)}
    if len(names) < len(llms):
        twice = next(i for i, option in enumerate(llms) if names[option.llm] != i)
        raise fail(InputError, f"llms[{twice}].llm", f"{llms[twice].llm!r} is named twice")
    return [tuple(option[1:]) for option in llms], names


def _answers(answers: Sequence[Answer], names: dict[str, int]) -> tuple[list[tuple[Any, ...]], list[Any]]:
    ids, keys = classes_of([None if a.failed else a.key for a in answers])
    samples: dict[Hashable, int] = {}
    rows = []
    for i, (a, k) in enumerate(zip(answers, ids.tolist(), strict=True)):
        if a.llm not in names:
            raise fail(
                InputError, f"answers[{i}].llm", f"{a.llm!r} is not among the LLMs{did_you_mean(str(a.llm), names)}"
            )
        _check_failure(a, i)
        sample = _OWN_SAMPLE if a.sample is None else samples.setdefault(a.sample, len(samples))
        rows.append((names[a.llm], k, sample, a.reused, math.nan if a.score is None else a.score))
    return rows, keys


def _check_failure(a: Answer, i: int) -> None:
    if a.failed is not None and a.failed not in FAILURES:
        raise fail(InputError, f"answers[{i}].failed", f"expected one of {', '.join(FAILURES)}, got {a.failed!r}")
    if a.failed is None and a.key is None:
        raise fail(InputError, f"answers[{i}].key", "expected an answer, or in `failed` why there is none")


# States ---------------------------------------------------------------------------------------------------------------


def log_likelihoods(
    ratings: Any, aggregate: Literal["median", "trimmed_mean"] = "median", *, trim: float = 0.2
) -> Floats:
    """Log-likelihoods float64 [S] of states from several models' ratings (Bayesian orchestration).

    Parameters
    ----------
    ratings : float64 [K, S]
        How typical the evidence is of each state, >= 0 (0 to 10, say), a row a model.
    aggregate : {"median", "trimmed_mean"}
        Over models: one of five that lies, or errs, moves neither far.

    Returns
    -------
    float64 [S]
        log(r + 0.5); of two states the difference is log((r1 + 0.5) / (r0 + 0.5)).
    """
    if aggregate not in ("median", "trimmed_mean"):
        raise fail(ConfigError, "aggregate", f"expected 'median' or 'trimmed_mean', got {aggregate!r}")
    return _native.log_likelihoods(_table(ratings, "ratings"), aggregate == "median", trim)


class Belief(_native.Belief):
    """A posterior over states, kept in logarithms, so that the order of evidence does not matter.

    Parameters
    ----------
    prior : sequence of float
        Of each state, above 0; they sum to 1.
    """

    def __init__(self, prior: Numbers) -> None:
        super().__init__(numbers(prior, "prior"))

    def update(self, log_likelihood: Numbers, alpha: float = 1.0) -> None:
        """log p += alpha * log-likelihood. A refused update changes nothing."""
        super().update(numbers(log_likelihood, "log_likelihood"), alpha)

    @property
    def p(self) -> Floats:
        """Probabilities of the states."""
        return self.probabilities()

    def act(self, loss: Any) -> tuple[int, float]:
        """The action of least expected loss, the first of equal ones, and that loss; `loss` is [actions, states]."""
        return _native.least_loss(self.p, _table(loss, "loss"))

    def value_of_information(self, loss: Any, likelihood: Any) -> float:
        """What seeing one of these outcomes first saves in expected loss; gather it where that is above its cost.

        Parameters
        ----------
        loss : float64 [actions, states]
        likelihood : float64 [outcomes, states]
            P(outcome | state): columns sum to 1.

        Returns
        -------
        float
            Never negative, and exactly 0 where no outcome changes the action.
        """
        return _native.value_of_information(self.p, _table(loss, "loss"), _table(likelihood, "likelihood"))


def _table(values: Any, path: str) -> Floats:
    try:
        return np.ascontiguousarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise fail(InputError, path, "expected rows of numbers, all of one length") from None


# Plain policies -------------------------------------------------------------------------------------------------------


def models_to_ask(probes: Sequence[Hashable]) -> int:
    """ACAR: how many LLMs are to answer, by the agreement of probes: as many as gave different answers."""
    ids, keys = classes_of(probes)
    return _native.models_to_ask(ids, len(keys))


def accept(confidence: float, threshold: float, *, last: bool = False) -> bool:
    """A cascade by a threshold (FrugalGPT): accept this answer, or ask the next LLM. The last one's is accepted."""
    return _native.accept(confidence, threshold, last)


def act_alone(samples: Sequence[Hashable], rule: Literal["all", "plurality"] = "all") -> bool:
    """Whether a student acts on its own samples, or the teacher is asked.

    ``all``: they all agree. ``plurality``: the most frequent answer has more than half of them. None agrees with none.
    """
    if rule not in ("all", "plurality"):
        raise fail(ConfigError, "rule", f"expected 'all' or 'plurality', got {rule!r}")
    ids, keys = classes_of(samples)
    return _native.act_alone(ids, rule == "all", len(keys))


def break_even(upfront_usd: float, saving_usd: float) -> float:
    """Episodes after which an upfront cost has paid: ``upfront / saving``; infinity where nothing is saved."""
    return _native.break_even(upfront_usd, saving_usd)
