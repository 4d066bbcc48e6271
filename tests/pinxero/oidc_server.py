"""A small OpenID Connect server: discovery, consent without a question, tokens signed with RS256, and PKCE checked.

It speaks HTTP on a port of this machine, as a company's own server does; what it says of people is set by tests.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "pinxero-at-acme", "the-secret-of-pinxero-at-acme"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Company:
    """The server at `url`. `claims` is what it says of whoever signs in next; `asked` is every path it has answered."""

    url: str
    claims: dict[str, Any] = field(default_factory=dict)
    #: Changes of what a correct server says, to be refused.
    in_token: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: What came with each request for a sign-in.
    authorized: list[dict[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def running_company() -> Iterator[Company]:
    """A server that is up as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    company = server.company = Company(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield company
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    @property
    def company(self) -> Company:
        company: Company = self.server.company  # type: ignore[attr-defined]
        return company

    def do_GET(self) -> None:
        there = urlsplit(self.path)
        self.company.asked.append(there.path)
        answers = {
            "/.well-known/openid-configuration": self._configuration,
            "/authorize": self._authorize,
            "/userinfo": self._userinfo,
        }
        answers.get(there.path, self._nothing)({key: values[0] for key, values in parse_qs(there.query).items()})

    def do_POST(self) -> None:
        self.company.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {key: values[0] for key, values in parse_qs(body).items()}
        code = self.company.codes.pop(given.get("code", ""), None)
        verifier = given.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        is_right = (given.get("client_id"), given.get("client_secret")) == (CLIENT, SECRET) and code is not None
        if (
            not is_right
            or code is None
            or challenge != code["code_challenge"]
            or given["redirect_uri"] != code["redirect_uri"]
        ):
            self._send(400, {"error": "invalid_grant"})
            return
        access = secrets.token_urlsafe(16)
        self.company.tokens[access] = dict(self.company.claims)
        now = int(time.time())
        stated = {"iss": self.company.url, "aud": CLIENT, "iat": now, "exp": now + 300, **self.company.claims}
        stated |= self.company.in_token
        signed = jwt.encode(stated, _KEY, algorithm="RS256", headers={"kid": "first"})
        self._send(200, {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": signed})

    def _configuration(self, _: dict[str, str]) -> None:
        url = self.company.url
        self._send(
            200,
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "userinfo_endpoint": f"{url}/userinfo",
                "jwks_uri": f"{url}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            },
        )

    def _authorize(self, given: dict[str, str]) -> None:
        assert given["client_id"] == CLIENT
        assert given["code_challenge_method"] == "S256"
        assert "openid" in given["scope"].split()
        self.company.authorized.append(given)
        code = secrets.token_urlsafe(16)
        self.company.codes[code] = given
        self.send_response(302)
        query = urlencode({"code": code, "state": given["state"]})
        self.send_header("Location", f"{given['redirect_uri']}?{query}")
        self.end_headers()

    def _userinfo(self, _: dict[str, str]) -> None:
        found = self.company.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        self._send(200 if found else 401, found or {})

    def _nothing(self, _: dict[str, str]) -> None:
        self._send(404, {})

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""
