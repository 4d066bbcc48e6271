"""The server that a benchmark calls: answers every request after a millisecond, and records when each one arrived.

`GET /_arrivals` gives [[number, seconds], ...] of the requests whose query has `n=`, by the machine's monotonic clock,
which all its processes share. Prints its port, then serves until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import re
import time

_ANSWER = b'{"ok": true, "id": "7"}'
_PAUSE = 0.001
arrivals: list[tuple[int, float]] = []


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it is closed."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            arrived = time.monotonic()
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if length:
                await reader.readexactly(int(length[1]))
            target = head.split(b" ", 2)[1]
            body = _ANSWER
            if target == b"/_arrivals":
                body = json.dumps(arrivals).encode()
            else:
                number = re.search(rb"[?&]n=(\d+)", target)
                if number:
                    arrivals.append((int(number[1]), arrived))
                await asyncio.sleep(_PAUSE)
            lines = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(lines.encode() + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve on a free port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
