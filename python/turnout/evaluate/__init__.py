"""How good a policy's choices are, on recorded outcomes; the metrics of the routing literature, with their sources."""
