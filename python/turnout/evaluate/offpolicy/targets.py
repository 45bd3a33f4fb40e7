"""Target policies: what would have been chosen in every decision of the log, as probabilities of its candidates.

A row of a target sums to 1, or to less where the policy would have chosen what was no candidate of that decision: that
share has no support.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.core import InputError
from turnout.evaluate.offpolicy.logged import Logged
from turnout.schema import fail

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LOGGING, GREEDY, UNIFORM = "as logged", "greedy", "uniform"


class Predicted(NamedTuple):
    """Another bundle's, pool's or configuration's predictions of the candidates of every decision, float64 [n, K]."""

    quality: Floats
    usd: Floats
    seconds: Floats


def utility(logged: Logged, value_usd: float | None = None, predicted: Predicted | None = None) -> Floats:
    """Predicted ``value_usd * quality - usd - usd_per_second * seconds`` [n, K]; -inf in the padding."""
    quality, usd, seconds = predicted or (logged.quality, logged.usd, logged.seconds)
    value = logged.value_usd[:, None] if value_usd is None else value_usd
    return np.where(logged.there, value * quality - usd - logged.usd_per_second[:, None] * seconds, -np.inf)


def certain(logged: Logged, choice: Ints) -> Floats:
    """The policy that takes a candidate [n] of each decision; -1: what was none of them."""
    out = np.zeros(logged.probability.shape)
    rows = np.flatnonzero(choice >= 0)
    out[rows, choice[rows]] = 1.0
    return out


def best(logged: Logged, value_usd: float | None = None, predicted: Predicted | None = None) -> Floats:
    """Largest predicted utility; ties go to the first candidate."""
    return certain(logged, utility(logged, value_usd, predicted).argmax(1))


def single(logged: Logged, arm: int) -> Floats:
    """One LLM, called once. Where it stands twice among the candidates, they share by their logged probability."""
    is_arm = logged.there & (logged.arms == arm)
    drawn = np.where(is_arm, logged.probability, 0.0)
    share = np.where(drawn.sum(1, keepdims=True) > 0.0, drawn, is_arm.astype(np.float64))
    total = share.sum(1, keepdims=True)
    return np.asarray(np.divide(share, total, out=np.zeros_like(share), where=total > 0.0))


def uniform(logged: Logged) -> Floats:
    return np.asarray(logged.there / logged.there.sum(1, keepdims=True))


def softmax(logged: Logged, temperature: float) -> Floats:
    """``exp(utility / (temperature * value_usd))``, normed: at 0.1, 10 points of P(correct) are a factor of e."""
    if not temperature > 0.0:
        raise fail(InputError, "temperature", f"expected a number > 0, got {temperature}")
    gain = utility(logged)
    gain -= gain.max(1, keepdims=True)
    scale = temperature * logged.value_usd[:, None]
    odds = np.exp(np.divide(gain, scale, out=np.where(gain < 0.0, -np.inf, 0.0), where=scale > 0.0))
    return np.asarray(odds / odds.sum(1, keepdims=True))


def targets(
    logged: Logged,
    values_usd: tuple[float, ...] = (),
    temperatures: tuple[float, ...] = (),
    predicted: Mapping[str, Predicted] | None = None,
    choices: Mapping[str, Ints] | None = None,
) -> dict[str, Callable[[], Floats]]:
    """The policies to evaluate by name; each is made when it is called, since a log may be long.

    Parameters
    ----------
    values_usd, temperatures : tuple of float
        Other values of a correct answer, which rank the stored candidates anew, and temperatures of a softmax.
    predicted : mapping, optional
        Name of another bundle, pool or configuration -> what it predicts of every row's candidates.
    choices : mapping, optional
        Name -> index of the candidate that it would choose in every row, -1 where it is none of them.

    Raises
    ------
    InputError
        Shapes that are not the log's, indices that are no candidates, or a name twice.
    """
    found: dict[str, Callable[[], Floats]] = {
        LOGGING: lambda: logged.probability,
        GREEDY: partial(best, logged),
        UNIFORM: partial(uniform, logged),
    }
    for value in values_usd:
        found[f"greedy at value_usd {value:g}"] = partial(best, logged, value)
    for temperature in temperatures:
        found[f"softmax at {temperature:g}"] = partial(softmax, logged, temperature)
    for name, table in (predicted or {}).items():
        _check_predicted(logged, name, table)
        _add(found, name, partial(best, logged, predicted=table))
    for name, choice in (choices or {}).items():
        _check_choice(logged, name, choice)
        _add(found, name, partial(certain, logged, choice))
    for arm in np.unique(logged.arms[logged.arms >= 0]).tolist():
        _add(found, f"always {logged.arm_names[arm]}", partial(single, logged, arm))
    return found


def _add(found: dict[str, Callable[[], Floats]], name: str, target: Callable[[], Floats]) -> None:
    if name in found:
        raise fail(InputError, "policies", f"two are named {name!r}")
    found[name] = target


def _check_predicted(logged: Logged, name: str, table: Predicted) -> None:
    for field, values in table._asdict().items():
        path = f"predicted.{name}.{field}"
        if values.shape != logged.probability.shape:
            raise fail(InputError, path, f"expected shape {logged.probability.shape}, got {values.shape}")
        if not np.isfinite(values[logged.there]).all():
            raise fail(InputError, path, "expected finite numbers")


def _check_choice(logged: Logged, name: str, choice: Ints) -> None:
    path = f"choices.{name}"
    if choice.shape != logged.chosen.shape:
        raise fail(InputError, path, f"expected {len(logged)} numbers, got shape {choice.shape}")
    wrong = np.flatnonzero((choice < -1) | (choice >= logged.there.sum(1)))
    if len(wrong):
        raise fail(InputError, f"{path}[{wrong[0]}]", f"expected a candidate or -1, got {choice[wrong[0]]}")
