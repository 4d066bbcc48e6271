"""What a development installation needs before Django can start: secrets of its own, free ports, and who is where.

The secrets are made once and kept in an ignored `.env` that only its owner can read. What depends on the ports of the
moment (Pinxero's own address, the sandbox as both providers) goes into the environment of the processes instead.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from dotenv import dotenv_values

HOST = "127.0.0.1"
WEB_PORT, SANDBOX_PORT = 8000, 8001
CLIENTS = ("PINTEREST_CLIENT_ID", "PINTEREST_CLIENT_SECRET", "XERO_CLIENT_ID", "XERO_CLIENT_SECRET")
WEBHOOK_KEYS = "XERO_WEBHOOK_KEYS"
#: A file with one of these belongs to an installation that runs; what make run makes says its mode as well.
_OF_AN_INSTALLATION = {"SECRET_KEY", "TOKEN_KEYS", "DATABASE_URL", "BASE_URL"}
_HEAD = """\
# Made by `make run` for development on this machine: the secrets of this installation, readable by you alone.
# Git ignores it. Without it the stored tokens cannot be opened and everything has to be connected again.
"""


class SetupError(Exception):
    """Pinxero cannot start here as things are; the message says why and what to do."""


@dataclass(frozen=True)
class Ports:
    """Where Pinxero and the sandbox listen."""

    web: int
    sandbox: int

    @property
    def web_url(self) -> str:
        return f"http://{HOST}:{self.web}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox}"


def read_ports(environment: Mapping[str, str]) -> Ports:
    """PORT and SANDBOX_PORT, or 8000 and 8001. Raises SetupError for what is no port, or the same twice."""
    ports = Ports(web=_port(environment, "PORT", WEB_PORT), sandbox=_port(environment, "SANDBOX_PORT", SANDBOX_PORT))
    if ports.web == ports.sandbox:
        raise SetupError(f"PORT and SANDBOX_PORT are both {ports.web}; they have to differ.")
    return ports


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise SetupError(f"{name} is {text!r}; a port is a number from 1 to 65535, as in {name}={default}.")
    return int(text)


def require_free(ports: Ports, *, is_real: bool = False) -> None:
    """Raises SetupError naming the setting of a port on which nothing more can listen."""
    wanted = [("PORT", ports.web, "Pinxero"), ("SANDBOX_PORT", ports.sandbox, "the sandbox")]
    for name, port, what in wanted[: 1 if is_real else 2]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise SetupError(
                    f"Port {port}, where {what} would listen, cannot be used: {error.strerror}. Stop what uses it "
                    f"(another make run?), or choose another: make run {name}={port + 10}"
                ) from error


@dataclass(frozen=True)
class Installation:
    """A development installation: its file of settings, and whether it talks to the real providers."""

    env_file: Path
    folder: Path
    is_real: bool = False

    def base_url(self, ports: Ports) -> str:
        """Pinxero's own address. For the real Xero it is the one plain http name that Xero sends people back to."""
        return f"http://localhost:{ports.web}" if self.is_real else ports.web_url

    def new_values(self) -> dict[str, str]:
        """What the file holds when it is made; an empty value is for a person to fill in."""
        values = {
            "PINXERO_MODE": "development",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "TOKEN_KEYS": Fernet.generate_key().decode(),
            "DEMO_PASSWORD": "-".join(secrets.token_hex(2) for _ in range(4)),
        }
        if self.is_real:
            # Never the demo's database: its sandbox tokens would be sent to the real providers.
            return values | {
                "DATABASE_URL": f"sqlite:///{self.folder}/.local/real.sqlite3",
                **dict.fromkeys(CLIENTS, ""),
            }
        return values | {
            "PINTEREST_CLIENT_ID": f"sandbox-pinterest-{secrets.token_hex(4)}",
            "PINTEREST_CLIENT_SECRET": secrets.token_urlsafe(32),
            "XERO_CLIENT_ID": f"sandbox-xero-{secrets.token_hex(4)}",
            "XERO_CLIENT_SECRET": secrets.token_urlsafe(32),
            WEBHOOK_KEYS: secrets.token_urlsafe(32),
            **sandbox_hosts(Ports(web=WEB_PORT, sandbox=SANDBOX_PORT)),
        }


