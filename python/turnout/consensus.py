"""What many answers say together: votes, pools of opinions, agreement. A sample counts once.

>>> from turnout import consensus
>>> consensus.plurality(["B", "C", "B"]).answer
'B'
>>> consensus.plurality(["B", "C"], abilities=[0.6, 0.7])
Verdict(answer='C', score=1.0, share=0.5, tied=True)
>>> consensus.agreement(["B", "C", "B"]).sigma
0.5
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.core import InputError
from turnout.schema import fail

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
T = TypeVar("T", bound=Hashable)
Numbers = Sequence[float] | Floats

MAX_VOTES = _native.max_votes
_NO_ANSWER, _OWN_SAMPLE, _NOBODY = -1, -1, -1


class Verdict(NamedTuple, Generic[T]):
    """What a vote says.

    Attributes
    ----------
    answer : hashable or None
        None where nobody says anything that counts.
    score : float
        Sum of the weights that are for it.
    share : float
        Of all weights that are for an answer.
    tied : bool
        Whether another answer had the same score.
    """

    answer: T | None
    score: float
    share: float
    tied: bool


class Agreement(NamedTuple):
    """How far answers agree; those that are None do not count.

    Attributes
    ----------
    answers, distinct : int
        How many there are, and how many differ. Of three probes `distinct` is how many LLMs ACAR asks.
    sigma : float
        (distinct - 1) / (answers - 1): 0 where all agree, 1 where all differ (ACAR: 0, 1/2 or 1 of three probes).
    share : float
        Of the most frequent answer: self-consistency (Wang et al. 2022, arXiv 2203.11171).
    entropy : float
        Of the shares of the answers, in bits.
    """

    answers: int
    distinct: int
    sigma: float
    share: float
    entropy: float


class Fusion(NamedTuple):
    """Fused scores float64 [C], the weights float64 [N] that gave them and sum to 1, the argmax of the scores."""

    scores: Floats
    weights: Floats
    winner: int


def numbers(values: Numbers | None, path: str) -> Floats:
    """As float64 [N]; none where not given.

    Raises
    ------
    InputError
        They are no numbers.
    """
    try:
        return np.ascontiguousarray([] if values is None else values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise fail(InputError, path, "expected numbers") from None


def classes_of(answers: Sequence[Hashable]) -> tuple[Ints, list[Any]]:
    """A class for each answer int32 [N], in the order of first appearance (None: -1), and each class's answer."""
    at: dict[Any, int] = {}
    out = np.empty(len(answers), np.int32)
    for i, answer in enumerate(answers):
        try:
            out[i] = _NO_ANSWER if answer is None else at.setdefault(answer, len(at))
        except TypeError:
            raise fail(InputError, f"answers[{i}]", f"expected a hashable, got {type(answer).__name__}") from None
    return out, list(at)


# Provenance -----------------------------------------------------------------------------------------------------------


def distinct(llms: Sequence[Hashable], samples: Sequence[Hashable]) -> list[int]:
    """Indices of the votes that count: the first of each sample.

    Parameters
    ----------
    llms : sequence of hashable
        Who gave each vote.
    samples : sequence of hashable or None
        Which sample of that LLM it is; None: one of its own. The same sample of the same LLM is one vote.

    Raises
    ------
    InputError
        With the path ``samples`` where there is not one a vote, ``llms`` above 1,024 votes.
    """
    if len(llms) > MAX_VOTES:
        raise fail(InputError, "llms", f"expected at most {MAX_VOTES}, got {len(llms)}")
    at: dict[Hashable, int] = {}
    ids = [_OWN_SAMPLE if s is None else at.setdefault(s, len(at)) for s in samples]
    counted = _native.distinct_votes(classes_of([(llm,) for llm in llms])[0], np.array(ids, np.int64))
    return np.flatnonzero(counted).tolist()


def effective_votes(n: float, rho: float) -> float:
    """``n / (1 + (n - 1) rho)``: how many independent votes `n` votes with the intra-class correlation `rho` are worth.

    The design effect (Kish, "Survey Sampling", 1965): 1 where all are copies (rho = 1), n where none is.

    Raises
    ------
    InputError
        With the path ``n`` (negative) or ``rho`` (outside of [0, 1]).
    """
    return _native.effective_votes(n, rho)


def independence(llms: Sequence[Hashable], rho: float | Mapping[Hashable, float]) -> Floats:
    """Weights float64 [N] with which the samples of each LLM sum to its effective votes.

    Parameters
    ----------
    llms : sequence of hashable
        Who gave each vote.
    rho : float or mapping
        Correlation between samples of one LLM: one number, or one for each LLM (0 where it has none).
    """
    each = [rho.get(llm, 0.0) for llm in llms] if isinstance(rho, Mapping) else [rho] * len(llms)
    return _native.independence(classes_of([(llm,) for llm in llms])[0], numbers(each, "rho"))


