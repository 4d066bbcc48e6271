"""Starting by hand: a form of the values asked for, and running once with what has been there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from tests.base import Cast
from tests.workflows.conftest import Make, settle, start
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, started_by
from workflows.models import Event, Run, Workflow
from workflows.publishing import activation
from workflows.triggers import inbound_webhooks

NONCE = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _with_starts(provider: scripted.Provider) -> Iterator[None]:
    with override_settings(CONNECTORS=CONNECTORS):
        yield


@pytest.fixture
def workflow(cast: Cast, make_workflow: Make) -> Workflow:
    return started_by(cast, make_workflow, "start.manual")


def page_of(workflow: Workflow) -> str:
    return f"/workflows/{workflow.pk}/start/"


def test_the_form_asks_for_what_is_declared_and_starts_once_however_often_it_is_sent(
    cast: Cast, workflow: Workflow, client: Client, provider: scripted.Provider
) -> None:
    client.force_login(cast.builder)
    page = client.get(page_of(workflow)).content.decode()
    for label in ("Title", "Amount", "Paid on", "Sale", "Refund", "This writes for real"):
        assert label in page
    values = {"nonce": NONCE, "in.title": "Oak table", "in.amount": "12.50", "in.kind": "Refund"}
    for _ in range(2):
        answer = client.post(page_of(workflow), values)
        assert answer.status_code == 302
    run = Run.objects.get()
    assert answer.url == f"/runs/{run.pk}/"
    assert run.event.by == cast.builder
    assert "started by builder" in client.get(answer.url).content.decode()
    assert {name: str(value) for name, value in run.event.data.items()} == {
        "title": "Oak table", "amount": "12.50", "paid_on": "None", "kind": "Refund",
    }  # fmt: skip
    settle()
    assert [thing["name"] for thing in provider.books] == ["Oak table"]


def test_what_does_not_fit_is_told_beside_it_and_nothing_starts(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    page = client.post(page_of(workflow), {"nonce": NONCE, "in.title": "", "in.amount": "ten"}).content.decode()
    assert "Title is needed, but nothing was given." in page
    assert "Amount takes a number such as 1250.50" in page
    assert 'value="ten"' in page
    assert NONCE in page
    assert not Run.objects.exists()


def test_a_form_of_a_workflow_that_is_off_or_without_a_nonce_starts_nothing(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    client.force_login(cast.builder)
    assert "out of date" in client.post(page_of(workflow), {"in.title": "Oak"}).content.decode()
    activation.pause(workflow, by=cast.builder)
    page = client.post(page_of(workflow), {"nonce": NONCE, "in.title": "Oak"}).content.decode()
    assert "is not switched on" in page
    assert not Event.objects.exists()


def test_only_builders_of_the_team_may(cast: Cast, workflow: Workflow, client: Client) -> None:
    for person, status in [(cast.auditor, 403), (cast.approver, 403), (cast.outsider, 404)]:
        client.force_login(person)
        assert client.get(page_of(workflow)).status_code == status
        assert client.post(page_of(workflow), {"nonce": NONCE, "in.title": "Oak"}).status_code == status
    assert not Run.objects.exists()


def test_an_app_triggers_workflow_is_run_once_with_the_newest_item_or_the_sample(
    cast: Cast, make_workflow: Make, provider: scripted.Provider, client: Client
) -> None:
    start(provider, make_workflow)
    settle()
    workflow = Workflow.objects.get()
    first = Run.objects.get()
    activation.pause(workflow, by=cast.builder)
    client.force_login(cast.builder)
    page = client.get(page_of(workflow)).content.decode()
    assert "Thing 1" in page
    assert f"It has started run {first.pk} already." in page
    assert "This writes for real" in page
    assert client.post(page_of(workflow), {"nonce": NONCE, "with": str(first.event_id)}).status_code == 302
    again = Run.objects.exclude(pk=first.pk).get()
    assert again.event.data == first.event.data
    assert (again.event.starts, again.event.trigger_state, again.event.connection) == (
        workflow, None, first.event.connection,
    )  # fmt: skip
    settle()
    assert [thing["name"] for thing in provider.books] == ["Thing 1", "Thing 1"]
    assert "Choose what it is to be run with" in client.post(page_of(workflow), {"nonce": NONCE[::-1]}).content.decode()


def test_a_scheduled_workflow_and_one_with_an_address_can_be_run_now(
    cast: Cast, make_workflow: Make, client: Client
) -> None:
    client.force_login(cast.builder)
    clock = started_by(
        cast, make_workflow, "start.schedule", {"how": "daily"}, value="{{ trigger.date }}", name="Clock"
    )
    assert client.post(page_of(clock), {"nonce": NONCE, "with": "now"}).status_code == 302
    assert Run.objects.get(workflow=clock).event.data["timezone"] == "Pacific/Auckland"
    called = started_by(cast, make_workflow, "start.webhook", {}, value="{{ trigger.body.id }}", name="Called")
    assert "The last call" not in client.get(page_of(called)).content.decode()
    hook = inbound_webhooks.hook_of(called)
    hook.sample = {"body": {"id": "7"}, "query": {}, "received_at": ""}
    hook.save()
    assert client.post(page_of(called), {"nonce": NONCE, "with": "last"}).status_code == 302
    assert Run.objects.get(workflow=called).event.data["body"] == {"id": "7"}


def test_a_draft_is_not_run(cast: Cast, make_workflow: Make, client: Client) -> None:
    workflow = make_workflow(is_active=False)
    Workflow.objects.filter(pk=workflow.pk).update(published=None)
    client.force_login(cast.builder)
    assert client.get(page_of(workflow)).status_code == 302
    assert not Run.objects.exists()
