"""Figures without a display, and their bytes: the same drawing gives the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from turnout.core import ConfigError
from turnout.files import replacing
from turnout.schema import fail

FORMATS = ("svg", "png")
STRONG, FAILED, OLD, FAINT = "#2471a3", "#c0392b", "#d68910", "#b2babb"


def figure(width: float, height: float) -> Any:
    """An empty matplotlib figure, in inches.

    Raises
    ------
    ConfigError
        matplotlib is not there.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise fail(ConfigError, "plots", "pictures need matplotlib: pip install 'turnout[plots]'") from None
    return Figure(figsize=(width, height), layout="constrained")


def save(drawn: Any, path: str | Path) -> None:
    """Writes a figure as the SVG or PNG that the file's name asks for, in one piece.

    Raises
    ------
    ConfigError
        Another ending.
    """
    import matplotlib

    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise fail(ConfigError, str(path), f"expected a name that ends in {' or '.join('.' + f for f in FORMATS)}")
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with matplotlib.rc_context({"svg.hashsalt": "turnout", "svg.fonttype": "none"}), replacing(path) as file:
        drawn.savefig(file, format=kind, dpi=120, metadata=metadata)
