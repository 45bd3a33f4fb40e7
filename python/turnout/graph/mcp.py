"""From the tools that a Model Context Protocol server lists (https://modelcontextprotocol.io, ``tools/list``)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turnout.core import InputError
from turnout.graph.tool_graph import ToolGraph
from turnout.schema import fail

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
Types = frozenset[str] | None
"""The JSON types that a property may have; None where the schema does not say."""


@dataclass(frozen=True)
class Tool:
    """What matters of a tool: its properties with their types, and which inputs it needs."""

    name: str
    inputs: dict[str, Types]
    outputs: dict[str, Types]
    required: tuple[str, ...]


def from_mcp(
    tools: bytes | str | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    weight: float = 1.0,
    given: Iterable[str] | None = None,
) -> ToolGraph:
    """A tool graph from the result of ``tools/list``.

    There is an edge from tool A to tool B, labelled p, for each property p that is in A's ``outputSchema`` and in B's
    ``inputSchema`` and whose type fits: every JSON type that A may give, B takes. An integer fits where a number is
    taken; an input without ``type`` takes anything; an output without ``type`` fits only there. No tool feeds itself. A
    tool needs (`ToolGraph.required`) each of its required inputs that is not `given`.

    Parameters
    ----------
    tools : bytes, str, dict or list
        JSON text or what `json.loads` makes of it: the list of tools, ``{"tools": [...]}``, or the whole response with
        ``result``.
    weight : float
        Of every edge.
    given : iterable of str, optional
        Inputs that the caller supplies; default: those that no tool gives.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``tools[2].inputSchema.properties.city.type``.
    """
    parsed = [_tool(tool, f"tools[{i}]") for i, tool in enumerate(_list_of(tools))]
    givers: dict[str, list[int]] = defaultdict(list)
    for i, tool in enumerate(parsed):
        for name in tool.outputs:
            givers[name].append(i)
    edges = [
        (a, b, name)
        for b, tool in enumerate(parsed)
        for name, taken in tool.inputs.items()
        for a in givers[name]
        if a != b and _fits(parsed[a].outputs[name], taken)
    ]
    fed = {(b, name) for _, b, name in edges}
    supplied = None if given is None else frozenset(given)
    return ToolGraph.from_arrays(
        np.array([a for a, _, _ in edges], np.int32),
        np.array([b for _, b, _ in edges], np.int32),
        np.full(len(edges), weight, np.float64),
        names=[tool.name for tool in parsed],
        labels=[name for _, _, name in edges],
        required={
            tool.name: [p for p in tool.required if ((b, p) in fed if supplied is None else p not in supplied)]
            for b, tool in enumerate(parsed)
        },
    )


def _list_of(tools: Any) -> list[Any]:
    if isinstance(tools, bytes | str):
        try:
            tools = json.loads(tools)
        except ValueError as error:
            raise fail(InputError, "tools", f"not JSON: {error}") from None
        except RecursionError:
            raise fail(InputError, "tools", "nested too deeply") from None
    for key in ("result", "tools"):
        if isinstance(tools, Mapping):
            tools = tools.get(key, tools)
    if isinstance(tools, str | Mapping) or not isinstance(tools, Sequence):
        raise fail(InputError, "tools", f"expected a list of tools, got {type(tools).__name__}")
    return list(tools)


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise fail(InputError, path, f"expected an object, got {type(value).__name__}")
    return value


def _tool(value: Any, path: str) -> Tool:
    tool = _mapping(value, path)
    name = tool.get("name")
    if not isinstance(name, str):
        raise fail(InputError, f"{path}.name", f"expected a string, got {type(name).__name__}")
    if "inputSchema" not in tool:
        raise fail(InputError, f"{path}.inputSchema", "missing")
    inputs = _properties(tool["inputSchema"], f"{path}.inputSchema")
    outputs = _properties(tool["outputSchema"], f"{path}.outputSchema") if "outputSchema" in tool else {}
    return Tool(name, inputs, outputs, _required(tool["inputSchema"], inputs, f"{path}.inputSchema.required"))


def _properties(schema: Any, path: str) -> dict[str, Types]:
    schema = _mapping(schema, path)
    if schema.get("type", "object") != "object":
        raise fail(InputError, f"{path}.type", f"expected 'object', got {schema['type']!r}")
    properties = _mapping(schema.get("properties", {}), f"{path}.properties")
    return {name: _types(value, f"{path}.properties.{name}") for name, value in properties.items()}


def _types(schema: Any, path: str) -> Types:
    if isinstance(schema, bool):  # JSON Schema's "anything" and "nothing"
        return None if schema else frozenset()
    types = _mapping(schema, path).get("type")
    if types is None:
        return None
    found = [types] if isinstance(types, str) else types
    if not isinstance(found, Sequence) or not found or not all(isinstance(t, str) and t in TYPES for t in found):
        raise fail(InputError, f"{path}.type", f"expected a JSON type or a list of them, got {types!r}")
    return frozenset(found)


def _required(schema: Mapping[str, Any], inputs: dict[str, Types], path: str) -> tuple[str, ...]:
    names = schema.get("required", [])
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise fail(InputError, path, f"expected a list of names, got {type(names).__name__}")
    for i, name in enumerate(names):
        if not isinstance(name, str) or name not in inputs:
            raise fail(InputError, f"{path}[{i}]", f"there is no property {name!r}")
    return tuple(dict.fromkeys(names))


def _fits(given: Types, taken: Types) -> bool:
    if taken is None:
        return True
    return given is not None and given <= (taken | {"integer"} if "number" in taken else taken)
