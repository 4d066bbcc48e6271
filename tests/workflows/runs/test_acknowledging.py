"""A run that went on over failed steps needs attention until a person has acknowledged that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import AuditEntry
from pinxero.navigation import sidebar
from tests.base import Cast
from tests.world import World, make_event, make_run, make_step_run, make_world
from workflows.models import Batch, Decision, Run, StepRun
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import bulk_actions, decisions
from workflows.runs.available_actions import available_actions
from workflows.runs.search import Filter

ERROR = "Write it failed and was passed over. "


@pytest.fixture
def world(cast: Cast) -> World:
    made = make_world(cast)
    StepRun.objects.all().delete()
    Run.objects.filter(pk=made.run.pk).update(status=Run.Status.SUCCEEDED, error="")
    return made


def with_errors(world: World, many: int = 1) -> list[Run]:
    start = Run.objects.count()
    events = [make_event(world.state, f"with errors {start + number}") for number in range(many)]
    return [make_run(world.workflow, world.version, event, world.xero, error=ERROR) for event in events]


def attention() -> set[int]:
    return set(Run.objects.all().needing_attention().values_list("pk", flat=True))


def test_it_needs_attention_in_the_list_on_the_dashboard_and_in_the_sidebar(builder: Client, world: World) -> None:
    (run,) = with_errors(world)
    listed = builder.get(reverse("runs"), {"status": "attention"})
    assert [each.pk for each in listed.context["runs"]] == [run.pk]
    dashboard = builder.get(reverse("admin:index"))
    assert [each.pk for each in dashboard.context["needs"]] == [run.pk]
    badges = {item["title"]: item.get("badge") for item in sidebar(dashboard.wsgi_request)[0]["items"]}
    assert badges["Runs"] == "1"


def test_the_dashboard_counts_it_apart_in_the_bars_and_in_numbers(builder: Client, world: World) -> None:
    with_errors(world, 3)
    page = builder.get(reverse("admin:index"))
    today = page.context["days"][-1]
    assert (today.counts["ok"], today.counts["errors"], today.total) == (1, 3, 4)
    assert "1 succeeded, 3 succeeded with errors" in today.summary
    assert [(tone, height) for tone, _, height in today.bars] == [("ok", 25.0), ("errors", 75.0)]
    assert (page.context["succeeded"], page.context["with_errors"]) == (4, 3)
    assert "of them with errors" in page.content.decode()


def test_a_dashboard_without_any_does_not_speak_of_them(builder: Client, world: World) -> None:
    assert "of them with errors" not in builder.get(reverse("admin:index")).content.decode()


def test_acknowledging_needs_a_reason_and_is_recorded(builder: Client, world: World, cast: Cast) -> None:
    (run,) = with_errors(world)
    address = reverse("way_out", args=[run.pk, "acknowledge"])
    assert address in builder.get(reverse("run", args=[run.pk])).content.decode()
    assert "Say why; it is kept with the run." in builder.post(address, {}).content.decode()
    assert attention() == {run.pk}
    builder.post(address, {"reason": "The supplier is known already"})
    assert attention() == set()
    decision = Decision.objects.get(run=run)
    assert (decision.what, decision.by, decision.reason) == (
        "acknowledge", cast.builder, "The supplier is known already",
    )  # fmt: skip
    entry = AuditEntry.objects.get(action="run.acknowledge")
    assert (entry.object_id, entry.reason) == (str(run.pk), "The supplier is known already")
    page = builder.get(reverse("run", args=[run.pk])).content.decode()
    assert "Succeeded with errors" in page, "it stays what it is"
    assert address not in page


def test_it_is_acknowledged_once(world: World, cast: Cast) -> None:
    (run,) = with_errors(world)
    decisions.acknowledge(run, by=cast.builder, reason="Seen")
    with pytest.raises(NotAllowedNowError, match="left to be acknowledged"):
        decisions.acknowledge(run, by=cast.approver, reason="Seen too")
    assert Decision.objects.filter(run=run).count() == 1


@pytest.mark.parametrize("fields", [{"error": ""}, {"status": "failed"}, {"status": "needs_review"}])
def test_a_run_that_failed_or_went_well_cannot_be_acknowledged(
    world: World, cast: Cast, fields: dict[str, str]
) -> None:
    (run,) = with_errors(world)
    Run.objects.filter(pk=run.pk).update(**fields)
    before = attention()
    with pytest.raises(NotAllowedNowError):
        decisions.acknowledge(run, by=cast.builder, reason="Seen")
    assert attention() == before
    assert not Decision.objects.filter(run=run).exists()


def test_one_whose_bodies_are_gone_can_still_be_acknowledged(builder: Client, world: World) -> None:
    (run,) = with_errors(world)
    Run.objects.filter(pk=run.pk).update(trimmed_at=timezone.now())
    builder.post(reverse("way_out", args=[run.pk, "acknowledge"]), {"reason": "Old"})
    assert attention() == set()


@pytest.mark.parametrize("status", ["failed", "crashed"])
def test_a_failed_run_whose_bodies_are_gone_can_still_be_ended(builder: Client, world: World, status: str) -> None:
    Run.objects.filter(pk=world.run.pk).update(status=status, trimmed_at=timezone.now())
    assert [each.key for each in available_actions(Run.objects.get(pk=world.run.pk))] == ["cancel"]
    assert world.run.pk in attention()
    builder.post(reverse("way_out", args=[world.run.pk, "cancel"]), {"reason": "Old"})
    assert attention() == set()


def test_what_failed_can_be_tried_again_afterwards_and_needs_attention_anew_if_it_fails_again(
    world: World, cast: Cast
) -> None:
    (run,) = with_errors(world)
    make_step_run(run, state=StepRun.State.FAILED)
    decisions.acknowledge(run, by=cast.builder, reason="Seen")
    decisions.retry(run, by=cast.builder)
    run.refresh_from_db()
    assert (run.status, run.acknowledged_at) == ("queued", None)
    Run.objects.filter(pk=run.pk).update(status="succeeded", error=ERROR)
    assert attention() == {run.pk}


def test_many_are_acknowledged_at_once_and_the_failed_ones_are_left(builder: Client, world: World, cast: Cast) -> None:
    first, _, _ = with_errors(world, 3)
    failed = make_run(world.workflow, world.version, make_event(world.state, "f"), world.xero, status="failed")
    decisions.acknowledge(first, by=cast.builder, reason="Seen")
    listed = builder.get(reverse("runs"), {"status": "attention"})
    assert "Acknowledge those with errors" in listed.content.decode()
    address = f"{reverse('bulk', args=['acknowledge'])}?status=attention"
    asked = builder.get(address)
    assert asked.context["count"] == 2
    answers: dict[str, Any] = {"up_to": asked.context["up_to"], "counted": 2}
    assert "Say why; it is kept with the run." in builder.post(address, answers).content.decode()
    (late,) = with_errors(world)
    builder.post(address, answers | {"reason": "Seen together"})
    bulk_actions.work()
    batch = Batch.objects.get()
    assert (batch.done, batch.skipped) == (2, 0)
    assert attention() == {failed.pk, late.pk}
    assert set(Decision.objects.filter(batch=batch).values_list("what", "reason")) == {
        ("acknowledge", "Seen together (decided for 2 runs at once)")
    }


def test_the_filter_finds_nothing_of_another_team(world: World, cast: Cast) -> None:
    with_errors(world)
    assert Filter(status="attention").find(cast.other_team).count() == 0
    assert Filter(status="attention").find(cast.team).count() == 1


def test_runs_from_before_count_as_acknowledged(world: World) -> None:
    (run,) = with_errors(world)
    failed = make_run(world.workflow, world.version, make_event(world.state, "f"), world.xero, status="failed")
    loader = MigrationLoader(connection)
    name = next(key for key in loader.disk_migrations if key[1].endswith("_acknowledged_runs"))
    (fill,) = [each for each in loader.disk_migrations[name].operations if hasattr(each, "code")]
    fill.code(apps, SimpleNamespace(connection=connection))
    assert attention() == {failed.pk}
    run.refresh_from_db()
    assert run.acknowledged_at is not None
    assert run.get_status_display() == "Succeeded with errors"


@pytest.mark.postgresql
def test_the_list_of_those_needing_attention_reads_its_own_index(world: World) -> None:
    with_errors(world, 3)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Filter(status="attention").find(world.team).order_by("-pk")[:50].explain()
    assert "run_list_attention" in plan
