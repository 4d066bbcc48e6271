"""Static files as production serves them: collected, hashed, and every one that a page names is there."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.base import Cast


@pytest.fixture
def collected(settings: Any, tmp_path: Path) -> Path:
    """Collect with the storage of production. It refuses style sheets that name files which are not there."""
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "pinxero.requests.static_files.HashedStaticFiles"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


@pytest.mark.usefixtures("collected")
def test_every_page_finds_its_hashed_static_files(cast: Cast, client: Client) -> None:
    # The manifest raises for a name that was not collected, so a page that names one cannot be answered with 200.
    login = client.get(reverse("account_login"))
    assert login.status_code == 200
    client.force_login(cast.builder)
    for name in ("admin:index", "workflows", "new_workflow", "runs", "connections"):
        assert client.get(reverse(name)).status_code == 200, name
    superuser = User.objects.create_superuser("root", "root@acme.example", "correct horse battery staple")
    client.force_login(superuser)
    for name in ("admin:auth_user_changelist", "admin:auth_user_add"):
        page = client.get(reverse(name))
        assert page.status_code == 200, name
    assert "/static/unfold/css/styles.css" not in page.content.decode(), "the files are named by their hash"


_MODULES = list(Path("pinxero/static/pinxero/pages").rglob("*.js"))
#: Names of keys and of kinds of input, as browsers call them.
_KEYS = {"ArrowDown", "ArrowLeft", "ArrowRight", "Backspace", "Enter", "Escape", "Forward", "Tab"}
_IMPORT = re.compile(r"""^import\b[^"']*["']([^"']+)["'];""", re.MULTILINE)


def _address(cast: Cast, client: Client) -> str:
    client.force_login(cast.builder)
    page = client.get(reverse("workflows")).content.decode()
    (address,) = re.findall(r'<script type="module" src="/static/([^"]+)"></script>', page)
    return str(address)


def test_modules_are_imported_by_their_hashed_names(collected: Path, cast: Cast, client: Client) -> None:
    hashed = set(json.loads((collected / "staticfiles.json").read_text())["paths"].values())
    todo, seen = [_address(cast, client)], set[str]()
    while todo:
        name = todo.pop()
        assert name in hashed
        seen.add(name)
        imported = {
            os.path.normpath(Path(name).parent / each) for each in _IMPORT.findall((collected / name).read_text())
        }
        todo += imported - seen
    assert {Path(name).name.split(".")[0] for name in seen} == {path.stem for path in _MODULES}, "every one is reached"


def test_pages_run_no_inline_script(cast: Cast, client: Client) -> None:
    client.force_login(cast.builder)
    response = client.get(reverse("workflows"))
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", response.content.decode()) == []
    (policy,) = [each for each in response["Content-Security-Policy"].split("; ") if each.startswith("script-src")]
    assert policy == "script-src 'self' 'unsafe-eval'"


def test_modules_have_no_words_for_people() -> None:
    found = []
    for path in _MODULES:
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        texts = re.findall(r'"([^"\n]*)"|`([^`\n]*)`', code)
        found += [text for pair in texts for text in pair if re.search(r"^[A-Z][a-z]|^[a-z]+ [a-z]+", text)]
    assert set(found) <= _KEYS
