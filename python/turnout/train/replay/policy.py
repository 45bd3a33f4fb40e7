"""A softmax policy over recorded actions, trained with DAAO's objective: quality - lambda * cost (arXiv 2509.11079).

    score(q, a) = forecast(q, a) + features(q) . W_a - lambda * cost(q, a),   pi = softmax(score / temperature)

Operators and LLMs are chosen together: an action is both. lambda is an input, drawn anew for every query, so one policy
serves every price of quality. Every action's reward is recorded, so the expectation under pi is a sum, and so is its
gradient; `sampled` is DAAO's estimate of the same gradient, from one drawn action a query.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from turnout.train.replay.recorded import Floats, Recorded


@dataclass(frozen=True)
class Settings:
    """Of training.

    Attributes
    ----------
    sampled : bool
        The policy gradient from drawn actions instead of the exact expectation.
    entropy : float
        Weight of the policy's entropy in the objective (the guard against early collapse).
    decay : float
        Decoupled weight decay of W, a step.
    """

    sampled: bool = False
    entropy: float = 0.001
    temperature: float = 0.03
    steps: int = 600
    batch: int = 1024
    rate: float = 0.003
    decay: float = 5.0
    seed: int = 0


@dataclass(frozen=True)
class Problem:
    """What the policy sees and what came of it; costs in units of the spread of the single models' costs.

    Attributes
    ----------
    features : float64 [Q, F]
    forecast, cost : float64 [Q, A]
        Before any answer.
    right, paid : float64 [Q, A]
        Recorded.
    """

    features: Floats
    forecast: Floats
    cost: Floats
    right: Floats
    paid: Floats


@dataclass(frozen=True)
class Policy:
    """Corrections of the forecasts, linear in standardised features with an intercept."""

    centre: Floats
    spread: Floats
    weight: Floats  # [1 + F, A]

    def correction(self, features: Floats) -> Floats:
        """Of each action's forecast, [Q, A]."""
        z = (features - self.centre) / self.spread
        return np.asarray(self.weight[0] + z @ self.weight[1:])


def features(recorded: Recorded) -> Floats:
    """Difficulty logit and every LLM's predicted logit, [Q, 1 + M]."""
    p = np.clip(recorded.p, 1e-4, 1.0 - 1e-4)
    return np.column_stack([recorded.b, np.log(p / (1.0 - p))])


def exact_objective(score: Tensor, reward: Tensor, temperature: float) -> Tensor:
    """E_pi[reward] of each query, [Q]; its gradient is exact."""
    return (torch.softmax(score / temperature, 1) * reward).sum(1)


def sampled_objective(
    score: Tensor, reward: Tensor, baseline: Tensor, temperature: float, generator: torch.Generator
) -> Tensor:
    """REINFORCE (Williams 1992): log pi(drawn action) * (its reward - baseline), both detached, [Q]."""
    log_pi = torch.log_softmax(score / temperature, 1)
    drawn = torch.multinomial(log_pi.detach().exp(), 1, generator=generator)
    advantage = (reward.gather(1, drawn) - baseline[:, None]).detach()
    return (log_pi.gather(1, drawn) * advantage)[:, 0]


def entropy(score: Tensor, temperature: float) -> Tensor:
    """Of pi, in nats, [Q]."""
    log_pi = torch.log_softmax(score / temperature, 1)
    return -(log_pi.exp() * log_pi).sum(1)


def _draw_lambda(n: int, generator: torch.Generator) -> Tensor:
    """Log-uniform over 1e-3 .. 10, where choices change; dearer weights all ask the cheapest."""
    return 10.0 ** (torch.rand(n, 1, generator=generator, dtype=torch.float64) * 4.0 - 3.0)


def train(problem: Problem, settings: Settings) -> Policy:
    """Adam on the objective; the same seed, the same policy."""
    generator = torch.Generator().manual_seed(settings.seed)
    centre, spread = problem.features.mean(0), problem.features.std(0) + 1e-9
    z = np.column_stack([np.ones(len(problem.features)), (problem.features - centre) / spread])
    x, forecast, cost, right, paid = (
        torch.from_numpy(np.ascontiguousarray(column))
        for column in (z, problem.forecast, problem.cost, problem.right, problem.paid)
    )
    weight = torch.zeros(x.shape[1], forecast.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.AdamW([weight], lr=settings.rate, weight_decay=settings.decay)
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * (1.0 - step / settings.steps)
        rows = torch.randint(len(x), (settings.batch,), generator=generator)
        penalty = _draw_lambda(settings.batch, generator)
        hoped = forecast[rows] - penalty * cost[rows]
        score, reward = hoped + x[rows] @ weight, right[rows] - penalty * paid[rows]
        if settings.sampled:
            value = sampled_objective(score, reward, hoped.max(1).values, settings.temperature, generator)
        else:
            value = exact_objective(score, reward, settings.temperature)
        value = value + settings.entropy * entropy(score, settings.temperature)
        loss = -(value / (1.0 + penalty[:, 0])).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return Policy(centre, spread, weight.detach().numpy().copy())
