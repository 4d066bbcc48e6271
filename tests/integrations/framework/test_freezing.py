"""Freezing an organisation: by a builder with a reason, seen on its page, taken back by a button."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import CallBudget, Connection
from tests.base import Cast, make_connection


@pytest.fixture
def connection(cast: Cast) -> Connection:
    return make_connection(cast.team, "xero", name="Acme Ltd")


def test_a_builder_freezes_with_a_reason_and_thaws(cast: Cast, client: Client, connection: Connection) -> None:
    client.force_login(cast.builder)
    path = reverse("freeze", args=[connection.pk])
    assert "Say why; it is shown with every run that waits." in client.post(path, {"reason": " "}).content.decode()
    connection.refresh_from_db()
    assert connection.frozen_at is None
    text = client.post(path, {"reason": "Month end"}, follow=True).content.decode()
    connection.refresh_from_db()
    assert (connection.frozen_by, connection.freeze_reason) == (cast.builder, "Month end")
    assert "Nothing may be written to it" in text
    assert "Month end" in text
    since = connection.frozen_at
    client.post(path, {"reason": "Again"})
    connection.refresh_from_db()
    assert (connection.frozen_at, connection.freeze_reason) == (since, "Month end"), "the first word counts"
    client.post(reverse("thaw", args=[connection.pk]))
    connection.refresh_from_db()
    assert (connection.frozen_at, connection.frozen_by, connection.freeze_reason) == (None, None, "")


def test_an_outage_is_told_on_the_connection_and_in_the_list(
    cast: Cast, client: Client, connection: Connection
) -> None:
    CallBudget.objects.create(connection=connection, down_since=timezone.now(), down_reason="it answered 503")
    client.force_login(cast.auditor)
    for path in (reverse("connection", args=[connection.pk]), reverse("connections"), reverse("admin:index")):
        text = client.get(path).content.decode()
        assert "has not answered since today" in text, path
    assert "it answered 503" in client.get(reverse("connection", args=[connection.pk])).content.decode()
