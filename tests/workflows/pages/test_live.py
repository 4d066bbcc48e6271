"""Pages that bring themselves up to date: a run, the list of runs, the last runs of a workflow."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.world import World, make_event, make_run
from workflows.models import Run, TriggerState


def test_an_open_run_brings_itself_up_to_date_and_a_finished_one_does_not(builder: Client, world: World) -> None:
    path = reverse("run", args=[world.run.pk])
    assert "every 3s" not in builder.get(path).content.decode()
    Run.objects.filter(pk=world.run.pk).update(status="running")
    response = builder.get(path)
    assert "every 3s" in response.content.decode()
    state = response.context["state"]
    assert builder.get(path, {"seen": state}).status_code == 204
    Run.objects.filter(pk=world.run.pk).update(status="succeeded")
    assert builder.get(path, {"seen": state}).status_code == 200


def test_the_list_of_runs_brings_itself_up_to_date_while_one_is_open_or_somebody_waits(
    builder: Client, world: World
) -> None:
    path = reverse("runs")
    assert "every 3s" not in builder.get(path).content.decode()
    assert "every 3s" in builder.get(path, {"live": "1"}).content.decode()
    Run.objects.filter(pk=world.run.pk).update(status="running")
    response = builder.get(path, {"q": "oak", "after": "0"})
    asked = response.context["live_query"]
    assert f'hx-get="/runs/?{asked.replace("&", "&amp;")}"' in response.content.decode()
    assert builder.get(f"{path}?{asked}").status_code == 204
    assert "seen" not in response.context["query"]
    Run.objects.filter(pk=world.run.pk).update(status="succeeded")
    changed = builder.get(f"{path}?{asked}")
    assert [run.pk for run in changed.context["runs"]] == [world.run.pk]
    assert "every 3s" not in changed.content.decode()
    assert "seen=" not in changed.content.decode()


def test_asking_whether_a_list_has_changed_costs_no_more_than_its_rows(builder: Client, world: World) -> None:
    Run.objects.filter(pk=world.run.pk).update(status="running")
    for path in (reverse("runs"), reverse("workflow", args=[world.workflow.pk])):
        whole = builder.get(path)
        seen = whole.context.get("seen") or whole.context["live_query"].removeprefix("seen=")
        with CaptureQueriesContext(connection) as captured:
            assert builder.get(path, {"seen": seen}).status_code == 204
        assert len(captured) <= 6, [query["sql"] for query in captured]


def test_after_look_now_the_workflows_page_waits_for_the_look_and_its_runs(builder: Client, world: World) -> None:
    path = reverse("workflow", args=[world.workflow.pk])
    assert "data-px-live" not in builder.get(path).content.decode()
    response = builder.post(reverse("look_now", args=[world.workflow.pk]))
    assert response["Location"] == f"{path}?live=1#last-runs"
    looking = builder.get(path, {"live": "1"})
    assert "Checking now" in looking.content.decode()
    seen = looking.context["seen"]
    assert f'hx-get="{path}?live=1&amp;seen={seen}"' in looking.content.decode()
    assert builder.get(path, {"live": "1", "seen": seen}).status_code == 204
    now = timezone.now()
    TriggerState.objects.filter(pk=world.state.pk).update(next_due_at=now + timedelta(minutes=5), last_polled_at=now)
    looked = builder.get(path, {"live": "1", "seen": seen})
    assert "Checked today" in looked.content.decode()
    assert "nothing new" in looked.content.decode()
    assert "data-px-live" not in looked.content.decode()
    event = make_event(world.state, "another")
    started = make_run(world.workflow, world.version, event, world.xero, status=Run.Status.QUEUED)
    going = builder.get(path, {"live": "1", "seen": looked.context["seen"]})
    assert going.context["runs"][0] == started
    assert "data-px-live" in going.content.decode()
    Run.objects.filter(pk=started.pk).update(status="succeeded")
    assert "data-px-live" not in builder.get(path, {"seen": going.context["seen"]}).content.decode()
