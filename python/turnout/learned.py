"""What a pool file says of an LLM that was learned from outcomes."""

from __future__ import annotations

import msgspec
import numpy as np

from turnout.ability import AbilityEstimate, Floats
from turnout.bundle import is_covariance
from turnout.core import ConfigError
from turnout.schema import fail

MAX_LOGIT = 50.0  # of an ability or a skill, either sign


class Learned(msgspec.Struct, forbid_unknown_fields=True):
    """``[llms.learned]``: an ability from outcomes, on the scale of one bundle. Written by ``turnout pool``.

    Attributes
    ----------
    ability, ability_se : float
        In logits.
    skill : list of float
    outcomes : int
        How many it has seen.
    bundle : str
        The bundle's version: another bundle has another scale.
    covariance : list of float, optional
        Of (ability, skill), the lower triangle row by row: what the next update starts from.
    """

    ability: float
    ability_se: float
    skill: list[float]
    outcomes: int
    bundle: str
    covariance: list[float] | None = None


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def to_learned(estimate: AbilityEstimate, bundle: str) -> Learned:
    """An estimate as a pool file holds it, with six digits."""
    lower = estimate.covariance[np.tril_indices(len(estimate.mean))]
    return Learned(
        _rounded(estimate.ability),
        _rounded(estimate.ability_se),
        [_rounded(v) for v in estimate.skill],
        estimate.n,
        bundle,
        [_rounded(float(v)) for v in lower],
    )


def check_logit(value: float, path: str) -> None:
    """Raises a ConfigError unless an ability or a skill is within `MAX_LOGIT`."""
    if not abs(value) <= MAX_LOGIT:
        raise fail(ConfigError, path, f"expected logits in [-{MAX_LOGIT:g}, {MAX_LOGIT:g}], got {value:g}")


def check_learned(known: Learned, skills: int, version: str, path: str) -> None:
    """Raises a ConfigError unless it fits the bundle of this `version`."""
    if known.bundle != version:
        raise fail(
            ConfigError,
            f"{path}.bundle",
            f"learned on bundle {known.bundle!r}, this is {version!r}, on another scale: learn it again from its "
            "outcomes with `turnout pool add --replace`, or remove the table",
        )
    if len(known.skill) != skills:
        raise fail(ConfigError, f"{path}.skill", f"expected the bundle's {skills} skills, got {len(known.skill)}")
    check_logit(known.ability, f"{path}.ability")
    for k, skill in enumerate(known.skill):
        check_logit(skill, f"{path}.skill[{k}]")
    if not 0.0 < known.ability_se <= MAX_LOGIT:
        wrong = f"expected a number in (0, {MAX_LOGIT:g}], got {known.ability_se:g}"
        raise fail(ConfigError, f"{path}.ability_se", wrong)
    if known.outcomes < 1:
        raise fail(ConfigError, f"{path}.outcomes", f"expected at least 1, got {known.outcomes}")
    if known.covariance is not None:
        _matrix(known.covariance, 1 + skills, f"{path}.covariance")


def _matrix(lower: list[float], size: int, path: str) -> Floats:
    """The covariance of a lower triangle."""
    if len(lower) != size * (size + 1) // 2:
        what = f"the lower triangle of {size} rows, {size * (size + 1) // 2} numbers"
        raise fail(ConfigError, path, f"expected {what}, got {len(lower)}")
    matrix = np.zeros((size, size))
    matrix[np.tril_indices(size)] = lower
    matrix += np.tril(matrix, -1).T
    if not is_covariance(matrix):
        raise fail(ConfigError, path, "expected a positive definite matrix")
    return matrix


def from_learned(known: Learned, skills: int, version: str, path: str) -> AbilityEstimate:
    """The estimate that a pool file holds, to learn on.

    Raises
    ------
    ConfigError
        It does not fit the bundle, or its covariance is missing.
    """
    check_learned(known, skills, version, path)
    if known.covariance is None:
        raise fail(
            ConfigError,
            f"{path}.covariance",
            "an update starts from it, and it is missing: learn from all outcomes with `turnout pool add --replace`",
        )
    matrix = _matrix(known.covariance, 1 + skills, f"{path}.covariance")
    return AbilityEstimate(np.array([known.ability, *known.skill]), matrix, known.outcomes)
