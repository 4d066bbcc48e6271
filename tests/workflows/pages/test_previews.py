"""The pages of previews: who may make one, what they show, and that publishing asks for one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.framework.checks import stops
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.planting import branch, keep_if, loop, made, over, path, write
from tests.workflows.scripted.connector import WriteThing
from workflows.definitions.compiler import compile_plan
from workflows.models import Event, Preview, Run, Step, Workflow
from workflows.preview.service import preview
from workflows.publishing import publish

HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "{% raise %}", "' onclick='alert(1)",
    '"><svg onload=alert(1)>', "\u202eevil", "</pre><script>alert(1)</script>", "${7*7}", "x" * 5000,
)  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow(cast: Cast, connection: Connection) -> Workflow:
    return made(cast, connection, keep_if("dear", over("{{ trigger.price }}", 5)), write("a"), name="Copy things")


def posted(client: Client, name: str, *args: Any, **data: str) -> Preview:
    response = client.post(reverse(name, args=args), data)
    found: Preview = Preview.objects.filter(called_by=None).latest("pk")
    assert response.status_code == 302
    assert response["Location"] == reverse("preview", args=[found.workflow_id, found.pk])
    return found


def page_of(client: Client, shown: Preview) -> str:
    response = client.get(reverse("preview", args=[shown.workflow_id, shown.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_a_button_previews_the_draft_and_its_page_shows_what_would_be_written(
    builder: Client, workflow: Workflow, cast: Cast
) -> None:
    assert (
        reverse("preview_workflow", args=[workflow.pk])
        in builder.get(reverse("workflow", args=[workflow.pk])).content.decode()
    )
    shown = posted(builder, "preview_workflow", workflow.pk)
    assert (shown.by, shown.writes, shown.origin) == (cast.builder, 1, "invented")
    text = page_of(builder, shown)
    for words in (
        "1 object would be written; nothing was.",
        "Would be written",
        "an invented sample",
        "PUT",
        "A thing",
    ):
        assert words in text, words
    assert "Only the provider gives these" in text
    assert Run.objects.count() == 0


def test_a_step_is_previewed_up_to_here(builder: Client, workflow: Workflow) -> None:
    step = Step.objects.get(workflow=workflow, key="dear")
    shown = posted(builder, "preview_step", workflow.pk, step.pk)
    assert (shown.upto, shown.writes) == ("dear", 0)
    text = page_of(builder, shown)
    assert "up to “Dear”" in text
    assert "Not reached" in text


def test_a_step_is_shown_as_if_it_failed(builder: Client, workflow: Workflow) -> None:
    shown = posted(builder, "preview_workflow", workflow.pk, fail_step="a")
    assert shown.status == "failed"
    assert "as if “A” had failed" in page_of(builder, shown)


def test_a_made_up_step_or_item_is_passed_over(builder: Client, workflow: Workflow) -> None:
    shown = posted(builder, "preview_workflow", workflow.pk, fail_step="<b>", upto="zz", item="event-9")
    assert (shown.fail_step, shown.upto, shown.item) == ("", "", "")


def test_another_team_finds_no_preview_and_a_reader_makes_none(client: Client, workflow: Workflow, cast: Cast) -> None:
    shown = preview(workflow, compile_plan(workflow), {"price": 10, "title": "x"}, by=cast.builder)
    address = reverse("preview", args=[workflow.pk, shown.pk])
    client.force_login(cast.outsider)
    assert client.get(address).status_code == 404
    assert client.post(reverse("preview_workflow", args=[workflow.pk])).status_code == 404
    client.force_login(cast.auditor)
    assert client.get(address).status_code == 200
    assert "Preview again" not in client.get(address).content.decode()
    assert client.post(reverse("preview_workflow", args=[workflow.pk])).status_code == 403
    assert Preview.objects.count() == 1


def test_publishing_asks_for_a_preview_or_an_explicit_tick(builder: Client, workflow: Workflow) -> None:
    address = reverse("publish_workflow", args=[workflow.pk])
    text = builder.get(address).content.decode()
    assert "It has not been previewed as it is now." in text
    assert "Publish without a preview that reached its end" in text
    refused = builder.post(address, {"note": ""}).content.decode()
    assert "Preview it first, or tick this to publish all the same." in refused
    assert not workflow.versions.exists()
    assert builder.post(address, {"note": "", "unpreviewed": "on"}).status_code == 302
    assert workflow.versions.count() == 1


def test_a_preview_of_the_draft_as_it_is_lets_it_be_published(builder: Client, workflow: Workflow) -> None:
    address = reverse("publish_workflow", args=[workflow.pk])
    posted(builder, "preview_workflow", workflow.pk)
    text = builder.get(address).content.decode()
    assert "1 object would be written; nothing was." in text
    assert "Publish without" not in text
    workflow.steps.filter(key="a").update(name="Another name")
    assert "Publish without" in builder.get(address).content.decode()
    workflow.steps.filter(key="a").update(name="A")
    assert builder.post(address, {"note": ""}).status_code == 302


@pytest.mark.parametrize("options", [{"fail_step": "a"}, {"upto": "dear"}])
def test_a_preview_of_a_part_does_not_stand_for_the_whole(
    builder: Client, workflow: Workflow, options: dict[str, str]
) -> None:
    posted(builder, "preview_workflow", workflow.pk, **options)
    assert "It has not been previewed" in builder.get(reverse("publish_workflow", args=[workflow.pk])).content.decode()


def test_a_preview_that_failed_is_shown_and_needs_the_tick(builder: Client, workflow: Workflow) -> None:
    workflow.steps.get(key="a").mappings.update(value="{{ trigger.price / 0 }}")
    shown = posted(builder, "preview_workflow", workflow.pk)
    assert shown.status == "failed"
    field = reverse("step", args=[workflow.pk, workflow.steps.get(key="a").pk]) + "#id_in-name"
    assert f'<a href="{field}">Name</a>: ' in page_of(builder, shown)
    text = builder.get(reverse("publish_workflow", args=[workflow.pk])).content.decode()
    assert "A step fails; a run would end there." in text
    assert "Publish without" in text


def test_hostile_text_stays_text_on_the_page(builder: Client, workflow: Workflow) -> None:
    Workflow.objects.filter(pk=workflow.pk).update(name="<script>alert(1)</script>")
    workflow.refresh_from_db()
    for text in HOSTILE:
        data = {"id": "1", "title": text[:50], "price": 10, text: text}
        shown = preview(workflow, compile_plan(workflow), data, by=None, title=text, origin="real")
        page = page_of(builder, shown)
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_the_page_costs_the_same_queries_however_many_iterations_there_are(
    builder: Client, cast: Cast, connection: Connection
) -> None:
    paths = path("any", None, write("b", "{{ item.name }}"))
    workflow = made(
        cast, connection, loop("each", "{{ trigger.lines }}", write("a", "{{ item.name }}"), branch("w", paths))
    )
    counts = []
    for number in (2, 20):
        data = {"lines": [{"name": f"Line {each}"} for each in range(number)]}
        shown = preview(workflow, compile_plan(workflow), data, by=None)
        assert shown.writes == 2 * number
        with CaptureQueriesContext(database) as queries:
            text = page_of(builder, shown)
        assert f"{number}: Line {number - 1}" in text
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 40


def test_another_item_is_chosen_from_what_the_newest_runs_started_from(
    builder: Client, workflow: Workflow, connection: Connection
) -> None:
    version = publish.publish(workflow, by=None)
    for title, price in (("Ash table", 7), ("Beech <b>bench</b>", 8)):
        event = Event.objects.create(
            team=workflow.team,
            operation="scripted.new_thing",
            connection=connection,
            key=title,
            data={"id": title, "title": title, "price": price},
        )
        Run.objects.create(team=workflow.team, workflow=workflow, version=version, event=event, title=title)
    page = page_of(builder, posted(builder, "preview_workflow", workflow.pk))
    chosen = Event.objects.get(key="Ash table")
    assert f'<option value="event-{chosen.pk}">Ash table (' in page
    shown = posted(builder, "preview_workflow", workflow.pk, item=f"event-{chosen.pk}")
    assert (shown.data["title"], shown.title, shown.origin) == ("Ash table", "Ash table", "real")
    assert f'<option value="event-{chosen.pk}" selected>' in page_of(builder, shown)


def test_a_version_is_previewed_as_it_was_published(builder: Client, workflow: Workflow) -> None:
    version = publish.publish(workflow, by=None)
    workflow.steps.filter(key="a").delete()
    workflow.steps.filter(key="dear").delete()
    page = builder.get(reverse("workflow_version", args=[workflow.pk, version.number])).content.decode()
    assert reverse("preview_workflow", args=[workflow.pk]) in page
    shown = posted(builder, "preview_workflow", workflow.pk, version="1")
    assert (shown.version, shown.writes, shown.plan_sha256) == (version, 1, version.plan_sha256)
    text = page_of(builder, shown)
    assert "version 1</a>" in text
    assert "has been changed since" not in text
    missing = builder.post(reverse("preview_workflow", args=[workflow.pk]), {"version": "9"})
    assert missing.status_code == 404


def test_a_draft_that_was_changed_since_is_shown_as_it_was(builder: Client, workflow: Workflow) -> None:
    shown = posted(builder, "preview_workflow", workflow.pk)
    workflow.steps.filter(key="a").update(name="Another name")
    assert "The workflow has been changed since: this shows it as it was." in page_of(builder, shown)


def test_an_empty_draft_is_previewed_as_one_that_does_nothing(builder: Client, workflow: Workflow) -> None:
    workflow.steps.all().delete()
    Workflow.objects.filter(pk=workflow.pk).update(trigger_operation="", trigger_connection=None)
    shown = posted(builder, "preview_workflow", workflow.pk)
    assert (shown.status, shown.writes) == ("done", 0)
    assert "The workflow has no steps yet, so nothing would be done." in page_of(builder, shown)


def test_what_is_found_with_an_invented_item_may_be_due_to_it(
    builder: Client, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [stops("contact_missing", "name", "There is no such contact.")]
    monkeypatch.setattr(WriteThing, "checks", lambda self, facts, inputs, read: found)
    data = {"price": 10, "title": "x"}
    invented = preview(workflow, compile_plan(workflow), data, by=None)
    real = preview(workflow, compile_plan(workflow), data, by=None, origin="real")
    said = "The item is an invented sample, so this may be due to it alone"
    assert (invented.stops, real.stops) == (1, 1)
    assert said in page_of(builder, invented)
    assert said not in page_of(builder, real)
