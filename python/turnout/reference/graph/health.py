"""Twin of the weights from health."""

from __future__ import annotations


def health_weight(base: float, latency_ms: float, reliability: float, rate_limit_proximity: float) -> float:
    """Self-Healing Router's weight of one edge."""
    return base * max(0.5, latency_ms / 100) * (1 / max(0.01, reliability)) * (1 + 5 * rate_limit_proximity)