# Votes ----------------------------------------------------------------------------------------------------------------


def weighted(
    answers: Sequence[T | None], weights: Numbers | None = None, *, abilities: Numbers | None = None
) -> Verdict[T]:
    """The answer with the largest sum of weights.

    In a tie the answer of the ablest voter wins, as in the votes of operators; then the one that came first.

    Parameters
    ----------
    answers : sequence of hashable or None
        What each voter says; None does not count.
    weights : sequence of float, optional
        Of each vote, >= 0; default: 1 each.
    abilities : sequence of float, optional
        P(correct) of each voter, or any number that rises with it; default: all alike.

    Raises
    ------
    InputError
        With the path, as in ``weights[2]``.
    """
    ids, keys = classes_of(answers)
    given = numbers(weights, "weights"), numbers(abilities, "abilities")
    winner, score, share, tied, _ = _native.vote(ids, len(keys), *given)
    return Verdict(None if winner < 0 else keys[winner], score, share, tied)


def plurality(answers: Sequence[T | None], *, abilities: Numbers | None = None) -> Verdict[T]:
    """The most frequent answer; see `weighted`."""
    return weighted(answers, abilities=abilities)


def quadratic(
    answers: Sequence[T | None],
    credits: Numbers,
    *,
    voters: Sequence[Hashable] | None = None,
    authors: Mapping[T, Hashable] | None = None,
    abilities: Numbers | None = None,
) -> Verdict[T]:
    """Quadratic voting (NSED): a vote weighs the square root of its credits, and 0 for an answer of the voter's own.

    Parameters
    ----------
    credits : sequence of float
        That each vote spends, >= 0. c times the credits are sqrt(c) times the weight.
    voters : sequence of hashable, optional
        Who votes; needed where `authors` is given.
    authors : mapping, optional
        Who wrote each answer.
    """
    if authors is not None and (voters is None or len(voters) != len(answers)):
        raise fail(InputError, "voters", "expected one a vote, since the answers have authors")
    names = list(voters) if voters is not None and authors is not None else [None] * len(answers)
    written = [(authors or {}).get(a) if a is not None else None for a in answers]
    ids, _ = classes_of([*names, *written])
    weights = _native.quadratic_weights(numbers(credits, "credits"), ids[: len(names)], ids[len(names) :])
    return weighted(answers, weights, abilities=abilities)


# Opinions -------------------------------------------------------------------------------------------------------------


def trimmed_mean(values: Numbers, trim: float = 0.2) -> float:
    """Mean without the ``floor(trim * N)`` smallest and as many largest values.

    Raises
    ------
    InputError
        With the path ``values`` (none), ``values[2]`` (not finite) or ``trim`` (outside of [0, 0.5)).
    """
    return _native.trimmed_mean(numbers(values, "values"), trim)


def median(values: Numbers) -> float:
    """The middle value, or the mean of the two in the middle."""
    return _native.median(numbers(values, "values"))


def _rows(values: Any, path: str) -> Floats:
    try:
        return np.ascontiguousarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise fail(InputError, path, "expected rows of numbers, all of one length") from None


def linear_pool(opinions: Any, weights: Numbers | None = None) -> Floats:
    """Weighted mean float64 [C] of distributions [N, C] (Stone 1961).

    Raises
    ------
    InputError
        With the path ``opinions[1]`` (does not sum to 1), ``weights`` (sum to 0) or of a value.
    """
    return _native.linear_pool(_rows(opinions, "opinions"), numbers(weights, "weights"))


def log_pool(opinions: Any, weights: Numbers | None = None) -> Floats:
    """Weighted geometric mean float64 [C] of distributions [N, C], normalised: of two classes, the mean log odds.

    What one opinion rules out is out.

    Raises
    ------
    InputError
        As `linear_pool`; ``opinions`` where each class is ruled out by one.
    """
    return _native.log_pool(_rows(opinions, "opinions"), numbers(weights, "weights"))


def fuse(scores: Any, weights: Numbers, *, top: int | None = None) -> Fusion:
    """Weighted fusion of scores [N, C] (AgentRouter), with the `top` largest weights, scaled to sum to 1.

    With ``top=1`` the scores are those of the LLM with the largest weight. The winner is the first of the highest.
    """
    rows = _rows(scores, "opinions")
    used, fused = _native.fuse(rows, numbers(weights, "weights"), len(rows) if top is None else top)
    return Fusion(fused, used, int(fused.argmax()))


# Agreement ------------------------------------------------------------------------------------------------------------


def agreement(answers: Sequence[Hashable]) -> Agreement:
    """How far answers agree; None does not count."""
    ids, keys = classes_of(answers)
    return Agreement(*_native.agreement(ids, len(keys)))
