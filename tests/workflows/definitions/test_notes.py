"""Notes: a text for colleagues and auditors that stands in the flow, on the run's page and in the sentence."""

from __future__ import annotations

import pytest
from django.test import Client

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.building import new_path, page_text
from tests.workflows.conftest import drain
from tests.workflows.planting import Spec, begin, branch, made, over, path, stop, told, write
from tests.workflows.scripted.connector import Provider
from tests.world import make_world
from workflows.models import Run, Workflow
from workflows.publishing import publish

pytestmark = pytest.mark.django_db

TEXT = "Agreed with the auditors on 3 May: {{ trigger.title }} is booked gross."


def note(key: str, text: str = TEXT) -> Spec:
    return Spec("note", key, inputs={"text": text})


def run_of(workflow: Workflow, cast: Cast, **data: object) -> Run:
    publish.publish(workflow, by=cast.builder)
    run = begin(workflow, **data)
    drain()
    run.refresh_from_db()
    return run


def test_a_note_stands_in_the_run_with_its_values_and_writes_nothing(
    cast: Cast, connection: Connection, provider: Provider, client: Client
) -> None:
    workflow = made(cast, connection, note("why"), write("write_it"))
    run = run_of(workflow, cast)
    assert (run.status, [book["name"] for book in provider.books]) == (Run.Status.SUCCEEDED, ["Thing 1"])
    step_run = run.step_runs.get(step="why")
    assert (step_run.state, step_run.request, step_run.output) == ("succeeded", None, None)
    client.force_login(cast.auditor)
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert "Agreed with the auditors on 3 May: Thing 1 is booked gross." in page


def test_a_note_stands_in_the_description_and_needs_a_text(cast: Cast, connection: Connection) -> None:
    workflow = made(cast, connection, note("why"), note("empty", ""), write("write_it"))
    assert told(workflow) == [("empty", "text", "Text is needed, but nothing was given.")]
    workflow.steps.get(key="empty").delete()
    version = publish.publish(workflow, by=cast.builder)
    assert "Note: Agreed with the auditors on 3 May: the thing's title is booked gross." in version.summary.splitlines()


def test_a_workflow_of_notes_alone_does_nothing(cast: Cast, connection: Connection) -> None:
    workflow = made(cast, connection, note("why"))
    assert told(workflow) == [(None, None, "The workflow does nothing yet: add a step with an action.")]


def test_a_note_can_stand_in_a_path_and_after_a_stop_nobody_gets_to_it(cast: Cast, connection: Connection) -> None:
    lane = path("dear", over("{{ trigger.price }}", 5), note("inside"), stop("end"), note("after"))
    workflow = made(cast, connection, branch("split", lane), write("write_it"))
    said = "No run reaches this place: it comes after a stop. Move it, or take the stop away."
    assert told(workflow) == [("after", None, said)]


def test_a_note_is_offered_written_and_read_in_the_editor(client: Client, cast: Cast) -> None:
    world = make_world(cast)
    client.force_login(cast.builder)
    offered = client.get(f"/workflows/{world.workflow.pk}/steps/new/").content.decode()
    assert "Explain something to colleagues and auditors, right where it happens." in offered
    client.post(new_path(world, kind="note"), {"name": "Why gross", "in.text": "Ask Eva before you change this."})
    step = world.workflow.steps.get(kind="note")
    assert (step.name, [row.value for row in step.mappings.all()]) == ("Why gross", ["Ask Eva before you change this."])
    assert "Ask Eva before you change this." in page_text(client, world)
    refused = client.post(new_path(world, kind="note"), {"name": "Empty", "in.text": ""})
    assert "Text is needed." in refused.content.decode()
    assert world.workflow.steps.filter(kind="note").count() == 1
