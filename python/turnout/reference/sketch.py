"""Twin of telemetry's quantile sketch: DDSketch over 128 equal buckets a power of two, each (lower, upper]."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

PER_OCTAVE, LOWEST, OCTAVES = 128, -20, 48
LARGEST = 2.0**28


def index(value: float) -> int:
    """The bucket of a value; 0 holds what is at most 2^-20."""
    if value <= 2.0**LOWEST:
        return 0
    fraction, exponent = math.frexp(value)  # value = fraction 2^exponent, fraction in [0.5, 1)
    step = math.ceil((2 * fraction - 1) * PER_OCTAVE)
    return (exponent - 1 - LOWEST) * PER_OCTAVE + step


def upper_edge(bucket: int) -> float:
    """What a bucket's values read as."""
    if bucket == 0:
        return 0.0
    octave, step = divmod(bucket - 1, PER_OCTAVE)
    return math.ldexp(1 + (step + 1) / PER_OCTAVE, octave + LOWEST)


def quantile(values: Iterable[float], q: float) -> float:
    """The upper edge of the bucket that holds the value of rank max(1, ceil(q n))."""
    counts = Counter(map(index, values))
    rank = max(1, math.ceil(q * counts.total()))
    for bucket in sorted(counts):
        rank -= counts[bucket]
        if rank <= 0:
            return upper_edge(bucket)
    raise ValueError("there is no quantile of no values")
