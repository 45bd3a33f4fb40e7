"""When an arm's outcomes are no longer what was predicted."""

from __future__ import annotations

from collections.abc import Sequence

from turnout import _native
from turnout._native import SurpriseState
from turnout.arms import names_of, unknown
from turnout.core import InputError
from turnout.schema import fail

__all__ = ["Surprise", "SurpriseState"]


class Surprise:
    """Sequential tests of each arm's scores against what was predicted of them.

    Three CUSUM tests an arm over log-likelihood ratios. H0: the score's mean is the predicted p. H1: it is `dead`, or
    p + drift, or p - drift. A dead arm is suspended, but for a probe after `probe_after` decisions, then twice as many,
    and so on; an outcome that p makes likelier than death ends it. Drift is reported, never acted on. Any number of
    threads; no clock. It is the present, not what was learned: it is not saved.

    Parameters
    ----------
    arms : sequence of str
    dead : float
        Mean score of a dead arm, 0.001 to 0.5. An arm of which no more was expected is never dead.
    drift : float
        Of the score, 0.01 to 0.5.
    false_alarm : float
        Of an outcome, in each test: the mean time to a false alarm is at least 1 / false_alarm outcomes (Lorden 1971).
    probe_after, probe_at_most : int
        Decisions.

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``surprise.dead``.
    """

    def __init__(
        self,
        arms: Sequence[str],
        *,
        dead: float = 0.02,
        drift: float = 0.15,
        false_alarm: float = 1e-4,
        probe_after: int = 100,
        probe_at_most: int = 6400,
    ) -> None:
        self._arms = names_of(arms, "surprise.arms")
        self.native = _native.Surprise(
            len(self._arms),
            dead=dead,
            drift=drift,
            false_alarm=false_alarm,
            probe_after=probe_after,
            probe_at_most=probe_at_most,
        )

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(self._arms)

    @property
    def version(self) -> int:
        """Changes when `admits` or a flag of any arm may have."""
        return self.native.version

    def _at(self, arm: str) -> int:
        try:
            return self._arms[arm]
        except (KeyError, TypeError):
            raise fail(InputError, "arm", unknown(arm, self._arms)) from None

    def add_arm(self, arm: str) -> None:
        if arm in self._arms or not isinstance(arm, str) or not arm:
            raise fail(InputError, "arm", f"expected a new name, got {arm!r}")
        self.native.grow(len(self._arms) + 1)
        self._arms[arm] = len(self._arms)

    def admits(self, arm: str) -> bool:
        """Whether the arm may be chosen: it is not dead, or a probe is due."""
        return self.native.admits(self._at(arm))

    def observe(self, arm: str, p: float, score: float) -> None:
        """An outcome: `score` in [0, 1], where `p` in [0, 1] was predicted.

        Raises
        ------
        InputError
            Nothing has changed then.
        """
        self.native.observe(self._at(arm), p, score)

    def decided(self, arm: str | None) -> None:
        """Counts a decision for `arm` (None: for another one), which takes its probe where one is due."""
        self.native.decided(-1 if arm is None else self._at(arm))

    def forget(self, arm: str) -> None:
        """What is known of the arm."""
        self.native.forget(self._at(arm))

    def state(self, arm: str) -> SurpriseState:
        return self.native.state(self._at(arm))
