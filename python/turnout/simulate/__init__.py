"""Recorded outcomes replayed as a stream of queries: policies choose an LLM, see its score and cost, and learn."""

from turnout.simulate.recorded import Recorded, recorded
from turnout.simulate.run import simulate

__all__ = ["Recorded", "recorded", "simulate"]
