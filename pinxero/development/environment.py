"""What a development installation needs before Django can start: its own secrets, free ports, addresses.

The secrets are made once and kept in an ignored `.env` that only its owner can read. What depends on the current ports
(Pinxero's own address, the sandbox as all providers) goes into the environment of the processes instead.
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

from integrations.connectors import CONNECTORS
from integrations.framework.connector_settings import ConnectorSettings, Setting, all_declared, file_hosts

HOST = "127.0.0.1"
WEB_PORT, SANDBOX_PORT = 8000, 8001
#: What the connectors declare: their hosts, and what is needed to connect.
DECLARED = all_declared(CONNECTORS)
CLIENTS = tuple(setting.name for each in DECLARED for setting in each.needed)
#: A file with one of these belongs to a real installation; a file that `make run` wrote also gives its mode.
_OF_AN_INSTALLATION = {"SECRET_KEY", "TOKEN_KEYS", "DATABASE_URL", "BASE_URL"}
_HEAD = """\
# Made by `make run` for development on this machine: the secrets of this installation, readable by you alone.
# Git ignores it. Without it the stored tokens cannot be opened and everything has to be connected again.
"""


class SetupError(Exception):
    """Pinxero cannot start here; the message says why and what to do."""


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
    """PORT and SANDBOX_PORT, or 8000 and 8001. Raises SetupError if one is not a port or both are the same."""
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
    """Raises SetupError naming the setting of a port that is already in use."""
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
    """A development installation: its settings file, and whether it calls the real providers."""

    env_file: Path
    folder: Path
    is_real: bool = False

    def base_url(self, ports: Ports) -> str:
        """Pinxero's own address. For real providers it is the one plain http name that they redirect to."""
        return f"http://localhost:{ports.web}" if self.is_real else ports.web_url

    def new_values(self) -> dict[str, str]:
        """The contents of a new file; an empty value is for a person to fill in."""
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
        made_up = {setting.name: _made_up(key, setting) for key, setting in _filled_in()}
        return values | made_up | sandbox_hosts(Ports(web=WEB_PORT, sandbox=SANDBOX_PORT))


def _in_sandbox() -> list[ConnectorSettings]:
    """The declarations of the connectors whose providers the sandbox can replace."""
    return [each for each in DECLARED if each.is_in_sandbox]


def _filled_in() -> list[tuple[str, Setting]]:
    """The values invented for the sandbox, by connector: its apps, then the other secrets, such as webhook keys."""
    apps = [(each.key, setting) for each in _in_sandbox() for setting in each.needed]
    return apps + [(each.key, setting) for each in _in_sandbox() for setting in each.secrets if not setting.is_needed]


def _made_up(key: str, setting: Setting) -> str:
    return secrets.token_urlsafe(32) if setting.is_secret else f"sandbox-{key}-{secrets.token_hex(4)}"


def ensure_secrets(installation: Installation) -> tuple[dict[str, str], list[str]]:
    """The values of the installation's file, which is created or completed first, and the names that were missing.

    Raises SetupError if the file belongs to an installation in production, as does one without a mode.
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
    """Raises SetupError if the real providers' apps are not filled in yet."""
    empty = [name for name in CLIENTS if not values.get(name)]
    if installation.is_real and empty:
        base = installation.base_url(ports)
        addresses = [f"{base}/accounts/{each.key}/login/callback/" for each in DECLARED if each.needed]
        raise SetupError(
            f"Fill in {', '.join(empty)} in {installation.env_file}. docs/connecting.md "
            f"tells where to get them. The redirect addresses to register are {' and '.join(addresses)}"
        )


def _write_private(path: Path, text: str) -> None:
    """Write a file that is never readable by others, not even briefly, and never incomplete."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def sandbox_hosts(ports: Ports) -> dict[str, str]:
    """The settings that replace the providers by the sandbox."""
    return {name: url for each in DECLARED for name, url in each.hosts_in_sandbox(ports.sandbox_url).items()}


def for_processes(installation: Installation, ports: Ports, values: Mapping[str, str]) -> dict[str, str]:
    """The environment of the processes: Pinxero at its port, and the providers' addresses."""
    common = {
        **os.environ,
        "PINXERO_ENV_FILE": str(installation.env_file),
        "BASE_URL": installation.base_url(ports),
        "ALLOWED_HOSTS": f"{HOST},localhost",
        # A process's lines appear when they are written, not when a buffer is full.
        "PYTHONUNBUFFERED": "1",
        # Development serves static files from their sources; there is no collected folder.
        "PYTHONWARNINGS": "ignore:No directory at:UserWarning",
    }
    if installation.is_real:
        return common
    # The sandbox knows only the installation's own apps, whatever else the shell has set.
    made_up = {setting.name: values[setting.name] for _, setting in _filled_in()}
    links = {
        "FILE_LINK_HOSTS": ",".join([ports.sandbox_url, *file_hosts(DECLARED)]),
        "OUTSIDE_PRIVATE_HOSTS": ports.sandbox_url,
    }
    known = {f"SANDBOX_{setting.name}": values[setting.name] for each in _in_sandbox() for setting in each.needed}
    return common | sandbox_hosts(ports) | links | made_up | known


def register_webhook(ports: Ports, url: str, key: str) -> str:
    """Register this address for the sandbox's webhook; "OK" if the handshake succeeded, else its result."""
    body = json.dumps({"url": url, "key": key, "at_once": 4}).encode()
    request = urllib.request.Request(  # noqa: S310 - the sandbox of this installation, http
        f"{ports.sandbox_url}/_sandbox/webhook", body, {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return str(json.load(response)["state"])
    except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
        return str(error)
