"""Writes a bundle folder (docs/bundle-format.md): all of it or nothing, and the same bytes for the same content."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.bundle import FORMAT, FORMAT_VERSION
from turnout.core import InputError
from turnout.schema import fail


def npy(array: npt.NDArray[Any]) -> bytes:
    """The bytes of a `.npy` file, C order."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def to_json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def manifest(
    files: dict[str, bytes], name: str, training: dict[str, Any], metrics: dict[str, Any], date: str | None = None
) -> dict[str, Any]:
    """The manifest of `files`. `version` is a hash of their content, so that it names exactly these bytes."""
    entries = {
        path: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in sorted(files.items())
    }
    version = hashlib.sha256("".join(str(entry["sha256"]) for entry in entries.values()).encode()).hexdigest()[:12]
    out = {"format": FORMAT, "format_version": FORMAT_VERSION, "name": name, "version": version, "files": entries}
    return out | ({"created": date} if date else {}) | {"training": training, "metrics": metrics}


def _write_all(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _swap(fresh: Path, target: Path) -> None:
    """Puts `fresh` in the place of `target`; a reader finds the old bundle, the new one, or for a moment none, never
    a mix.
    """
    if not target.exists():
        os.replace(fresh, target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent)) / "bundle"
    os.replace(target, old)
    try:
        os.replace(fresh, target)
    except OSError:
        os.replace(old, target)
        raise
    finally:
        shutil.rmtree(old.parent)


def check_replaceable(target: Path) -> None:
    """Raises an InputError where there is something that is neither a bundle nor an empty folder."""
    empty = target.is_dir() and not any(target.iterdir())
    if target.exists() and not empty and not (target / "manifest.json").is_file():
        raise fail(InputError, str(target), "exists and is no bundle: it is not replaced")


def write(target: Path, files: dict[str, bytes], header: dict[str, Any]) -> None:
    """Writes `files` and the manifest `header` to a folder beside `target`, then renames it into place."""
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-new-", dir=target.parent))
    try:
        fresh = work / "bundle"
        _write_all(fresh, files | {"manifest.json": to_json(header)})
        _swap(fresh, target)
    finally:
        shutil.rmtree(work)
