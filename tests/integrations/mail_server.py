"""A mail server of the test's own: it speaks SMTP over a real socket and does what its script says at any command."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: Instead of an answer: end the connection without a word.
HANG_UP = "hang up"
#: Instead of an answer: say nothing and keep the line open.
SILENCE = "silence"


@dataclass
class MailServer:
    """What it was told, and what it took. `script` maps a command ("EHLO", "AUTH", "MAIL", "RCPT", "DATA", "." for the
    end of the mail, "within the mail") or "RCPT jane@example.com" to an answer other than yes."""

    port: int = 0
    script: dict[str, str] = field(default_factory=dict)
    talks: list[list[str]] = field(default_factory=list)
    taken: list[tuple[list[str], bytes]] = field(default_factory=list)
    extensions: tuple[str, ...] = ("SIZE 10000000",)

    @property
    def heard(self) -> list[str]:
        """The commands of the last connection."""
        return self.talks[-1]


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server on a free port of this machine."""
    server = MailServer()
    listening = socket.create_server(("127.0.0.1", 0))
    server.port = listening.getsockname()[1]

    def serve() -> None:
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=_attend, args=(server, peer), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server
    finally:
        listening.close()


def _attend(server: MailServer, peer: socket.socket) -> None:
    try:
        peer.settimeout(10)
        with peer, peer.makefile("rb") as lines:
            _talk(server, peer, lines)
    except OSError:
        return


def _talk(server: MailServer, peer: socket.socket, lines: object) -> None:
    heard: list[str] = []
    recipients: list[str] = []
    server.talks.append(heard)
    peer.sendall(b"220 mail.test ready\r\n")
    for raw in lines:  # type: ignore[attr-defined]
        line = raw.decode().strip()
        heard.append(line)
        command = line.split()[0].upper() if line else ""
        address = line.partition("<")[2].partition(">")[0]
        answer = server.script.get(f"{command} {address}") or server.script.get(command)
        if answer is None:
            answer = _usual(server, command)
        elif answer == SILENCE:
            continue
        elif answer == HANG_UP:
            return
        if command == "RCPT" and answer.startswith("250"):
            recipients.append(address)
        peer.sendall(answer.encode() + b"\r\n")
        if command == "QUIT":
            return
        if answer.startswith("354"):
            if server.script.get("within the mail"):
                _interrupt(peer, lines, server.script["within the mail"])
                return
            content = b""
            for part in lines:  # type: ignore[attr-defined]
                if part == b".\r\n":
                    break
                content += part[1:] if part.startswith(b".") else part
            else:
                return
            heard.append(".")
            said = server.script.get(".", "250 2.0.0 Ok: queued as 4C1D2F")
            if said.startswith("250") or said in (HANG_UP, SILENCE):
                server.taken.append((list(recipients), content))
            if said == HANG_UP:
                return
            if said != SILENCE:
                peer.sendall(said.encode() + b"\r\n")


def _interrupt(peer: socket.socket, lines: object, answer: str) -> None:
    """After the first line of the mail: say something or nothing, and hang up before its end has come."""
    next(lines)  # type: ignore[call-overload]
    if answer != HANG_UP:
        peer.sendall(answer.encode() + b"\r\n")


def _usual(server: MailServer, command: str) -> str:
    if command == "EHLO":
        told = ["mail.test", *server.extensions]
        return "\r\n".join(f"250{'-' if each is not told[-1] else ' '}{each}" for each in told)
    return {"DATA": "354 Go ahead", "QUIT": "221 Bye", "AUTH": "235 Welcome"}.get(command, "250 Ok")
