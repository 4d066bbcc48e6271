"""A connector in a package of its own, which no line of Pinxero names: all that it declares is in force.

Settings are read once in a process, so each question is put to a process of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.source import ROOT

FILES = {
    "acme/__init__.py": "",
    "acme/settings.py": """
from integrations.framework.connector_settings import ConnectorSettings, Host, Setting

DECLARED = ConnectorSettings(
    key="acme",
    hosts=(
        Host("ACME_API_BASE", "https://api.acme.example/v1"),
        Host("ACME_LOGIN_BASE", "https://login.acme.example", asks_consent=True),
    ),
    settings=(
        Setting("ACME_CLIENT_ID", is_needed=True),
        Setting("ACME_CLIENT_SECRET", is_needed=True, is_secret=True),
        Setting("ACME_SIGNING_KEYS", (), is_secret=True, least_length=20),
        Setting("ACME_SCOPES", ("read", "write")),
        Setting("ACME_DAY_LIMIT", 500),
        Setting("ACME_IS_FAST", True),
    ),
    file_hosts=("files.acme.example",),
)
""",
    "acme/connector.py": """
import os
from datetime import datetime

from django.conf import settings

from integrations.framework.base import Action, Connector, Effect
from integrations.transport.http import ApiClient
from integrations.transport.token_set import OAuthEndpoints


class GetThing(Action):
    \"\"\"Read a thing.\"\"\"

    key = "get_thing"
    name = "Get thing"
    effect = Effect.READS
    sample = {"id": "1"}


class AcmeConnector(Connector):
    key = "acme"
    name = "Acme"
    account_noun = "account"
    client_class = ApiClient
    kept_headers = frozenset({"acme-request-id"})
    date_forms = (lambda text: datetime.strptime(text, "@%Y@%m@%d") if text.startswith("@") else None,)
    operations = (GetThing,)

    def oauth(self):
        base = os.environ.get("UNDECLARED_BASE", settings.ACME_API_BASE)
        return OAuthEndpoints(f"{base}/token", settings.ACME_CLIENT_ID, settings.ACME_CLIENT_SECRET)


connector = AcmeConnector()
""",
    "site_with_acme.py": """
from integrations import connectors

connectors.CONNECTORS.append("acme")
from pinxero.settings import *
""",
}
SECRET, KEY = "acme-secret-7f3d2c", "acme-signing-key-0123456789"
#: A good production; a client id and secret for every connector.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "site_with_acme",
    "PINXERO_ENV_FILE": "no-such-file",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "TOKEN_KEYS": Fernet.generate_key().decode(),
    "BASE_URL": "https://pinxero.example.com",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "EMAIL_URL": "submission://user:password@mail.example.com:587",
    **{name: value for name, value in os.environ.items() if name.endswith(("_CLIENT_ID", "_CLIENT_SECRET"))},
    "ACME_CLIENT_ID": "acme-app",
    "ACME_CLIENT_SECRET": SECRET,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    values = {**ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{folder}", **environment}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=values, capture_output=True, text=True, timeout=120, check=False
    )


def asked(folder: Path, question: str, **environment: str) -> tuple[Any, str]:
    """What a program prints as JSON once Django is set up, and what it logs."""
    program = f"import json, logging, django\ndjango.setup()\nfrom django.conf import settings\n{question}"
    values = {"PINXERO_MODE": "development", "DATABASE_URL": "sqlite://:memory:", "EMAIL_URL": "console://"}
    outcome = run(folder, "-c", program, **values, **environment)
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout), outcome.stderr


def test_its_settings_are_read_by_their_kinds_and_fall_back_on_their_defaults(folder: Path) -> None:
    names = ["API_BASE", "CLIENT_ID", "SIGNING_KEYS", "SCOPES", "DAY_LIMIT", "IS_FAST"]
    question = f"print(json.dumps([getattr(settings, 'ACME_' + name) for name in {names}]))"
    usual, _ = asked(folder, question)
    assert usual == ["https://api.acme.example/v1", "acme-app", [], ["read", "write"], 500, True]
    given = {
        "API_BASE": "http://127.0.0.1:1/",
        "SIGNING_KEYS": "a,b",
        "SCOPES": "read",
        "DAY_LIMIT": "7",
        "IS_FAST": "0",
    }
    changed, _ = asked(folder, question, **{f"ACME_{name}": value for name, value in given.items()})
    assert changed == ["http://127.0.0.1:1", "acme-app", ["a", "b"], ["read"], 7, False]


def test_it_shows_on_pages_in_development_and_in_what_the_engine_keeps(folder: Path) -> None:
    question = """
