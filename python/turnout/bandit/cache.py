"""Which examples to keep in a cache of bounded bytes: a 0-1 knapsack over their helpfulness (IC-Cache, a24)."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from turnout.core import ConfigError, InputError
from turnout.schema import fail


@dataclass
class _Example:
    size: int
    value: float
    age: int


class ExampleCache:
    """Examples with what they help, of which those stay that help most for their bytes.

    Parameters
    ----------
    capacity : int
        Bytes, at least 1; never exceeded.
    smoothing : float
        Of a new gain in an example's average, in (0, 1].

    Notes
    -----
    Where something must go, the knapsack is filled by value over size, and compared with the most helpful example
    alone: at least half of the best possible (Dantzig 1957; the extended greedy rule). Ties go to the older one.
    """

    def __init__(self, capacity: int, *, smoothing: float = 0.2) -> None:
        if not 1 <= capacity:
            raise fail(ConfigError, "cache.capacity", f"expected bytes >= 1, got {capacity}")
        if not 0 < smoothing <= 1:
            raise fail(ConfigError, "cache.smoothing", f"expected a number above 0, at most 1, got {smoothing}")
        self.capacity, self.smoothing = capacity, smoothing
        self._kept: dict[Hashable, _Example] = {}
        self._seen = 0

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(example.size for example in self._kept.values())

    def put(self, key: Hashable, size: int, value: float) -> bool:
        """Adds or replaces an example, and drops what helps least; returns whether it is kept.

        Parameters
        ----------
        key : hashable
        size : int
            Bytes, at least 1.
        value : float
            How much it is expected to help, at least 0.
        """
        if size < 1:
            raise fail(InputError, "size", f"expected bytes >= 1, got {size}")
        _check(value, "value")
        self._kept.pop(key, None)
        if size > self.capacity:
            return False
        self._seen += 1
        self._kept[key] = _Example(size, value, self._seen)
        self._fill()
        return key in self._kept

    def helped(self, key: Hashable, gain: float) -> None:
        """What an example did help, at least 0; one that is not kept is ignored."""
        _check(gain, "gain")
        example = self._kept.get(key)
        if example is not None:
            example.value += self.smoothing * (gain - example.value)

    def value(self, key: Hashable) -> float:
        """The average of what an example helped; KeyError where it is not kept."""
        return self._kept[key].value

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def _fill(self) -> None:
        if self.size <= self.capacity:
            return
        best = sorted(self._kept.items(), key=lambda pair: (-pair[1].value / pair[1].size, pair[1].age))
        left, chosen = self.capacity, {}
        for key, example in best:
            if example.size <= left:
                chosen[key] = example
                left -= example.size
        key, most = min(self._kept.items(), key=lambda pair: (-pair[1].value, pair[1].age))
        self._kept = chosen if sum(e.value for e in chosen.values()) >= most.value else {key: most}


def _check(value: float, path: str) -> None:
    if not 0 <= value < math.inf:
        raise fail(InputError, path, f"expected a finite number >= 0, got {value}")
