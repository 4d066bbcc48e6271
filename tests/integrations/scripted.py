"""A provider that answers on a real socket, byte by byte as a test says, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

__all__ = ["ScriptedProvider", "json_answer", "running_provider"]

#: In bytes; nothing that Pinxero sends comes near it.
_LONGEST_REQUEST = 16 * 1024 * 1024
#: Seconds for a thread that has been woken to end.
_LONGEST_END = 10


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

    def serve(self, connection: socket.socket, stopped: threading.Event) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            self.requests.append(_read_request(connection))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, float):
                stopped.wait(answer)
            elif answer is not None:
                connection.sendall(answer)


def _read_request(connection: socket.socket) -> bytes:
    """What was sent, as far as it came: who hangs up in the middle, or comes to no end, is not waited for."""
    data = b""
    wanted: int | None = None
    while (wanted is None or len(data) < wanted) and len(data) < _LONGEST_REQUEST:
        part = connection.recv(65536)
        if not part:
            break
        data += part
        if wanted is None and b"\r\n\r\n" in data:
            head = data.partition(b"\r\n\r\n")[0]
            wanted = len(head) + 4 + _content_length(head)
    return data


def _content_length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)


@contextlib.contextmanager
def running_provider() -> Iterator[ScriptedProvider]:
    """One that listens while the block runs. Afterwards neither a thread nor a socket of it is left."""
    provider = ScriptedProvider()
    listener = socket.create_server(("127.0.0.1", 0))
    provider.port = listener.getsockname()[1]
    stopped = threading.Event()
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def start(target: Callable[..., None], *args: object) -> None:
        threads.append(threading.Thread(target=target, args=args, daemon=True))
        threads[-1].start()

    def accept() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            start(provider.serve, connection, stopped)

    start(accept)
    try:
        yield provider
    finally:
        stopped.set()
        # Closing a socket wakes nobody who waits in it.
        _wake(listener)
        threads[0].join(_LONGEST_END)
        for connection in connections:
            _wake(connection)
        for thread in threads:
            thread.join(_LONGEST_END)
        listener.close()
        assert not any(thread.is_alive() for thread in threads), "A thread of the scripted provider did not end."


def _wake(waited_for: socket.socket) -> None:
    with contextlib.suppress(OSError):
        waited_for.shutdown(socket.SHUT_RDWR)
