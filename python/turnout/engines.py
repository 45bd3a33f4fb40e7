"""Where the engines are: the shared libraries inside the installed onnxruntime and faiss-cpu wheels.

Neither package is imported: the core opens the libraries itself. ``TURNOUT_ORT_LIBRARY`` and
``TURNOUT_FAISS_LIBRARY`` name other builds. ``python -m turnout.engines`` prints both as shell exports.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from turnout.core import EngineError


def _package_folder(package: str, variable: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        error = EngineError(f"{package} is not installed: pip install it, or set {variable} to its library")
        error.path = package
        raise error
    return Path(next(iter(spec.submodule_search_locations)))


def _find(variable: str, package: str, pattern: str) -> str:
    override = os.environ.get(variable)
    if override:
        return override
    folder = _package_folder(package, variable)
    found = sorted(folder.glob(pattern))
    if not found:
        error = EngineError(f"no {pattern} under the installed {package}: set {variable} to its library")
        error.path = str(folder)
        raise error
    return str(found[-1])


def onnxruntime_library() -> str:
    """Path of ONNX Runtime's shared library.

    Raises
    ------
    EngineError
        If onnxruntime is not installed or carries no library.
    """
    return _find("TURNOUT_ORT_LIBRARY", "onnxruntime", "capi/libonnxruntime.so*")


def faiss_library() -> str:
    """Path of FAISS's shared library.

    Raises
    ------
    EngineError
        If faiss-cpu is not installed or carries no library.
    """
    return _find("TURNOUT_FAISS_LIBRARY", "faiss", "libfaiss.so")


if __name__ == "__main__":
    print(f"export TURNOUT_ORT_LIBRARY={onnxruntime_library()}")
    print(f"export TURNOUT_FAISS_LIBRARY={faiss_library()}")
