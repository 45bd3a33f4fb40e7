"""Vectors that you compute once: a cache in front of the bundle's own embedder, as a CallableEmbedder.

A router takes only vectors of the space that its bundle was trained in: name, dimension and number of lexical scores
are compared. Prints the space, how often the text was embedded (once), that a stored vector gives the same decision,
and the error for an embedder of another space.
"""

from functools import lru_cache

import turnout

plain = turnout.Router.load()
cached = lru_cache(maxsize=10_000)(plain.embed)
mine = turnout.CallableEmbedder(cached, name=plain.embedder_name, dim=plain.dim, lexical=plain.lexical)
router = turnout.Router.load(embedder=mine)
print(f"{router.embedder_name}, {router.dim} dimensions")

query = "Write a Python function that merges overlapping intervals and returns them sorted."
decisions = [router.route(query, in_tokens=14, value_usd=value) for value in (0.001, 0.01, 0.1)]
print(f"embedded {cached.cache_info().misses} time, routed {len(decisions)} times")

vector = cached(query)  # the same array may also be stored, and routed as it is
print("same decision:", plain.route(vector, in_tokens=14, value_usd=0.1) == decisions[-1])

other = turnout.CallableEmbedder(cached, name="another-space", dim=384)
try:
    turnout.Router.load(embedder=other)
except turnout.ConfigError as error:
    print(f"refused: {error}")
