"""The pool of a trained bundle: the LLMs of the outcomes at the prices that these show."""

from __future__ import annotations

import datetime
import json
import tomllib
from typing import TYPE_CHECKING

from turnout.core import ConfigError
from turnout.schema import fail

if TYPE_CHECKING:
    from turnout.train.pipeline import Trained

CONTEXT_TOKENS, MAX_OUTPUT_TOKENS = 131072, 8192
HEAD = """\
# The LLMs of the outcomes that this bundle was trained on. Prices are what the recorded costs show, per million tokens
# as this bundle counts them; context_tokens, max_output_tokens and speeds are assumptions. Replace them with yours.
"""


def priced(trained: Trained) -> list[str]:
    """The LLMs whose costs are known, ablest first."""
    order = (-trained.model.ability).argsort(kind="stable").tolist()
    return [trained.outcomes.llms[m] for m in order if trained.prices[m] is not None]


def render(trained: Trained, date: datetime.date | None) -> bytes:
    """`pool.toml` of all LLMs with a price.

    Raises
    ------
    ConfigError
        No LLM has costs: then a pool must be given.
    """
    index = {name: m for m, name in enumerate(trained.outcomes.llms)}
    names = priced(trained)
    if not names:
        raise fail(ConfigError, "outcomes.cost_usd", "no LLM has recorded costs: give a pool with prices (--pool FILE)")
    return (HEAD + "".join(_entry(trained, index[name], date) for name in names)).encode()


def _entry(trained: Trained, llm: int, date: datetime.date | None) -> str:
    name, price = json.dumps(trained.outcomes.llms[llm], ensure_ascii=False), trained.prices[llm]
    assert price is not None
    lines = [
        "",
        "[[llms]]",
        f"id = {name}",
        f"ability = {name}",
        f"usd_per_mtok_in = {price.usd_per_mtok_in:.6g}",
        f"usd_per_mtok_out = {price.usd_per_mtok_out:.6g}",
        *([f"usd_per_call = {price.usd_per_call:.6g}"] if price.usd_per_call > 0.0 else []),
        *([f"price_date = {date.isoformat()}"] if date else []),
        f"context_tokens = {CONTEXT_TOKENS}",
        f"max_output_tokens = {MAX_OUTPUT_TOKENS}",
    ]
    return "\n".join(lines) + "\n"


def ids(pool: bytes) -> list[str]:
    """The ids of a pool's LLMs, in order."""
    return [llm["id"] for llm in tomllib.loads(pool.decode("utf-8"))["llms"]]