def ensure_secrets(installation: Installation) -> tuple[dict[str, str], list[str]]:
    """The values of the installation's file, which is made or completed first, and the names that were missing.

    Raises SetupError where the file belongs to an installation in production, as one does that names no mode.
    """
    path = installation.env_file
    present = {name: value or "" for name, value in dotenv_values(path).items()} if path.exists() else {}
    mode = os.environ.get("PINXERO_MODE", present.get("PINXERO_MODE"))
    if mode is None and not _OF_AN_INSTALLATION & set(present):
        mode = "development"
    if mode is None:
        raise SetupError(
            f"{path} has no PINXERO_MODE, which means production. make run invents accounts and data, so it keeps away "
            "from such an installation. If this one is for development, add the line PINXERO_MODE=development."
        )
    if mode != "development":
        raise SetupError(
            f"PINXERO_MODE (in {path.name} or the environment) is not development. make run invents accounts and data, "
            "so it keeps away from such an installation; docs/deploy.md tells how to start one."
        )
    missing = {name: value for name, value in installation.new_values().items() if name not in present}
    if missing:
        lines = "".join(f"{name}={value}\n" for name, value in missing.items())
        old = path.read_text() if path.exists() else _HEAD
        _write_private(path, old + ("" if old.endswith("\n") else "\n") + lines)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return present | missing, list(missing)


def require_clients(installation: Installation, values: Mapping[str, str], ports: Ports) -> None:
    """Raises SetupError where the real providers' apps are not filled in yet."""
    empty = [name for name in CLIENTS if not values.get(name)]
    if installation.is_real and empty:
        raise SetupError(
            f'Fill in {", ".join(empty)} in {installation.env_file}. README.md, "Connect the real Pinterest and Xero", '
            "tells where to get them. The redirect addresses to register are "
            f"http://localhost:{ports.web}/accounts/pinterest/login/callback/ and "
            f"http://localhost:{ports.web}/accounts/xero/login/callback/"
        )


def _write_private(path: Path, text: str) -> None:
    """Write a file that was never readable by others, not for a moment, and is never half there."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def sandbox_hosts(ports: Ports) -> dict[str, str]:
    """The settings that put the sandbox in the place of both providers."""
    sandbox = ports.sandbox_url
    return {
        "PINTEREST_OAUTH_BASE": sandbox,
        "PINTEREST_API_BASE": f"{sandbox}/v5",
        "XERO_LOGIN_BASE": sandbox,
        "XERO_IDENTITY_BASE": sandbox,
        "XERO_API_BASE": sandbox,
        "XERO_WEB_BASE": sandbox,
    }


def for_processes(installation: Installation, ports: Ports, values: Mapping[str, str]) -> dict[str, str]:
    """The environment of the processes: Pinxero at its port, and who the providers are."""
    common = {
        **os.environ,
        "PINXERO_ENV_FILE": str(installation.env_file),
        "BASE_URL": installation.base_url(ports),
        "ALLOWED_HOSTS": f"{HOST},localhost",
        # Lines of a process show when they are written, not when a buffer is full.
        "PYTHONUNBUFFERED": "1",
        # Development serves static files from where they are; there is no collected folder to look for.
        "PYTHONWARNINGS": "ignore:No directory at:UserWarning",
    }
    if installation.is_real:
        return common
    # The sandbox knows the installation's own apps only, whatever else the shell was told to use.
    clients = {name: values[name] for name in CLIENTS}
    hooks = {WEBHOOK_KEYS: values[WEBHOOK_KEYS]}
    links = {"FILE_LINK_HOSTS": f"{ports.sandbox_url},*.pinimg.com", "OUTSIDE_PRIVATE_HOSTS": ports.sandbox_url}
    return (
        common | sandbox_hosts(ports) | links | clients | hooks | {f"SANDBOX_{name}": values[name] for name in CLIENTS}
    )


def register_webhook(ports: Ports, url: str, key: str) -> str:
    """Have the sandbox tell this address of changes; "OK" where the hand-shake succeeded, else what came of it."""
    body = json.dumps({"url": url, "key": key, "at_once": 4}).encode()
    request = urllib.request.Request(  # noqa: S310 - the sandbox of this installation, http
        f"{ports.sandbox_url}/_sandbox/webhook", body, {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return str(json.load(response)["state"])
    except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
        return str(error)
