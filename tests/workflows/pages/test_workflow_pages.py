"""The pages that build a workflow: lists, forms made from Schemas, publishing, switching on."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.framework.choices import ChoiceList
from integrations.framework.registry import operation
from integrations.models import ChoiceCache, Connection, Grant
from tests.base import Cast, make_connection
from tests.world import BOARD, CONTACT, World, make_workflow, make_world
from workflows.definitions import editing, step_rows
from workflows.models import Condition, Mapping, Step, Workflow

CHOICES = [(CONTACT, "Bayside Club"), ("200", "200 Sales"), (BOARD, "Summer <b>2026</b>"), ("GBP", "Pound")]


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=CHOICES))
    return make_world(cast)


def _invoice_form(world: World, **changes: str) -> dict[str, Any]:
    typed = {
        "name": "Write it",
        "connection": str(world.xero.pk),
        "on_error": "stop",
        "max_attempts": "5",
        "in.contact_id": CONTACT,
        "in.lines~row": ["0"],
        "in.lines.0.description": "{{ trigger.title }}",
        "in.lines.0.quantity": "2",
        "in.lines.0.unit_amount": "120.50",
        "in.reference": "Pin {{ trigger.id }}",
    }
    return {**typed, **changes}


def _new_invoice(world: World) -> str:
    return reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_invoice"


def test_an_empty_team_is_led_from_the_list_to_the_connections(client: Client, cast: Cast) -> None:
    client.force_login(cast.outsider)
    assert "Create the first workflow" in client.get(reverse("workflows")).content.decode()
    text = client.get(reverse("new_workflow")).content.decode()
    assert "Pinterest is not connected yet" in text
    assert reverse("connections") in text
    assert 'value="pinterest.new_pin" disabled' in text


def test_a_new_workflow_takes_the_only_connection_there_is(builder: Client, world: World, cast: Cast) -> None:
    response = builder.post(reverse("new_workflow"), {"name": "Boards", "trigger": "pinterest.new_board"})
    made = Workflow.objects.get(name="Boards")
    assert response["Location"] == reverse("workflow_trigger", args=[made.pk])
    assert (made.team, made.trigger_connection, made.created_by) == (cast.team, world.pinterest, cast.builder)
    assert made.status == Workflow.Status.DRAFT


def test_a_name_that_is_taken_is_refused_and_what_was_typed_stays(builder: Client, world: World) -> None:
    text = builder.post(
        reverse("new_workflow"), {"name": world.workflow.name, "trigger": "pinterest.new_board"}
    ).content.decode()
    assert "There is already a workflow called" in text
    assert 'value="pinterest.new_board" checked' in text
    assert Workflow.objects.filter(team=world.team).count() == 2


def test_a_trigger_that_was_not_offered_is_refused(builder: Client, world: World) -> None:
    Connection.objects.filter(pk=world.pinterest.pk).update(status="disconnected")
    text = builder.post(reverse("new_workflow"), {"name": "Boards", "trigger": "pinterest.new_board"}).content.decode()
    assert "This trigger cannot be used yet" in text
    assert not Workflow.objects.filter(name="Boards").exists()


def test_an_operation_whose_permission_was_not_granted_says_so(builder: Client, world: World) -> None:
    Grant.objects.filter(pk=world.pinterest.grant_id).update(scopes=["user_accounts:read"])
    text = builder.get(reverse("new_workflow")).content.decode()
    assert "Needs a permission that was not granted" in text
    assert "pins:read" in text


def test_the_trigger_is_saved_with_its_inputs(builder: Client, world: World) -> None:
    path = reverse("workflow_trigger", args=[world.workflow.pk])
    typed = {"connection": world.pinterest.pk, "in.board_id": BOARD, "interval_minutes": "15"}
    assert builder.post(path, typed)["Location"] == reverse("workflow", args=[world.workflow.pk])
    world.workflow.refresh_from_db()
    assert (world.workflow.trigger_inputs, world.workflow.interval_minutes) == ({"board_id": BOARD}, 15)


def test_another_teams_connection_cannot_be_chosen(builder: Client, world: World, cast: Cast) -> None:
    theirs = make_connection(cast.other_team, "pinterest", name="Theirs")
    path = reverse("workflow_trigger", args=[world.workflow.pk])
    text = builder.post(path, {"connection": theirs.pk, "interval_minutes": "5"}).content.decode()
    assert "Choose a connection." in text
    assert "Theirs" not in text
    world.workflow.refresh_from_db()
    assert world.workflow.trigger_connection == world.pinterest


def test_a_step_form_has_a_control_per_input_and_a_row_to_begin_with(builder: Client, world: World) -> None:
    text = builder.get(_new_invoice(world)).content.decode()
    for name in ("in.contact_id", "in.due_date", "in.status", "in.reference", "in.lines.0.unit_amount"):
        assert f'name="{name}"' in text
    assert "Bayside Club" in text
    assert "Use a value instead" in text


def test_a_step_is_stored_as_mapping_rows(builder: Client, world: World) -> None:
    builder.post(_new_invoice(world), _invoice_form(world))
    step = world.draft.steps.get()
    assert (step.key, step.operation, step.connection) == ("create_invoice", "xero.create_invoice", world.xero)
    stored = {str(row) for row in step.mappings.all()}
    assert stored == {
        f"contact_id = {CONTACT}",
        "lines.0.description = {{ trigger.title }}",
        "lines.0.quantity = 2",
        "lines.0.unit_amount = 120.50",
        "reference = Pin {{ trigger.id }}",
    }


def test_a_second_step_of_the_same_operation_gets_a_key_of_its_own(builder: Client, world: World) -> None:
    for _ in range(2):
        builder.post(_new_invoice(world), _invoice_form(world))
    assert [step.key for step in world.draft.steps.all()] == ["create_invoice", "create_invoice_2"]


def test_a_value_from_an_earlier_step_is_used_instead_of_the_selection(builder: Client, world: World) -> None:
    typed = _invoice_form(world, **{"in.contact_id~text": "{{ trigger.owner }}"})
    builder.post(_new_invoice(world), typed)
    assert Mapping.objects.get(step__workflow=world.draft, input="contact_id").value == "{{ trigger.owner }}"
    text = builder.get(reverse("step", args=[world.draft.pk, world.draft.steps.get().pk])).content.decode()
    assert 'name="in.contact_id~text" value="{{ trigger.owner }}"' in text


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("in.lines.0.quantity", "two", "Quantity takes a number such as 1250.50; this is &quot;two&quot;."),
        ("in.reference", "{{ trigger.title | shout }}", "There is no function called &quot;shout&quot;"),
        ("in.reference", "{{ trigger.title", ""),
        ("in.contact_id", "", "Contact is needed."),
        ("in.due_date", "tomorrow-ish", "Due date takes a date such as 2026-11-30"),
        ("connection", "", "Choose a connection."),
        ("name", "", "Give the step a name."),
        ("max_attempts", "99", "less than or equal to 20"),
    ],
)
def test_what_does_not_fit_is_told_beside_its_field_and_nothing_typed_is_lost(
    builder: Client, world: World, name: str, typed: str, said: str
) -> None:
    form = _invoice_form(world, **{name: typed, "in.invoice_number": "MY-TYPED-NUMBER"})
    text = builder.post(_new_invoice(world), form).content.decode()
    assert "Not saved yet." in text
    assert said in text
    assert 'aria-invalid="true"' in text
    for kept in ("MY-TYPED-NUMBER", "{{ trigger.title }}", 'value="120.50"'):
        assert kept in text
    assert not world.draft.steps.exists()


@pytest.mark.parametrize("button", [{"_add_row": "lines"}, {"_reload": "1"}, {"_refresh": "contact_id"}])
def test_asking_for_a_row_or_a_list_saves_nothing_and_keeps_what_was_typed(
    builder: Client, world: World, button: dict[str, str]
) -> None:
    text = builder.post(_new_invoice(world), _invoice_form(world, **button)).content.decode()
    assert text.count("px-rows-item") == (2 if "_add_row" in button else 1)
    assert 'value="Pin {{ trigger.id }}"' in text
    assert "Not saved yet." not in text
    assert not world.draft.steps.exists()


def test_a_row_is_removed_where_it_stands(builder: Client, world: World) -> None:
    typed = _invoice_form(world, _remove_row="lines.0")
    typed |= {"in.lines~row": ["0", "1"], "in.lines.1.description": "The second"}
    text = builder.post(_new_invoice(world), typed).content.decode()
    assert text.count("px-rows-item") == 1
    assert "The second" in text


def test_rows_left_blank_are_not_stored(builder: Client, world: World) -> None:
    typed = _invoice_form(world)
    typed["in.lines~row"] = ["0", "1", "2"]
    typed["in.lines.2.description"] = "The third"
    typed["in.lines.2.unit_amount"] = "1"
    builder.post(_new_invoice(world), typed)
    rows = Mapping.objects.filter(step__workflow=world.draft, input="lines", column="description").order_by("row")
    assert [(row.row, row.value) for row in rows] == [(0, "{{ trigger.title }}"), (1, "The third")]


def test_choices_that_cannot_be_fetched_leave_the_stored_value_in_place(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = ChoiceList(problem="Xero could not be reached.")
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: problem)
    step = world.steps[1]
    text = builder.get(reverse("step", args=[world.workflow.pk, step.pk])).content.decode()
    assert "Xero could not be reached." in text
    assert f'<option value="{CONTACT}" selected>' in text


def test_tokens_offer_the_trigger_and_earlier_steps_only(builder: Client, world: World) -> None:
    first, second = world.steps
    at_first = builder.get(reverse("step", args=[world.workflow.pk, first.pk])).content.decode()
    at_second = builder.get(reverse("step", args=[world.workflow.pk, second.pk])).content.decode()
    assert "{{ trigger.title }}" in at_first
    assert "{{ steps.create_or_update_contact." not in at_first
    assert "{{ steps.create_or_update_contact." in at_second
    assert "{{ steps.create_invoice." not in at_second


def test_steps_move_and_keep_their_keys(builder: Client, world: World) -> None:
    first, second = world.steps
    builder.post(reverse("move_step", args=[world.workflow.pk, second.pk]), {"direction": "up"})
    steps = list(world.workflow.steps.all())
    assert [step.key for step in steps] == ["filter", second.key, first.key]
    assert [step.position for step in steps] == [1, 2, 3]
    for _ in range(2):  # the second time it is at the beginning already
        builder.post(reverse("move_step", args=[world.workflow.pk, second.pk]), {"direction": "up"})
        assert [step.key for step in world.workflow.steps.all()] == [second.key, "filter", first.key]


def test_deleting_a_step_asks_first(builder: Client, world: World) -> None:
    path = reverse("delete_step", args=[world.workflow.pk, world.steps[0].pk])
    assert "Delete the step “Know the customer”?" in builder.get(path).content.decode()
    assert world.workflow.steps.count() == 3
    builder.post(path)
    assert [step.position for step in world.workflow.steps.all()] == [1, 2]


def _filter_form(**changes: str) -> dict[str, Any]:
    typed = {
        "group": "any",
        "row": ["0"],
        "left.0": "{{ trigger.title }}",
        "operator.0": "text.contains",
        "right.0": "oak",
    }
    return {**typed, **changes}


def test_a_filter_is_stored_as_a_group_and_its_comparisons(builder: Client, world: World) -> None:
    typed = _filter_form(
        **{"left.1": "{{ trigger.id }}", "operator.1": "number.between", "right.1": "1", "until.1": "9"}
    )
    builder.post(reverse("workflow_filter", args=[world.draft.pk]), {**typed, "row": ["0", "1"], "case.0": "on"})
    step = world.draft.steps.get()
    assert (step.kind, step.position, step.key) == ("filter", 1, "filter")
    assert step_rows.condition_tree(step) == {
        "group": "any",
        "items": [
            {
                "left": "{{ trigger.title }}", "type": "text", "operator": "contains", "right": "oak",
                "right_until": None, "case_sensitive": True,
            },
            {
                "left": "{{ trigger.id }}", "type": "number", "operator": "between", "right": "1",
                "right_until": "9", "case_sensitive": False,
            },
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"left.0": ""}, "Pick the value to compare."),
        ({"operator.0": "text.nonsense"}, "Choose how to compare."),
        ({"right.0": "{{ trigger."}, "Not saved yet."),
        ({"operator.0": "number.at_least", "right.0": "many"}, "is not a number"),
    ],
)
def test_a_filter_that_cannot_be_read_is_not_saved(
    builder: Client, world: World, changes: dict[str, str], said: str
) -> None:
    text = builder.post(reverse("workflow_filter", args=[world.draft.pk]), _filter_form(**changes)).content.decode()
    assert said in text
    assert 'aria-invalid="true"' in text
    assert not world.draft.steps.exists()


def test_a_filter_without_conditions_is_removed(builder: Client, world: World) -> None:
    builder.post(reverse("workflow_filter", args=[world.workflow.pk]), {"group": "all", "row": ["0"], "left.0": ""})
    assert not world.workflow.steps.filter(kind=Step.Kind.FILTER).exists()
    assert not Condition.objects.filter(step__workflow=world.workflow).exists()


def test_publishing_shows_what_is_missing_with_the_way_to_mend_it(builder: Client, world: World) -> None:
    path = reverse("publish_workflow", args=[world.draft.pk])
    for response in (builder.get(path), builder.post(path, {"note": "now"})):
        text = response.content.decode()
        assert "The workflow does nothing yet: add a step with an action." in text
        assert reverse("new_step", args=[world.draft.pk]) in text
    assert not world.draft.versions.exists()


def test_publishing_makes_a_version_with_its_note_and_its_author(builder: Client, world: World, cast: Cast) -> None:
    editing.describe_workflow(world.workflow, name="Renamed", description="")
    path = reverse("publish_workflow", args=[world.workflow.pk])
    assert "Create invoice in Acme Ltd (Xero)" in builder.get(path).content.decode()
    builder.post(path, {"note": "Because <i>of</i> tax", "unpreviewed": "on"})
    version = world.workflow.versions.get(number=2)
    assert (version.note, version.published_by) == ("Because <i>of</i> tax", cast.builder)
    text = builder.get(reverse("workflow_version", args=[world.workflow.pk, 2])).content.decode()
    assert "Because &lt;i&gt;of&lt;/i&gt; tax" in text
    assert version.plan_sha256 in text


def test_a_workflow_that_was_never_published_cannot_be_switched_on(builder: Client, world: World) -> None:
    path = reverse("activate_workflow", args=[world.draft.pk])
    assert "It has not been published yet." in builder.get(path).content.decode()
    assert "Publish the workflow first" in builder.post(path).content.decode()
    world.draft.refresh_from_db()
    assert world.draft.status == Workflow.Status.DRAFT


def test_pausing_keeps_the_reason_for_everybody(builder: Client, world: World) -> None:
    builder.post(reverse("pause_workflow", args=[world.workflow.pk]), {"reason": "Year end <b>close</b>"})
    world.workflow.refresh_from_db()
    assert (world.workflow.status, world.workflow.pause_reason) == ("paused", "Year end <b>close</b>")
    text = builder.get(reverse("workflow", args=[world.workflow.pk])).content.decode()
    assert "Year end &lt;b&gt;close&lt;/b&gt;" in text


def test_a_draft_that_was_never_published_is_deleted_and_comes_back_as_a_draft(builder: Client, world: World) -> None:
    builder.post(reverse("delete_workflow", args=[world.draft.pk]))
    assert not Workflow.objects.for_team(world.team).filter(pk=world.draft.pk).exists()
    text = builder.post(reverse("take_back_workflow", args=[world.draft.pk]), follow=True).content.decode()
    assert "was restored, as a draft." in text
    assert Workflow.objects.for_team(world.team).get(pk=world.draft.pk).status == "draft"


def test_the_list_finds_sorts_and_filters(builder: Client, world: World) -> None:
    def names(query: str) -> list[str]:
        rows = builder.get(reverse("workflows") + query).context["rows"]
        return [workflow.name for workflow, *_ in rows]

    assert names("") == ["A draft of Acme", world.workflow.name]
    assert names("?q=draft") == ["A draft of Acme"]
    assert names("?status=active") == [world.workflow.name]
    assert set(names("?sort=-run")) == {world.workflow.name, "A draft of Acme"}
    assert names("?q=nothing+like+it") == []
    assert names("?sort=nonsense&status=nonsense&page=0") == ["A draft of Acme", world.workflow.name]


def test_an_auditor_sees_the_workflow_and_no_button_that_changes_it(client: Client, world: World, cast: Cast) -> None:
    client.force_login(cast.auditor)
    text = client.get(reverse("workflow", args=[world.workflow.pk])).content.decode()
    assert "Know the customer" in text
    for name in ("publish_workflow", "pause_workflow", "look_now", "new_step", "workflow_trigger", "workflow_filter"):
        assert reverse(name, args=[world.workflow.pk]) not in text


def test_the_editor_names_what_is_stored_by_id(builder: Client, world: World, cast: Cast) -> None:
    declared = next(f for f in operation("xero.create_invoice").Inputs.fields() if f.name == "contact_id")
    assert declared.dynamic_choices is not None
    ChoiceCache.objects.create(
        connection=world.xero,
        key=declared.dynamic_choices.key,
        inputs_hash="x",
        choices=[[CONTACT, "Bayside <i>Club</i>"]],
        fetched_at=timezone.now(),
    )
    text = builder.get(reverse("workflow", args=[world.workflow.pk])).content.decode()
    assert "Bayside &lt;i&gt;Club&lt;/i&gt;" in text
    assert CONTACT not in text


def test_the_list_costs_the_same_for_one_workflow_and_for_thirty(builder: Client, world: World, cast: Cast) -> None:
    def counted(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert builder.get(path).status_code == 200
        return len(captured)

    lists, editor = reverse("workflows"), reverse("workflow", args=[world.workflow.pk])
    before = counted(lists)
    for number in range(30):
        make_workflow(cast, world.pinterest, world.xero, name=f"Workflow {number}")
    assert counted(lists) == before
    few = counted(editor)
    for number in range(10):
        draft = editing.StepDraft(f"Step {number}", "xero.create_invoice", world.xero, {"contact_id": CONTACT})
        editing.save_step(world.workflow, None, draft)
    assert counted(editor) == few
