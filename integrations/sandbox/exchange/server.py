"""A small threaded HTTP/1.1 server for one Django application.

Why not Django's own: the fault dial needs the socket, to send nothing after a commit or to reset the connection.
A view asks for that by setting `request.META["sandbox.wire"]`; only this module touches the socket.
"""

import contextlib
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from django.db import connections
from django.http import HttpRequest, HttpResponse

#: The largest request that Xero accepts; the sandbox uses it for all.
MAX_BODY = 10 * 1024 * 1024
SILENCE, RESET = "silence", "reset"


def refuse_foreign_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a page of another site, open in the same browser, must not use the sandbox's controls."""

    def middleware(request: HttpRequest) -> HttpResponse:
        host = request.get_host()  # refuses names that are not loopback
        origin = request.headers.get("Origin")
        if origin and request.method != "GET" and urlsplit(origin).netloc != host:
            return HttpResponse("The sandbox takes forms from its own pages only.", status=403)
        return get_response(request)

    return middleware


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 75
    server: "SandboxServer"

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
        except (TimeoutError, ConnectionError):
            self.raw_requestline = b""
        if not self.raw_requestline:
            self.close_connection = True
            return
        if self.parse_request():
            self._respond()

    def finish(self) -> None:
        connections.close_all()  # this thread's database connection ends with its TCP connection
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the ledger is the log."""

    def _respond(self) -> None:
        body = self._body()
        if body is None:
            return
        environ = self._environ(body)
        status, headers, content = self._call(environ)
        wire = environ.get("sandbox.wire")
        if wire == SILENCE:
            self._stay_silent(environ["sandbox.silence_seconds"])
        elif wire == RESET:
            self._reset()
        else:
            self._send(status, headers, content)

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdigit():
            self.close_connection = True
            self._send("411 Length Required", [], b"Send a Content-Length.\n")
            return None
        if int(length) > MAX_BODY:
            self.close_connection = True
            self._swallow(int(length))
            self._send("413 Content Too Large", [], b"Send at most 10 MB.\n")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            # The sender died while sending: half a call does not count.
            self.close_connection = True
            return None
        return body

    def _swallow(self, length: int) -> None:
        """Read a refused body up to a limit, so that the client receives the answer before the connection closes."""
        left = min(length, 5 * MAX_BODY)
        while left > 0 and (taken := len(self.rfile.read(min(left, 65536)))):
            left -= taken

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": self.server.server_name,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "sandbox.body": body,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key == "CONTENT_TYPE":
                environ[key] = value
            elif key != "CONTENT_LENGTH" and "_" not in name:
                environ[f"HTTP_{key}"] = value
        return environ

    def _call(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answer.update(status=status, headers=headers)

        chunks = self.server.application(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            chunks.close()
        return answer["status"], answer["headers"], content

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        offset = self.server.clock_offset()
        lines = [f"HTTP/1.1 {status}", f"Date: {formatdate(time.time() + offset, usegmt=True)}", "Server: sandbox"]
        lines += [f"{name}: {value}" for name, value in headers if name.lower() != "content-length"]
        if not status.startswith("204"):
            lines.append(f"Content-Length: {len(content)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        try:
            self.connection.sendall(head if self.command == "HEAD" else head + content)
        except OSError:
            self.close_connection = True  # the client has gone

    def _stay_silent(self, seconds: float) -> None:
        """Send nothing until the client gives up, for at most `seconds`."""
        self.close_connection = True
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], left)
            if readable:
                try:
                    if not self.connection.recv(65536):
                        return
                except OSError:
                    return

    def _reset(self) -> None:
        """Close with a TCP RST: lingering for zero seconds discards what is unsent and resets."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.close()


class SandboxServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    application: Callable[..., Any]
    clock_offset: Callable[[], float]

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)
