"""Two people, or two tabs, that change the same part of a workflow: the second is told, and overwrites nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, reverse

from integrations.framework.choices import ChoiceList
from integrations.models import Membership, Role
from tests.base import Cast, sign_in_recently
from tests.workflows.pages.editor_forms import FORMS, WAIT, Values, called, condition, wait
from tests.world import BOARD, CONTACT, World, make_world
from workflows import urls
from workflows.definitions import editing, samples
from workflows.definitions.changes import revisions
from workflows.definitions.samples import Found
from workflows.models import InboundHook, SampleItem, Step, Workflow


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, "Bayside Club"), ("GBP", "Pound"), (BOARD, "Tables")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


@pytest.fixture
def second(cast: Cast) -> Client:
    """Another builder of the team, in a browser of theirs."""
    user = User.objects.create(username="second")
    Membership.objects.create(team=cast.team, user=user, role=Role.BUILDER)
    client = Client()
    sign_in_recently(client, user)
    return client


@pytest.fixture
def builder(client: Client, cast: Cast) -> Client:
    """The first builder, who has just signed in: some of the forms want that."""
    sign_in_recently(client, cast.builder)
    return client


def _state(workflow: Workflow) -> str:
    """Everything that people save of it."""
    return revisions.state_of(revisions.rows_of(Workflow.objects.get(pk=workflow.pk)))


def _workflow_at(address: str) -> Workflow:
    return Workflow.objects.get(pk=int(address.split("/")[2]))


def _posted(values: Values, world: World) -> Values:
    if values.get("place") == "at the front":
        return {"place": f"0-{world.workflow.steps.get(kind='filter').pk}"}
    connection = {"connection": world.xero.pk} if "max_attempts" in values else {}
    return {**connection, **({"connection": world.pinterest.pk} if "interval_minutes" in values else {}), **values}


@pytest.mark.parametrize("name", FORMS)
def test_the_second_to_save_is_told_who_was_first_and_sees_both_and_may_then_save(
    name: str, builder: Client, second: Client, cast: Cast, world: World
) -> None:
    form = FORMS[name]
    address = form.address(world)
    workflow = _workflow_at(address)
    opened = builder.get(address).context["revision"]
    assert second.get(address).context["revision"] == opened
    saved = builder.post(address, {**_posted(form.first, world), "_revision": opened})
    assert saved.status_code == 302, saved.context["form"].errors
    before = _state(workflow)
    mine = {**_posted(form.theirs, world), "_revision": opened}
    answer = second.post(address, mine)
    assert answer.status_code == 200
    conflict = answer.context["conflict"]
    assert conflict is not None
    assert conflict.by == cast.builder
    assert conflict.at is not None
    if form.rows:
        assert conflict.rows == form.rows
    text = answer.content.decode()
    assert "builder saved this today" in text
    assert "one-secret" not in text
    assert _state(workflow) == before, "nothing is overwritten"
    assert second.post(address, {**mine, "_mine": conflict.revision}).status_code == 302
    assert _state(workflow) != before


# --- buttons --------------------------------------------------------------------------------------------------------


def _said(answer: Any) -> str:
    return " ".join(str(each) for each in get_messages(answer.wsgi_request))


def _titles(world: World) -> list[str]:
    samples.keep_items(world.workflow, [Found({"title": "Tart"}, "Tart"), Found({"title": "Cake"}, "Cake")])
    return [str(item.pk) for item in SampleItem.objects.filter(workflow=world.workflow).order_by("title")]


def _chosen(world: World) -> str:
    return SampleItem.objects.get(workflow=world.workflow, is_chosen=True).title


def test_a_step_moved_on_an_outdated_page_stays_and_both_orders_are_said(
    builder: Client, second: Client, world: World
) -> None:
    page = builder.get(reverse("workflow", args=[world.workflow.pk]))
    opened = page.context["order_revision"]
    assert f'name="_revision" value="{opened}"' in page.content.decode()
    know, write = (reverse("move_step", args=[world.workflow.pk, step.pk]) for step in world.steps)
    builder.post(write, {"direction": "up", "_revision": opened})
    before = _state(world.workflow)
    said = _said(second.post(know, {"direction": "up", "_revision": opened}))
    assert said.startswith("builder moved steps today, ")
    assert "Now: Filter, Write it, Know the customer. Yours would be: Filter, Know the customer, Write it." in said
    assert _state(world.workflow) == before
    again = second.get(reverse("workflow", args=[world.workflow.pk])).context["order_revision"]
    assert "was moved" in _said(second.post(know, {"direction": "up", "_revision": again}))


def test_a_sample_chosen_on_an_outdated_page_is_not_taken_and_both_are_said(
    builder: Client, second: Client, world: World
) -> None:
    cake, tart = _titles(world)
    opened = builder.get(reverse("workflow_samples", args=[world.workflow.pk])).context["card"].revision
    builder.post(reverse("choose_sample", args=[world.workflow.pk, cake]), {"_revision": opened})
    said = _said(second.post(reverse("choose_sample", args=[world.workflow.pk, tart]), {"_revision": opened}))
    assert "builder changed the sample today" in said
    assert "Now: Cake. Yours would be: Tart." in said
    assert _chosen(world) == "Cake"
    dropped = second.post(reverse("drop_sample", args=[world.workflow.pk]), {"_revision": opened})
    assert "builder changed the sample today" in _said(dropped)


def test_a_sample_edited_by_two_shows_both_though_it_has_other_fields_now(
    builder: Client, second: Client, cast: Cast, world: World
) -> None:
    samples.keep_items(world.workflow, [Found({"title": "Tart"}, "Tart"), Found({"title": "Cake", "n": 2}, "Cake")])
    cake = SampleItem.objects.get(title="Cake")
    address = reverse("edit_sample", args=[world.workflow.pk])
    opened = second.get(address).context
    builder.post(reverse("choose_sample", args=[world.workflow.pk, cake.pk]))
    typed = {"shape": opened["shape"], "_revision": opened["revision"], "v0": "Apple tart"}
    answer = second.post(address, typed)
    conflict = answer.context["conflict"]
    assert conflict.by == cast.builder
    assert conflict.rows == [("Title", "Cake", "Apple tart"), ("N", "2", "")]
    assert 'value="Apple tart"' in answer.content.decode()
    assert _chosen(world) == "Cake"
    second.post(address, {**typed, "_mine": conflict.revision})
    assert samples.sample_of(world.workflow).data == {"title": "Apple tart"}


def test_the_columns_of_a_file_do_not_replace_what_somebody_saved_meanwhile(
    builder: Client, second: Client, world: World
) -> None:
    editing.set_trigger(world.draft, operation="start.csv", connection=None, inputs={}, interval_minutes=5)
    opened = second.get(reverse("workflow_trigger", args=[world.draft.pk])).context["revision"]
    columns = reverse("take_columns", args=[world.draft.pk])
    file = {"trigger": "start.csv", "_revision": opened}
    builder.post(columns, {**file, "file": SimpleUploadedFile("orders.csv", b"Order,Amount\nA-1,1.50\n")})
    kept = Workflow.objects.get(pk=world.draft.pk).trigger_inputs
    assert kept
    said = _said(second.post(columns, {**file, "file": SimpleUploadedFile("other.csv", b"Else\n1\n")}))
    assert "builder saved the trigger today" in said
    assert "the columns of other.csv" in said
    assert Workflow.objects.get(pk=world.draft.pk).trigger_inputs == kept


def test_undo_puts_back_only_the_step_that_the_page_has_shown(builder: Client, second: Client, world: World) -> None:
    page = reverse("workflow", args=[world.workflow.pk])
    know, write = world.steps
    builder.post(reverse("delete_step", args=[world.workflow.pk, know.pk]))
    shown = second.get(page).context["deleted"].deleted_at.isoformat()
    builder.post(reverse("delete_step", args=[world.workflow.pk, write.pk]))
    said = _said(second.post(reverse("put_back_step", args=[world.workflow.pk]), {"shown": shown}))
    assert "builder deleted “Write it” today" in said
    assert not world.workflow.steps.filter(pk=write.pk).exists()


# --- removing and replacing -----------------------------------------------------------------------------------------


def _restored(world: World) -> str:
    return reverse("restore_version", args=[world.workflow.pk, 1])


REMOVALS: dict[str, Callable[[World], str]] = {
    "delete_step": lambda world: reverse("delete_step", args=[world.workflow.pk, world.steps[0].pk]),
    "delete_workflow": lambda world: reverse("delete_workflow", args=[world.workflow.pk]),
    "restore_version": _restored,
}


@pytest.mark.parametrize("name", REMOVALS)
def test_what_was_changed_since_the_question_is_said_before_it_is_removed_or_replaced(
    name: str, builder: Client, second: Client, cast: Cast, world: World
) -> None:
    Workflow.objects.filter(pk=world.workflow.pk).update(status=Workflow.Status.PAUSED)
    world.run.delete()
    editing.rename_step(world.steps[0], "Know them")
    address = REMOVALS[name](world)
    opened = second.get(address).context["revision"]
    step = reverse("step", args=[world.workflow.pk, world.steps[0].pk])
    form = {"name": "Bill it", "on_error": "stop", "max_attempts": "5", "connection": world.xero.pk}
    saved = builder.post(step, {**form, "in.name": "Bayside", "_revision": world.steps[0].revision})
    assert saved.status_code == 302, saved.context["errors"] if "errors" in saved.context else saved.context["form"]
    before = _state(world.workflow)
    answer = second.post(address, {"_revision": opened})
    conflict = answer.context["conflict"]
    assert conflict.by == cast.builder
    assert [row[0] for row in conflict.rows] == ["Bill it"]
    assert conflict.rows[0][1].startswith("saved by builder today")
    assert _state(world.workflow) == before
    assert Workflow.objects.for_team(cast.team).filter(pk=world.workflow.pk).exists()
    assert second.post(address, {"_revision": opened, "_theirs": "1"}).status_code == 302
    assert _state(world.workflow) == before
    assert second.post(address, {"_revision": opened, "_mine": conflict.revision}).status_code == 302
    gone = not Workflow.objects.for_team(cast.team).filter(pk=world.workflow.pk).exists()
    assert gone or _state(world.workflow) != before


def test_a_second_new_address_is_not_made_unseen(builder: Client, second: Client, cast: Cast, world: World) -> None:
    address = called(world, "rotate_hook")
    opened = second.get(address).context["revision"]
    builder.post(address, {"_revision": opened})
    made = InboundHook.objects.get(workflow=world.draft).token
    conflict = second.post(address, {"_revision": opened}).context["conflict"]
    assert conflict.by == cast.builder
    assert InboundHook.objects.get(workflow=world.draft).token == made
    assert second.post(address, {"_mine": conflict.revision}).status_code == 302
    assert InboundHook.objects.get(workflow=world.draft).token != made


def test_the_form_of_a_step_that_was_deleted_says_so_and_puts_it_back_with_what_was_typed(
    builder: Client, second: Client, cast: Cast, world: World
) -> None:
    address = wait(world)
    step = world.draft.steps.get(kind="delay")
    opened = second.get(address).context["revision"]
    builder.post(reverse("delete_step", args=[world.draft.pk, step.pk]))
    mine = {**WAIT, "in.amount": "9", "_revision": opened}
    answer = second.post(address, mine)
    assert answer.status_code == 200
    assert answer.context["conflict"].by == cast.builder
    assert "builder deleted this today" in answer.content.decode()
    assert ("How many", "", "9") in answer.context["conflict"].rows
    assert not world.draft.steps.exists()
    assert second.post(address, {**mine, "_theirs": "1"})["Location"] == reverse("workflow", args=[world.draft.pk])
    second.post(address, {**mine, "_mine": answer.context["conflict"].revision})
    assert Step.objects.get(pk=step.pk).settings["amount"] == "9"


def test_a_filter_that_was_removed_meanwhile_is_not_added_again_unseen(
    builder: Client, second: Client, cast: Cast, world: World
) -> None:
    address = reverse("workflow_filter", args=[world.workflow.pk])
    opened = second.get(address).context["revision"]
    builder.post(address, {"name": "Filter", "_revision": opened})
    mine = {**condition("cake"), "left.0": "{{ trigger.title }}", "_revision": opened}
    answer = second.post(address, mine)
    assert answer.context["conflict"].by == cast.builder
    assert not world.workflow.steps.filter(kind="filter").exists()
    assert second.post(address, {**mine, "_mine": answer.context["conflict"].revision}).status_code == 302
    assert world.workflow.steps.filter(kind="filter").count() == 1


# --- all of them ----------------------------------------------------------------------------------------------------

_GUARDED = {form.url for form in FORMS.values()} | set(REMOVALS) | {
    "move_step", "put_back_step", "choose_sample", "drop_sample", "edit_sample", "take_columns", "rotate_hook",
}  # fmt: skip
#: Why two of them do not get in each other's way.
_HARMLESS = {
    "copy_workflow": "adds a workflow",
    "import_workflow": "adds a workflow",
    "new_step": "adds a step",
    "add_path": "adds a path",
    "duplicate_step": "adds a step",
    "copy_step": "adds a step to another workflow",
    "evaluate_values": "changes nothing",
    "fetch_step": "reads again",
    "workflow_samples": "reads again, and keeps what was chosen",
    "export_workflow": "changes nothing",
    "publish_workflow": "is compared with the draft that was shown",
    "activate_workflow": "switches on what is published",
    "pause_workflow": "switches off",
    "look_now": "changes nothing",
    "workflow": "is only read",
    "workflow_versions": "is only read",
    "workflow_version": "is only read",
}


def test_every_form_of_the_editor_is_guarded_or_says_why_not() -> None:
    patterns = [each for each in urls.urlpatterns if isinstance(each, URLPattern)]
    editor = {each.name for each in patterns if each.callback.__module__.startswith("workflows.views.editor.")}
    assert editor - {"workflow_safeguards"} == (_GUARDED | set(_HARMLESS)) - {"workflow_safeguards"}
    assert not _GUARDED & set(_HARMLESS)
