"""From a log to the report: every policy's support, weights and estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.core import InputError
from turnout.evaluate.measure import plain
from turnout.evaluate.offpolicy import estimators, targets
from turnout.evaluate.offpolicy.estimators import Draws
from turnout.evaluate.offpolicy.logged import FeedbackColumns, Logged, read_columns
from turnout.evaluate.offpolicy.targets import Predicted
from turnout.schema import fail

Floats = npt.NDArray[np.float64]

FORMAT = "turnout-off-policy"
UNSUPPORTED = 0.01  # share of a policy's choices that the log could not have drawn, above which there is no number
ROUNDING = 1e-6  # by which a policy's probabilities may miss 1
FEW = 30.0  # effective sample size, below which an estimate is called weak
EDGES = (0.0, 1e-9, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0)  # of the histogram of weights; the last bin has no end
METRICS = ("utility", "score", "usd")
DETERMINISTIC = (
    "nothing was drawn: every decision of this log took its one choice for certain. What another choice would have "
    "earned is not in it. Explore with a probability eps > 0, and log again"
)


def evaluate_log(
    log: FeedbackColumns,
    *,
    values_usd: tuple[float, ...] = (),
    temperatures: tuple[float, ...] = (),
    predicted: Mapping[str, Predicted] | None = None,
    choices: Mapping[str, npt.NDArray[np.int64]] | None = None,
    clip: float | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """What the policies would have earned on the decisions of a log.

    The reward is ``value_usd * score - usd - usd_per_second * seconds`` with the log's own values, USD; score and USD
    are estimated apart too.

    Parameters
    ----------
    log : FeedbackColumns
        ``turnout.state_log.FeedbackLog``, or the same columns.
    values_usd, temperatures, predicted, choices
        Further policies; see `turnout.evaluate.offpolicy.targets.targets`. Their rows are the log's, all of them.
    clip : float, optional
        The largest weight; larger ones are cut, which trades bias for variance (Ionides 2008). Default: none.
    draws : int
        Of the bootstrap by ticket; 0: no bootstrap intervals.

    Returns
    -------
    dict
        Plain data: what ``turnout evaluate --log --json`` writes. docs/off-policy.md says what each field is.

    Raises
    ------
    InputError
        The log or an argument cannot be; see `read_columns` and `targets`.
    """
    if clip is not None and not clip > 0.0:
        raise fail(InputError, "clip", f"expected a number > 0, got {clip}")
    if draws < 0:
        raise fail(InputError, "draws", f"expected a number >= 0, got {draws}")
    logged = read_columns(log)
    scored = _scored(log)
    predicted = {
        name: Predicted(*(column[scored] for column in _full(log, name, table)))
        for name, table in (predicted or {}).items()
    }
    choices = {name: _rows(log, name, choice)[scored] for name, choice in (choices or {}).items()}
    known = targets.targets(logged, values_usd, temperatures, predicted, choices)
    drawn = Draws(len(logged), draws, seed)
    found = {
        "format": FORMAT,
        "format_version": 1,
        "decisions": _facts(log, logged),
        "clip": clip,
        "draws": draws,
        "seed": seed,
        "policies": [_policy(name, target(), logged, clip, drawn) for name, target in known.items()],
    }
    plained: dict[str, Any] = plain(found)
    return plained


def _scored(log: FeedbackColumns) -> npt.NDArray[np.bool_]:
    """The rows that `read_columns` keeps."""
    return np.asarray(~np.isnan(log.score) | (np.asarray(log.failure) != 0))


def _full(log: FeedbackColumns, name: str, table: Predicted) -> Predicted:
    for field, values in table._asdict().items():
        if values.shape != log.probabilities.shape:
            expected = f"expected shape {log.probabilities.shape}, got {values.shape}"
            raise fail(InputError, f"predicted.{name}.{field}", expected)
    return table


def _rows(log: FeedbackColumns, name: str, choice: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if choice.shape != (len(log.ticket),):
        raise fail(InputError, f"choices.{name}", f"expected {len(log.ticket)} numbers, got shape {choice.shape}")
    return choice


def _facts(log: FeedbackColumns, logged: Logged) -> dict[str, Any]:
    return {
        "evaluated": len(logged),
        "drawn": int((~logged.deterministic).sum()),
        "unscored": logged.unscored,
        "unanswered": int(getattr(log, "unanswered", 0)),
        "orphans": int(getattr(log, "orphans", 0)),
        "failed": logged.failed,
        "assumed_usd": logged.assumed_usd,
        "assumed_seconds": logged.assumed_seconds,
        "least_probability": float(logged.of_chosen(logged.probability).min()),
    }


def _policy(name: str, target: Floats, logged: Logged, clip: float | None, draws: Draws) -> dict[str, Any]:
    out: dict[str, Any] = {"name": name, "status": "ok", "note": ""}
    unsupported = float(1.0 - (target * (logged.probability > 0.0)).sum(1).mean())
    unsupported = unsupported if unsupported > ROUNDING else 0.0
    out["unsupported"] = unsupported
    if name != targets.LOGGING and logged.deterministic.all():
        return out | {"status": "refused", "note": DETERMINISTIC}
    if unsupported > UNSUPPORTED:
        share = f"{100.0 * unsupported:.1f} % of its choices could not have been drawn by the policy that was logged"
        return out | {"status": "refused", "note": f"{share}: no estimate"}
    weights = logged.of_chosen(target) / logged.of_chosen(logged.probability)
    clipped = weights if clip is None else np.minimum(weights, clip)
    out["effective_sample_size"] = estimators.effective_sample_size(clipped)
    out["weights"] = _weights(weights, clip)
    notes = _warnings(out, unsupported)
    if notes:
        out |= {"status": "warning", "note": "; ".join(notes)}
    return out | {"estimates": _estimates(target, clipped, logged, draws, clip)}


def _weights(weights: Floats, clip: float | None) -> dict[str, Any]:
    """A mean far from 1 says that the logged probabilities are not those that were drawn with."""
    error = float(weights.std(ddof=1)) / len(weights) ** 0.5
    return {
        "mean": float(weights.mean()),
        "standard_error": error,
        "largest": float(weights.max()),
        "clipped": 0 if clip is None else int((weights > clip).sum()),
        "edges": list(EDGES),
        "counts": np.histogram(weights, [*EDGES, np.inf])[0].tolist(),
    }


def _warnings(policy: dict[str, Any], unsupported: float) -> list[str]:
    found = []
    if unsupported > 0.0:
        found.append(
            f"{100.0 * unsupported:.2g} % of its choices could not have been drawn: its score may be off by that"
        )
    if policy["effective_sample_size"] < FEW:
        found.append(f"only {policy['effective_sample_size']:.1f} effective outcomes: the intervals are too narrow")
    mean, error = policy["weights"]["mean"], policy["weights"]["standard_error"]
    if abs(mean - 1.0) > 4.0 * error + unsupported + ROUNDING:
        found.append(f"the weights' mean is {mean:.2f}, not 1: too few draws of its choices, or wrong probabilities")
    return found


def _estimates(
    target: Floats, weights: Floats, logged: Logged, draws: Draws, clip: float | None
) -> dict[str, dict[str, Any]]:
    value, per_second = logged.value_usd, logged.usd_per_second
    rewards = {
        "utility": (
            value * logged.score - logged.paid - per_second * logged.took,
            value[:, None] * logged.quality - logged.usd - per_second[:, None] * logged.seconds,
        ),
        "score": (logged.score, logged.quality),
        "usd": (logged.paid, logged.usd),
    }
    out: dict[str, dict[str, Any]] = {}
    for metric, (reward, modelled) in rewards.items():
        found = estimators.terms(weights, reward, target, modelled, logged.of_chosen(modelled))
        out[metric] = dict(estimators.estimates(found, draws))
        out[metric]["normal"] = {
            "ips": estimators.normal(found.weighted),
            "snips": estimators.normal_ratio(found),
            "dr": estimators.normal(found.robust),
        }
    # Only scores have a range that is known beforehand: 0 to 1, times the largest weight that could have been drawn.
    odds = np.divide(target, logged.probability, out=np.zeros_like(target), where=logged.probability > 0.0)
    span = float(odds.max() if clip is None else min(odds.max(), clip))
    out["score"]["empirical_bernstein"] = estimators.empirical_bernstein(weights * logged.score, span)
    return out
