"""Baselines that are small networks of torch: an MLP, matrix factorisation, two towers.

All minimise the cross-entropy of the recorded scores, over the same vectors, with the same optimiser and epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.evaluate.baselines import Examples, Predictor, Queries

Floats = npt.NDArray[np.float64]
Build = Callable[[Any, int, int], tuple[Any, Callable[[Any], Any]]]
"""torch, dimension, arms -> a module that owns the weights, and vectors [B, D] -> logits [B, M]."""


@dataclass(frozen=True)
class Fit:
    """How a network is fitted: Adam with decoupled decay of weights, a fixed number of epochs."""

    epochs: int = 15
    batch: int = 128
    learning_rate: float = 1e-3
    decay: float = 1e-2
    seed: int = 0


def available() -> bool:
    """Whether torch is there; it comes with the extra ``turnout[train]``."""
    from importlib.util import find_spec

    return find_spec("torch") is not None


def _batches(torch: Any, rows: int, size: int, generator: Any) -> Iterator[Any]:
    yield from torch.randperm(rows, generator=generator).split(size)


def _fitted(build: Build, fit: Fit) -> Predictor:
    def predict(train: Examples, queries: Queries) -> Floats:
        import torch

        order = np.argsort(train.score.mean(0), kind="stable")  # so that the order of arms does not matter
        scale = np.sqrt(train.x.shape[1])  # of unit vectors: inputs of variance about 1
        x = torch.tensor(train.x * scale, dtype=torch.float32)
        score = torch.tensor(train.score[:, order], dtype=torch.float32)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fit.seed)
            module, logits = build(torch, x.shape[1], score.shape[1])
            optimiser = torch.optim.AdamW(module.parameters(), lr=fit.learning_rate, weight_decay=fit.decay)
            generator = torch.Generator().manual_seed(fit.seed)
            for _ in range(fit.epochs):
                for rows in _batches(torch, len(x), fit.batch, generator):
                    optimiser.zero_grad()
                    loss: Any = torch.nn.functional.binary_cross_entropy_with_logits(logits(x[rows]), score[rows])
                    loss.backward()
                    optimiser.step()
        module.eval()
        with torch.no_grad():
            found = torch.sigmoid(logits(torch.tensor(queries.x * scale, dtype=torch.float32)))
        return np.asarray(found.numpy()[:, np.argsort(order)], np.float64)

    return predict


def mlp(hidden: int = 64, fit: Fit | None = None) -> Predictor:
    """One hidden layer, a logit an arm."""

    def build(torch: Any, dim: int, arms: int) -> tuple[Any, Callable[[Any], Any]]:
        nn = torch.nn
        net = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Dropout(0.3), nn.Linear(hidden, arms))
        return net, net

    return _fitted(build, fit or Fit())


def matrix_factorisation(width: int = 64, fit: Fit | None = None) -> Predictor:
    """w . (v_arm * (P q + b)) + c, v_arm of norm 1: the form of RouteLLM (Ong et al. 2024, arXiv 2406.18665)."""

    def build(torch: Any, dim: int, arms: int) -> tuple[Any, Callable[[Any], Any]]:
        nn = torch.nn
        parts = nn.ModuleDict(
            {"arm": nn.Embedding(arms, width), "query": nn.Linear(dim, width), "out": nn.Linear(width, 1)}
        )

        def logits(x: Any) -> Any:
            arm = nn.functional.normalize(parts["arm"].weight, dim=1)
            return parts["out"](parts["query"](x)[:, None, :] * arm[None]).squeeze(2)

        return parts, logits

    return _fitted(build, fit or Fit())


def two_tower(hidden: int = 64, width: int = 32, fit: Fit | None = None) -> Predictor:
    """An MLP's vector of the query times a learned vector an arm, and a bias an arm.

    What is left of GraphRouter (Feng et al. 2024, arXiv 2410.03834) once its graph is fixed and exported.
    """

    def build(torch: Any, dim: int, arms: int) -> tuple[Any, Callable[[Any], Any]]:
        nn = torch.nn
        tower = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Dropout(0.3), nn.Linear(hidden, width))
        parts = nn.ModuleDict({"tower": tower, "arm": nn.Linear(width, arms)})
        return parts, lambda x: parts["arm"](tower(x))

    return _fitted(build, fit or Fit())


NETWORKS: dict[str, Predictor] = {
    "mlp": mlp(),
    "matrix_factorisation": matrix_factorisation(),
    "two_tower": two_tower(),
}
"""By name, with the settings that are shown."""
