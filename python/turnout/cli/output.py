"""How the commands print: rich tables for people, JSON for programs."""

from __future__ import annotations

import functools
import sys
from typing import Any

import msgspec
from rich.console import Console


@functools.cache
def console(stderr: bool = False) -> Console:
    return Console(stderr=stderr)


def print_json(data: Any) -> None:
    """One JSON value and a newline on standard output, never wrapped or coloured."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")
    sys.stdout.flush()


def usd(value: float) -> str:
    return f"${value:.6f}" if 0 < value < 0.01 else f"${value:.4f}"


def shorten(text: str, width: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def llms_of(decision: Any) -> list[str]:
    """The LLMs of a plan, each once, in order of their calls."""
    return list(dict.fromkeys(node.llm for node in decision.plan))


def operators_of(decision: Any) -> list[str]:
    """The operators of a plan in order."""
    seen: list[tuple[int, str]] = []
    for node in decision.plan:
        if not seen or seen[-1] != (node.layer, node.operator):
            seen.append((node.layer, node.operator))
    return [name for _, name in seen]
