"""A run that waits for approval, as its page shows it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.base import Cast, sign_in_recently
from tests.workflows.conftest import Make, drain, start, the_run
from tests.workflows.scripted.connector import Provider
from workflows.approvals import deciding
from workflows.models import PolicyVersion
from workflows.runs.available_actions import available_actions

from .conftest import the_request

pytestmark = pytest.mark.django_db


def test_its_page_says_what_it_waits_for_and_that_nothing_was_sent(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast, client: Client
) -> None:
    start(provider, make_workflow)
    drain()
    sign_in_recently(client, cast.builder)
    page = client.get(f"/runs/{the_run().pk}/").content.decode()
    assert "It waits for 1 approval." in page
    assert "Exactly what would be sent" in page
    assert "Exactly what was sent" not in page
    request = the_request()
    deciding.approve(request, by=cast.approver, shown=request.fingerprint)
    drain()
    assert "Exactly what was sent" in client.get(f"/runs/{the_run().pk}/").content.decode()


def test_nobody_sends_it_on_its_way_past_its_approval(
    provider: Provider, make_workflow: Make, policy: PolicyVersion
) -> None:
    start(provider, make_workflow)
    drain()
    assert [each.key for each in available_actions(the_run())] == ["cancel"]
