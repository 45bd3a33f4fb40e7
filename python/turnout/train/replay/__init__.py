"""What LLMs answered, replayed: votes, cascades and policies over them, at the reward and cost that they had."""
