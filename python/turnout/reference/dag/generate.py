"""Random DAGs from a seed, the same as tests/cpp/dags.hpp makes: for tests and benchmarks."""

from __future__ import annotations

from typing import NamedTuple

from turnout.reference.core import Philox


class Generated(NamedTuple):
    nodes: int
    edges: list[tuple[int, int]]  # (from, to), sorted
    seconds: list[float]
    coupling: list[float]  # one an edge


def random_dag(seed: int, nodes: int, edges: int, reach: int) -> Generated:
    """`edges` draws of a pair, from the earlier in a random order to the later, at most `reach` places further.

    A pair that is there already is drawn in vain. Seconds are uniform over [0, 10), coupling over [0, 1).
    """
    rng = Philox(seed)

    def below(n: int) -> int:
        return int(rng.uniform() * n)

    order = list(range(nodes))
    for i in range(nodes - 1, 0, -1):
        j = below(i + 1)
        order[i], order[j] = order[j], order[i]
    pairs = set()
    for _ in range(edges if nodes > 1 else 0):
        a = below(nodes - 1)
        pairs.add((order[a], order[a + 1 + below(min(reach, nodes - 1 - a))]))
    seconds = [10 * rng.uniform() for _ in range(nodes)]
    return Generated(nodes, sorted(pairs), seconds, [rng.uniform() for _ in pairs])
