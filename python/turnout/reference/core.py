"""Twin of the core: Philox4x64-10 and the fixed-order inner product.

Source of the generator: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

_MASK = (1 << 64) - 1
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_ROUNDS = 10
LANES = 16


class Philox:
    """Counter-based generator: the n-th number of (seed, stream) is a pure function."""

    def __init__(self, seed: int, stream: int = 0) -> None:
        self._key = (seed & _MASK, stream & _MASK)
        self._counter = 0
        self._buffer: list[int] = []

    def block(self, counter: int) -> list[int]:
        """The four numbers at a counter."""
        x, key = [counter & _MASK, 0, 0, 0], self._key
        for _ in range(_ROUNDS):
            a, b = x[0] * _MULTIPLIERS[0], x[2] * _MULTIPLIERS[1]
            x = [(b >> 64) ^ x[1] ^ key[0], b & _MASK, (a >> 64) ^ x[3] ^ key[1], a & _MASK]
            key = ((key[0] + _WEYL[0]) & _MASK, (key[1] + _WEYL[1]) & _MASK)
        return x

    def next(self) -> int:
        """Uniform over [0, 2^64)."""
        if not self._buffer:
            self._counter += 1
            self._buffer = self.block(self._counter)
        return self._buffer.pop(0)

    def uniform(self) -> float:
        """Uniform over [0, 1), 53 bits."""
        return (self.next() >> 11) * 2.0**-53

    def normal(self) -> float:
        """Standard normal by Box-Muller."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return radius * math.cos(2.0 * math.pi * self.uniform())


def float32(x: float) -> float:
    """Rounded to the nearest float32."""
    return float(struct.unpack("<f", struct.pack("<f", x))[0])


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """Inner product of float32 vectors in sixteen lanes, each operation rounded to float32, lanes summed pairwise.

    A product of two float32 is exact in double, and a double sum of two float32 rounds to float32 as if it were exact:
    float32(x + y) here is the float32 addition of the machine.
    """
    lanes = [0.0] * LANES
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        lanes[i % LANES] = float32(lanes[i % LANES] + float32(x * y))
    width = LANES // 2
    while width:
        for j in range(width):
            lanes[j] = float32(lanes[j] + lanes[j + width])
        width //= 2
    return lanes[0]
