"""Twin of the onnx room: reads an ONNX file and evaluates a chain of Gemm and Relu in plain Python floats.

The file is protocol buffers; only the fields that such a chain needs are read (field numbers from onnx.proto3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

# onnx.proto3 field numbers.
_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP, _NODE_ATTRIBUTE = 1, 2, 4, 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 4, 8, 9
_FLOAT32 = 1

Value = int | bytes


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Fields of a message in order: varints as int, everything else as bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} is not of an ONNX file")
        yield number, data[at : at + size]
        at += size


def _all(data: bytes, number: int) -> list[bytes]:
    return [value for field, value in _fields(data) if field == number and isinstance(value, bytes)]


def _text(data: bytes, number: int) -> str:
    found = _all(data, number)
    return found[-1].decode() if found else ""


@dataclass(frozen=True)
class Tensor:
    """A float32 initializer, row-major."""

    shape: list[int]
    values: tuple[float, ...]


def _dims(data: bytes) -> list[int]:
    dims: list[int] = []
    for field, value in _fields(data):
        if field == _TENSOR_DIMS and isinstance(value, int):
            dims.append(value)
        elif field == _TENSOR_DIMS and isinstance(value, bytes):  # packed
            at = 0
            while at < len(value):
                dim, at = _varint(value, at)
                dims.append(dim)
    return dims


def _tensor(data: bytes) -> tuple[str, Tensor]:
    if next((v for f, v in _fields(data) if f == _TENSOR_TYPE), None) != _FLOAT32:
        raise ValueError(f"initializer {_text(data, _TENSOR_NAME)!r} is not float32")
    raw = b"".join(_all(data, _TENSOR_RAW)) or b"".join(_all(data, _TENSOR_FLOATS))
    return _text(data, _TENSOR_NAME), Tensor(_dims(data), struct.unpack(f"<{len(raw) // 4}f", raw))


def _attributes(node: bytes) -> dict[str, float | int]:
    out: dict[str, float | int] = {}
    for attribute in _all(node, _NODE_ATTRIBUTE):
        for field, value in _fields(attribute):
            if field == 2 and isinstance(value, bytes):
                out[_text(attribute, 1)] = struct.unpack("<f", value)[0]
            elif field == 3 and isinstance(value, int):
                out[_text(attribute, 1)] = value
    return out


@dataclass(frozen=True)
class Layer:
    """y = x W^T + b, W [out, in] row-major, then max(0, .) if `relu`."""

    weight: list[tuple[float, ...]]
    bias: tuple[float, ...]
    relu: bool


def _rows(tensor: Tensor, transposed: bool) -> list[tuple[float, ...]]:
    n, m = tensor.shape
    rows = [tensor.values[i * m : (i + 1) * m] for i in range(n)]
    return rows if transposed else [tuple(column) for column in zip(*rows, strict=True)]


class Network:
    """A chain of Gemm and Relu with the file's metadata."""

    def __init__(self, data: bytes) -> None:
        graph = _all(data, _MODEL_GRAPH)[0]
        self.metadata = {_text(entry, 1): _text(entry, 2) for entry in _all(data, _MODEL_METADATA)}
        tensors = dict(_tensor(t) for t in _all(graph, _GRAPH_INITIALIZER))
        self.layers: list[Layer] = []
        for node in _all(graph, _GRAPH_NODE):
            self._add(node, tensors)

    def _add(self, node: bytes, tensors: dict[str, Tensor]) -> None:
        op, names, attributes = _text(node, _NODE_OP), [n.decode() for n in _all(node, _NODE_INPUT)], _attributes(node)
        if op == "Relu" and self.layers:
            last = self.layers.pop()
            self.layers.append(Layer(last.weight, last.bias, True))
        elif op == "Gemm" and attributes.get("alpha", 1.0) == 1.0 and attributes.get("beta", 1.0) == 1.0:
            weight = _rows(tensors[names[1]], bool(attributes.get("transB", 0)))
            self.layers.append(Layer(weight, tensors[names[2]].values, False))
        else:
            raise ValueError(f"the twin evaluates Gemm and Relu, not {op}")

    def run(self, x: list[float]) -> list[float]:
        """One row through the chain."""
        for layer in self.layers:
            x = [
                sum(w * v for w, v in zip(row, x, strict=True)) + b
                for row, b in zip(layer.weight, layer.bias, strict=True)
            ]
            if layer.relu:
                x = [max(0.0, v) for v in x]
        return x
