"""One picture: cost against quality of every policy, a panel a pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from turnout.evaluate import frontier
from turnout.evaluate.plots import COLOURS, GREY, STRONG, _figure, _png, require
from turnout.evaluate.thoughts.report import NEXT, SINGLE


def write(folder: Path, tasks: list[dict[str, Any]]) -> Path:
    """Draws ``second-thoughts.png`` into the folder.

    Raises
    ------
    ConfigError
        Without matplotlib.
    """
    require()
    figure = _figure(4.7 * len(tasks), 4.0)
    for i, (axes, task) in enumerate(zip(np.atleast_1d(figure.subplots(1, len(tasks))), tasks, strict=True)):
        _panel(axes, task)
        if i == 0:
            axes.legend(fontsize=7, loc="lower right")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "second-thoughts.png"
    path.write_bytes(_png(figure))
    return path


def _panel(axes: Any, task: dict[str, Any]) -> None:
    colours = iter(COLOURS)
    for policy in task["policies"]:
        x, y = (np.array([s[key] for s in policy["settings"]]) for key in ("usd", "score"))
        name, hull = policy["name"], frontier.hull(frontier.Curve(x, y))
        if name == SINGLE:
            axes.plot(hull.cost, hull.score, "--", color=GREY, label="hull of the single LLMs")
            axes.scatter(x, y, color=GREY, s=12)
        elif len(x) == 1:
            axes.scatter(x, y, marker="x", color=next(colours), s=30, label=name)
        else:
            style = {"color": STRONG, "lw": 2.2, "zorder": 5} if name == NEXT else {"color": next(colours), "lw": 1.0}
            axes.plot(hull.cost, hull.score, label=name, **style)
    low = min(s["usd"] for s in task["policies"][0]["settings"])
    axes.set(xscale="log", xlim=(0.7 * low, None), ylim=(0.2, None))
    axes.set(xlabel="mean USD a query", ylabel="mean score", title=f"mmlupro29/{task['pool']}, test")
