"""System checks: production refuses to start when it is unsafe, and says which setting to change.

Every command of `manage.py` runs them, the worker included; the web server runs them in `pinxero/wsgi.py`, because
Django itself does not. Development is checked only for what is dangerous there too.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import SystemCheckError

from integrations.framework import registry
from integrations.framework.base import Connector
from integrations.framework.connector_settings import Host, Setting
from integrations.transport import header_secrets, url_rules
from pinxero.sign_in import company
from pinxero.sign_in import second_factor as second_factors

TAG = "pinxero"
SECRET_KEY_LENGTH = 50
SECRET_KEY_CHARACTERS = 5
#: Beginnings of keys that come from Django, our tests or examples.
PUBLIC_KEYS = ("django-insecure-", "tests-only-", "change", "secret")
MAKE_SECRET = 'python -c "import secrets; print(secrets.token_urlsafe(64))"'  # noqa: S105 - a command line
MAKE_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'

Findings = Iterator[CheckMessage]


def refuse_when_unsafe() -> None:
    """Raise SystemCheckError with every finding that prevents the start; for entry points that are not commands."""
    errors = sorted(str(finding) for finding in run_checks(tags=[TAG]) if finding.is_serious())
    if errors:
        raise SystemCheckError("Pinxero does not start:\n" + "\n".join(errors))


def in_production(check: Callable[[], Findings]) -> Callable[..., list[CheckMessage]]:
    """Register a check that runs in production only."""

    @register(TAG)
    def registered(app_configs: Sequence[Any] | None = None, **options: Any) -> list[CheckMessage]:
        return list(check()) if settings.IS_PRODUCTION else []

    return registered


@register(TAG)
def mode(app_configs: Sequence[Any] | None = None, **options: Any) -> list[CheckMessage]:
    """A misspelt mode would silently be the weaker one."""
    if settings.PINXERO_MODE in ("production", "development"):
        return []
    return [
        Error(
            f"PINXERO_MODE is {settings.PINXERO_MODE!r}, which is no mode.",
            hint="Set it to production or development; left out it is production.",
            id="pinxero.E001",
        )
    ]


@in_production
def debug() -> Findings:
    if settings.DEBUG:
        yield Error(
            "DEBUG is on in production: error pages would show tokens and settings to visitors.",
            hint="Remove DEBUG from the environment.",
            id="pinxero.E002",
        )


@in_production
def secret_key() -> Findings:
    key = _secret_key()
    if not key:
        yield Error(
            "SECRET_KEY is missing: sessions and queue messages could not be signed.",
            hint=f"Make one with: {MAKE_SECRET}",
            id="pinxero.E003",
        )
    elif len(key) < SECRET_KEY_LENGTH or len(set(key)) < SECRET_KEY_CHARACTERS or key.startswith(PUBLIC_KEYS):
        yield Error(
            f"SECRET_KEY is easy to guess: it is a published one, or shorter than {SECRET_KEY_LENGTH} characters.",
            hint=f"Make a new one with: {MAKE_SECRET}",
            id="pinxero.E004",
        )


@in_production
def token_keys() -> Findings:
    if not settings.TOKEN_KEYS:
        yield Error(
            "TOKEN_KEYS is missing: the providers' tokens could not be stored encrypted.",
            hint=f"Make a key with: {MAKE_KEY}",
            id="pinxero.E005",
        )
    broken = [str(place) for place, key in enumerate(settings.TOKEN_KEYS, 1) if not _is_fernet_key(key)]
    if broken:
        yield Error(
            f"TOKEN_KEYS holds something that is no Fernet key, at place {', '.join(broken)}.",
            hint=f"Keys stand in a row, separated by commas, the newest first. Make one with: {MAKE_KEY}",
            id="pinxero.E006",
        )
    secret = _secret_key()
    derived = _keys_derived_from(secret)
    if secret and any(_key_bytes(key) in derived or key == secret for key in settings.TOKEN_KEYS):
        yield Error(
            "A key in TOKEN_KEYS is SECRET_KEY or made from it: whoever learns one has both.",
            hint=f"Make an independent key with: {MAKE_KEY}, put it first and run manage.py rotate_keys.",
            id="pinxero.E007",
        )


@in_production
def allowed_hosts() -> Findings:
    hosts = settings.ALLOWED_HOSTS
    if not hosts or any("*" in host for host in hosts):
        yield Error(
            "ALLOWED_HOSTS is empty or lets any host name in: links in mails and consents could be forged.",
            hint="Name the hosts people use, as ALLOWED_HOSTS=pinxero.example.com.",
            id="pinxero.E008",
        )


@in_production
def database() -> Findings:
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") and not settings.ALLOW_SQLITE:
        yield Error(
            "The database is SQLite, which production takes only when told to.",
            hint="Set DATABASE_URL=postgres://..., or PINXERO_ALLOW_SQLITE=1 for one small machine with backups.",
            id="pinxero.E009",
        )


@in_production
def provider_hosts() -> Findings:
    for host in _wrong_hosts():
        value = getattr(settings, host.name)
        yield Error(
            f"{host.name} is {value!r}: production sends tokens to https://{host.netloc} only.",
            hint=f"Remove {host.name} from the environment; its default is right.",
            id="pinxero.E010",
        )


@in_production
def token_urls() -> Findings:
    """A connector that bypasses its declared hosts would bypass the check of them, too."""
    for connector in [] if _wrong_hosts() else registry.connectors():
        for url in _token_urls(connector):
            if not any(host.is_own(url) for host in connector.declared.hosts):
                yield Error(
                    f"{connector.name} would send its secret to {url!r}, which is no host that its connector declares.",
                    hint=f"Declare it as a Host in the settings.py of the connector {connector.key}.",
                    id="pinxero.E010",
                )


@in_production
def insecure_transport() -> Findings:
    if os.environ.get("OAUTHLIB_INSECURE_TRANSPORT"):
        yield Error(
            "OAUTHLIB_INSECURE_TRANSPORT is set: tokens could travel over plain http.",
            hint="Remove it from the environment.",
            id="pinxero.E011",
        )


@in_production
def prover_settings() -> Findings:
    if settings.SAFETIES_OFF:
        yield Error(
            f"PINXERO_SAFETIES_OFF switches off {', '.join(settings.SAFETIES_OFF)}: invoices could be written twice.",
            hint="Remove it from the environment; only the prover's negative controls use it.",
            id="pinxero.E012",
        )
    if settings.TIME_SCALE != 1:
        yield Error(
            f"PINXERO_TIME_SCALE is {settings.TIME_SCALE:g}: waits and limits would not fit the real providers.",
            hint="Remove it from the environment; only tests and proofs use it.",
            id="pinxero.E013",
        )


@in_production
def base_url() -> Findings:
    url = urlsplit(settings.BASE_URL)
    if url.scheme != "https" or not url.hostname:
        yield Error(
            f"BASE_URL is {settings.BASE_URL!r}, which is no https address: sign-in and consents would be readable.",
            hint="Set it to the address people type, as BASE_URL=https://pinxero.example.com.",
            id="pinxero.E014",
        )


@in_production
def sandbox_app() -> Findings:
    if any(app.startswith("integrations.sandbox") for app in settings.INSTALLED_APPS):
        yield Error(
            "The sandbox is among INSTALLED_APPS: invented contacts and invoices have no place in production.",
            hint="Remove it; the sandbox runs as a process of its own, in development.",
            id="pinxero.E015",
        )


@in_production
def keys_of_providers() -> Findings:
    """Optional keys, such as those of webhooks, may be missing, but not short."""
    for setting in (each for declared in settings.CONNECTOR_SETTINGS for each in declared.settings):
        keys = setting.values(settings)
        short = [str(place) for place, key in enumerate(keys, 1) if len(key) < setting.least_length]
        if short:
            yield Error(
                f"{setting.name} holds something too short to be a key of the provider's, at place {', '.join(short)}.",
                hint="Copy the key from the provider's own page; several are separated by commas.",
                id="pinxero.E017",
            )


@in_production
def outside_hosts() -> Findings:
    for name in ("HTTP_REQUEST_HOSTS", "FILE_LINK_HOSTS", "OUTSIDE_PRIVATE_HOSTS"):
        for entry in getattr(settings, name):
            if (name, entry) == ("FILE_LINK_HOSTS", "any"):
                continue
            try:
                url_rules.rule(entry)
            except ValueError as error:
                yield Error(
                    f"{name} has an entry that lets nothing through: {error}",
                    hint="Separate hosts by commas, as api.example.com,*.example.org,erp.example.net:8443.",
                    id="pinxero.E018",
                )
    opened = url_rules.rules(settings.OUTSIDE_PRIVATE_HOSTS)
    for rule in filter(url_rules.is_this_machine, opened):
        yield Error(
            f"OUTSIDE_PRIVATE_HOSTS opens {rule.host}, which is this machine or tells about it.",
            hint="Remove it; in production it stays closed anyway.",
            id="pinxero.E019",
        )
    others = [rule.host for rule in opened if not url_rules.is_this_machine(rule)]
    if others:
        yield Warning(
            f"Workflows can reach {', '.join(others)} inside your own network.",
            hint="That is what OUTSIDE_PRIVATE_HOSTS is for; let it name no more than is needed.",
            id="pinxero.W004",
        )


@in_production
def request_secrets() -> Findings:
    for name, kept in settings.HTTP_REQUEST_SECRETS.items():
        if header_secrets.misfit(name, kept):
            yield Error(
                f"HTTP_REQUEST_SECRETS has an entry that cannot be used: {name!r}.",
                hint='Write {"erp": {"host": "erp.example.net", "value": "Bearer ..."}}, names of a-z, 0-9, - and _.',
                id="pinxero.E020",
            )


@register(TAG)
def debug_with_real_providers(app_configs: Sequence[Any] | None = None, **options: Any) -> list[CheckMessage]:
    """Development may try the real providers, but never with pages that print variables."""
    real = [host.name for host in _hosts() if urlsplit(getattr(settings, host.name)).netloc == host.netloc]
    if settings.IS_PRODUCTION or not real or not any(getattr(settings, each.name) for each in _needed()):
        return []
    if settings.DEBUG:
        return [
            Error(
                f"DEBUG is on while {', '.join(real)} lead to the real providers: error pages would show live tokens.",
                hint="Remove DEBUG, or point the providers at the sandbox as make run does.",
                id="pinxero.E016",
            )
        ]
    return [
        Warning(
            "Development mode with the real providers.",
            hint="Good for a provider's demo company. Real books belong on an installation in production mode.",
            id="pinxero.W003",
        )
    ]


@in_production
def client_ids() -> Findings:
    missing = [each.name for each in _needed() if not getattr(settings, each.name)]
    if missing:
        yield Warning(
            f"Nobody can connect yet: {', '.join(missing)} missing.",
            hint="Register an app at the provider and set its id and secret; docs/connecting.md tells how.",
            id="pinxero.W001",
        )


@in_production
def second_factor() -> Findings:
    named = set(settings.SECOND_FACTOR_FOR)
    unknown = sorted(named - second_factors.KNOWN)
    if unknown:
        yield Error(
            f"SECOND_FACTOR_FOR names {', '.join(unknown)}, which is nobody's role.",
            hint=f"Choose among {', '.join(sorted(second_factors.KNOWN))}, separated by commas.",
            id="pinxero.E021",
        )
    missing = sorted(second_factors.USUAL - named)
    if missing:
        yield Warning(
            f"A stolen password alone lets somebody in as {' or '.join(missing)}: SECOND_FACTOR_FOR leaves that out.",
            hint=f"Remove SECOND_FACTOR_FOR from the environment, or add {','.join(missing)} to it.",
            id="pinxero.W005",
        )


@in_production
def company_sign_in() -> Findings:
    if settings.OIDC_SERVER_URL and urlsplit(settings.OIDC_SERVER_URL).scheme != "https":
        yield Error(
            "OIDC_SERVER_URL is no https address: anybody on the way could sign in as anybody.",
            hint="Give the server's address as https://login.example.com.",
            id="pinxero.E022",
        )
    if not company.has_readable_groups():
        yield Error(
            "OIDC_GROUPS cannot be read.",
            hint='Write it as [{"group": "finance", "team": "Acme", "role": "builder"}].',
            id="pinxero.E023",
        )


@in_production
def mail() -> Findings:
    if settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend")):
        yield Warning(
            "Mails are not sent: password resets and notices would end in the log.",
            hint="Set EMAIL_URL, as submission://user:password@mail.example.com:587.",
            id="pinxero.W002",
        )


def _hosts() -> list[Host]:
    """The addresses of all providers, the only ones to which production sends people and tokens."""
    return [host for declared in settings.CONNECTOR_SETTINGS for host in declared.hosts]


def _wrong_hosts() -> list[Host]:
    return [host for host in _hosts() if not host.is_own(getattr(settings, host.name))]


def _token_urls(connector: Connector) -> list[str]:
    """The connector's token addresses; none for one without a provider to consent at."""
    if not connector.needs_connection:
        return []
    endpoints = connector.oauth()
    return [url for url in (endpoints.token_url, endpoints.revoke_url) if url]


def _needed() -> list[Setting]:
    return [setting for declared in settings.CONNECTOR_SETTINGS for setting in declared.needed]


def _secret_key() -> str:
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's answer to an empty one
        return ""


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _key_bytes(key: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        return b""


def _keys_derived_from(secret: str) -> set[bytes]:
    """The keys that recipes on the web derive from a SECRET_KEY when they need 32 bytes."""
    text = secret.encode()
    digests = [hashlib.new(name, text, usedforsecurity=False) for name in ("md5", "sha1", "sha256", "sha512")]
    return (
        {digest.digest()[:32] for digest in digests}
        | {digest.hexdigest()[:32].encode() for digest in digests}
        | {text[:32], text[-32:], text[:32].ljust(32), text[:32].ljust(32, b"0"), text[:32].ljust(32, b"\0")}
    )
