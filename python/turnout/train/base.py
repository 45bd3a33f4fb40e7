"""What a trained bundle takes over from another one: the static token table, operators, tools and agents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from turnout.bundle import Bundle
from turnout.core import ConfigError
from turnout.schema import fail
from turnout.train.distil_table import StaticTable


@dataclass(frozen=True)
class Base:
    """Attributes
    ----------
    name : str
        Of the bundle and its version, for the model card.
    table : StaticTable
    operators, capabilities : bytes
        TOML.
    pool : bytes or None
        TOML of a pool written by hand; None: the pool is made of the LLMs of the outcomes.
    teacher : str
        Where the token table comes from.
    """

    name: str
    table: StaticTable
    operators: bytes
    capabilities: bytes
    pool: bytes | None
    teacher: str

    @staticmethod
    def load(path: Path | None) -> Base:
        """Of a bundle with a static embedder; None: the one that ships with the package."""
        bundle = Bundle.load(path)
        return Base(
            f"{bundle.manifest.name} {bundle.manifest.version}",
            static_table(bundle),
            bundle.bytes("operators/operators.toml"),
            bundle.bytes("capability/capabilities.toml"),
            None,
            str(bundle.manifest.training.get("teacher", "unknown")),
        )


def static_table(bundle: Bundle) -> StaticTable:
    """A bundle's token table, without its lexical block."""
    config = bundle.embed_config()
    if config.kind != "static":
        raise fail(ConfigError, bundle.where("embed/config.json"), "expected a static embedder to train on top of")
    rows = bundle.array("embed/rows.npy", np.int8, (None, config.dim))
    weights = bundle.array("embed/weights.npy", np.int16, (len(rows),))
    vocabulary = bundle.bytes("embed/vocab.txt").decode().splitlines()
    name = config.name.split("+")[0]  # what follows is the lexical block's
    return StaticTable(name, vocabulary, rows, weights, config.head, config.tail)
