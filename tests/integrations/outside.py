"""A server that people's addresses lead to: real sockets, real TLS, and a name server that says what the test wants."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Talk = Callable[[socket.socket, bytes], None]
Start = Callable[..., "Host"]


@dataclass
class Host:
    """What a listening host has heard, connection by connection."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)

    def url(self, path: str = "/", *, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def rule(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(
    body: bytes = b"", *, status: str = "200 OK", headers: Mapping[str, str] | None = None, length: int | None = None
) -> Talk:
    """A plain answer, and the end of the connection."""
    lines = {"Content-Length": str(len(body) if length is None else length), **(headers or {})}
    head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    return lambda peer, _heard: peer.sendall(head.encode("latin-1") + body)


@contextmanager
def listening(talk: Talk, *, tls: ssl.SSLContext | None = None) -> Iterator[Host]:
    """A host on a free port of this machine that reads one request per connection and then talks."""
    host = Host()
    server = socket.create_server(("127.0.0.1", 0))
    host.port = server.getsockname()[1]
    if tls is not None:
        tls.sni_callback = lambda _peer, name, _context: host.server_names.append(name)

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            host.connections += 1
            threading.Thread(target=attend, args=(peer,), daemon=True).start()

    def attend(peer: socket.socket) -> None:
        try:
            peer.settimeout(5)
            with tls.wrap_socket(peer, server_side=True) if tls is not None else peer as secured:
                heard = read_request(secured)
                host.heard.append(heard)
                talk(secured, heard)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield host
    finally:
        server.close()


@pytest.fixture
def start(settings: Any) -> Iterator[Start]:
    """Start a host on this machine that an administrator has opened (unless `closed`)."""
    with ExitStack() as running:

        def started(talk: Talk, *, closed: bool = False, **options: Any) -> Host:
            host = running.enter_context(listening(talk, **options))
            if not closed:
                settings.OUTSIDE_PRIVATE_HOSTS = [*settings.OUTSIDE_PRIVATE_HOSTS, host.rule]
            return host

        yield started


def read_request(peer: socket.socket) -> bytes:
    """One request; nothing where the other side hangs up instead."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        part = peer.recv(65536)
        if not part:
            return heard
        heard += part
    head, _, body = heard.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length and (part := peer.recv(65536)):
        body += part
    return head + b"\r\n\r\n" + body


class Names:
    """A name server: each name has the answers it is given, one list per question, the last for ever."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._answers: dict[str, list[list[str]]] = {}
        self._ask = socket.getaddrinfo

    def say(self, name: str, *answers: list[str]) -> None:
        self._answers[name] = list(answers)

    def getaddrinfo(self, name: str, port: int, *rest: Any, **named: Any) -> Any:
        if name not in self._answers:
            return self._ask(name, port, *rest, **named)
        self.asked.append(name)
        answers = self._answers[name]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (families[ip_address(each.partition("%")[0]).version], socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The name server of the test; names it was not told are asked as usual."""
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    return made


@lru_cache
def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    return key, _certificate(name, key, name, key, is_authority=True)


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    host: str = "",
    is_authority: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if host:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def tls_for(host: str, folder: Path) -> ssl.SSLContext:
    """What a host with a certificate for that name needs; `trust` makes this machine believe it."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority_key, authority = _authority()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = _certificate(subject, key, authority.subject, authority_key, host=host)
    path = folder / f"{host}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def trust(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let this machine believe the test's certificates, as an administrator adds an authority to the system."""
    path = folder / "authority.pem"
    path.write_bytes(_authority()[1].public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
