"""A fresh port of the DAAO controller (arXiv 2509.11079, as released) in PyTorch: what it costs to decide that way.

MiniLM-L6 embedding (384) -> VAE (Linear 384 -> 32 for the mean and the log-variance) -> difficulty head 32-64-1 -> four
operator layers of hidden size 32, whose scores are cosines of an encoded query and encoded operators (softmax, sampled
without replacement until the cumulative probability is 0.3) -> one LLM router shared by the layers. Weights are random:
it is here for its cost, its choices mean nothing.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

EMBED, LATENT, HIDDEN, LAYERS, THRESHOLD = 384, 32, 32, 4, 0.3


class OperatorLayer(nn.Module):
    """Cosine scores between the query with its difficulty and every operator given the operator before."""

    def __init__(self, operators: int) -> None:
        super().__init__()
        self.query = nn.Linear(EMBED + LATENT, HIDDEN)
        self.operator = nn.Linear(2 * EMBED, HIDDEN)
        self.vectors: Tensor
        self.register_buffer("vectors", torch.randn(operators, EMBED))

    def forward(self, x: Tensor, z: Tensor, before: Tensor) -> Tensor:
        query = nnf.normalize(self.query(torch.cat([x, z], -1)), dim=-1)
        pairs = torch.cat([self.vectors, before.expand_as(self.vectors)], -1)
        return torch.softmax(nnf.normalize(self.operator(pairs), dim=-1) @ query, -1)


class Controller(nn.Module):
    """Text vector -> operators of each layer, each with an LLM."""

    def __init__(self, operators: int = 10, llms: int = 16) -> None:
        super().__init__()
        self.mean, self.logvar = nn.Linear(EMBED, LATENT), nn.Linear(EMBED, LATENT)
        self.head = nn.Sequential(nn.Linear(LATENT, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid())
        self.layers = nn.ModuleList(OperatorLayer(operators) for _ in range(LAYERS))
        self.combine = nn.Linear(2 * EMBED, HIDDEN)
        self.llm = nn.Linear(EMBED, HIDDEN)
        self.llm_vectors: Tensor
        self.register_buffer("llm_vectors", torch.randn(llms, EMBED))

    def _sample(self, probabilities: Tensor) -> list[int]:
        order = torch.multinomial(probabilities, len(probabilities)).tolist()
        taken, total = [], 0.0
        for i in order:
            taken.append(i)
            total += float(probabilities[i])
            if total >= THRESHOLD:
                break
        return taken

    def _choose_llm(self, x: Tensor, operator: Tensor) -> int:
        pair = nnf.normalize(self.combine(torch.cat([x, operator], -1)), dim=-1)
        scores = nnf.normalize(self.llm(self.llm_vectors), dim=-1) @ pair
        return int(torch.multinomial(torch.softmax(scores, -1), 1))

    @torch.inference_mode()
    def forward(self, x: Tensor) -> list[list[tuple[int, int]]]:
        mean, logvar = self.mean(x), self.logvar(x)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
        depth = max(1, min(LAYERS, int(4.0 * float(self.head(z)))))
        before, plan = torch.zeros(EMBED), []
        for module in list(self.layers)[:depth]:
            layer = cast(OperatorLayer, module)
            taken = self._sample(layer(x, z, before))
            plan.append([(i, self._choose_llm(x, layer.vectors[i])) for i in taken])
            before = layer.vectors[taken[0]]
        return plan


class TorchRouter:
    """Text -> plan, with MiniLM-L6 from its published weights."""

    def __init__(self, seed: int = 0) -> None:
        from turnout.train.encoder import Encoder, encode, load_tokenizer

        torch.manual_seed(seed)
        self._encode = encode
        self._encoder, self._tokenizer = Encoder.load(), load_tokenizer()
        self._controller = Controller().eval()

    def route(self, text: str) -> list[list[tuple[int, int]]]:
        return self.heads(torch.from_numpy(self._encode(self._encoder, self._tokenizer, [text])[0]))

    def heads(self, x: Tensor) -> list[list[tuple[int, int]]]:
        """The controller alone, the embedding given."""
        plan: list[list[tuple[int, int]]] = self._controller(x)
        return plan
