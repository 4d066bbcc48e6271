"""A provider that answers on a real socket, byte by byte as a test says, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["ScriptedProvider", "json_answer", "running_provider"]


def json_answer(status: int, body: bytes | str = b"{}", **headers: str) -> bytes:
    """An ordinary answer. `Retry_After="3"` becomes the header Retry-After."""
    content = body.encode() if isinstance(body, str) else body
    told = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"HTTP/1.1 {status} Any", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "Connection: close", "", ""]).encode() + content


@dataclass
class ScriptedProvider:
    """Answers in the order given; the last one again and again. `None` closes the connection without a word."""

    answers: list[bytes | float | None] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, *answers: bytes | float | None) -> None:
        """A number is silence for so many seconds."""
        self.answers = list(answers)

    def serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            self.requests.append(_read_request(connection))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, float):
                time.sleep(answer)
            elif answer is not None:
                with contextlib.suppress(OSError):
                    connection.sendall(answer)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def running_provider() -> Iterator[ScriptedProvider]:
    """One that listens while the block runs."""
    provider = ScriptedProvider()
    listener = socket.create_server(("127.0.0.1", 0))
    provider.port = listener.getsockname()[1]

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=provider.serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield provider
    finally:
        listener.close()
