"""Features of a pair, the same whichever of the two comes first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from turnout.core import InputError
from turnout.schema import fail


def pair_features(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(a + b) / 2, |a - b| and a * b, one after the other: a bandit's context where an arm works with a partner.

    Parameters
    ----------
    a, b : ndarray of float32, shape (d,)

    Returns
    -------
    ndarray of float32, shape (3 d,)
        pair_features(b, a) has the same bits. Mean and distance tell the pair's two values in every dimension, but
        not which is whose.

    Raises
    ------
    InputError
        Another shape; a number that is not finite.

    Notes
    -----
    For pairs of agents as in KNEXA-FL (a LinUCB matchmaker over pair features); which symmetric features it uses is
    not published in a form that we could compare.
    """
    if a.dtype != np.float32 or b.dtype != np.float32:
        raise TypeError(f"a, b: expected arrays of float32, got {a.dtype} and {b.dtype}")
    if a.ndim != 1 or a.shape != b.shape:
        raise fail(InputError, "b", f"expected two vectors of one length, got shapes {a.shape} and {b.shape}")
    out = np.concatenate([(a + b) / np.float32(2), np.abs(a - b), a * b])
    if not np.isfinite(out).all():
        raise fail(InputError, "a", "expected finite numbers, also of a * b and a + b")
    return out
