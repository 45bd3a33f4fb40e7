"""What this build is made of and which engines run."""

from __future__ import annotations

import platform

from turnout import _native
from turnout.onnx import load_runtime


def build_info() -> dict[str, str]:
    """Versions, compiler, SIMD level and engines, for bug reports.

    Raises
    ------
    EngineError
        ONNX Runtime or FAISS could not be loaded.
    """
    from turnout import engines  # not at import: `python -m turnout.engines` would find itself imported

    return {
        "turnout": _native.version,
        "compiler": _native.compiler(),
        "simd": _native.isa(),
        "onnxruntime": load_runtime().version,
        "faiss": _native.faiss_version(engines.faiss_library()),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
