"""What has to be corrected before publishing names the field as its form does, with the link that opens it there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.base import Cast
from tests.world import World
from workflows.definitions import editing
from workflows.definitions.validation import Problem, problems
from workflows.models import Step
from workflows.presenters.field_links import ProblemLine, step_lines, trigger_lines


def _step(world: World) -> Step:
    return world.steps[1]


@pytest.mark.parametrize(
    ("path", "message", "place", "rest"),
    [
        ("lines.1.unit_amount", "Unit price is needed.", "Line 2, unit price", " is needed."),
        ("lines.1", "Say what it is about.", "Line 2", ": Say what it is about."),
        ("due_date", "Due date is no day.", "Due date", " is no day."),
        ("contact_id", "It has been archived.", "Contact", ": It has been archived."),
    ],
)
def test_a_problem_names_the_field_as_the_form_does_and_the_sentence_reads_on(
    path: str, message: str, place: str, rest: str, world: World
) -> None:
    step = _step(world)
    [line] = step_lines(step, [Problem(step.key, path, message)])
    page = reverse("step", args=[world.workflow.pk, step.pk])
    assert line == ProblemLine(place, f"{page}#id_in-{path.replace('.', '-')}", rest)


def test_the_connection_and_what_is_about_the_whole_step_are_opened_too(world: World) -> None:
    step = _step(world)
    page = reverse("step", args=[world.workflow.pk, step.pk])
    [connection, whole] = step_lines(step, [Problem(step.key, "connection", "Choose one."), Problem("x", None, "No.")])
    assert connection.link == f"{page}#id_connection"
    assert whole == ProblemLine("", "", "No."), "its card is where it is corrected"
    condition = world.workflow.steps.get(kind="filter")
    [line] = step_lines(condition, [Problem("filter", None, "There is no such value.")])
    address = reverse("step", args=[world.workflow.pk, condition.pk])
    assert line == ProblemLine("Filter", address, ": There is no such value.")


def test_a_value_that_a_person_has_named_leads_to_its_row(world: World) -> None:
    sources: editing.Sources = {"net": "1", "gross": "{{ trigger.nothing }}"}
    step = editing.save_kind(world.draft, None, kind="format", name="Sums", settings={}, sources=sources)
    found = [each for each in problems(world.draft) if each.step == step.key]
    [line] = step_lines(step, found)
    assert line.place == "gross"
    assert line.link == reverse("step", args=[world.draft.pk, step.pk]) + "#id_in-values-1-value"


def test_the_page_links_a_problem_for_builders_and_only_says_it_to_others(
    world: World, client: Client, cast: Cast
) -> None:
    draft = editing.StepDraft("Bill them", "xero.create_invoice", world.xero, {"lines": [{"quantity": "1"}]})
    step = editing.save_step(world.draft, None, draft)
    page = reverse("workflow", args=[world.draft.pk])
    client.force_login(cast.builder)
    link = f'href="{reverse("step", args=[world.draft.pk, step.pk])}#id_in-contact_id" hx-boost="true">Contact</a> is '
    assert link in client.get(page).content.decode()
    client.force_login(cast.auditor)
    text = client.get(page).content.decode()
    assert "Contact is needed" in text
    assert "#id_in-contact_id" not in text


def test_the_triggers_problems_lead_into_its_form(world: World) -> None:
    page = reverse("workflow_trigger", args=[world.draft.pk])
    found = [Problem("trigger", "board_id", "Board is needed."), Problem("trigger", None, "Choose what starts it.")]
    assert trigger_lines(world.workflow, found[:1])[0].place == "Board"
    assert trigger_lines(world.draft, found[1:]) == [ProblemLine("Trigger", page, ": Choose what starts it.")]
