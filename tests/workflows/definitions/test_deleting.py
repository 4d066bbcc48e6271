"""A deleted step can be put back: itself, all inside it, and what referred to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.base import Cast
from tests.world import World
from workflows.definitions import compiler, editing
from workflows.definitions.changes import deleting
from workflows.definitions.editing import EditError
from workflows.definitions.tree import Place
from workflows.models import Condition, DeletedStep, Mapping, Step, Workflow


@pytest.fixture
def draft(world: World) -> Workflow:
    """Values, a branch with a path that has conditions and a step, and a stop at the end."""
    workflow = world.draft
    editing.save_kind(workflow, None, kind="format", name="Values", settings={}, sources={"total": "1.50"})
    branch = editing.add_branch(workflow, name="How large?", paths=1, has_otherwise=True)
    path = branch.children.get(position=1)
    row = {"left": "{{ steps.format.total }}", "type": "text", "operator": "contains", "right": "1"}
    tree = {"group": "all", "items": [row, {"group": "not", "items": [row]}]}
    editing.save_conditions(workflow, path, tree, name="Large")
    note: editing.Sources = {"text": "{{ steps.format.total }} {{ 'é' }} <b>"}
    editing.save_kind(workflow, None, kind="note", name="Note", settings={}, sources=note, place=Place(path))
    editing.save_kind(workflow, None, kind="stop", name="Done", settings={"as": "succeeded"}, sources={})
    return workflow


def _rows(workflow: Workflow) -> list[object]:
    own = {"step__workflow": workflow}
    return [
        list(workflow.steps.order_by("pk").values()),
        list(Mapping.objects.filter(**own).order_by("pk").values()),
        list(Condition.objects.filter(**own).order_by("pk").values()),
    ]


@pytest.mark.parametrize("key", ["format", "branch", "path", "path_2", "note", "stop"])
def test_a_step_that_is_put_back_is_as_it_was_to_the_last_row(draft: Workflow, cast: Cast, key: str) -> None:
    before, plan = _rows(draft), compiler.compile_plan(draft)
    deleting.delete_step(draft.steps.get(key=key), by=cast.builder)
    assert _rows(draft) != before
    deleting.put_back(draft)
    assert _rows(draft) == before
    assert compiler.compile_plan(draft) == plan
    with pytest.raises(EditError, match="nothing to put back"):
        deleting.put_back(draft)


def test_where_its_neighbour_went_too_it_comes_to_the_end(draft: Workflow, cast: Cast) -> None:
    deleting.delete_step(draft.steps.get(key="format"), by=cast.builder)
    draft.steps.get(key="branch").delete()
    assert deleting.put_back(draft).position == 2


def test_only_the_last_one_and_for_an_hour(draft: Workflow, cast: Cast) -> None:
    deleting.delete_step(draft.steps.get(key="format"), by=cast.builder)
    deleting.delete_step(draft.steps.get(key="stop"), by=cast.builder)
    assert [each.name for each in DeletedStep.objects.all()] == ["Done"]
    DeletedStep.objects.update(deleted_at=timezone.now() - deleting.KEPT - timedelta(seconds=1))
    assert deleting.last_deleted(draft) is None
    with pytest.raises(EditError):
        deleting.put_back(draft)


def test_it_is_refused_where_its_key_or_its_holder_is_gone(draft: Workflow, cast: Cast) -> None:
    deleting.delete_step(draft.steps.get(key="stop"), by=cast.builder)
    editing.save_kind(draft, None, kind="stop", name="Another", settings={"as": "failed"}, sources={})
    with pytest.raises(EditError, match="Delete that one first"):
        deleting.put_back(draft)
    deleting.delete_step(draft.steps.get(key="note"), by=cast.builder)
    draft.steps.get(key="branch").delete()
    with pytest.raises(EditError, match="the step it was in"):
        deleting.put_back(draft)
    assert Step.objects.filter(workflow=draft).count() == 2


def test_the_page_offers_undo_to_those_who_build(draft: Workflow, cast: Cast, client: Client) -> None:
    client.force_login(cast.builder)
    step = draft.steps.get(key="branch")
    answer = client.post(reverse("delete_step", args=[draft.pk, step.pk]), follow=True)
    undo = reverse("put_back_step", args=[draft.pk])
    assert undo in answer.content.decode()
    auditor = Client()
    auditor.force_login(cast.auditor)
    assert undo not in auditor.get(reverse("workflow", args=[draft.pk])).content.decode()
    answer = client.post(undo)
    assert answer["Location"] == reverse("workflow", args=[draft.pk]) + f"#step-{step.pk}"
    assert undo not in client.get(reverse("workflow", args=[draft.pk])).content.decode()


def test_a_deleted_workflow_comes_back_from_the_list_even_if_it_was_never_published(
    world: World, cast: Cast, client: Client
) -> None:
    client.force_login(cast.builder)
    answer = client.post(reverse("delete_workflow", args=[world.draft.pk]), follow=True)
    undo = reverse("take_back_workflow", args=[world.draft.pk])
    assert undo in answer.content.decode()
    client.post(undo)
    assert Workflow.objects.for_team(world.team).filter(pk=world.draft.pk).exists()
