"""The button that tries a connection now, in spite of the pause that its provider asked for."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.core.errors import Hold, TemporaryError
from integrations.models import CallBudget, Connection
from integrations.transport import call_budget
from tests.base import Cast, make_connection
from tests.workflows.conftest import Make, drain, settle, start, the_run
from tests.workflows.scripted.connector import Provider

pytestmark = pytest.mark.django_db


def test_try_now_ends_a_pause_and_what_waits_goes_on(
    cast: Cast, provider: Provider, make_workflow: Make, connection: Connection, client: Client
) -> None:
    start(provider, make_workflow)
    provider.script = [TemporaryError("The limit of calls a day is reached.", retry_after=90_000, hold=Hold.BUDGET)]
    drain()
    CallBudget.objects.get_or_create(connection=connection)
    call_budget.block(connection.pk, for_seconds=90_000, reason="The limit of calls a day is reached.")
    assert [the_run().status, the_run().waits_for_id] == ["waiting", connection.pk]
    client.force_login(cast.builder)
    client.post(reverse("try_connection_now", args=[connection.pk]))
    assert CallBudget.objects.get().blocked_until is None
    settle()
    assert [the_run().status, len(provider.books)] == ["succeeded", 1]


def test_the_button_stands_where_calls_pause_and_builders_may_press_it(cast: Cast, client: Client) -> None:
    connection = make_connection(cast.team, "xero")
    CallBudget.objects.create(connection=connection, day_started_at=timezone.now(), day_limit=1000, day_used=1000)
    call_budget.block(connection.pk, for_seconds=90_000, reason="The limit of calls a day is reached.")
    page, button = reverse("connection", args=[connection.pk]), reverse("try_connection_now", args=[connection.pk])
    client.force_login(cast.auditor)
    assert client.post(button).status_code == 403
    assert b"Try now" not in client.get(page).content
    client.force_login(cast.builder)
    assert b"Try now" in client.get(page).content
    answer = client.post(button, follow=True)
    assert b"Nothing waited" in answer.content
    assert b"Try now" not in answer.content
    budget = CallBudget.objects.get()
    assert [budget.blocked_until, budget.blocked_reason, budget.day_used] == [None, "", 0]
