"""Tool graphs from TaskBench files and from MCP tool lists."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from turnout.core import InputError
from turnout.graph import ToolGraph

TASKBENCH: dict[str, Any] = {
    "nodes": [
        {"id": "Text Search", "desc": "finds a text", "input-type": ["text"], "output-type": ["text"]},
        {"id": "Image Search", "desc": "finds an image", "input-type": ["text"], "output-type": ["image"]},
        {"id": "Image Editing", "input-type": ["text", "image"], "output-type": ["image"]},
    ],
    "links": [
        {"source": "Text Search", "target": "Image Search", "type": "text"},
        {"source": "Text Search", "target": "Image Editing", "type": "text"},
        {"source": "Image Search", "target": "Image Editing", "type": "image"},
    ],
}


def test_a_taskbench_graph() -> None:
    for data in (TASKBENCH, json.dumps(TASKBENCH), json.dumps(TASKBENCH).encode()):
        graph = ToolGraph.from_taskbench(data, weight=2.0)
        assert graph.names == ("Text Search", "Image Search", "Image Editing")
        assert graph.labels == ("text", "text", "image") and graph.weights.tolist() == [2, 2, 2]
        assert graph.required["Image Editing"] == ("text", "image")
        path = graph.shortest_path("Text Search", "Image Editing")
        assert path is not None and path.cost == 2.0


def test_a_taskbench_graph_with_parameters() -> None:
    parameters = [{"name": "time", "type": "date", "desc": ""}]
    nodes = [{"id": name, "desc": "", "parameters": parameters} for name in ("alarm", "weather")]
    links = [{"source": "alarm", "target": "weather", "type": "complete"}]
    graph = ToolGraph.from_taskbench({"nodes": nodes, "links": links})
    assert graph.required == {} and graph.labels == ("complete",)


@pytest.mark.parametrize(
    ("spoil", "path", "message"),
    [
        (lambda d: d["links"][2].update(source="Search"), "graph.links[2].source", "there is no node 'Search'"),
        (lambda d: d["links"][0].update(target=""), "graph.links[0].target", "there is no node ''"),
        (lambda d: d["links"][1].update(type="video"), "graph.links[1].type", "'Text Search' has no output of type"),
        (
            lambda d: d["nodes"][2].update({"input-type": ["image"]}),
            "graph.links[1].type",
            "has no input of type 'text'",
        ),
        (lambda d: d["links"][1].pop("type"), "graph.links[1]", "missing required field type"),
        (lambda d: d["nodes"][1].update(id=7), "graph.nodes[1].id", "expected str, got int"),
        (lambda d: d["nodes"][1].update(id="Text Search"), "graph.nodes[1]", "is also the name of node 0"),
        (lambda d: d["nodes"][1].pop("output-type"), "graph.nodes[1].output-type", "missing"),
        (lambda d: d["nodes"][1].update(parameters=[]), "graph.nodes[1]", "expected either"),
        (lambda d: d.pop("links"), "graph", "missing required field links"),
    ],
)
def test_wrong_taskbench_files_are_refused(spoil: Callable[[Any], Any], path: str, message: str) -> None:
    data = copy.deepcopy(TASKBENCH)
    spoil(data)
    for form in (data, json.dumps(data)):
        with pytest.raises(InputError) as refused:
            ToolGraph.from_taskbench(form)
        assert refused.value.path == path and message in str(refused.value)
    with pytest.raises(InputError, match="graph: not a JSON file"):
        ToolGraph.from_taskbench("{")


def schema(required: list[str] | None = None, **types: Any) -> dict[str, Any]:
    properties = {name: {} if t is None else {"type": t} for name, t in types.items()}
    return {"type": "object", "properties": properties, "required": required or []}


MCP: list[dict[str, Any]] = [
    {
        "name": "geocode",
        "inputSchema": schema(["city"], city="string"),
        "outputSchema": schema(lat="number", lon="number"),
    },
    {"name": "locate", "inputSchema": schema(), "outputSchema": schema(lat="number", lon="number", city="string")},
    {
        "name": "weather",
        "inputSchema": schema(["lat", "lon"], lat="number", lon="number", units="string"),
        "outputSchema": schema(celsius="integer", note=["string", "null"]),
    },
    {"name": "report", "inputSchema": schema(["celsius", "style"], celsius="number", note="string", style="string")},
]


def labelled(graph: ToolGraph) -> list[tuple[str, str, str]]:
    assert graph.labels is not None
    ends = zip(graph.sources, graph.targets, graph.labels, strict=True)
    return [(graph.names[u], graph.names[v], label) for u, v, label in ends]


def test_an_mcp_graph() -> None:
    graph = ToolGraph.from_mcp(MCP)
    assert labelled(graph) == [
        ("locate", "geocode", "city"),
        ("geocode", "weather", "lat"),
        ("locate", "weather", "lat"),
        ("geocode", "weather", "lon"),
        ("locate", "weather", "lon"),
        ("weather", "report", "celsius"),  # an integer where a number is taken; a note that may be null is no string
    ]
    assert graph.required == {
        "geocode": ("city",),
        "locate": (),
        "weather": ("lat", "lon"),
        "report": ("celsius",),  # no tool gives a style: the caller does
    }
    path = graph.shortest_path("locate", "report")
    assert path is not None and path.nodes == ("locate", "weather", "report")


def test_forms_of_an_mcp_list() -> None:
    response = {"jsonrpc": "2.0", "id": 1, "result": {"tools": MCP}}
    for form in ({"tools": MCP}, response, json.dumps(response), json.dumps(MCP).encode()):
        assert labelled(ToolGraph.from_mcp(form)) == labelled(ToolGraph.from_mcp(MCP))


def test_what_is_given_is_not_required() -> None:
    graph = ToolGraph.from_mcp(MCP, given=["city"])
    assert graph.required["geocode"] == () and graph.required["report"] == ("celsius", "style")


def test_types_that_are_not_said() -> None:
    tools = [
        {"name": "any", "inputSchema": schema(), "outputSchema": schema(x=None)},
        {"name": "some", "inputSchema": schema(), "outputSchema": schema(x="string")},
        {"name": "takes any", "inputSchema": schema(x=None)},
        {"name": "takes text", "inputSchema": schema(x="string")},
    ]
    assert labelled(ToolGraph.from_mcp(tools)) == [
        ("any", "takes any", "x"),
        ("some", "takes any", "x"),
        ("some", "takes text", "x"),
    ]


@pytest.mark.parametrize(
    ("spoil", "path", "message"),
    [
        (lambda d: d[0].pop("name"), "tools[0].name", "expected a string, got NoneType"),
        (lambda d: d[1].pop("inputSchema"), "tools[1].inputSchema", "missing"),
        (lambda d: d[1].update(inputSchema=[]), "tools[1].inputSchema", "expected an object, got list"),
        (lambda d: d[1]["inputSchema"].update(type="array"), "tools[1].inputSchema.type", "expected 'object'"),
        (
            lambda d: d[1]["outputSchema"].update(properties=[]),
            "tools[1].outputSchema.properties",
            "expected an object",
        ),
        (
            lambda d: d[0]["inputSchema"]["properties"].update(city={"type": "text"}),
            "tools[0].inputSchema.properties.city.type",
            "expected a JSON type or a list of them, got 'text'",
        ),
        (lambda d: d[0]["inputSchema"].update(required=["town"]), "tools[0].inputSchema.required[0]", "no property"),
        (lambda d: d[0]["inputSchema"].update(required="city"), "tools[0].inputSchema.required", "expected a list"),
        (lambda d: d[2].update(name="geocode"), "graph.nodes[2]", "is also the name of node 0"),
        (lambda d: d.append(3), "tools[4]", "expected an object, got int"),
    ],
)
def test_wrong_mcp_lists_are_refused(spoil: Callable[[Any], Any], path: str, message: str) -> None:
    data = copy.deepcopy(MCP)
    spoil(data)
    with pytest.raises(InputError) as refused:
        ToolGraph.from_mcp(data)
    assert refused.value.path == path and message in str(refused.value)


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(InputError, match="tools: expected a list of tools, got int"):
        ToolGraph.from_mcp("7")
    with pytest.raises(InputError, match="tools: not JSON"):
        ToolGraph.from_mcp("[")


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InputError, match="tools: nested too deeply"):
        ToolGraph.from_mcp("[" * 100_000)
    with pytest.raises(InputError, match="graph: nested too deeply"):
        ToolGraph.from_taskbench('{"nodes": [], "links": [], "more": ' + "[" * 100_000)
