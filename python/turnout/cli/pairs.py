"""Options that are given as NAME=VALUE."""

from __future__ import annotations

from collections.abc import Sequence

import typer


def pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    """Of ``name=value`` texts; what is none is a wrong call."""
    out = {}
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise typer.BadParameter(f"expected name=value, got {text!r}", param_hint=option)
        out[name] = value
    return out
