"""The trained network as plain arrays, on the scale that a bundle states: what is exported, and its reference in
NumPy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from turnout.train.vae import Float32Array, FloatArray, Network


@dataclass(frozen=True)
class Assessor:
    """Gemm-ReLU-Gemm to a latent, with linear heads, and the LLMs' abilities and skills on the same scale.

    Attributes
    ----------
    hidden_weight, hidden_bias : float64 [H, D], [H]
    mean_weight, mean_bias : float64 [Z, H], [Z]
    logvar_weight, logvar_bias : float64 [Z, H], [Z]
    heads, intercepts : float64 [1 + S, Z], [1 + S]
        Row 0 is the difficulty logit b, the others are the skills s.
    ability, skill : float64 [M], [M, S]
        ``P(LLM m is right) = sigmoid(ability[m] + skill[m] . s - b)``.
    """

    hidden_weight: FloatArray
    hidden_bias: FloatArray
    mean_weight: FloatArray
    mean_bias: FloatArray
    logvar_weight: FloatArray
    logvar_bias: FloatArray
    heads: FloatArray
    intercepts: FloatArray
    ability: FloatArray
    skill: FloatArray

    @property
    def latent(self) -> int:
        return len(self.mean_bias)

    @property
    def skills(self) -> int:
        return len(self.intercepts) - 1

    def encode(self, x: Float32Array) -> tuple[FloatArray, FloatArray]:
        """Latent mean and log-variance, float64 [Q, Z] each."""
        h = np.maximum(x.astype(np.float64) @ self.hidden_weight.T + self.hidden_bias, 0.0)
        return h @ self.mean_weight.T + self.mean_bias, h @ self.logvar_weight.T + self.logvar_bias

    def assess(self, x: Float32Array) -> tuple[FloatArray, FloatArray]:
        """Difficulty logit [Q] and skills [Q, S]."""
        out = self.encode(x)[0] @ self.heads.T + self.intercepts
        return out[:, 0], out[:, 1:]

    def contrast(self, x: Float32Array) -> FloatArray:
        """skill . s(q) of every LLM, [Q, M]: what it gains or loses on a query against its own ability."""
        return np.asarray(self.assess(x)[1] @ self.skill.T)

    def scaled(self, slope: float, offset: float, contrast: float) -> Assessor:
        """b -> slope * b + offset and skills -> contrast * skills; abilities stay."""
        by = np.array([slope] + [1.0] * self.skills)
        heads, intercepts = self.heads * by[:, None], self.intercepts * by
        intercepts[0] += offset
        return replace(self, heads=heads, intercepts=intercepts, skill=self.skill * contrast)


def from_network(net: Network, x: Float32Array) -> Assessor:
    """Arrays of a trained network, identified: abilities have mean 0 over the LLMs, so that ability 0 without skills
    is the reference LLM; every skill dimension s has mean 0 over the queries `x`, and the LLMs' skills have unit
    spread.
    """
    state = {name: value.detach().double().numpy() for name, value in net.state_dict().items()}
    raw = Assessor(
        state["hidden.weight"] * math.sqrt(x.shape[1]),
        state["hidden.bias"],
        state["mean.weight"],
        state["mean.bias"],
        state["logvar.weight"],
        state["logvar.bias"],
        state["heads.weight"],
        state["heads.bias"],
        state["ability"],
        state["skill"],
    )
    return _identified(raw, x)


def _identified(raw: Assessor, x: Float32Array) -> Assessor:
    heads, intercepts = raw.heads.copy(), raw.intercepts.copy()
    intercepts[0] -= raw.ability.mean()
    intercepts[1:] -= raw.assess(x)[1].mean(0)
    spread = np.maximum(np.sqrt((raw.skill**2).mean(0)), 1e-9)
    heads[1:] *= spread[:, None]
    intercepts[1:] *= spread
    ability = raw.ability - raw.ability.mean()
    return replace(raw, heads=heads, intercepts=intercepts, ability=ability, skill=raw.skill / spread)
