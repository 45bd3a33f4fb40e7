"""The difficulty network: a variational autoencoder of the query's embedding whose latent also carries the outcomes.

Encoder Gemm-ReLU-Gemm to the latent's mean and log-variance (Kingma and Welling 2014, arXiv 1312.6114), a decoder
back to the embedding, and heads that are linear in the latent: the difficulty logit b and the skills s. An LLM's
chance on a query is ``sigmoid(ability + skill . s - b)``; abilities and skills are learned with the network from
outcomes of several sets at once.

The outcomes enter twice, without skills and with them: the first term holds b on the scale that the sets share, even
where a set has only two LLMs. Skills are shrunk in function space: the penalty is on (skill . s(q))^2 over all pairs
of LLM and query, answered or not, so that an LLM departs from its ability only where outcomes say so. Free bits
(Kingma et al. 2016, arXiv 1606.04934) keep units in use."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as nnf
from torch import nn

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Settings:
    """Of one training run. Chosen by cross-validation on the training splits."""

    latent: int = 24
    skills: int = 6
    hidden: int = 128
    epochs: int = 30
    batch: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    dropout: float = 0.2
    reconstruction: float = 1.0  # weight of 1 - cosine(decoded, embedding)
    kl: float = 2e-3  # weight of the KL divergence, in nats
    free_bits: float = 0.1  # nats a unit before the KL counts
    target: float = 0.03  # weight of the squared error to the item-response difficulty
    contrast: float = 0.1  # penalty on the squared skill . s
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """Queries with their outcomes.

    Attributes
    ----------
    x : float32 [Q, D]
        Unit embeddings.
    scores : float64 [Q, M]
        NaN where there is no outcome.
    difficulty, difficulty_sd : float64 [Q]
        Posterior of the item-response difficulty.
    weight : float64 [Q]
        Of a query in the loss.
    """

    x: Float32Array
    scores: FloatArray
    difficulty: FloatArray
    difficulty_sd: FloatArray
    weight: FloatArray

    def keep(self, rows: npt.NDArray[np.bool_]) -> Data:
        return Data(self.x[rows], self.scores[rows], self.difficulty[rows], self.difficulty_sd[rows], self.weight[rows])


class Network(nn.Module):
    """Encoder, decoder and heads; `ability`, `shift` and `skill` belong to the LLMs of the training sets.

    `shift` moves an ability once skills are counted.
    """

    def __init__(self, dim: int, llms: int, settings: Settings) -> None:
        super().__init__()
        z = settings.latent
        self.hidden = nn.Linear(dim, settings.hidden)
        self.mean = nn.Linear(settings.hidden, z)
        self.logvar = nn.Linear(settings.hidden, z)
        self.heads = nn.Linear(z, 1 + settings.skills)
        self.decode_hidden = nn.Linear(z, settings.hidden)
        self.decode = nn.Linear(settings.hidden, dim)
        self.ability = nn.Parameter(torch.zeros(llms))
        self.shift = nn.Parameter(torch.zeros(llms))
        self.skill = nn.Parameter(0.1 * torch.randn(llms, settings.skills))
        self.drop = nn.Dropout(settings.dropout)
        nn.init.constant_(self.logvar.bias, -3.0)
        nn.init.normal_(self.logvar.weight, 0.0, 0.01)

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Latent mean and log-variance, [B, Z] each. The embedding's unit norm is spread to unit variance a column."""
        h = self.drop(torch.relu(self.hidden(self.drop(x * math.sqrt(x.shape[1])))))
        return self.mean(h), self.logvar(h)

    def reconstruct(self, z: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.decode(torch.relu(self.decode_hidden(z))))

    def read(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Difficulty logit [B] and skills [B, S]."""
        out = self.heads(z)
        return out[:, 0], out[:, 1:]

    def contrast(self, s: torch.Tensor) -> torch.Tensor:
        """What each LLM gains or loses by its skills, [B, M]."""
        return s @ self.skill.T


def _outcome_loss(logits: torch.Tensor, scores: torch.Tensor, seen: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the seen cells [B, M]: mean over a query's LLMs, weighted mean over queries."""
    cells = nnf.binary_cross_entropy_with_logits(logits, scores, reduction="none") * seen
    return (weight * cells.sum(1) / seen.sum(1)).mean()


def _loss(net: Network, batch: list[torch.Tensor], settings: Settings) -> torch.Tensor:
    x, scores, seen, target, precision, weight = batch
    mean, logvar = net.encode(x)
    z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
    b, s = net.read(z)
    shared = net.ability - b[:, None]
    contrast = net.contrast(s)
    outcome = _outcome_loss(shared, scores, seen, weight)
    outcome = outcome + _outcome_loss(shared + net.shift + contrast, scores, seen, weight)
    distance = (weight * precision * (b - target) ** 2).mean()
    angle = (1.0 - nnf.cosine_similarity(net.reconstruct(z), x)).mean()
    kl = 0.5 * (mean**2 + torch.exp(logvar) - 1.0 - logvar).mean(0)
    return (
        outcome
        + settings.target * distance
        + settings.reconstruction * angle
        + settings.kl * torch.clamp(kl, min=settings.free_bits).sum()
        + settings.contrast * (contrast**2).mean()
    )


def _tensors(data: Data) -> list[torch.Tensor]:
    columns = [
        data.x,
        np.nan_to_num(data.scores),
        ~np.isnan(data.scores),
        data.difficulty,
        1.0 / (1.0 + data.difficulty_sd**2),
        data.weight / data.weight.mean(),
    ]
    return [torch.tensor(np.asarray(column), dtype=torch.float32) for column in columns]


def train(data: Data, settings: Settings) -> Network:
    """Trains one network; the same data and settings give the same weights on one machine.

    The weights are the average over the last quarter of the steps (Izmailov et al. 2018, arXiv 1803.05407).
    """
    torch.manual_seed(settings.seed)
    net = Network(data.x.shape[1], data.scores.shape[1], settings)
    tensors = _tensors(data)
    count = len(data.x)
    decay = [p for name, p in net.named_parameters() if p.ndim > 1 and name != "skill"]
    plain = [p for name, p in net.named_parameters() if p.ndim <= 1 or name == "skill"]
    groups = [{"params": decay, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate)
    steps = settings.epochs * math.ceil(count / settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=steps, pct_start=0.1)
    average = torch.optim.swa_utils.AveragedModel(net)
    done = 0
    for _ in range(settings.epochs):
        order = torch.randperm(count)
        for rows in torch.split(order, settings.batch):
            optimiser.zero_grad(set_to_none=True)
            _loss(net, [t[rows] for t in tensors], settings).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            done += 1
            if done > 0.75 * steps:
                average.update_parameters(net)
    net.load_state_dict(average.module.state_dict())
    return net.eval()


@dataclass(frozen=True)
class LatentFacts:
    """What the latent holds of the queries it was trained on."""

    active_units: int  # Var over queries of the unit's mean > 0.01 (Burda et al. 2016, arXiv 1509.00519)
    kl_nats: float  # mean over queries of the divergence from the prior, all units
    reconstruction_cosine: float  # mean cosine of the decoded latent mean to the embedding


@torch.inference_mode()
def latent_facts(net: Network, x: Float32Array) -> LatentFacts:
    """Of a trained network and unit embeddings `x` [Q, D]."""
    rows = torch.tensor(x)
    mean, logvar = net.encode(rows)
    kl = 0.5 * (mean**2 + torch.exp(logvar) - 1.0 - logvar).sum(1)
    cosine = nnf.cosine_similarity(net.reconstruct(mean), rows)
    active = int((mean.var(0) > 0.01).sum())
    return LatentFacts(active, float(kl.mean()), float(cosine.mean()))
