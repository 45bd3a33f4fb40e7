"""Pictures of a report as PNG: cost against quality, reliability, shares and depths."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from turnout.core import ConfigError
from turnout.evaluate import frontier
from turnout.evaluate.protocol import ORACLE, TURNOUT
from turnout.schema import fail

Report = dict[str, Any]
STRONG, GREY = "#c0392b", "#7f8c8d"
COLOURS = ("#2980b9", "#27ae60", "#8e44ad", "#d35400", "#16a085", "#2c3e50", "#f39c12", "#7f3c8d", "#95a5a6", "#34495e")


def require() -> None:
    """Raises a ConfigError unless matplotlib is there."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise fail(ConfigError, "plots", "pictures need matplotlib: pip install 'turnout[plots]'") from None


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def pictures(task: Report) -> dict[str, bytes]:
    """PNG files by name; what a task does not have is not drawn."""
    found: dict[str, bytes] = {}
    if task["costed"]:
        found["cost-quality"] = cost_quality(task)
    if any("reliability" in policy for policy in task["policies"]):
        found["reliability"] = reliability(task)
    found["shares-depths"] = shares_depths(task)
    return found


def cost_quality(task: Report) -> bytes:
    """The hull of every policy's points, the single LLMs with theirs, and the oracle."""
    figure = _figure(9.0, 5.5)
    axes = figure.subplots()
    singles = task["single_llms"]
    hull = frontier.hull(_curve([s["usd"] for s in singles], [s["score"] for s in singles]))
    axes.plot(hull.cost, hull.score, "--", color=GREY, label="hull of the single LLMs", zorder=2)
    axes.scatter([s["usd"] for s in singles], [s["score"] for s in singles], color=GREY, s=18, zorder=3)
    for single in singles:
        label = {"fontsize": 6, "color": GREY, "xytext": (3, -7), "textcoords": "offset points"}
        axes.annotate(single["llm"], (single["usd"], single["score"]), **label)
    colours = iter(COLOURS * 3)
    for policy in task["policies"]:
        curve = policy.get("curve")
        if curve is None:
            continue
        found = frontier.hull(_curve(curve["usd"], curve["score"]))
        if len(curve["usd"]) == 1:
            axes.scatter(found.cost, found.score, marker="x", color=next(colours), s=30, label=policy["name"], zorder=3)
            continue
        axes.plot(found.cost, found.score, label=policy["name"], **_line(policy["name"], colours))
    if min(s["usd"] for s in singles) > 0.0:
        axes.set_xscale("log")
    axes.set(xlabel="mean USD a query", ylabel="mean score", title=f"{task['name']}: cost against quality")
    figure.legend(loc="outside right upper", fontsize=7)
    return _png(figure)


def _line(name: str, colours: Iterator[str]) -> dict[str, Any]:
    if name == ORACLE:
        return {"color": "black", "ls": ":", "lw": 0.9}
    if name == TURNOUT:
        return {"color": STRONG, "lw": 2.4, "zorder": 5}
    return {"color": next(colours), "lw": 0.9, "zorder": 1}


def _curve(cost: list[float], score: list[float]) -> frontier.Curve:
    return frontier.Curve(np.array(cost, np.float64), np.array(score, np.float64))


def reliability(task: Report) -> bytes:
    """Mean score against mean probability, bin by bin; the area of a point says how many cells it holds."""
    figure = _figure(5.5, 5.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=GREY)
    shown = [p for p in task["policies"] if "reliability" in p]
    chosen = [p for p in shown if p["name"] in (TURNOUT, "soft_domain_table")] or shown[:1]
    for policy in chosen:
        bins = policy["reliability"]
        size = 300.0 * np.array(bins["cells"]) / max(sum(bins["cells"]), 1)
        x, y = (np.array([np.nan if v is None else v for v in bins[key]]) for key in ("probability", "score"))
        colour = STRONG if policy["name"] == TURNOUT else COLOURS[0]
        ece = policy["calibration"]["ece"]
        axes.plot(x, y, color=colour, lw=0.8, label=f"{policy['name']}: ECE {ece:.3f}")
        axes.scatter(x, y, s=size + 4.0, color=colour)
    axes.set(xlabel="P(correct)", ylabel="mean score", title=f"{task['name']}: reliability", xlim=(0, 1), ylim=(0, 1))
    axes.legend(fontsize=8)
    return _png(figure)


def shares_depths(task: Report) -> bytes:
    """Which LLM gets how many queries at a few weights of cost, and how deep the plans of the bundle are."""
    figure = _figure(10.0, 4.5)
    left, right = figure.subplots(1, 2, width_ratios=(3, 1))
    mine = next((p for p in task["policies"] if p["name"] == TURNOUT), None)
    at = [] if mine is None else mine["at_weights"]
    bottom = np.zeros(len(at))
    for m, llm in enumerate(task["llms"]):
        share = np.array([point["shares"][llm] for point in at])
        style: dict[str, Any] = {"color": f"C{m % 10}", "alpha": 1.0 - 0.3 * min(m // 10, 2)}
        left.bar([f"{point['weight']:.3g}" for point in at], share, bottom=bottom, label=llm, **style)
        bottom += share
    left.set(xlabel="weight of cost", ylabel="share of the queries", title=f"{task['name']}: choices of turnout")
    left.legend(fontsize=6, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    depth = task["plans"]["depth"]
    right.bar(list(depth), list(depth.values()), color=GREY)
    right.set(xlabel="layers", ylabel="queries", title="depth of its plans")
    return _png(figure)
