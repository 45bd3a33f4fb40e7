"""What a call costs an LLM's user, from recorded costs: USD a token, where the outcomes let it be told.

Costs are a non-negative linear function of the tokens that a router knows or predicts: the query's, counted by the
bundle's tokenizer, the answer's, and a constant for what the prompt adds (Lawson and Hanson 1974).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

FloatArray = npt.NDArray[np.float64]

LEAST_COSTS = 20  # outcomes with a cost


class Price(NamedTuple):
    """USD of one call: ``usd_per_call + (in * usd_per_mtok_in + out * usd_per_mtok_out) / 1e6``."""

    usd_per_mtok_in: float
    usd_per_mtok_out: float
    usd_per_call: float


def fit(usd: FloatArray, in_tokens: FloatArray, out_tokens: FloatArray, assumed_out: float) -> Price | None:
    """The price of one LLM; None where fewer than 20 of its outcomes have a cost.

    Parameters
    ----------
    usd : float64 [Q]
        Recorded; NaN where unknown.
    in_tokens : float64 [Q]
        Of the query, as the router counts them.
    out_tokens : float64 [Q]
        Measured; NaN where unknown. Where none is known, what does not depend on the query is read as the price of
        `assumed_out` tokens.
    """
    measured = bool((~np.isnan(out_tokens)).any())
    rows = ~np.isnan(usd) & ~(np.isnan(out_tokens) & measured)
    if rows.sum() < LEAST_COSTS:
        return None
    columns = [in_tokens[rows], np.ones(int(rows.sum()))]
    if measured:
        columns.append(out_tokens[rows])
    x = np.column_stack(columns)
    scale = np.maximum(np.abs(x).mean(0), 1e-12)
    total = float(usd[rows].sum())
    if total <= 0.0:
        return Price(0.0, 0.0, 0.0)
    found, _ = nnls(x / scale, usd[rows] * (len(x) / total))
    found = found / scale * (total / len(x))
    by_token, constant = float(found[0]), float(found[1])
    if measured:
        return Price(1e6 * by_token, 1e6 * float(found[2]), constant)
    return Price(1e6 * by_token, 1e6 * constant / assumed_out, 0.0)
