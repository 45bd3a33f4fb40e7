"""Many queries at once, and their decisions as an Arrow table. Needs pyarrow (pip install 'turnout[data]').

Prints the table's columns, how many queries each LLM begins and at what cost, and one decision in full.
"""

import pyarrow

import turnout

router = turnout.Router.load()
topics = ("a contract signed under duress", "the boiling point of water", "a prime number", "a stack overflow")
queries = [
    f"{ask} {topic}." for topic in topics for ask in ("Explain", "Write Python code about", "Prove a fact about")
]

batch = router.route_batch(queries, value_usd=0.02)
table = pyarrow.table(batch)  # no copy through Python objects; polars.DataFrame(batch) works as well
print(table.column_names)

by_llm = table.group_by("llm").aggregate([("usd", "count"), ("usd", "sum")])
for row in sorted(by_llm.to_pylist(), key=lambda row: row["llm"]):
    print(f"{row['usd_count']:3} on {row['llm']}, ${row['usd_sum']:.6f}")

hardest = batch.difficulty.argmax()
print(f"Hardest: {queries[hardest]!r}: {batch[hardest]}")
