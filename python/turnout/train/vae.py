"""The difficulty network: a variational autoencoder of the query's vector whose latent also carries the outcomes.

Encoder Gemm-ReLU-Gemm to the latent's mean and log-variance (Kingma and Welling 2014, arXiv 1312.6114), a decoder
back to the embedding, and heads that are linear in the latent: the difficulty logit b, the logits of the query's domain
and the log length of answers. The encoder has a linear skip connection: what ridge regressions already predict of these
targets, standardised, is where the first latent units start, and training improves on it. The outcomes enter through
``sigmoid(ability - b)``, an LLM's chance on a query, with abilities learned beside the network, so that b lies on the
scale that the sets share.

Free bits (Kingma et al. 2016, arXiv 1606.04934) keep units in use. Training stops early: a tenth of the queries is held
out, and the weights, an exponential moving average over steps, are those of the epoch that predicts them best."""

from __future__ import annotations

import copy
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

    free: int = 8  # latent units beside those that start as the regressions' predictions
    hidden: int = 128
    bend: int = 64  # hidden units between the regressions' predictions and the heads' units
    epochs: int = 40  # at most
    patience: int = 5  # epochs without a better one before training stops
    batch: int = 128  # at most; a thirty-second of the queries if that is less, but 32 at least
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    dropout: float = 0.1
    average: float = 0.99  # decay of the moving average of weights, a step
    reconstruction: float = 0.3  # weight of 1 - cosine(decoded, embedding)
    kl: float = 1e-3  # weight of the KL divergence, in nats
    free_bits: float = 0.1  # nats a unit before the KL counts
    target: float = 0.1  # weight of the squared error to the item-response difficulty
    domain: float = 0.5  # weight of the domain's cross-entropy
    length: float = 0.2  # weight of the squared error of the log length
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """Queries with their outcomes.

    Attributes
    ----------
    x : float32 [Q, D + R]
        Unit embeddings and lexical scores.
    unit : int
        D: how many of the columns are the embedding.
    scores : float64 [Q, M]
        NaN where there is no outcome.
    difficulty, difficulty_sd : float64 [Q]
        Posterior of the item-response difficulty.
    linear : float64 [Q, 1 + K + 1]
        What the regressions predict of difficulty, domain and length without the query's fold, standardised.
    domain : int64 [Q]
        Its group.
    domains : int
    length : float64 [Q]
        Log length of answers against the LLMs' usual; NaN where unknown.
    weight : float64 [Q]
        Of a query in the loss.
    """

    x: Float32Array
    unit: int
    scores: FloatArray
    difficulty: FloatArray
    difficulty_sd: FloatArray
    linear: FloatArray
    domain: IntArray
    domains: int
    length: FloatArray
    weight: FloatArray

    @property
    def heads(self) -> int:
        """Difficulty, domains, length."""
        return 1 + self.domains + 1