from integrations.core import moments
from integrations.framework import registry
from integrations.transport.http import Response
from pinxero import navigation
from pinxero.development import environment
from workflows.engine import step_support
from workflows.models import StepRun

step_run = StepRun(operation="acme.get_thing")
headers = {"acme-request-id": "r-1", "set-cookie": "c", "x-pinterest-rid": "p", "date": "d"}
step_support.attempt(step_run, "read", "answered", response=Response(200, headers))
print(json.dumps({
    "kept": step_run.response_headers,
    "moment": str(moments.read("@2026@11@30")),
    "is_sandbox": navigation.is_sandbox(),
    "needed": [name for name in environment.CLIENTS if name.startswith("ACME")],
    "origins": settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"],
    "files": settings.FILE_LINK_HOSTS,
}))
"""
    found, _ = asked(folder, question)
    assert found == {
        "kept": {"acme-request-id": "r-1", "date": "d"},
        "moment": "2026-11-30 00:00:00",
        "is_sandbox": False,
        "needed": ["ACME_CLIENT_ID", "ACME_CLIENT_SECRET"],
        "origins": ["'self'", "https://login.acme.example", "https://login.xero.com", "https://www.pinterest.com"],
        "files": ["*.pinimg.com", "files.acme.example"],
    }
    stood_in, _ = asked(folder, question, ACME_API_BASE="http://127.0.0.1:1")
    assert stood_in["is_sandbox"] is True


def test_its_secrets_are_masked_in_every_line_of_the_log(folder: Path) -> None:
    question = """
log = logging.getLogger("acme")
log.warning("The secret %s and the keys %s", settings.ACME_CLIENT_SECRET, settings.ACME_SIGNING_KEYS)
try:
    raise ValueError(f"refused: {settings.ACME_CLIENT_SECRET}")
except ValueError:
    log.exception("It failed.")
print("null")
"""
    _, logged = asked(folder, question, ACME_SIGNING_KEYS=KEY)
    assert "WARNING acme: The secret [secret] and the keys ['[secret]']" in logged
    assert "ValueError: refused: [secret]" in logged
    assert SECRET not in logged
    assert KEY not in logged


def test_its_operations_are_listed(folder: Path) -> None:
    listed = run(folder, "manage.py", "operations", "--markdown")
    assert "| `acme.get_thing` | action, reads | Read a thing. |" in listed.stdout.splitlines()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"ACME_API_BASE": "http://api.acme.example/v1"},
            "?: (pinxero.E010) ACME_API_BASE is 'http://api.acme.example/v1': production sends tokens to "
            "https://api.acme.example only.",
        ),
        (
            {"ACME_LOGIN_BASE": "https://login.acme.example.evil.example"},
            "?: (pinxero.E010) ACME_LOGIN_BASE is 'https://login.acme.example.evil.example': production sends tokens "
            "to https://login.acme.example only.",
        ),
        (
            {"UNDECLARED_BASE": "http://api.acme.example"},
            "?: (pinxero.E010) Acme would send its secret to 'http://api.acme.example/token', which is no host that "
            "its connector declares.",
        ),
        (
            {"ACME_SIGNING_KEYS": f"{KEY},short"},
            "?: (pinxero.E017) ACME_SIGNING_KEYS holds something too short to be a key of the provider's, at place 2.",
        ),
    ],
)
def test_production_refuses_what_is_unsafe_in_its_settings(
    folder: Path, environment: dict[str, str], expected: str
) -> None:
    refused = run(folder, "manage.py", "check", **environment)
    assert refused.returncode == 1
    assert [line for line in refused.stderr.splitlines() if line.startswith("?: ")] == [expected]


def test_production_accepts_it_as_it_is_declared_and_says_what_nobody_can_connect_without(folder: Path) -> None:
    good = run(folder, "manage.py", "check", "--fail-level", "WARNING")
    assert (good.returncode, good.stderr) == (0, "")
    missing = run(folder, "manage.py", "check", ACME_CLIENT_SECRET="")
    assert "(pinxero.W001) Nobody can connect yet: ACME_CLIENT_SECRET missing." in missing.stderr
