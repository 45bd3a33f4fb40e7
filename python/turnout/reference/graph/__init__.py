"""Twin of the graph room: each algorithm in plain Python, the readable spec and the parity oracle."""

from __future__ import annotations

from turnout.reference.graph.rows import Graph, Path
from turnout.reference.graph.search import a_star, distances_from, distances_to, inconsistent_edge, shortest_path

__all__ = ["Graph", "Path", "a_star", "distances_from", "distances_to", "inconsistent_edge", "shortest_path"]
