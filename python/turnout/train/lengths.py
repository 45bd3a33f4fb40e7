"""How long answers get: output tokens of an LLM on a query, from measured ones.

``log tokens = t_m + gain_m v(q) + sum_k posterior_k(q) deviation_mk``: v is what LLMs share (a proof is long for all
of them), the deviations are an LLM's own by domain, shrunk by how many answers there are. Lengths are heavy-tailed:
what is kept of an LLM is the mean at which the predicted total equals the measured one, and the 90th percentile of what
is left when the prediction is divided out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Sets that were asked for an option's letter alone report one token: that is not what an LLM writes.
LEAST_TOKENS = 8.0
LEAST_ANSWERS = 20
SHRINKAGE = 20.0  # answers in a domain at which half of a deviation is believed
UNKNOWN_MEAN, UNKNOWN_P90 = 256.0, 512.0


def usable(tokens: FloatArray) -> FloatArray:
    """Output tokens [Q, M] that say how long an LLM writes: NaN where they do not."""
    out = np.where(tokens >= 1.0, tokens, np.nan)
    measured = (~np.isnan(out)).sum(0)
    long_enough = (out >= LEAST_TOKENS).sum(0)
    keep = (measured >= LEAST_ANSWERS) & (long_enough >= 0.5 * measured)
    return np.where(keep, out, np.nan)


def shared(tokens: FloatArray) -> FloatArray:
    """What LLMs share, [Q]: mean over a query's LLMs of log tokens less the LLM's mean; NaN where none is known."""
    log = np.log(tokens)
    seen = ~np.isnan(log)
    llm = np.nansum(log, 0) / np.maximum(seen.sum(0), 1)
    rest = np.where(seen, log - llm, 0.0)
    return np.where(seen.any(1), rest.sum(1) / np.maximum(seen.sum(1), 1), np.nan)


@dataclass(frozen=True)
class Lengths:
    """Output tokens by LLM; of one without measured tokens the mean is an assumption and nothing moves it.

    Attributes
    ----------
    mean, p90 : float64 [M]
        Tokens where the predicted scale is 1.
    gain : float64 [M]
        1, or 0 for an LLM without measured tokens.
    deviation : float64 [M, K]
    measured : bool [M]
    """

    mean: FloatArray
    p90: FloatArray
    gain: FloatArray
    deviation: FloatArray
    measured: npt.NDArray[np.bool_]

    def scale(self, v: FloatArray, posterior: FloatArray) -> FloatArray:
        """What multiplies the mean, [Q, M]; the core clamps it to [1/16, 16]."""
        log = v[:, None] * self.gain + posterior @ self.deviation.T
        return np.asarray(np.clip(np.exp(log), 1.0 / 16.0, 16.0))


def fit(tokens: FloatArray, v: FloatArray, posterior: FloatArray) -> Lengths:
    """Fits an LLM at a time, beside predictions of queries that were held out.

    Parameters
    ----------
    tokens : float64 [Q, M]
        As `usable` returns them.
    v : float64 [Q]
    posterior : float64 [Q, K]
    """
    llms = tokens.shape[1]
    measured = np.asarray((~np.isnan(tokens)).any(0))
    gain, deviation = measured.astype(np.float64), np.zeros((llms, posterior.shape[1]))
    for m in np.flatnonzero(measured).tolist():
        rows = ~np.isnan(tokens[:, m])
        rest = np.log(tokens[rows, m]) - v[rows]
        weight = posterior[rows]
        level = rest.mean()
        deviation[m] = weight.T @ (rest - level) / (weight.sum(0) + SHRINKAGE)
    lengths = Lengths(np.full(llms, UNKNOWN_MEAN), np.full(llms, UNKNOWN_P90), gain, deviation, measured)
    scale = lengths.scale(v, posterior)
    mean, p90 = lengths.mean.copy(), lengths.p90.copy()
    for m in np.flatnonzero(measured).tolist():
        rows = ~np.isnan(tokens[:, m])
        mean[m] = tokens[rows, m].sum() / scale[rows, m].sum()
        p90[m] = max(float(np.percentile(tokens[rows, m] / scale[rows, m], 90)), mean[m])
    if measured.any():  # the usual LLM's, for those that nothing is known of
        mean[~measured], p90[~measured] = np.median(mean[measured]), np.median(p90[measured])
    return Lengths(mean, p90, gain, deviation, measured)
