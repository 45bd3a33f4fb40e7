"""Names of arms, and the clock: what telemetry and drift share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from turnout.core import ConfigError
from turnout.schema import did_you_mean, fail

Clock = Callable[[], float]
"""Seconds, of any origin."""


def unknown(arm: str, arms: Mapping[str, int]) -> str:
    """The message of an error, with a guess."""
    return f"there is no arm {arm!r}{did_you_mean(str(arm), arms)}"


def names_of(arms: Sequence[str], path: str) -> dict[str, int]:
    """Numbers of the arms; raises a ConfigError for a name that is none, or stands twice."""
    index: dict[str, int] = {}
    for i, arm in enumerate(arms):
        if not isinstance(arm, str) or not arm:
            raise fail(ConfigError, f"{path}[{i}]", f"expected a name, got {arm!r}")
        if arm in index:
            raise fail(ConfigError, f"{path}[{i}]", f"{arm!r} stands twice")
        index[arm] = i
    return index
