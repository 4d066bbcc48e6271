"""What the encrypted field gives away beside the database: nothing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from integrations.models import Grant
from tests.base import Cast, make_connection

pytestmark = pytest.mark.django_db


def test_a_dump_of_the_data_holds_no_token_and_loads_without_any(cast: Cast, tmp_path: Path) -> None:
    grant = make_connection(cast.team, "xero", external_id="one", name="One").grant
    grant.access_token, grant.refresh_token = "an-access-token", "a-refresh-token"
    grant.save()
    told = io.StringIO()
    call_command("dumpdata", "integrations", stdout=told)
    assert '"model": "integrations.grant"' in told.getvalue()
    assert "an-access-token" not in told.getvalue()
    assert "a-refresh-token" not in told.getvalue()
    path = tmp_path / "dump.json"
    call_command("dumpdata", "integrations.grant", output=str(path), verbosity=0)
    call_command("loaddata", str(path), verbosity=0)
    loaded = Grant.objects.get(pk=grant.pk)
    assert (loaded.access_token, loaded.refresh_token) == ("", "")
