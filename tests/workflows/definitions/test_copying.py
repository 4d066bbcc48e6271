"""Copies: of a workflow as a draft, of a step with all inside it in another workflow."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.base import Cast
from tests.world import World, invoice_sources
from workflows.definitions import compiler, editing, validation
from workflows.definitions.changes import copying
from workflows.definitions.editing import EditError
from workflows.definitions.tree import Place
from workflows.models import Safeguards, Step, Workflow


@pytest.fixture
def draft(world: World) -> Workflow:
    """Values, then a branch whose first path has a condition on them and writes with them."""
    workflow = world.draft
    editing.save_kind(workflow, None, kind="format", name="Values", settings={}, sources={"total": "1"})
    branch = editing.add_branch(workflow, name="How large?", paths=1, has_otherwise=True)
    path = branch.children.get(position=1)
    row = {"left": "{{ steps.format.total }}", "type": "text", "operator": "contains", "right": "1"}
    editing.save_conditions(workflow, path, {"group": "all", "items": [row]}, name="Large")
    sources = {**invoice_sources(), "reference": "{{ steps.format.total }}"}
    step = editing.StepDraft("Write it", "xero.create_invoice", world.xero, sources)
    editing.save_step(workflow, None, step, place=Place(path))
    note: editing.Sources = {"text": "{{ steps.create_invoice.InvoiceID }}"}
    editing.save_kind(workflow, None, kind="note", name="Note", settings={}, sources=note, place=Place(path))
    return workflow


def _other(world: World) -> Workflow:
    return editing.create_workflow(
        world.team, name="Other", operation="pinterest.new_pin", connection=world.pinterest, by=User.objects.all()[0]
    )


def test_a_copied_workflow_is_a_draft_with_all_but_its_past(cast: Cast, world: World) -> None:
    original = world.workflow
    stored = Safeguards.objects.create(
        workflow=original, hold_above=7, notify="people", counts_from=timezone.now(), expected_checked=timezone.now()
    )
    stored.people.add(cast.approver)
    made = copying.copy_workflow(original, by=cast.builder)
    assert made.name == f"Copy of {original.name}"
    assert (made.status, made.published, made.listens_to, made.created_by) == ("draft", None, None, cast.builder)
    assert (made.description, made.interval_minutes) == (original.description, original.interval_minutes)
    assert compiler.compile_plan(made) == compiler.compile_plan(original)
    assert (made.runs.count(), made.versions.count()) == (0, 0)
    guards = made.safeguards
    assert (guards.hold_above, guards.notify, [*guards.people.all()]) == (7, "people", [cast.approver])
    assert (guards.counts_from, guards.expected_checked) == (None, None)
    assert Safeguards.objects.get(workflow=original).pk == stored.pk
    assert copying.copy_workflow(original, by=cast.builder).name == f"Copy of {original.name} (2)"


def test_a_long_name_leaves_room_for_the_words_before_it(cast: Cast, world: World) -> None:
    original = world.draft
    Workflow.objects.filter(pk=original.pk).update(name="N" * 120)
    original.refresh_from_db()
    names = [copying.copy_workflow(original, by=cast.builder).name for _ in range(2)]
    assert names[0] == "Copy of " + "N" * 112
    assert names[1].endswith(" (2)")
    assert len(names[1]) <= 120


def test_a_step_is_copied_with_all_inside_it_and_keeps_its_connections(world: World, draft: Workflow) -> None:
    copy = copying.copy_step(draft.steps.get(key="branch"), _other(world))
    there = {each.key: each for each in copy.workflow.steps.all()}
    assert set(there) == {"branch", "path", "path_2", "create_invoice", "note"}
    assert there["create_invoice"].connection == world.xero
    assert there["create_invoice"].parent == there["path"]
    assert there["note"].mappings.get().value == "{{ steps.create_invoice.InvoiceID }}"
    assert there["path"].conditions.get(kind="comparison").left == "{{ steps.format.total }}"
    assert draft.steps.count() == 6


def test_what_a_copy_takes_from_a_step_that_is_not_there_is_a_problem(world: World, draft: Workflow) -> None:
    copy = copying.copy_step(draft.steps.get(key="create_invoice"), _other(world))
    [problem] = [each for each in validation.problems(copy.workflow) if each.input == "reference"]
    assert problem.step == "create_invoice"


def test_another_step_of_the_same_key_is_not_taken_for_the_one_it_used(world: World, draft: Workflow) -> None:
    other = _other(world)
    editing.save_kind(other, None, kind="loop", name="Loop", settings={"items": "1"}, sources={})
    Step.objects.filter(workflow=other).update(key="format")
    copy = copying.copy_step(draft.steps.get(key="create_invoice"), other)
    reference = copy.mappings.get(input="reference").value
    assert reference == "{{ steps.format_not_copied.total }}"
    assert any(each.input == "reference" for each in validation.problems(other))


def test_within_its_own_workflow_a_copy_goes_on_using_the_same_steps(world: World, draft: Workflow) -> None:
    copy = copying.copy_step(draft.steps.get(key="create_invoice"), draft)
    assert (copy.key, copy.parent) == ("create_invoice_2", None)
    assert copy.mappings.get(input="reference").value == "{{ steps.format.total }}"
    assert draft.steps.filter(parent=None).order_by("position").last() == copy


def test_a_path_is_copied_with_its_branch_only(world: World, draft: Workflow) -> None:
    with pytest.raises(EditError, match="Copy the whole branch"):
        copying.copy_step(draft.steps.get(key="path"), _other(world))
    assert Workflow.objects.get(name="Other").steps.count() == 0


def test_the_pages_copy_and_lead_to_the_copy(client: Client, cast: Cast, world: World, draft: Workflow) -> None:
    client.force_login(cast.builder)
    answer = client.post(reverse("copy_workflow", args=[world.workflow.pk]), follow=True)
    assert answer.context["workflow"].name == f"Copy of {world.workflow.name}"
    step = draft.steps.get(key="branch")
    address = reverse("copy_step", args=[draft.pk, step.pk])
    assert world.workflow in client.get(address).context["targets"]
    answer = client.post(address, {"workflow": world.workflow.pk})
    copy = world.workflow.steps.get(name="How large?")
    assert answer["Location"] == reverse("workflow", args=[world.workflow.pk]) + f"#step-{copy.pk}"
    assert "Choose a workflow." in client.post(address, {"workflow": "999999"}).content.decode()
