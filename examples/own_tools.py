"""Your own tools and agents, proposed for a query, under what the caller has granted.

Prints the proposals for three queries, best first with their similarity; then those without the grant to touch private
data or payments: "order_status" and "refund" are gone.
"""

from pathlib import Path

import turnout

folder = Path(__file__).parent
router = turnout.Router.load(pool=folder / "pool.toml", capabilities=folder / "tools.toml")
queries = (
    "Where is my parcel? It should have been delivered on Monday.",
    "The lamp arrived broken, I want my money back.",
    "Which red shoes do you have in size 39?",
)
anonymous = turnout.Constraints(grants=[])  # one object for all calls: it is compiled once

for query in queries:
    print(query)
    for title, constraints in (("everything granted", None), ("nothing granted", anonymous)):
        tools = router.route(query, tools=2, constraints=constraints).tools
        print(f"  {title}: {', '.join(f'{name} {score:.2f}' for name, score in tools)}")
