"""Errors that every room raises, and the stated limits."""

from __future__ import annotations


class TurnoutError(Exception):
    """Base of turnout's errors.

    Attributes
    ----------
    path : str
        The culprit, as in ``pool.llms[2].usd_per_mtok_in``; empty when there is none.
    """

    path: str = ""


class InputError(TurnoutError, ValueError):
    """A wrong call: shape, NaN, unknown name, out of range."""


class ConfigError(TurnoutError, ValueError):
    """A pool, catalog or operator table that does not hold together."""


class BundleError(TurnoutError):
    """A bundle file that is missing, corrupt or of an unknown version."""


class EngineError(TurnoutError):
    """ONNX Runtime or FAISS could not be loaded, or answered with an error."""
