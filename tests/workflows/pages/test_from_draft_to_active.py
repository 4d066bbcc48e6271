"""From a saved trigger to a workflow that listens: what is next is offered, and two decisions may be made at once."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Connection
from tests.base import Cast
from tests.world import BOARD, World, make_workflow, make_world
from workflows.models import Workflow


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


@pytest.fixture
def complete(world: World, cast: Cast) -> Workflow:
    """A complete workflow that was never published."""
    return make_workflow(cast, world.pinterest, world.xero, name="Pins to invoices")


def _publish(builder: Client, workflow: Workflow, **more: str) -> str:
    address = reverse("publish_workflow", args=[workflow.pk])
    answer = builder.post(address, {"unpreviewed": "on", **more}, follow=True)
    workflow.refresh_from_db()
    return str(answer.content.decode())


def test_a_saved_trigger_leads_to_the_first_step_and_later_back_to_the_workflow(builder: Client, world: World) -> None:
    typed = {"connection": world.pinterest.pk, "in.board_id": BOARD, "interval_minutes": "5"}
    for workflow, page in ((world.draft, "new_step"), (world.workflow, "workflow")):
        answer = builder.post(reverse("workflow_trigger", args=[workflow.pk]), typed)
        assert answer["Location"] == reverse(page, args=[workflow.pk])


def test_publishing_is_not_what_a_workflow_without_steps_needs_next(
    builder: Client, world: World, complete: Workflow
) -> None:
    for workflow, is_next in ((world.draft, False), (complete, True)):
        text = builder.get(reverse("workflow", args=[workflow.pk])).content.decode()
        link = f'px-button--primary" href="{reverse("publish_workflow", args=[workflow.pk])}"'
        assert (link in text) is is_next


def test_a_workflow_is_published_and_switched_on_at_once(builder: Client, complete: Workflow) -> None:
    address = reverse("publish_workflow", args=[complete.pk])
    assert "its first check only records what is already there" in builder.get(address).content.decode()
    text = _publish(builder, complete, switch_on="on", note="First")
    assert complete.status == Workflow.Status.ACTIVE
    assert complete.published is not None
    assert complete.published.note == "First"
    assert "Version 1 is published." in text
    assert "Pins to invoices is active. It first records what is already there." in text


def test_publishing_alone_switches_nothing_on(builder: Client, complete: Workflow) -> None:
    _publish(builder, complete)
    assert (complete.status, complete.published is not None) == (Workflow.Status.DRAFT, True)


def test_what_cannot_be_published_is_not_switched_on(builder: Client, complete: Workflow) -> None:
    answer = builder.post(reverse("publish_workflow", args=[complete.pk]), {"switch_on": "on"})
    assert "tick this to publish all the same" in answer.content.decode()
    complete.refresh_from_db()
    assert (complete.status, complete.published) == (Workflow.Status.DRAFT, None)


def test_what_was_published_but_cannot_be_switched_on_says_why_where_it_is_tried_again(
    builder: Client, world: World, complete: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "is_usable", False)
    text = _publish(builder, complete, switch_on="on")
    assert (complete.status, complete.published is not None) == (Workflow.Status.DRAFT, True)
    assert "Version 1 is published." in text
    assert "It is not switched on yet. Acme pins is not connected." in text
    assert "Switch on Pins to invoices?" in text


def test_an_active_workflow_is_only_published(builder: Client, world: World) -> None:
    text = builder.get(reverse("publish_workflow", args=[world.workflow.pk])).content.decode()
    assert "switch_on" not in text
    _publish(builder, world.workflow, switch_on="on")
    assert world.workflow.status == Workflow.Status.ACTIVE