class Network(nn.Module):
    """Encoder, decoder and heads; `ability` belongs to the LLMs of the training sets.

    The units that the heads read see a query only through the regressions' predictions: given the whole vector they
    would learn the training queries by heart (rank correlation .53 falls to .49 on 4,400 queries). The free units see
    all of it.
    """

    def __init__(self, data: Data, settings: Settings) -> None:
        super().__init__()
        self.unit, self.domains = data.unit, data.domains
        units = data.heads + settings.free
        self.hidden = nn.Linear(data.x.shape[1], settings.hidden)
        self.free = nn.Linear(settings.hidden, settings.free)
        self.logvar = nn.Linear(settings.hidden, units)
        self.skip = nn.Linear(data.heads, data.heads, bias=False)
        self.bend_hidden = nn.Linear(data.heads, settings.bend)
        self.bend = nn.Linear(settings.bend, data.heads)
        self.heads = nn.Linear(data.heads, data.heads)
        self.decode_hidden = nn.Linear(units, settings.hidden)
        self.decode = nn.Linear(settings.hidden, data.unit)
        self.ability = nn.Parameter(torch.zeros(data.scores.shape[1]))
        self.drop = nn.Dropout(settings.dropout)
        nn.init.constant_(self.logvar.bias, -3.0)
        nn.init.normal_(self.logvar.weight, 0.0, 0.01)
        nn.init.normal_(self.bend.weight, 0.0, 0.01)
        with torch.no_grad():
            self.skip.weight.copy_(torch.eye(data.heads))
            self.heads.weight.copy_(torch.diag(_starting_gain(data)))
        # The embedding's unit norm is spread to unit variance a column; lexical scores have it already.
        scale = torch.ones(data.x.shape[1])
        scale[: data.unit] = math.sqrt(data.unit)
        self.scale: torch.Tensor
        self.register_buffer("scale", scale)

    def encode(self, x: torch.Tensor, linear: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Latent mean and log-variance, [B, Z] each: the units of the heads, then the free ones."""
        h = self.drop(torch.relu(self.hidden(self.drop(x * self.scale))))
        bent = self.bend(self.drop(torch.relu(self.bend_hidden(linear))))
        return torch.cat([self.skip(linear) + bent, self.free(h)], 1), self.logvar(h)

    def reconstruct(self, z: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.decode(torch.relu(self.decode_hidden(z))))

    def read(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Difficulty logit [B], domain logits [B, K], log length [B]."""
        out = self.heads(z[:, : self.heads.in_features])
        return out[:, 0], out[:, 1 : 1 + self.domains], out[:, 1 + self.domains]


def _starting_gain(data: Data) -> torch.Tensor:
    """By what a standardised prediction is multiplied for a start: b by its regression on the item-response difficulty,
    a domain's to logits of a usual confidence, the length's by its regression."""
    gain = np.full(data.heads, 2.0)
    gain[0] = float(np.mean(data.linear[:, 0] * (data.difficulty - data.difficulty.mean())))
    known = ~np.isnan(data.length)
    gain[-1] = float(np.mean(data.linear[known, -1] * data.length[known])) if known.any() else 0.0
    return torch.tensor(gain, dtype=torch.float32)


def _outcome_loss(logits: torch.Tensor, scores: torch.Tensor, seen: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the seen cells [B, M]: mean over a query's LLMs, weighted mean over queries."""
    cells = nnf.binary_cross_entropy_with_logits(logits, scores, reduction="none") * seen
    return (weight * cells.sum(1) / torch.clamp(seen.sum(1), min=1.0)).mean()


def _supervised(net: Network, z: torch.Tensor, batch: list[torch.Tensor], settings: Settings) -> torch.Tensor:
    _, _, scores, seen, target, precision, domain, length, known, weight = batch
    b, logits, log_length = net.read(z)
    return (
        _outcome_loss(net.ability - b[:, None], scores, seen, weight)
        + settings.target * (weight * precision * (b - target) ** 2).mean()
        + settings.domain * nnf.cross_entropy(logits, domain.long())
        + settings.length * (known * (log_length - length) ** 2).mean()
    )


def _loss(net: Network, batch: list[torch.Tensor], settings: Settings) -> torch.Tensor:
    x = batch[0]
    mean, logvar = net.encode(x, batch[1])
    z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
    angle = (1.0 - nnf.cosine_similarity(net.reconstruct(z), x[:, : net.unit])).mean()
    kl = 0.5 * (mean**2 + torch.exp(logvar) - 1.0 - logvar).mean(0)
    return (
        _supervised(net, z, batch, settings)
        + settings.reconstruction * angle
        + settings.kl * torch.clamp(kl, min=settings.free_bits).sum()
    )


def _tensors(data: Data) -> list[torch.Tensor]:
    columns = [
        data.x,
        data.linear,
        np.nan_to_num(data.scores),
        ~np.isnan(data.scores),
        data.difficulty,
        1.0 / (1.0 + data.difficulty_sd**2),
        data.domain,
        np.nan_to_num(data.length),
        ~np.isnan(data.length),
        data.weight / data.weight.mean(),
    ]
    return [torch.tensor(np.asarray(column), dtype=torch.float32) for column in columns]


@torch.inference_mode()
def _held_out_loss(net: Network, batch: list[torch.Tensor], settings: Settings) -> float:
    net.eval()
    return float(_supervised(net, net.encode(batch[0], batch[1])[0], batch, settings))


def _groups(net: Network, settings: Settings) -> list[dict[str, object]]:
    free = {"skip.weight", "heads.weight"}  # they start where the regressions are, not at 0
    decay = [p for name, p in net.named_parameters() if p.ndim > 1 and name not in free]
    plain = [p for name, p in net.named_parameters() if p.ndim <= 1 or name in free]
    return [{"params": decay, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]


@torch.no_grad()
def _follow(average: Network, net: Network, decay: float) -> None:
    for mean, value in zip(average.parameters(), net.parameters(), strict=True):
        mean.lerp_(value, 1.0 - decay)


def train(data: Data, settings: Settings) -> Network:
    """Trains one network; the same data and settings give the same weights on one machine."""
    torch.manual_seed(settings.seed)
    net = Network(data, settings)
    average = copy.deepcopy(net)
    tensors = _tensors(data)
    order = torch.randperm(len(data.x))
    held = max(1, len(data.x) // 10)
    held_out, inside = [t[order[:held]] for t in tensors], order[held:]
    optimiser = torch.optim.AdamW(_groups(net, settings), lr=settings.learning_rate)
    best, best_loss, since, step = copy.deepcopy(net), math.inf, 0, 0
    batch = min(settings.batch, max(32, len(inside) // 32))
    for _ in range(settings.epochs):
        net.train()
        for rows in torch.split(inside[torch.randperm(len(inside))], batch):
            optimiser.zero_grad(set_to_none=True)
            _loss(net, [t[rows] for t in tensors], settings).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            step += 1
            _follow(average, net, min(settings.average, step / (step + 10.0)))
        loss = _held_out_loss(average, held_out, settings)
        since += 1
        if loss < best_loss:
            best, best_loss, since = copy.deepcopy(average), loss, 0
        if since >= settings.patience:
            break
    return best.eval()


@torch.inference_mode()
def assess(net: Network, x: Float32Array, linear: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Difficulty logit [Q], domain logits [Q, K] and log length [Q], at the latent's mean; abilities have mean 0."""
    mean, _ = net.encode(torch.tensor(x), torch.tensor(linear, dtype=torch.float32))
    b, logits, length = (part.double().numpy() for part in net.read(mean))
    return b - float(net.ability.mean()), logits, length


@dataclass(frozen=True)
class LatentFacts:
    """What the latent holds of the queries it was trained on."""

    active_units: int  # Var over queries of the unit's mean > 0.01 (Burda et al. 2016, arXiv 1509.00519)
    kl_nats: float  # mean over queries of the divergence from the prior, all units
    reconstruction_cosine: float  # mean cosine of the decoded latent mean to the embedding


@torch.inference_mode()
def latent_facts(net: Network, data: Data) -> LatentFacts:
    """Of a trained network and what it was trained on."""
    rows = torch.tensor(data.x)
    mean, logvar = net.encode(rows, torch.tensor(data.linear, dtype=torch.float32))
    kl = 0.5 * (mean**2 + torch.exp(logvar) - 1.0 - logvar).sum(1)
    cosine = nnf.cosine_similarity(net.reconstruct(mean), rows[:, : net.unit])
    active = int((mean.var(0) > 0.01).sum())
    return LatentFacts(active, float(kl.mean()), float(cosine.mean()))
