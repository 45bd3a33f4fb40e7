"""Pictures of a report as PNG: estimates with their intervals, and the weights behind them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from turnout.evaluate.offpolicy.report import METRICS

Report = dict[str, Any]
COLOURS = {"dr": "#c0392b", "snips": "#2980b9", "ips": "#7f8c8d"}
SHOWN = 12  # histograms


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()


def pictures(report: Report) -> dict[str, bytes]:
    """PNG files by name; nothing where no policy has an estimate."""
    shown = [policy for policy in report["policies"] if "estimates" in policy]
    return {"estimates": _estimates(shown), "weights": _weights(shown[:SHOWN])} if shown else {}


def _estimates(policies: list[Report]) -> bytes:
    """A row a policy: each estimator with its bootstrap interval."""
    figure = _figure(11.0, 1.2 + 0.4 * len(policies))
    rows = np.arange(len(policies))
    for axes, metric in zip(figure.subplots(1, len(METRICS), sharey=True), METRICS, strict=True):
        for shift, (name, colour) in zip((-0.22, 0.0, 0.22), COLOURS.items(), strict=True):
            found = np.array([_values(policy["estimates"][metric][name]) for policy in policies])
            around = np.abs(found[:, 1:] - found[:, :1]).T
            axes.errorbar(found[:, 0], rows + shift, xerr=around, fmt="o", ms=3, lw=1, color=colour, label=name)
        axes.set(title=metric, yticks=rows, yticklabels=[policy["name"] for policy in policies])
        axes.tick_params(labelsize=7)
    axes.invert_yaxis()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=7)
    return _png(figure)


def _values(interval: list[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in interval]


def _weights(policies: list[Report]) -> bytes:
    """How many decisions have which weight; most of a far policy's are 0."""
    columns = min(len(policies), 3)
    lines = -(-len(policies) // columns)
    figure = _figure(3.4 * columns, 2.1 * lines)
    for axes, policy in zip(figure.subplots(lines, columns, squeeze=False).ravel(), policies, strict=False):
        edges, counts = policy["weights"]["edges"], policy["weights"]["counts"]
        labels = ["0", *(f"{edge:g}+" for edge in edges[1:])]
        labels[1] = "> 0"
        axes.bar(labels, counts, color=COLOURS["ips"])
        axes.set_title(f"{policy['name']}: {policy['effective_sample_size']:.0f} effective", fontsize=7)
        axes.tick_params(labelsize=6)
    return _png(figure)
