"""A proxy between Pinxero and the sandbox that disturbs the write of each trial as the trial says.

It only knows what is sent: a trial is recognised by its label, or by the id of something that was made for it, in the
address or the body. Reads always go through.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

WRITES = ("PUT", "POST", "PATCH", "DELETE")
#: Under this address the proxy answers itself, as the host of an HTTP request.
RECEIVER = "/receiver/"
_LABEL = re.compile(r"PXT\d{4}")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{12,}", re.I)


@dataclass(frozen=True)
class Answer:
    """The answer to Pinxero."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = b""


@dataclass
class Trial:
    """One write and its faults: each attempt gets one of `faults`, until none are left. `meanwhile` is called once the
    first has been disturbed, before anything else of this trial gets through."""

    label: str
    faults: tuple[str, ...] = ()
    meanwhile: Callable[[], None] | None = None
    sendings: int = 0
    received: int = 0  # how often the receiver accepted it
    trouble: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


def recognise(text: str, known: dict[str, str]) -> str:
    """The label of the trial that an address and a body belong to; empty if they belong to none."""
    found = _LABEL.search(text.upper())
    if found:
        return found[0]
    return next((known[each.lower()] for each in _ID.findall(text) if each.lower() in known), "")


class FaultProxy(ThreadingHTTPServer):
    """Listens on a free port of this machine once created; `upstream` is the sandbox's address."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.upstream = ""
        self.scale = 1.0
        self.trials: dict[str, Trial] = {}
        self.known: dict[str, str] = {}
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def add(self, trial: Trial, *ids: str) -> None:
        """Wait for this trial's write; `ids` are the records that it concerns."""
        self.trials[trial.label] = trial
        self.known |= {each.lower(): trial.label for each in ids}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: clients that disconnect are expected here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 75
    server: FaultProxy

    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing: the sandbox's ledger is the log."""

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
        except (TimeoutError, OSError):
            self.raw_requestline = b""
        if not self.raw_requestline:
            self.close_connection = True
            return
        if self.parse_request():
            self._pass_on(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _pass_on(self, body: bytes) -> None:
        trial = self._trial(body) if self.command in WRITES else None
        if trial is None:
            self.give(self.forward(body))
            return
        with trial.lock:
            fault = trial.faults[trial.sendings] if trial.sendings < len(trial.faults) else "none"
            trial.sendings += 1
            FAULTS[fault](self, body, trial)

    def _trial(self, body: bytes) -> Trial | None:
        text = f"{unquote(self.path)} {body.decode('utf-8', 'replace')}"
        return self.server.trials.get(recognise(text, self.server.known))

    def forward(self, body: bytes) -> Answer:
        """The upstream's answer."""
        if self.path.startswith(RECEIVER):
            self.server.trials[self.path.removeprefix(RECEIVER)].received += 1
            return Answer(200, (("Content-Type", "application/json"),), b'{"taken": true}')
        connection = http.client.HTTPConnection(urlsplit(self.server.upstream).netloc, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, tuple(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def give(self, answer: Answer, *, cut: int | None = None) -> None:
        """Send the answer; with `cut` only that many bytes of the body, whatever the headers say."""
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        dropped = {"content-length", "connection", "transfer-encoding"}
        lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() not in dropped]
        if answer.status != 204:
            lines.append(f"Content-Length: {len(answer.content)}")
        if cut is not None:
            self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + answer.content[:cut])
            self.wfile.flush()

    def reset(self) -> None:
        """End the connection with a TCP RST."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.close()

    def stay_silent(self) -> None:
        """Send nothing until the client gives up."""
        self.close_connection = True
        ends = time.monotonic() + 60
        while (left := ends - time.monotonic()) > 0:
            try:
                if select.select([self.connection], [], [], left)[0] and not self.connection.recv(65536):
                    return
            except OSError:
                return


_Spoils = Callable[[_Handler, bytes, Trial], None]
_HTML = (("Content-Type", "text/html; charset=utf-8"),)
_JSON = (("Content-Type", "application/json"),)
_GATEWAY = b"<!DOCTYPE html><html><body><h1>Something is wrong between here and there</h1></body></html>"
_REFUSED = b'{"Type":null,"Title":"Unauthorized","Status":401,"Detail":"TokenExpired: token expired","code":2}'
_LIMITED = (("Retry-After", "1"), ("X-Rate-Limit-Problem", "minute"))


def _spoiled(end: Callable[[_Handler, Answer], None], *, arrives: bool) -> _Spoils:
    """The write reaches upstream or not, then `meanwhile` is called, then `end` finishes the exchange."""

    def spoil(handler: _Handler, body: bytes, trial: Trial) -> None:
        answer = handler.forward(body) if arrives else Answer(500)
        _do_meanwhile(trial)
        end(handler, answer)

    return spoil


def _do_meanwhile(trial: Trial) -> None:
    if trial.meanwhile is None or trial.sendings > 1:
        return
    try:
        trial.meanwhile()
    except Exception as error:
        trial.trouble = f"{type(error).__name__}: {error}"


def _late(handler: _Handler, body: bytes, trial: Trial) -> None:
    """The write reaches upstream after Pinxero has given up waiting."""
    _wait_for_its_end(handler)
    handler.forward(body)
    _do_meanwhile(trial)
    handler.stay_silent()


def _wait_for_its_end(handler: _Handler) -> None:
    """Wait until the client is gone and a little longer, like a request that is carried out after its time-out."""
    handler.stay_silent()
    time.sleep(10 / handler.server.scale)


def _says(status: int, content: bytes, headers: tuple[tuple[str, str], ...]) -> Callable[[_Handler, Answer], None]:
    return lambda handler, _: handler.give(Answer(status, headers, content))


_NOT_JSON, _NOTHING = _says(200, _GATEWAY, _HTML), _says(200, b"", ())
_SILENT, _RESET = (lambda handler, _: handler.stay_silent()), (lambda handler, _: handler.reset())
_401, _429 = _says(401, _REFUSED, _JSON), _says(429, b"", _LIMITED)
_500, _503, _504 = _says(500, b"", ()), _says(503, _GATEWAY, _HTML), _says(504, _GATEWAY, _HTML)
#: By name. "lost" writes never arrive, "done" ones do.
FAULTS: dict[str, _Spoils] = {
    "none": _spoiled(lambda handler, answer: handler.give(answer), arrives=True),
    "lost: reset": _spoiled(_RESET, arrives=False),
    "lost: silence": _spoiled(_SILENT, arrives=False),
    "lost: 500": _spoiled(_500, arrives=False),
    "lost: 503 page": _spoiled(_503, arrives=False),
    "lost: 429": _spoiled(_429, arrives=False),
    "lost: 401": _spoiled(_401, arrives=False),
    "lost: 200 page": _spoiled(_NOT_JSON, arrives=False),
    "done: reset": _spoiled(_RESET, arrives=True),
    "done: silence": _spoiled(_SILENT, arrives=True),
    "done: 500": _spoiled(_500, arrives=True),
    "done: 504 page": _spoiled(_504, arrives=True),
    "done: 429": _spoiled(_429, arrives=True),
    "done: 401": _spoiled(_401, arrives=True),
    "done: cut off": _spoiled(lambda handler, answer: handler.give(answer, cut=len(answer.content) // 2), arrives=True),
    "done: 200 page": _spoiled(_NOT_JSON, arrives=True),
    "done: 200 empty": _spoiled(_NOTHING, arrives=True),
    "done late": _late,
}
