"""Twin of consensus: votes, pools of opinions, agreement."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence


def distinct(sources: Sequence[tuple[Hashable, Hashable]]) -> list[int]:
    """Of (llm, sample): the first of each; a sample without an id is one of its own."""
    return [i for i, (llm, sample) in enumerate(sources) if sample is None or (llm, sample) not in sources[:i]]


def effective_votes(n: float, rho: float) -> float:
    return n if n <= 1 else n / (1 + (n - 1) * rho)


def independence(llms: Sequence[Hashable], rho: Sequence[float]) -> list[float]:
    return [1 / (1 + (llms.count(llm) - 1) * r) for llm, r in zip(llms, rho, strict=True)]


def vote(
    answers: Sequence[Hashable], weights: Sequence[float], abilities: Sequence[float]
) -> tuple[Hashable, float, float, bool]:
    """Answer, score, share of all weights, whether tied."""
    scores: dict[Hashable, float] = {}
    ablest: dict[Hashable, float] = {}
    everything = 0.0
    for answer, weight, ability in zip(answers, weights, abilities, strict=True):
        if answer is None:
            continue
        scores[answer] = scores.get(answer, 0.0) + weight
        everything += weight
        if weight > 0:
            ablest[answer] = max(ablest.get(answer, -math.inf), ability)
    if everything == 0:
        return None, 0.0, 0.0, False
    most = max(scores.values())
    tied = [answer for answer, score in scores.items() if score == most]
    return max(tied, key=lambda answer: ablest[answer]), most, most / everything, len(tied) > 1


def quadratic(credits: Sequence[float], voters: Sequence[Hashable], authors: Sequence[Hashable]) -> list[float]:
    """Weights of votes; an author is None where no voter wrote the answer."""
    return [
        0.0 if author is not None and author == voter else math.sqrt(c)
        for c, voter, author in zip(credits, voters, authors, strict=True)
    ]


def trimmed_mean(values: Sequence[float], trim: float) -> float:
    cut = int(trim * len(values))
    return _mean(sorted(values)[cut : len(values) - cut])


def median(values: Sequence[float]) -> float:
    half = (len(values) - 1) // 2
    return _mean(sorted(values)[half : len(values) - half])


def _mean(values: Sequence[float]) -> float:
    total = 0.0
    for v in values:
        total += v
    return total / len(values)


def _scaled(weights: Sequence[float]) -> list[float]:
    total = 0.0
    for w in weights:
        total += w
    return [w / total for w in weights]


def _sum(rows: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    out = [0.0] * len(rows[0])
    for row, weight in zip(rows, weights, strict=True):
        out = [total + weight * x for total, x in zip(out, row, strict=True)]
    return out


def linear_pool(rows: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    return _sum(rows, _scaled(weights))


def log_pool(rows: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    out = [0.0] * len(rows[0])
    for row, weight in zip(rows, _scaled(weights), strict=True):
        if weight > 0:
            logs = [math.log(p) if p > 0 else -math.inf for p in row]
            out = [total + weight * log for total, log in zip(out, logs, strict=True)]
    return _scaled([math.exp(x - max(out)) for x in out])


def fuse(rows: Sequence[Sequence[float]], weights: Sequence[float], top: int) -> tuple[list[float], list[float]]:
    """The weights that are used, and the fused scores."""
    order = sorted(range(len(weights)), key=lambda i: -weights[i])[:top]
    used = _scaled([w if i in order else 0.0 for i, w in enumerate(weights)])
    return used, _sum(rows, used)


def agreement(answers: Sequence[Hashable]) -> tuple[int, int, float, float, float]:
    """Answers, distinct ones, sigma, share of the most frequent, entropy in bits."""
    said = [a for a in answers if a is not None]
    counts = [said.count(a) for a in dict.fromkeys(said)]
    shares = [c / len(said) for c in counts]
    entropy = 0.0
    for share in shares:
        entropy -= share * math.log2(share) if share < 1 else 0.0
    sigma = (len(counts) - 1) / (len(said) - 1) if len(said) > 1 else 0.0
    return len(said), len(counts), sigma, max(shares, default=0.0), entropy
