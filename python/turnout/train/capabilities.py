"""The bundle's tools and agents: descriptions -> unit vectors and a FAISS index."""

from __future__ import annotations

import tomllib
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from turnout.capability import matched_filter
from turnout.core import ConfigError
from turnout.train.distil_table import StaticTable

KINDS = ("tool", "agent", "code", "retrieval")


def read(data: bytes, where: str) -> list[dict[str, Any]]:
    """The ``[[capabilities]]`` tables of a TOML file.

    Raises
    ------
    ConfigError
        Not TOML, an id given twice, an unknown kind, or no description.
    """
    try:
        entries: list[dict[str, Any]] = tomllib.loads(data.decode("utf-8")).get("capabilities", [])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{where}: not a TOML file: {error}") from None
    seen: set[str] = set()
    for i, entry in enumerate(entries):
        path = f"{where}: capabilities[{i}]"
        if not entry.get("id") or entry["id"] in seen:
            raise ConfigError(f"{path}.id: expected a name of its own, got {entry.get('id')!r}")
        if entry.get("kind") not in KINDS:
            raise ConfigError(f"{path}.kind: expected one of {list(KINDS)}, got {entry.get('kind')!r}")
        if not entry.get("description"):
            raise ConfigError(f"{path}.description: expected a sentence")
        seen.add(entry["id"])
    return entries


def text(name: str, description: str) -> str:
    """What is embedded of a tool or agent: its name as words, then its description."""
    return f"{name.replace('_', ' ').replace('-', ' ')}. {description}"


def vectors(
    entries: list[dict[str, Any]], table: StaticTable, centres: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Unit vectors [N, dim] in the file's order, filtered by the centroids of the training queries."""
    texts = [text(entry["id"], entry["description"]) for entry in entries]
    return matched_filter(table.embed(table.ids(texts)), centres)


def index(rows: npt.NDArray[np.float32]) -> bytes:
    """A flat inner-product index of the rows, as `faiss.serialize_index` writes it."""
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(np.ascontiguousarray(rows))
    return bytes(faiss.serialize_index(flat).tobytes())
