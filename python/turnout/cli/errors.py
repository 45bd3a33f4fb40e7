"""Exit codes: 0 done; 1 an error, as one line on standard error; 2 a wrong call; 130 interrupted; 141 nobody reads."""

from __future__ import annotations

import os
import sys
from typing import Any

from typer.core import TyperGroup

from turnout.cli.output import stop
from turnout.core import TurnoutError

INTERRUPTED, NO_READER = 130, 141  # as shells report SIGINT and SIGPIPE


def _to_nowhere() -> None:
    """Standard output goes nowhere from here on: Python flushes it once more at exit, and must not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


class Commands(TyperGroup):
    """The group of commands: turns exceptions into exit codes, the same way with every version of typer."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was asked for, and hands on what it wrote."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except TurnoutError as error:
            stop(str(error))
            raise SystemExit(1) from None
        except BrokenPipeError:
            _to_nowhere()
            raise SystemExit(NO_READER) from None
        except OSError as error:
            stop(f"{error.filename or 'standard output'}: {error.strerror or error}")
            _to_nowhere()
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        return result
