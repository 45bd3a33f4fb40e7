"""The command line. Never imported by ``import turnout``: typer and rich take their time."""

from __future__ import annotations

import os
import sys


def _open_closed_output() -> None:
    """If the caller has closed standard output, a pipe that nobody reads takes its place.

    Python has no `sys.stdout` then, and the next file that is opened would take its number. Writing ends as it does
    whenever nobody reads; a command that writes to a file only is not disturbed.
    """
    if sys.stdout is not None:
        return
    reader, writer = os.pipe()
    if writer != 1:
        os.dup2(writer, 1)
        os.close(writer)
    if reader != 1:
        os.close(reader)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)


def main() -> None:
    """Entry point of ``turnout`` and ``python -m turnout``."""
    _open_closed_output()
    try:
        from turnout.cli.app import app
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    app()
