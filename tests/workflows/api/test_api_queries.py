"""What stands in the address of a call of the API is understood or refused, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from tests.base import Cast
from tests.workflows.api.test_api import Caller, token_of
from tests.workflows.conftest import Make
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, started_by
from workflows.models import Event, Run, Workflow


@pytest.fixture
def workflow(provider: scripted.Provider, cast: Cast, make_workflow: Make) -> Iterator[Workflow]:
    with override_settings(CONNECTORS=CONNECTORS):
        yield started_by(cast, make_workflow, "start.api")


@pytest.mark.parametrize(
    ("address", "name", "said"),
    [
        ("runs/?workflow=Oak", "workflow", "It takes a whole number from 1 to 9223372036854775807; this is “Oak”."),
        ("runs/?workflow=", "workflow", "It takes a whole number from 1 to 9223372036854775807; this is “”."),
        ("runs/?workflow=1e3", "workflow", "It takes a whole number from 1 to 9223372036854775807; this is “1e3”."),
        ("runs/?workflow=9223372036854775808", "workflow", "this is “9223372036854775808”."),
        ("runs/?workflow=1&workflow=2", "workflow", "It is given more than once. Give it only once."),
        ("runs/?status=Failed", "status", "needs_review, crashed, cancelled; this is “Failed”."),
        (
            "runs/?state=failed",
            "state",
            "This address does not know “state”. It takes: cursor, page_size, status",
        ),
        ("runs/?page=2", "page", "This address does not know “page”."),
        ("runs/?page_size=201", "page_size", "It takes a whole number from 1 to 200; this is “201”."),
        ("runs/?page_size=all", "page_size", "It takes a whole number from 1 to 200; this is “all”."),
        ("runs/?cursor=abc", "cursor", "This cursor is not valid. Use the addresses given as next and previous."),
        ("workflows/?name=Oak", "name", "This address does not know “name”. It takes: cursor, page_size."),
        ("workflows/1/?expand=1", "expand", "This address does not know “expand”. It takes no parameters."),
    ],
)
def test_what_an_address_asks_for_and_nobody_knows_is_refused_instead_of_passed_over(
    cast: Cast, workflow: Workflow, address: str, name: str, said: str
) -> None:
    answer = Caller(token_of(cast)).get(address)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "The address cannot be read."
    assert list(answer.json()["problems"]) == [name]
    assert said in answer.json()["problems"][name]


def test_values_in_the_address_of_a_start_are_refused_and_nothing_starts(cast: Cast, workflow: Workflow) -> None:
    caller = Caller(token_of(cast))
    answer = caller.client.post(
        f"/api/workflows/{workflow.pk}/start/?title=Oak", b"{}", content_type="application/json"
    )
    assert answer.status_code == 400
    assert "title" in answer.json()["problems"]
    assert not Run.objects.exists()
    assert not Event.objects.exists()
