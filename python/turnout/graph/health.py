"""Edge weights from how the tools behind them fare."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from turnout import _native


def health_weights(
    base: npt.NDArray[np.float64],
    latency_ms: npt.NDArray[np.float64],
    reliability: npt.NDArray[np.float64],
    rate_limit_proximity: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """The weights of Self-Healing Router (https://github.com/NeerajBholani/self-healing-router).

    ``base * max(.5, latency_ms / 100) * 1 / max(.01, reliability) * (1 + 5 * rate_limit_proximity)``

    Parameters
    ----------
    base : float64[E]
        The weight when all is well, in [0, 1e12].
    latency_ms : float64[E]
        Milliseconds, in [0, 1e12].
    reliability : float64[E]
        Share of calls that succeed, in [0, 1].
    rate_limit_proximity : float64[E]
        0: far from the rate limit; 1: at it.

    Returns
    -------
    float64[E]
        For `ToolGraph.set_weights`.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``reliability[3]``.
    """
    return _native.graph_health_weights(base, latency_ms, reliability, rate_limit_proximity)
