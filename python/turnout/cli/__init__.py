"""The command line. Never imported by ``import turnout``: typer and rich take their time."""

from __future__ import annotations


def main() -> None:
    """Entry point of ``turnout`` and ``python -m turnout``."""
    try:
        from turnout.cli.app import app
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    app()
