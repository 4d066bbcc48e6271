"""Production refuses to start when it is unsafe: every check by its id, and the real entrances."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import run_checks
from django.core.management.base import SystemCheckError

from pinxero.checks import TAG, refuse_when_unsafe

ROOT = Path(__file__).resolve().parents[2]
SECRET = secrets.token_urlsafe(64)
CLIENTS = {needed.name: "1" for declared in settings.CONNECTOR_SETTINGS for needed in declared.needed}
GOOD: dict[str, Any] = {
    "PINXERO_MODE": "production",
    "IS_PRODUCTION": True,
    "DEBUG": False,
    "SECRET_KEY": SECRET,
    "TOKEN_KEYS": [Fernet.generate_key().decode()],
    "ALLOWED_HOSTS": ["pinxero.example.com"],
    "BASE_URL": "https://pinxero.example.com",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "TIME_SCALE": 1.0,
    "SAFETIES_OFF": [],
    "SECOND_FACTOR_FOR": ["superuser", "approver", "administrator"],
    **CLIENTS,
}


Change = Callable[..., None]


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> Change:
    """Settings as of a good production, and the function that changes some of them.

    They are set without Django's signals: the checks only read them, nothing is to be loaded anew.
    """

    def change(**values: Any) -> None:
        for name, value in values.items():
            monkeypatch.setattr(settings, name, value)

    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)
    change(**GOOD)
    return change


def found() -> list[str]:
    return sorted(str(finding.id) for finding in run_checks(tags=[TAG]))


def test_good_production_settings_find_nothing_to_complain_about(production: Change) -> None:
    assert found() == []
    refuse_when_unsafe()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PINXERO_MODE", "prod", "pinxero.E001"),
        ("DEBUG", True, "pinxero.E002"),
        ("SECRET_KEY", "", "pinxero.E003"),
        ("SECRET_KEY", "a-short-one", "pinxero.E004"),
        ("SECRET_KEY", "ab" * 40, "pinxero.E004"),
        ("SECRET_KEY", "django-insecure-" + SECRET, "pinxero.E004"),
        ("TOKEN_KEYS", [], "pinxero.E005"),
        ("TOKEN_KEYS", ["not a key"], "pinxero.E006"),
        ("TOKEN_KEYS", [Fernet.generate_key().decode(), ""], "pinxero.E006"),
        ("TOKEN_KEYS", [base64.urlsafe_b64encode(hashlib.sha256(SECRET.encode()).digest()).decode()], "pinxero.E007"),
        ("TOKEN_KEYS", [base64.urlsafe_b64encode(SECRET.encode()[:32]).decode()], "pinxero.E007"),
        ("ALLOWED_HOSTS", [], "pinxero.E008"),
        ("ALLOWED_HOSTS", ["pinxero.example.com", "*"], "pinxero.E008"),
        ("DATABASES", {"default": {"ENGINE": "django.db.backends.sqlite3"}}, "pinxero.E009"),
        ("XERO_API_BASE", "http://api.xero.com", "pinxero.E010"),
        ("XERO_API_BASE", "https://api.xero.com.evil.example", "pinxero.E010"),
        ("XERO_IDENTITY_BASE", "https://user@identity.xero.com", "pinxero.E010"),
        ("XERO_LOGIN_BASE", "http://127.0.0.1:8001", "pinxero.E010"),
        ("PINTEREST_API_BASE", "https://api.pinterest.com:8443/v5", "pinxero.E010"),
        ("PINTEREST_OAUTH_BASE", "https://pinterest.example", "pinxero.E010"),
        ("SAFETIES_OFF", ["lookup"], "pinxero.E012"),
        ("TIME_SCALE", 20.0, "pinxero.E013"),
        ("BASE_URL", "http://pinxero.example.com", "pinxero.E014"),
        ("INSTALLED_APPS", ["integrations.sandbox.apps.SandboxConfig"], "pinxero.E015"),
        ("XERO_WEBHOOK_KEYS", ["too-short"], "pinxero.E017"),
        ("HTTP_REQUEST_HOSTS", ["api.example.com", "*"], "pinxero.E018"),
        ("HTTP_REQUEST_HOSTS", ["127.1"], "pinxero.E018"),
        ("OUTSIDE_PRIVATE_HOSTS", ["erp.internal/path"], "pinxero.E018"),
        ("OUTSIDE_PRIVATE_HOSTS", ["http://127.0.0.1:8080"], "pinxero.E019"),
        ("OUTSIDE_PRIVATE_HOSTS", ["http://localhost:8080"], "pinxero.E019"),
        ("OUTSIDE_PRIVATE_HOSTS", ["http://[::1]"], "pinxero.E019"),
        ("OUTSIDE_PRIVATE_HOSTS", ["http://169.254.169.254"], "pinxero.E019"),
        ("OUTSIDE_PRIVATE_HOSTS", ["http://metadata.google.internal"], "pinxero.E019"),
        ("HTTP_REQUEST_SECRETS", {"erp": "Bearer abc"}, "pinxero.E020"),
        ("SECOND_FACTOR_FOR", ["superuser", "approver", "administrator", "approvers"], "pinxero.E021"),
        ("SECOND_FACTOR_FOR", [], "pinxero.W005"),
        ("OIDC_SERVER_URL", "http://login.example.com", "pinxero.E022"),
        ("OIDC_GROUPS", {"finance": "builder"}, "pinxero.E023"),
        ("OIDC_GROUPS", [{"group": "finance", "team": "Acme", "role": "owner"}], "pinxero.E023"),
        ("OIDC_GROUPS", [{"group": "finance", "role": "builder"}], "pinxero.E023"),
        ("SECOND_FACTOR_FOR", ["builder", "auditor", "superuser"], "pinxero.W005"),
        ("SECOND_FACTOR_FOR", ["approver"], "pinxero.W005"),
        ("HTTP_REQUEST_SECRETS", {"Erp!": {"host": "erp.example.com", "value": "a"}}, "pinxero.E020"),
        ("HTTP_REQUEST_SECRETS", {"erp": {"host": "*", "value": "a"}}, "pinxero.E020"),
        ("HTTP_REQUEST_SECRETS", {"erp": {"host": "erp.example.com", "value": "a\nb"}}, "pinxero.E020"),
        ("OUTSIDE_PRIVATE_HOSTS", ["https://erp.internal", "http://10.1.2.3:8080"], "pinxero.W004"),
        ("XERO_CLIENT_SECRET", "", "pinxero.W001"),
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "pinxero.W002"),
    ],
)
def test_one_unsafe_setting_is_one_finding(production: Change, name: str, value: Any, expected: str) -> None:
    production(**{name: value})
    assert found() == [expected]


def test_a_key_that_is_the_secret_key_itself_is_refused(production: Change) -> None:
    production(SECRET_KEY=SECRET, TOKEN_KEYS=[Fernet.generate_key().decode(), SECRET])
    assert found() == ["pinxero.E006", "pinxero.E007"]


def test_insecure_transport_for_tokens_is_refused(production: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    assert found() == ["pinxero.E011"]


def test_a_stated_yes_lets_sqlite_into_production(production: Change) -> None:
    production(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3"}}, ALLOW_SQLITE=True)
    assert found() == []


def test_development_with_the_real_providers_is_warned_about_and_refused_with_debug(production: Change) -> None:
    production(PINXERO_MODE="development", IS_PRODUCTION=False)
    assert found() == ["pinxero.W003"]
    production(DEBUG=True)
    assert found() == ["pinxero.E016"]


def test_development_with_the_sandbox_may_use_debug(production: Change) -> None:
    production(PINXERO_MODE="development", IS_PRODUCTION=False, DEBUG=True)
    hosts = [host.name for declared in settings.CONNECTOR_SETTINGS for host in declared.hosts]
    production(**dict.fromkeys(hosts, "http://127.0.0.1:8001"))
    assert found() == []


def test_a_refusal_names_every_finding_and_what_to_do(production: Change) -> None:
    production(SECRET_KEY="", BASE_URL="http://pinxero.example.com")
    with pytest.raises(SystemCheckError) as refusal:
        refuse_when_unsafe()
    assert str(refusal.value).splitlines() == [
        "Pinxero does not start:",
        "?: (pinxero.E003) SECRET_KEY is missing: sessions and queue messages could not be signed.",
        '\tHINT: Make one with: python -c "import secrets; print(secrets.token_urlsafe(64))"',
        "?: (pinxero.E014) BASE_URL is 'http://pinxero.example.com', which is no https address: sign-in and consents"
        " would be readable.",
        "\tHINT: Set it to the address people type, as BASE_URL=https://pinxero.example.com.",
    ]


# --- the real entrances ---------------------------------------------------------------------------------------------


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in the environment of a good production, changed by `environment`."""
    good = {
        "PATH": os.environ["PATH"],
        "PINXERO_ENV_FILE": "no-such-file",
        "SECRET_KEY": SECRET,
        "TOKEN_KEYS": GOOD["TOKEN_KEYS"][0],
        "BASE_URL": "https://pinxero.example.com",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "EMAIL_URL": "submission://user:password@mail.example.com:587",
        **CLIENTS,
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={name: value for name, value in {**good, **environment}.items() if value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_djangos_deployment_checks_are_clean_on_good_settings() -> None:
    outcome = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (outcome.returncode, outcome.stdout) == (0, "System check identified no issues (0 silenced).\n")


@pytest.mark.parametrize("command", ["worker", "cluster", "migrate"])
def test_a_command_refuses_unsafe_production_before_it_does_anything(command: str, tmp_path: Path) -> None:
    database = tmp_path / "database.sqlite3"
    outcome = run(
        "manage.py", command, ALLOWED_HOSTS="*", DATABASE_URL=f"sqlite:///{database}", PINXERO_ALLOW_SQLITE="1"
    )
    assert outcome.returncode == 1
    assert "(pinxero.E008) ALLOWED_HOSTS is empty or lets any host name in" in outcome.stderr
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_the_web_servers_entrance_refuses_an_empty_environment() -> None:
    outcome = run("-c", "import pinxero.wsgi", SECRET_KEY="", TOKEN_KEYS="", DATABASE_URL="", BASE_URL="")
    assert outcome.returncode == 1
    for expected in ("E003", "E005", "E009", "E014"):
        assert f"(pinxero.{expected})" in outcome.stderr


def test_the_web_servers_entrance_opens_on_good_settings() -> None:
    outcome = run("-c", "import pinxero.wsgi")
    assert (outcome.returncode, outcome.stdout) == (0, "")


def test_a_mail_address_of_an_unknown_kind_is_named() -> None:
    outcome = run("manage.py", "check", EMAIL_URL="pigeon://mail.example.com")
    assert outcome.returncode == 1
    assert "EMAIL_URL has to begin with smtp://" in outcome.stderr


def test_mails_can_be_written_into_a_folder(tmp_path: Path) -> None:
    outcome = run(
        "manage.py",
        "shell",
        "-v0",
        "-c",
        "from django.core.mail import send_mail; send_mail('Hello', 'text', None, ['a@b.example'])",
        EMAIL_URL=f"file://{tmp_path / 'mails'}",
        PINXERO_MODE="development",
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "Subject: Hello" in next((tmp_path / "mails").iterdir()).read_text()
