"""Off-policy evaluation: what policies would have earned, from the log of another with known probabilities."""

from turnout.evaluate.offpolicy.logged import FeedbackColumns, Logged, read_columns
from turnout.evaluate.offpolicy.report import evaluate_log

__all__ = ["FeedbackColumns", "Logged", "evaluate_log", "read_columns"]
