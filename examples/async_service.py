"""A routing service on a local TCP port: a query a line comes in, a decision as a line of JSON goes out.

`aroute` decides in place, in microseconds, and leaves the event loop only for very long texts. Here three clients ask
at once. Prints each query with the LLM of its first call and its difficulty.
"""

import asyncio
import json

import turnout

router = turnout.Router.load()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        decision = await router.aroute(line.rstrip(b"\n"), budget_usd=0.01)
        writer.write(json.dumps(decision.to_dict()).encode() + b"\n")
        await writer.drain()
    writer.close()


async def ask(port: int, query: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(query.encode() + b"\n")
    decision = json.loads(await reader.readline())
    writer.close()
    return f"{query} -> {decision['llm']}, difficulty {decision['difficulty']:.2f}"


async def main() -> None:
    async with await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20) as server:
        port = server.sockets[0].getsockname()[1]
        queries = ("Name three fruits.", "Write a function that reverses a string.", "Integrate x^2 e^{-x}.")
        print("\n".join(await asyncio.gather(*(ask(port, query) for query in queries))))


asyncio.run(main())
