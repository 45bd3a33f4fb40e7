"""How the commands print: text that fits a terminal and is never cut in a pipe, and JSON for programs."""

from __future__ import annotations

import functools
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from turnout.files import file_errors, replacing

GAP = "  "


class PlainConsole(Console):
    """Prints texts as they are: no markup, no emoji names, no cutting; colours on terminals only."""

    def on_broken_pipe(self) -> None:
        """Leaves the BrokenPipeError that is being handled to the command line's exit codes; rich would exit with 1."""
        raise


@functools.cache
def console(stderr: bool = False) -> PlainConsole:
    """Of standard output, or of standard error."""
    return PlainConsole(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def say(text: str, style: str | None = None) -> None:
    """A text on standard output."""
    console().print(text, style=style)


def width() -> int | None:
    """Columns of the terminal; None in a pipe or file, where lines may be of any length."""
    return console().width if console().is_terminal else None


def print_json(data: Any) -> None:
    """One JSON value and a newline on standard output, never wrapped or coloured."""
    print(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())


def wrap(first: str, text: str, columns: int | None) -> list[str]:
    """`first`, then `text` in lines of at most `columns`; they start below each other."""
    if columns is None:
        return [first + text]
    indent = " " * len(first)
    room = max(columns, len(first) + 20)  # a very narrow terminal wraps by itself
    return textwrap.wrap(text, room, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False) or [first]


def _lines(cells: Sequence[str], widths: Sequence[int], columns: int | None) -> list[str]:
    left = "".join(cell.rjust(width) + GAP for cell, width in zip(cells, widths, strict=False))
    first, *others = cells[-1].split("\n")
    lines = wrap(left, first, columns)
    for other in others:
        lines += wrap(" " * len(left), other, columns)
    return lines


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Right-justified columns; the last one is text, which wraps on a terminal and may hold several lines."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header) - 1)]
    columns = width()
    for line in _lines(header, widths, columns):
        say(line, style="bold")
    for row in rows:
        say("\n".join(_lines(row, widths, columns)))


def print_trace(trace: str) -> None:
    """A decision's trace: one line a stage, indented where a terminal makes it wrap."""
    for line in trace.splitlines():
        stage, _, rest = line.partition(" ")
        say("\n".join(wrap(f"{stage:11}", rest.strip(), width())))


def usd(value: float) -> str:
    return f"${value:.6f}" if 0 < value < 0.01 else f"${value:.4f}"


def shorten(text: str, columns: int | None) -> str:
    """`text` in one line of at most `columns`."""
    flat = " ".join(text.split())
    return flat if columns is None or len(flat) <= columns else flat[: max(columns - 3, 0)] + "..."


def llms_of(decision: Any) -> list[str]:
    """The LLMs of a plan, each once, in order of their calls."""
    return list(dict.fromkeys(node.llm for node in decision.plan))


def operators_of(decision: Any) -> list[str]:
    """The operators of a plan in order."""
    stages = dict.fromkeys((node.layer, node.operator) for node in decision.plan)
    return [name for _, name in stages]


def plan_of(decision: Any) -> str:
    """What runs, on which LLMs."""
    if not decision.plan:
        return f"no plan ({', '.join(decision.reasons)})"
    return f"{' > '.join(operators_of(decision))} on {', '.join(llms_of(decision))}"


def call_of(node: Any) -> str:
    """One call of a plan: its role and LLM, how often, with which tools, after which calls."""
    text = f"{node.operator}/{node.role}: {node.llm}"
    if node.calls > 1:
        text += f" x {node.calls}"
    if node.tools:
        text += f", with {', '.join(node.tools)}"
    return text


def stop(line: str) -> None:
    """An error: one line on standard error, if there is one."""
    if sys.stderr is None:  # closed by the caller; print() would take standard output instead
        return
    print(f"error: {' '.join(line.splitlines())}", file=sys.stderr)


def progress(text: str) -> None:
    """What is being done, on a terminal only."""
    out = console(stderr=True)
    if out.is_terminal:
        out.print(text)


def write_file(path: Path, data: bytes) -> None:
    """The whole file or none of it."""
    with replacing(path) as part, file_errors(path, "written"):
        part.write_bytes(data)


def write_pictures(folder: Path, name: str, pictures: Mapping[str, bytes]) -> None:
    """PNG files ``name.picture.png`` in a folder, which is made where it is missing."""
    with file_errors(folder, "written"):
        folder.mkdir(parents=True, exist_ok=True)
    for picture, png in pictures.items():
        write_file(folder / f"{name.replace('/', '-')}.{picture}.png", png)
