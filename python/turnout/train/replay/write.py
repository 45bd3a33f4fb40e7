"""A fitted vote table into an operator table's text: curve, weights and source of one operator; comments stay."""

from __future__ import annotations

import re
import textwrap

import numpy as np

from turnout.core import ConfigError
from turnout.train.replay.table import GRID, Table


def points(table: Table) -> str:
    """The curve as TOML: every fourth knot, which says it to less than its error."""
    pairs = [f"[{GRID[k]:g}, {table.curve[k]:.3f}]" for k in range(0, len(GRID), 4)]
    return f"{{ points = [{', '.join(pairs)}] }}"


def slots(table: Table) -> str:
    """One voter a weight; the core takes the ablest LLM for the largest."""
    rows = [f'{{ role = "voter", weight = {weight:g} }}' for weight in table.weights]
    return f"[{', '.join(rows)}]"


def source(table: Table, queries: int, llms: int, name: str) -> str:
    error = float(np.nanmedian(table.error))
    return (
        f"Measured: {table.votes} plurality votes (ties to the ablest voter) replayed on {name} ({queries} queries of "
        f"the train split, {llms} LLMs): the ablest voter's predicted P(correct) and what the vote gained over it. "
        f"Median standard error of a knot {error:.3f}. python -m turnout.train.replay DATA --operators FILE"
    )


def into(text: str, operator: str, table: Table, said: str) -> str:
    """The table's text with that operator's `curve`, `slots` and `source` replaced and `measured = true`.

    Raises
    ------
    ConfigError
        No such operator, or one without these keys on lines of their own.
    """
    blocks = re.split(r"(?m)^(?=\[\[operators\]\])", text)
    at = [i for i, block in enumerate(blocks) if re.search(rf'(?m)^id = "{re.escape(operator)}"$', block)]
    if len(at) != 1:
        raise ConfigError(f"operators: expected one [[operators]] with id {operator!r}, found {len(at)}")
    block = re.sub(r"(?m)^measured = .*\n", "", blocks[at[0]])
    block = re.sub(r"(?m)^(id = .*)$", r"\1\nmeasured = true", block, count=1)
    wrapped = " \\\n".join(textwrap.wrap(said, 118))
    for key, pattern, value in (
        ("curve", r"(?m)^curve = .*$", f"curve = {points(table)}"),
        ("slots", r"(?m)^slots = \[[^\n]*\]$", f"slots = {slots(table)}"),
        ("source", r'(?ms)^source = (""".*?"""|"[^\n]*")$', f'source = """{wrapped}"""'),
    ):
        block, found = re.subn(pattern, value.replace("\\", r"\\"), block)
        if found != 1:
            raise ConfigError(f"operators.{operator}.{key}: expected on a line of its own, found {found} times")
    blocks[at[0]] = block
    return "".join(blocks)
