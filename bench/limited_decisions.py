"""Microseconds of whole decisions under limits that bind: the router's own plans, not generated ones.

    python bench/limited_decisions.py DATA

DATA is a folder that holds outcomes/<set>.queries.csv.gz. Each of 3,000 queries is routed at three worths under five
pairs of limits, each a share of what its best plan without limits costs and takes. Of three passes the best counts:
what the call takes, and not what a shared machine adds.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from turnout import DecisionBatch, Router
from turnout.bench.workload import dev_queries, mixed_lengths

PASSES = 3
WORTHS = (0.01, 0.1, 1.0)
SHARES = ((0.5, None), (None, 1.05), (0.5, 1.05), (0.8, 1.2), (0.2, 1.35))  # of p90 USD, of mean seconds


def measure(
    router: Router, texts: list[str], free: DecisionBatch, worth: float, usd: float | None, seconds: float | None
) -> tuple[list[float], Counter[str]]:
    """Microseconds of each decision, and how often each status came out."""
    took, statuses = [], Counter[str]()
    for i, text in enumerate(texts):
        budget = None if usd is None else usd * float(free.usd_bound[i])
        limit = None if seconds is None else seconds * float(free.seconds[i])
        best = float("inf")
        for _ in range(PASSES):
            start = time.perf_counter()
            decision = router.route(text, value_usd=worth, budget_usd=budget, max_seconds=limit)
            best = min(best, 1e6 * (time.perf_counter() - start))
        took.append(best)
        statuses[decision.status] += 1
    return took, statuses


def main() -> None:
    router = Router.load()
    texts = mixed_lengths(dev_queries(Path(sys.argv[1])), 3000)
    every: list[float] = []
    for worth in WORTHS:
        free = router.route_batch(texts, value_usd=worth)
        for usd, seconds in SHARES:
            took, statuses = measure(router, texts, free, worth, usd, seconds)
            every += took
            p99 = np.percentile(took, 99)
            print(f"worth {worth}, USD x {usd}, seconds x {seconds}: p99 {p99:.0f} us, {dict(statuses)}")
    p50, p99, p999 = np.percentile(every, [50, 99, 99.9])
    print(f"{len(every)} decisions: p50 {p50:.0f}, p99 {p99:.0f}, p99.9 {p999:.0f}, most {max(every):.0f} us")


if __name__ == "__main__":
    main()
