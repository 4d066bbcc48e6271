"""The forms of every kind of step without an operation."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from integrations.framework.choices import ChoiceList
from tests.base import Cast
from tests.workflows.building import LINES, new_path, page_text, step_path
from tests.world import CONTACT, World, make_world
from workflows.definitions import editing, validation
from workflows.lookup_tables.editing import create
from workflows.models import Workflow
from workflows.publishing import publish


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, "Bayside Club")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


def test_a_loop_takes_a_list_of_an_earlier_step(builder: Client, world: World) -> None:
    path = new_path(world, kind="loop")
    text = builder.get(path).content.decode()
    assert f'<option value="{LINES.replace(chr(34), "&quot;")}">Line items (Write it): 1 item</option>' in text
    typed = {"name": "Each line", "on_error": "go_on", "in.items": LINES, "in.limit": "50", "in.on_item_error": "go_on"}
    builder.post(path, typed)
    made = world.workflow.steps.get(kind="loop")
    assert made.settings == {"items": LINES, "limit": 50, "on_item_error": "go_on"}
    assert (made.name, made.on_error, made.position) == ("Each line", "go_on", 4)
    said = page_text(builder, world)
    assert "For each item of Line items (Write it), at most 50. If one item fails, the next item follows." in said
    assert "If it fails, the next step runs all the same." in said
    assert "The loop does nothing yet: add a step to it." in said
    assert 'value="50"' in builder.get(step_path(made)).content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"in.items": ""}, "List is needed."),
        ({"in.limit": "many"}, "takes a whole number"),
        ({"in.limit": "10001"}, "takes 1 to 10,000; this is 10,001."),
        ({"in.items~text": "{{ broken"}, "in.items~text"),
        ({"name": ""}, "Give the step a name."),
    ],
)
def test_a_loop_that_cannot_be_is_not_saved_and_what_was_typed_stays(
    builder: Client, world: World, changes: dict[str, str], said: str
) -> None:
    typed = {"name": "Lines", "on_error": "stop", "in.items": LINES, "in.limit": "50", "in.on_item_error": "stop"}
    answer = builder.post(new_path(world, kind="loop"), {**typed, **changes})
    assert answer.context["has_errors"]
    assert said in answer.content.decode()
    assert "Not saved yet." in answer.content.decode()
    for value in changes.values():
        assert value in answer.content.decode()
    assert not world.workflow.steps.filter(kind="loop").exists()


@pytest.mark.parametrize(
    ("typed", "settings", "said"),
    [
        ({"how": "for", "amount": "3", "unit": "working_days"}, None, "Waits 3 working days."),
        (
            {"how": "until", "moment": "{{ run.date | add_days(14) }}"},
            None,
            "Waits until Date of the run (This run), add",
        ),
        ({"how": "until_working_day", "at": "08:30"}, None, "Waits until it is a working day, and not before 08:30."),
    ],
)
def test_a_delay_asks_for_what_its_kind_needs(
    builder: Client, world: World, typed: dict[str, str], settings: None, said: str
) -> None:
    path = new_path(world, kind="delay", how=typed["how"])
    shown = [control.path for control in builder.get(path).context["controls"]]
    assert shown == list(typed)
    builder.post(path, {"name": "Wait", "on_error": "stop", **{f"in.{name}": value for name, value in typed.items()}})
    assert world.workflow.steps.get(kind="delay").settings == typed
    assert said in page_text(builder, world)


def test_another_way_to_wait_is_asked_for_anew(builder: Client, world: World) -> None:
    typed = {"name": "Wait", "on_error": "stop", "in.how": "until", "in.amount": "3", "_reload": "1"}
    answer = builder.post(new_path(world, kind="delay"), typed)
    assert [control.path for control in answer.context["controls"]] == ["how", "moment"]
    assert not answer.context["has_errors"]
    assert (
        "This is not a number above 0."
        in builder.post(
            new_path(world, kind="delay"),
            {"name": "W", "on_error": "stop", "in.how": "for", "in.amount": "-1", "in.unit": "days"},
        ).content.decode()
    )


def _values(*rows: tuple[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = {"name": "Values", "on_error": "stop", "in.values~row": [str(n) for n in range(len(rows))]}
    for number, (name, value) in enumerate(rows):
        typed |= {f"in.values.{number}.name": name, f"in.values.{number}.value": value}
    return typed


def test_values_are_named_and_tried_with_the_examples(builder: Client, world: World) -> None:
    path = new_path(world, kind="format")
    rows = _values(("title", "{{ trigger.title | upper }}"), ("due", "{{ run.date | add_days(30) }}"))
    tried = builder.post(path, {**rows, "_reload": "1"}).content.decode()
    assert "Now gives: <strong>OAK TABLE</strong>" in tried
    assert "Now gives: <strong>2026-12-30</strong>" in tried
    assert not world.workflow.steps.filter(kind="format").exists()
    builder.post(path, rows)
    made = world.workflow.steps.get(kind="format")
    assert {row.input: row.value for row in made.mappings.all()} == {
        "title": "{{ trigger.title | upper }}",
        "due": "{{ run.date | add_days(30) }}",
    }
    again = builder.get(step_path(made)).context["controls"][0].rows
    assert [row.cells[0].value for row in again] == ["title", "due"]
    added = builder.post(step_path(made), {**rows, "_add_row": "values"}).context["controls"][0].rows
    assert len(added) == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("net amount", "letters, digits and _"),
        ("2nd", "begins with a letter"),
        ("due", "due stands here twice"),
        ("", "Name is needed."),
    ],
)
def test_a_name_that_cannot_be_referred_to_is_refused(builder: Client, world: World, name: str, said: str) -> None:
    answer = builder.post(new_path(world, kind="format"), _values(("due", "1"), (name, "2")))
    assert said in answer.content.decode()
    assert not world.workflow.steps.filter(kind="format").exists()


def test_a_lookup_names_one_of_the_teams_tables(builder: Client, world: World, cast: Cast) -> None:
    path = new_path(world, kind="lookup")
    assert "There are no lookup tables yet." in builder.get(path).content.decode()
    create(world.team, name="Accounts", description="", columns=("Board", "Account"), by=cast.builder)
    create(cast.other_team, name="Theirs", description="", columns=("A", "B"), by=cast.outsider)
    text = builder.get(path).content.decode()
    assert '<option value="Accounts">Accounts</option>' in text
    assert "Theirs" not in text
    typed = {"name": "Account", "on_error": "stop", "in.table": "Accounts", "in.value": "{{ trigger.board_name }}"}
    typed |= {"in.missing": "default"}
    refused = builder.post(path, {**typed, "_reload": "1"})
    assert [control.path for control in refused.context["controls"]] == ["table", "missing", "value", "default"]
    builder.post(path, {**typed, "in.default": "999"})
    made = world.workflow.steps.get(kind="lookup")
    assert made.settings == {"table": "Accounts", "missing": "default"}
    assert editing.sources_of(list(made.mappings.all())) == {"value": "{{ trigger.board_name }}", "default": "999"}
    assert "Looks up Board name (New pin) in the table Accounts. If it is not there, 999 is used." in page_text(
        builder, world
    )


def test_another_workflow_is_called_with_named_data(builder: Client, world: World, cast: Cast) -> None:
    path = new_path(world, kind="call")
    text = builder.get(path).content.decode()
    assert (
        f'<option value="{world.draft.pk}">A draft of Acme (has a trigger of its own, so it cannot be called)</option>'
        in text
    )
    assert f'<option value="{world.workflow.pk}">' not in text
    typed = {"name": "Tell", "on_error": "stop", "in.workflow": str(world.draft.pk), "in.waits": "false"}
    typed |= {"in.data~row": "0", "in.data.0.name": "title", "in.data.0.value": "{{ trigger.title }}"}
    builder.post(path, typed)
    made = world.workflow.steps.get(kind="call")
    assert made.settings == {"workflow": world.draft.pk, "waits": False}
    assert editing.sources_of(list(made.mappings.all())) == {"title": "{{ trigger.title }}"}
    assert "Starts A draft of Acme and goes on at once, with: title Title (New pin)" in page_text(builder, world)
    assert "A draft of Acme is not published yet; publish it first." in builder.get(step_path(made)).content.decode()


def test_what_the_called_workflow_asks_for_is_asked_here(builder: Client, world: World) -> None:
    asked = [{"label": "Invoice amount", "holds": "number"}, {"label": "Note", "holds": "text"}]
    Workflow.objects.filter(pk=world.draft.pk).update(
        trigger_operation="start.call", trigger_connection=None, trigger_inputs={"fields_asked": asked}
    )
    typed = {"name": "Tell", "on_error": "stop", "in.workflow": str(world.draft.pk), "_reload": "1"}
    answer = builder.post(new_path(world, kind="call"), typed)
    table = next(control for control in answer.context["controls"] if control.path == "data")
    assert [row.cells[0].value for row in table.rows] == ["invoice_amount", "note"]


def test_a_stop_says_how_the_run_counts_and_why(builder: Client, world: World) -> None:
    typed = {"name": "Enough", "in.as": "failed", "in.message": "No price for {{ trigger.title }}"}
    builder.post(new_path(world, kind="stop"), typed)
    made = world.workflow.steps.get(kind="stop")
    assert (made.settings, made.on_error) == ({"as": "failed"}, "stop")
    assert "Ends the run here, as failed: No price for Title (New pin)" in page_text(builder, world)


def test_a_call_is_checked_against_what_the_called_workflow_asks_for(builder: Client, world: World, cast: Cast) -> None:
    asked = [{"label": "Invoice amount", "holds": "number"}, {"label": "Note", "holds": "text", "is_required": "false"}]
    called = editing.create_workflow(world.team, name="To be called", operation="", connection=None, by=cast.builder)
    inputs = {"fields_asked": asked}
    editing.set_trigger(called, operation="start.call", connection=None, inputs=inputs, interval_minutes=5)
    lines: editing.Sources = {
        "contact_id": CONTACT,
        "lines": [{"description": "{{ trigger.note }}", "unit_amount": "1"}],
    }
    editing.save_step(called, None, editing.StepDraft("Write it", "xero.create_invoice", world.xero, lines))
    publish.publish(called, by=None)
    text = builder.get(new_path(world, kind="call")).content.decode()
    assert text.index(f'<option value="{called.pk}">To be called</option>') < text.index("cannot be called)")

    def said(workflow: Workflow, target: Workflow, sources: editing.Sources) -> set[str]:
        step = workflow.steps.filter(kind="call").first()
        settings = {"workflow": target.pk, "waits": True}
        editing.save_kind(workflow, step, kind="call", name="Call", settings=settings, sources=sources)
        return {problem.message for problem in validation.problems(workflow)}

    assert said(world.workflow, called, {"x": "1"}) == {
        "To be called asks for no value called x. Remove it, or ask for it there.",
        "To be called needs the value invoice_amount (Invoice amount). Add it here.",
    }
    assert said(world.workflow, called, {"invoice_amount": "1"}) == set()
    assert said(called, world.workflow, {}) == {
        f"{world.workflow.name} is not started by other workflows. Choose another trigger for it and publish."
    }
