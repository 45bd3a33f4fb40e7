"""turnout: a native routing core for agent stacks."""
