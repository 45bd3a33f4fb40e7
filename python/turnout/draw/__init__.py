"""Pictures of tool graphs and plans, as SVG or PNG. They need matplotlib: ``pip install 'turnout[plots]'``."""

from __future__ import annotations

from turnout.draw.figure import save
from turnout.draw.gantt import Bar, bars_of, draw_gantt
from turnout.draw.graph import draw_graph

__all__ = ["Bar", "bars_of", "draw_gantt", "draw_graph", "save"]
