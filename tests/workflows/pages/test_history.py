"""Deleted workflows and compared versions, as people see them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.base import Cast
from tests.world import World
from workflows.models import Mapping, Run, Workflow
from workflows.publishing import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def quiet(world: World) -> World:
    """The world with a paused workflow whose runs have all come to their end."""
    Run.objects.filter(workflow=world.workflow).update(status="succeeded", wait_reason="")
    Workflow.objects.filter(pk=world.workflow.pk).update(status="paused", listens_to=None)
    return world


def delete(client: Client, workflow: Workflow) -> str:
    return client.post(reverse("delete_workflow", args=[workflow.pk]), follow=True).content.decode()


def test_what_a_deleted_workflow_wrote_can_still_be_read(builder: Client, quiet: World) -> None:
    delete(builder, quiet.workflow)
    listed = [row.pk for row, *_ in builder.get(reverse("workflows")).context["rows"]]
    assert quiet.workflow.pk not in listed
    assert builder.get(reverse("run", args=[quiet.run.pk])).status_code == 200
    assert builder.get(reverse("workflow_version", args=[quiet.workflow.pk, 1])).status_code == 200
    text = builder.get(reverse("workflow", args=[quiet.workflow.pk])).content.decode()
    assert "This workflow was deleted" in text
    assert "builder" in text
    rows = builder.get(reverse("deleted_workflows")).context["rows"]
    assert [row.pk for row in rows] == [quiet.workflow.pk]


def test_an_active_workflow_is_paused_before_it_is_deleted(builder: Client, world: World) -> None:
    Workflow.objects.filter(pk=world.workflow.pk).update(status="active")
    assert "Pause it first" in delete(builder, world.workflow)
    assert Workflow.objects.get(pk=world.workflow.pk).deleted_at is None


def test_a_workflow_with_a_run_under_way_is_not_deleted(builder: Client, quiet: World) -> None:
    Run.objects.filter(pk=quiet.run.pk).update(status="needs_review")
    assert "1 run is still under way or waits for a person" in delete(builder, quiet.workflow)
    assert Workflow.objects.get(pk=quiet.workflow.pk).deleted_at is None


def test_a_deleted_workflow_comes_back_paused(builder: Client, quiet: World) -> None:
    delete(builder, quiet.workflow)
    builder.post(reverse("take_back_workflow", args=[quiet.workflow.pk]))
    back = Workflow.objects.get(pk=quiet.workflow.pk)
    assert (back.deleted_at, back.status) == (None, "paused")


def test_the_name_of_a_deleted_workflow_is_free_and_then_stands_in_the_way_of_taking_it_back(
    builder: Client, cast: Cast, quiet: World
) -> None:
    delete(builder, quiet.workflow)
    Workflow.objects.create(team=cast.team, name=quiet.workflow.name)
    text = builder.post(reverse("take_back_workflow", args=[quiet.workflow.pk]), follow=True).content.decode()
    assert "There is another workflow called" in text
    assert Workflow.objects.get(pk=quiet.workflow.pk).deleted_at is not None


def test_two_versions_are_compared_in_words(builder: Client, cast: Cast, world: World) -> None:
    mapping = Mapping.objects.get(step__workflow=world.workflow, input="reference")
    mapping.value = "Quite another value"
    mapping.save()
    publish.publish(world.workflow, by=cast.builder, note="Year end")
    text = builder.get(reverse("compare_versions", args=[world.workflow.pk])).content.decode()
    assert "From version 1 to version 2" in text
    assert "Year end" in text
    assert "<ins>" in text
    assert "Quite" in text
    path = reverse("compare_versions", args=[world.workflow.pk]) + "?from=2&to=2"
    assert "They are exactly the same." in builder.get(path).content.decode()
    assert builder.get(reverse("compare_versions", args=[world.workflow.pk]) + "?from=99").status_code == 404
