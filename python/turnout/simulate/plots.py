"""Pictures of a simulation as PNG: regret curves with bands, and shares of the arms as stacked areas."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

Report = dict[str, Any]
COLOURS = {
    "turnout": "#c0392b",
    "turnout, exploring": "#e67e22",
    "turnout without the test": "#f1a9a0",
    "turnout, told so": "#f1c40f",
    "offline routing": "#2c3e50",
    "best fixed arm": "#7f8c8d",
    "epsilon-greedy 0.1": "#27ae60",
    "LinUCB": "#74b9ff",
    "LinUCB, told the task": "#1f3fbf",
    "Thompson, told the task": "#8e44ad",
}
STACKED = ("turnout", "LinUCB, told the task")


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _png(figure: Any) -> bytes:
    """In 96 colours, a third of the size."""
    from PIL import Image  # comes with matplotlib

    whole, small = io.BytesIO(), io.BytesIO()
    figure.savefig(whole, format="png", dpi=100, metadata={"Software": None})
    Image.open(whole).convert("RGB").quantize(96).save(small, format="png", optimize=True)
    return small.getvalue()


def regret(report: Report) -> bytes:
    """Regret against the oracle, added up over the rounds, a panel for each value of a correct answer."""
    values = report["values"]
    figure = _figure(4.2 * len(values), 4.4)
    for axes, found in zip(figure.subplots(1, len(values), squeeze=False)[0], values, strict=True):
        _curves(axes, found["policies"])
        axes.set(title=f"a correct answer is worth ${found['value_usd']:g}", xlabel="round")
        axes.set_ylabel("regret against the oracle, correct answers")
    figure.suptitle(f"{report['name']}: {report['seeds']} orders, bands 5 to 95 %", fontsize=9)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=7)
    return _png(figure)


def _curves(axes: Any, policies: list[Report]) -> None:
    for policy in policies:
        colour = COLOURS.get(policy["name"])
        if colour is None:
            continue
        curve, width = policy["curve"], 2.0 if policy["name"].startswith("turnout") else 1.0
        axes.plot(curve["round"], curve["mean"], color=colour, lw=width, label=policy["name"])
        axes.fill_between(curve["round"], curve["low"], curve["high"], color=colour, alpha=0.12, lw=0)


def case(report: Report) -> bytes:
    """A scenario: regret curves, and the arms' shares under turnout and under LinUCB."""
    figure = _figure(12.0, 4.4)
    left, *others = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    _curves(left, report["policies"])
    left.set(title=report["title"], xlabel="round", ylabel="regret against the oracle")
    by_name = {policy["name"]: policy for policy in report["policies"]}
    for axes, name in zip(others, STACKED, strict=True):
        shares = by_name[name]["shares"]
        axes.stackplot(shares["round"], np.array(shares["share"]).T, labels=report["llms"])
        axes.set(title=f"shares: {name}", xlabel="round", ylim=(0, 1))
        axes.margins(x=0)
    for axes in (left, *others):
        if report["at"]:
            axes.axvline(report["at"], color="black", lw=0.8, ls=":")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=7)
    figure.legend(*others[-1].get_legend_handles_labels(), loc="outside right upper", fontsize=7)
    figure.suptitle(report["arm"], fontsize=9)
    return _png(figure)
