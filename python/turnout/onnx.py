"""Exported networks, run by ONNX Runtime on one thread.

The core opens the library of the installed onnxruntime wheel through its C ABI; the Python package is not imported. A
`Session` is one network; it may be shared by threads.
"""

from __future__ import annotations

from turnout import _native
from turnout._native import Runtime, Session

__all__ = ["Runtime", "Session", "load_runtime", "load_session"]


def load_runtime() -> Runtime:
    """ONNX Runtime, opened once a process; `version` is its release.

    Raises
    ------
    EngineError
        onnxruntime is not installed, or its library is none that turnout can call.
    """
    from turnout import engines  # not at import: `python -m turnout.engines` would find itself imported

    return _native.Runtime.load(engines.onnxruntime_library())


def load_session(model: bytes, path: str, *, threads: int = 1) -> Session:
    """A network of which every input and output is a tensor of float32, int32 or int64.

    Parameters
    ----------
    model : bytes
        An ONNX file that the caller trusts or has verified.
    path : str
        Where it is from, for error messages.
    threads : int
        Of ONNX Runtime inside one run, at least 1.

    Raises
    ------
    BundleError
        Not an ONNX model, or of other element types.
    EngineError
        As `load_runtime`.
    InputError
        `threads` below 1.
    """
    return _native.Session(load_runtime(), model, path, threads)
