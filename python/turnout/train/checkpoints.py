"""What training has finished, kept in a folder, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from turnout.core import ConfigError
from turnout.schema import fail


class Checkpoints:
    """Stages of one run, each a file of arrays in a folder of the run's key: other data or settings have another key.

    Parameters
    ----------
    folder : path or None
        None: nothing is kept.
    key : str
        Of everything that the stages depend on.
    done : callable
        Told the name of each stage when it stands, and whether it was found.
    """

    def __init__(self, folder: Path | None, key: str, done: Callable[[str, bool], None] = lambda *_: None) -> None:
        self._folder = None if folder is None else folder / key
        self._done = done

    def __call__(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The arrays of a stage: those that were kept, or what `work` makes."""
        path = None if self._folder is None else self._folder / (name.replace(" ", "-") + ".npz")
        found = None if path is None else _read(path)
        arrays = work() if found is None else found
        if path is not None and found is None:
            _write(path, arrays)
        self._done(name, found is not None)
        return arrays

    def clear(self) -> None:
        """Removes what was kept of this run."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._folder.parent.is_dir() and not any(self._folder.parent.iterdir()):
                self._folder.parent.rmdir()


def _read(path: Path) -> dict[str, Any] | None:
    """None where there is none, or where it does not hold together: then the stage is done again."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, arrays: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            np.savez(file, **arrays)
        os.replace(file.name, path)
    except OSError as error:
        raise fail(ConfigError, str(path), f"cannot be written: {error.strerror or error}") from None
