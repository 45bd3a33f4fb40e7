"""From TaskBench's tool graphs (Shen et al. 2023, https://arxiv.org/abs/2311.18760)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from turnout.core import InputError
from turnout.graph.tool_graph import ToolGraph, unique_ids
from turnout.schema import convert, fail, from_json


class Parameter(msgspec.Struct):
    name: str
    type: str
    desc: str = ""


class Node(msgspec.Struct, rename={"input_type": "input-type", "output_type": "output-type"}):
    id: str
    desc: str = ""
    input_type: list[str] | None = None
    output_type: list[str] | None = None
    parameters: list[Parameter] | None = None


class Link(msgspec.Struct):
    source: str
    target: str
    type: str


class File(msgspec.Struct):
    nodes: list[Node]
    links: list[Link]


def from_taskbench(data: bytes | str | Mapping[str, Any], weight: float = 1.0) -> ToolGraph:
    """A tool graph from a TaskBench file: ``{"nodes": [...], "links": [...]}``.

    A node has an ``id`` and either ``input-type`` and ``output-type``, lists of types, or ``parameters``. A link from A
    to B has a ``type``, which becomes the edge's label; between nodes with types it must be an output type of A and an
    input type of B. A node with input types needs one edge of each (`ToolGraph.required`).

    Parameters
    ----------
    data : bytes, str or dict
        The file's contents, or what `json.loads` makes of them.
    weight : float
        Of every edge.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``graph.links[3].source``.
    """
    if isinstance(data, str):
        data = data.encode()
    file = (
        from_json(data, File, "graph", InputError)
        if isinstance(data, bytes)
        else convert(data, File, "graph", InputError)
    )
    for i, node in enumerate(file.nodes):
        _check_node(node, f"graph.nodes[{i}]")
    ids = unique_ids(tuple(node.id for node in file.nodes))
    for i, link in enumerate(file.links):
        _check_link(link, ids, file.nodes, f"graph.links[{i}]")
    return ToolGraph.from_arrays(
        np.array([ids[link.source] for link in file.links], np.int32),
        np.array([ids[link.target] for link in file.links], np.int32),
        np.full(len(file.links), weight, np.float64),
        names=[node.id for node in file.nodes],
        labels=[link.type for link in file.links],
        required={node.id: list(dict.fromkeys(node.input_type)) for node in file.nodes if node.input_type is not None},
    )


def _check_node(node: Node, path: str) -> None:
    if (node.input_type is None) != (node.output_type is None):
        missing = "input-type" if node.input_type is None else "output-type"
        raise fail(InputError, f"{path}.{missing}", "missing, where the other of input-type and output-type is given")
    if (node.input_type is None) == (node.parameters is None):
        raise fail(InputError, path, "expected either input-type and output-type, or parameters")


def _check_link(link: Link, ids: dict[str, int], nodes: list[Node], path: str) -> None:
    for end, name in (("source", link.source), ("target", link.target)):
        if name not in ids:
            raise fail(InputError, f"{path}.{end}", f"there is no node {name!r}")
    given, taken = nodes[ids[link.source]].output_type, nodes[ids[link.target]].input_type
    if given is not None and link.type not in given:
        raise fail(InputError, f"{path}.type", f"{link.source!r} has no output of type {link.type!r}")
    if taken is not None and link.type not in taken:
        raise fail(InputError, f"{path}.type", f"{link.target!r} has no input of type {link.type!r}")
