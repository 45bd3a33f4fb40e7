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


class BudgetExceeded(TurnoutError):
    """A reservation that an account, or one of its ancestors, has no room for.

    Attributes
    ----------
    path : str
        The account and dimension, as in ``acme/search.usd``.
    account : str
        Path of the account that refused.
    dimension : {"usd", "tokens", "seconds", "calls"} or None
        None where the ledger has no place for another reservation.
    missing : float
        How much more than what remains was asked for.
    """

    account: str = ""
    dimension: str | None = None
    missing: float = 0.0
