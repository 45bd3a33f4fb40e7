"""The trained network as plain arrays, on the scale that a bundle states: what is exported, and its reference in
NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from turnout.train.vae import Float32Array, FloatArray, Network


@dataclass(frozen=True)
class Assessor:
    """Gemm-ReLU-Gemm to a latent, with linear heads.

    Attributes
    ----------
    hidden_weight, hidden_bias : float64 [H, D + R], [H]
    mean_weight, mean_bias : float64 [Z, H], [Z]
    logvar_weight, logvar_bias : float64 [Z, H], [Z]
    heads, intercepts : float64 [1 + K + 1, Z], [1 + K + 1]
        Row 0 is the difficulty logit b, the last one the log length of answers, those between the domain's logits.
    """

    hidden_weight: FloatArray
    hidden_bias: FloatArray
    mean_weight: FloatArray
    mean_bias: FloatArray
    logvar_weight: FloatArray
    logvar_bias: FloatArray
    heads: FloatArray
    intercepts: FloatArray

    @property
    def latent(self) -> int:
        return len(self.mean_bias)

    @property
    def domains(self) -> int:
        return len(self.intercepts) - 2

    def encode(self, x: Float32Array) -> tuple[FloatArray, FloatArray]:
        """Latent mean and log-variance, float64 [Q, Z] each."""
        h = np.maximum(x.astype(np.float64) @ self.hidden_weight.T + self.hidden_bias, 0.0)
        return h @ self.mean_weight.T + self.mean_bias, h @ self.logvar_weight.T + self.logvar_bias

    def assess(self, x: Float32Array) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Difficulty logit [Q], domain logits [Q, K], log length [Q]."""
        out = self.encode(x)[0] @ self.heads.T + self.intercepts
        return out[:, 0], out[:, 1:-1], out[:, -1]

    def scaled(self, slope: float, temperature: float, length: float) -> Assessor:
        """b -> slope * b, domain logits -> temperature * logits, log length -> length * it."""
        by = np.array([slope] + [temperature] * self.domains + [length])
        return replace(self, heads=self.heads * by[:, None], intercepts=self.intercepts * by)


def from_network(net: Network, projection: FloatArray, intercept: FloatArray) -> Assessor:
    """Arrays of a trained network; b is shifted so that the abilities learned beside it have mean 0.

    The regressions are linear in the vector, ``linear = projection x + intercept`` (float64 [T, D + R] and [T]), so
    they become hidden units: those of the bend, and for the skip connection a pair a target, relu(r) - relu(-r) = r.
    """
    state = {name: value.detach().double().numpy() for name, value in net.state_dict().items()}
    bend = state["bend_hidden.weight"]
    hidden_weight = np.vstack([state["hidden.weight"] * state["scale"], bend @ projection, projection, -projection])
    hidden_bias = np.concatenate(
        [state["hidden.bias"], bend @ intercept + state["bend_hidden.bias"], intercept, -intercept]
    )
    wide, targets, free = len(state["hidden.bias"]), len(intercept), len(state["free.bias"])
    through = np.hstack([state["bend.weight"], state["skip.weight"], -state["skip.weight"]])
    mean_weight = np.zeros((targets + free, len(hidden_bias)))
    mean_weight[:targets, wide:] = through
    mean_weight[targets:, :wide] = state["free.weight"]
    logvar_weight = np.zeros((targets + free, len(hidden_bias)))
    logvar_weight[:, :wide] = state["logvar.weight"]
    heads = np.zeros((targets, targets + free))
    heads[:, :targets] = state["heads.weight"]
    intercepts = state["heads.bias"].copy()
    intercepts[0] -= state["ability"].mean()
    return Assessor(
        hidden_weight,
        hidden_bias,
        mean_weight,
        np.concatenate([state["bend.bias"], state["free.bias"]]),
        logvar_weight,
        state["logvar.bias"],
        heads,
        intercepts,
    )
