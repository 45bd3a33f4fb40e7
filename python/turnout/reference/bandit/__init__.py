"""Twin of the bandit room: a dense inverse an arm and a call, as GreenServ has it, and CUSUM tests in plain Python."""

from __future__ import annotations

from turnout.reference.bandit.linear import DenseBandit
from turnout.reference.bandit.surprise import Watch

__all__ = ["DenseBandit", "Watch"]
