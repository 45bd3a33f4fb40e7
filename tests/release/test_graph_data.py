"""TaskBench's tool graphs as they are published. Needs TURNOUT_DATA, the folder that holds them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import networkx
import pytest

from turnout.graph import ToolGraph

DATA = os.environ.get("TURNOUT_DATA")
SHAPES = {"huggingface": (23, 225), "multimedia": (40, 449), "dailylifeapis": (40, 1560)}


@pytest.mark.skipif(DATA is None, reason="set TURNOUT_DATA to the folder of development data")
@pytest.mark.parametrize("name", SHAPES)
def test_every_path_costs_what_networkx_says(name: str) -> None:
    assert DATA is not None
    data = (Path(DATA) / f"graphs/taskbench_{name}.graph.json").read_bytes()
    graph, plain = ToolGraph.from_taskbench(data), json.loads(data)
    assert (len(graph), graph.edge_count) == SHAPES[name]
    other = networkx.DiGraph([(link["source"], link["target"]) for link in plain["links"]])
    other.add_nodes_from(node["id"] for node in plain["nodes"])
    for source in graph.names:
        expected = networkx.single_source_shortest_path_length(other, source)
        found = dict(zip(graph.names, graph.distances_from(source), strict=True))
        assert {name: cost for name, cost in found.items() if cost < float("inf")} == expected
