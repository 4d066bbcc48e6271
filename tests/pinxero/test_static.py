"""Static files as production serves them: collected, hashed, and every one that a page names is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.base import Cast


@pytest.fixture
def collected(settings: Any, tmp_path: Path) -> None:
    """Collect with the storage of production. It refuses style sheets that name files which are not there."""
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)


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
