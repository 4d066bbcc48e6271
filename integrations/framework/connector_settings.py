"""What a connector reads from the environment: declared in its package's `settings.py`, read before Django is set up.

Everything that uses a setting follows these declarations: `pinxero/settings.py` reads it, the system checks allow
production only the provider's own hosts, the development set-up replaces them by the sandbox and makes secrets for it,
the log masks secrets, and the tests fill in what they need. Django's settings read this module, so nothing here may
import Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from environs import Env


@dataclass(frozen=True)
class Setting:
    """An environment variable, which becomes a Django setting of the same name.

    Its kind is that of its default: a text, a whole number, yes or no, or a list of texts separated by commas. Nobody
    can connect without one that `is_needed`. One that `is_secret` is masked in the log. With a `least_length`,
    production refuses a shorter value, which could be guessed.
    """

    name: str
    default: str | int | bool | tuple[str, ...] = ""
    is_needed: bool = False
    is_secret: bool = False
    least_length: int = 0

    def read(self, env: Env) -> Any:
        """The value in force. Raises environs' own error, which names the variable."""
        if isinstance(self.default, bool):
            return env.bool(self.name, self.default)
        if isinstance(self.default, int):
            return env.int(self.name, self.default)
        if isinstance(self.default, tuple):
            return env.list(self.name, list(self.default))
        return env.str(self.name, self.default)

    def values(self, settings: object) -> list[str]:
        """The texts that it holds now: those of the list, else one; none if it is empty."""
        value = getattr(settings, self.name, "")
        if isinstance(value, list | tuple):
            return [str(each) for each in value]
        return [str(value)] if value else []


@dataclass(frozen=True)
class Host(Setting):
    """A setting with an address of the provider, without a slash at its end; the default is the provider's own.

    Production accepts no other host. In development the sandbox may replace it, below its path `in_sandbox`; None if
    the sandbox does not know this provider. People give their consent at the one that `asks_consent`. Nothing is sent
    to one that `is_for_links`: only links on pages lead there.
    """

    default: str = ""
    in_sandbox: str | None = None
    asks_consent: bool = False
    is_for_links: bool = False

    def __post_init__(self) -> None:
        if urlsplit(self.default).scheme != "https":
            raise ValueError(f"The default of {self.name} is {self.default!r}; a provider is spoken to by https.")

    @property
    def netloc(self) -> str:
        """The provider's own host."""
        return urlsplit(self.default).netloc

    def is_own(self, value: str) -> bool:
        """Whether an address is the provider's own: its host, by https."""
        parts = urlsplit(value)
        return (parts.scheme, parts.netloc) == ("https", self.netloc)

    def read(self, env: Env) -> str:
        """The address in force."""
        return str(env.str(self.name, self.default)).rstrip("/")


@dataclass(frozen=True)
class ConnectorSettings:
    """What one connector declares. `file_hosts` are hosts of its files, from which links may be fetched by default."""

    key: str
    hosts: tuple[Host, ...] = ()
    settings: tuple[Setting, ...] = ()
    file_hosts: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Setting, ...]:
        """Every environment variable that is read."""
        return (*self.hosts, *self.settings)

    @property
    def needed(self) -> list[Setting]:
        """The settings without which nobody can connect."""
        return [each for each in self.settings if each.is_needed]

    @property
    def secrets(self) -> list[Setting]:
        """The settings whose values no log line may show."""
        return [each for each in self.settings if each.is_secret]

    @property
    def is_in_sandbox(self) -> bool:
        """Whether the sandbox can replace this provider."""
        return any(host.in_sandbox is not None for host in self.hosts)

    @property
    def called(self) -> list[Host]:
        """The hosts to which something is sent."""
        return [host for host in self.hosts if not host.is_for_links]

    def hosts_in_sandbox(self, sandbox: str) -> dict[str, str]:
        """The settings that replace the provider by the sandbox at this address."""
        return {host.name: f"{sandbox}{host.in_sandbox}" for host in self.hosts if host.in_sandbox is not None}


def declared(package: str) -> ConnectorSettings:
    """What the `settings.py` of a connector's package declares as `DECLARED`; nothing if it has none."""
    if find_spec(f"{package}.settings") is None:
        return ConnectorSettings(key=package.rpartition(".")[2])
    found: ConnectorSettings = import_module(f"{package}.settings").DECLARED
    return found


def all_declared(packages: Iterable[str]) -> list[ConnectorSettings]:
    """The declarations of these connectors, in their order. Raises ValueError if two share a setting."""
    found = [declared(package) for package in packages]
    owners: dict[str, str] = {}
    for each in found:
        for setting in each.all:
            if setting.name in owners:
                raise ValueError(f"{setting.name} is declared by {owners[setting.name]} and by {each.key}.")
            owners[setting.name] = each.key
    return found


def read(declarations: Iterable[ConnectorSettings], env: Env) -> dict[str, Any]:
    """The values of all declared settings, by name."""
    return {setting.name: setting.read(env) for each in declarations for setting in each.all}


def consent_origins(declarations: Iterable[ConnectorSettings], values: Mapping[str, Any]) -> list[str]:
    """Where browsers are sent to ask for a consent, as written in a content security policy."""
    asking = [str(values[host.name]) for each in declarations for host in each.hosts if host.asks_consent]
    return sorted({f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in asking})


def file_hosts(declarations: Iterable[ConnectorSettings]) -> list[str]:
    """The hosts of all connectors' files."""
    return [host for each in declarations for host in each.file_hosts]


def apps(packages: Iterable[str]) -> Iterator[str]:
    """The packages that are Django apps too, because allauth looks for its providers in apps."""
    return (package for package in packages if find_spec(f"{package}.apps") is not None)
