"""One HTML file with the whole report: tables, and pictures as data; nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

from turnout.evaluate import plots, tables

Report = dict[str, Any]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:last-child, td:last-child { text-align: left; }
tr.turnout { background: #fdecea; font-weight: 600; }
img { max-width: 100%; } small, li { color: #555; } .wide { overflow-x: auto; }
"""


def page(report: Report) -> str:
    """The report as HTML."""
    bundle = report["bundle"]
    held = "the split test, once" if report["mode"] == "test" else "all queries, out of fold"
    intro = (
        f"Bundle {bundle['name']} {bundle['version']} on {held}; 95 % intervals of {report['draws']} bootstrap draws."
    )
    left = report["unknown_llms_left_out"]
    if left:
        intro += f" LLMs that the bundle does not know are left out: {', '.join(left)}."
    body = "".join(_task(task, report["mode"]) for task in report["tasks"])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>turnout evaluation</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>turnout evaluation</h1>\n"
        f"<p>{escape(intro)}</p>\n{body}</body>\n</html>\n"
    )


def _task(task: Report, mode: str) -> str:
    money, quality = tables.frontier_columns(task), tables.quality_columns(task)
    facts = "".join(f"<li>{escape(fact)}</li>\n" for fact in tables.facts(task, mode))
    images = "".join(
        f'<p><img alt="{escape(name)}" src="data:image/png;base64,{base64.b64encode(png).decode()}"></p>\n'
        for name, png in plots.pictures(task).items()
    )
    return (
        f"<h2>{escape(task['name'])}</h2>\n<ul>\n{facts}</ul>\n{_table(task, money)}{_table(task, quality)}"
        f"{_by_llm(task)}{images}"
    )


def _table(task: Report, columns: Sequence[tables.Column]) -> str:
    body = [_row("td", row, row[-1].split(" ")[0]) for row in tables.rows(task, columns)]
    legend = "; ".join(tables.legend(columns))
    return _wrapped([_row("th", [column.title for column in columns]), *body]) + f"<small>{escape(legend)}</small>\n"


def _by_llm(task: Report) -> str:
    """The calibration of turnout, LLM by LLM."""
    mine = next((p for p in task["policies"] if p["name"] == "turnout"), None)
    if mine is None or "by_llm" not in mine:
        return ""
    head = _row("th", ["mean score", "USD", "ECE", "limit", "Brier", "AUC", "LLM"])
    body = [
        _row(
            "td",
            [
                tables.number(single["score"], 3),
                tables.NONE if single["usd"] is None else f"{single['usd']:.3g}",
                *(tables.number(mine["by_llm"][single["llm"]][key], 3) for key in ("ece", "limit", "brier", "auc")),
                single["llm"],
            ],
        )
        for single in task["single_llms"]
    ]
    return "<h3>turnout, LLM by LLM</h3>\n" + _wrapped([head, *body])


def _row(tag: str, cells: Sequence[str], name: str = "") -> str:
    inside = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
    return f'<tr class="turnout">{inside}</tr>\n' if name == "turnout" else f"<tr>{inside}</tr>\n"


def _wrapped(rows: Sequence[str]) -> str:
    return f'<div class="wide"><table>\n{"".join(rows)}</table></div>\n'
