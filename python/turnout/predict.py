"""What is known of queries without deciding: P(correct) and USD of every LLM, and the assessment behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.core import InputError
from turnout.messages import is_messages, read_messages
from turnout.schema import fail

Tokens = npt.NDArray[np.int32]

_MAX_TOKENS = 2**31 - 1
_COUNTED = -1  # the native router counts them from the text


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one direct call of each LLM would give.

    Attributes
    ----------
    llms : list of str
        Ids of the pool's LLMs: the columns.
    correct : float32[N, M]
        P(correct) of the call.
    usd : float32[N, M]
        Its expected USD: the prompt's tokens, the LLM's mean answer (at most `max_output_tokens`) and its price a call.
    usd_p90 : float32[N, M]
        The same with the 90th percentile of its answers' lengths, which are heavy-tailed.
    """

    llms: list[str]
    correct: npt.NDArray[np.float32]
    usd: npt.NDArray[np.float32]
    usd_p90: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Assessments:
    """What the difficulty network says of queries.

    ``P(correct) = floor + (1 - floor) sigmoid(ability + skill . s - discrimination b)``.

    Attributes
    ----------
    logit : float64[N]
        b; the difficulty is its sigmoid.
    skills : float32[N, S]
        s; the last `domains` of them are the posterior over the bundle's domains.
    floor : float32[N]
        Share of right answers that guessing gives.
    output_scale : float32[N]
        How long answers are, in multiples of the LLM's own mean, for an LLM without a length of its own in the bundle.
    domain_similarity : float32[N]
        Best cosine to a centroid of the training queries.
    out_of_domain : bool[N]
        Whether that is below the bundle's threshold.
    domains : int
        How many of the skills are P(domain); 0: none.
    """

    logit: npt.NDArray[np.float64]
    skills: npt.NDArray[np.float32]
    floor: npt.NDArray[np.float32]
    output_scale: npt.NDArray[np.float32]
    domain_similarity: npt.NDArray[np.float32]
    out_of_domain: npt.NDArray[np.bool_]
    domains: int = 0


def check_queries(queries: Any, callable_embedder: bool) -> None:
    """Many queries, or an error that says what was given instead."""
    if isinstance(queries, str | bytes):
        raise TypeError("queries: expected a list of queries, got one; use route()")
    if callable_embedder and not isinstance(queries, np.ndarray):
        raise fail(
            InputError, "queries", "a CallableEmbedder routes texts one by one: embed them and pass float32[N, D]"
        )
    if not isinstance(queries, np.ndarray | Sequence):
        raise TypeError(f"queries: expected a list of queries or float32[N, D], got {type(queries).__name__}")


def read_tokens(in_tokens: Any, rows: int, default: int) -> Tokens:
    """`in_tokens` of every row as int32[N]; `default` where nothing was given."""
    if in_tokens is None:
        return np.full(rows, default, np.int32)
    array = np.asarray(in_tokens)
    if array.dtype.kind not in "iu" or array.ndim > 1:
        raise TypeError(f"in_tokens: expected an int, int[N] or None, got {_kind(in_tokens)}")
    if array.ndim == 1 and len(array) != rows:
        raise fail(InputError, "in_tokens", f"expected {rows} numbers, one a query, got {len(array)}")
    wrong = np.flatnonzero((array < 0) | (array > _MAX_TOKENS))
    if wrong.size:
        path = f"in_tokens[{wrong[0]}]" if array.ndim else "in_tokens"
        raise fail(InputError, path, f"expected 0 to {_MAX_TOKENS}, got {array.ravel()[wrong[0]]}")
    return np.full(rows, array, np.int32)


def _kind(value: object) -> str:
    return f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__


def read_texts(
    queries: Sequence[Any], in_tokens: Any, count: Callable[[str], int]
) -> tuple[Sequence[str | bytes], Tokens]:
    """The texts that decide, and the tokens to pay for; of chat messages, as `Router.route` reads them."""
    tokens = read_tokens(in_tokens, len(queries), _COUNTED)
    if all(isinstance(query, str | bytes) for query in queries):
        return queries, tokens
    texts: list[str | bytes] = []
    for i, query in enumerate(queries):
        if not is_messages(query):
            texts.append(query)  # what is no text, the native router names
            continue
        chat = read_messages(query, f"queries[{i}]")
        texts.append(chat.text)
        if in_tokens is None and chat.whole != chat.text:
            tokens[i] = count(chat.whole)
    return texts, tokens
