"""One decision about many runs: the number first, then done run by run, to none that came later or moved on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from tests.base import Cast
from tests.world import World, make_event, make_run, make_step_run, make_world
from workflows.models import Batch, Decision, Run, StepRun
from workflows.runs import bulk_actions, decisions
from workflows.runs.search import Filter

What = Batch.What


@pytest.fixture
def world(cast: Cast) -> World:
    made = make_world(cast)
    StepRun.objects.all().delete()
    Decision.objects.all().delete()
    Run.objects.filter(pk=made.run.pk).update(status=Run.Status.SUCCEEDED)
    return made


def runs(world: World, many: int, **fields: Any) -> list[Run]:
    made = []
    for number in range(many):
        event = make_event(world.state, f"{fields.get('status')} {Run.objects.count()} {number}")
        made.append(make_run(world.workflow, world.version, event, world.xero, **fields))
    return made


def failed(world: World, many: int) -> list[Run]:
    return runs(world, many, status=Run.Status.FAILED, error="Refused.")


def held(world: World, many: int) -> list[Run]:
    fields = {"wait_reason": "hold", "waiting_since": timezone.now(), "started_at": None, "finished_at": None}
    return runs(world, many, status=Run.Status.WAITING, **fields)


def begin(world: World, what: Batch.What, cast: Cast, **looked_for: str) -> Batch:
    chosen = Filter(**looked_for)
    fitting = bulk_actions.fitting(world.team, what, chosen)
    return bulk_actions.begin(
        world.team,
        what,
        chosen,
        up_to=bulk_actions.newest(fitting),
        counted=fitting.count(),
        by=cast.builder,
        reason="Fixed",
    )


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Run.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def test_the_failed_ones_are_tried_again_and_nothing_else(world: World, cast: Cast) -> None:
    failed(world, 3)
    runs(world, 1, status=Run.Status.CRASHED)
    held(world, 1)
    batch = begin(world, What.RETRY, cast)
    assert batch.counted == 4
    assert bulk_actions.work() == 4
    batch.refresh_from_db()
    assert (batch.status, batch.done, batch.skipped) == ("done", 4, 0)
    assert batch.finished_at is not None
    assert statuses() == {"queued": 4, "waiting": 1, "succeeded": 1}
    decision = Decision.objects.first()
    assert decision is not None
    assert (decision.what, decision.by, decision.reason) == (
        "retry", cast.builder, "Fixed (decided for 4 runs at once)",
    )  # fmt: skip


def test_runs_that_came_after_the_number_was_shown_are_left_alone(world: World, cast: Cast) -> None:
    failed(world, 2)
    begin(world, What.RETRY, cast)
    failed(world, 1)
    assert bulk_actions.work() == 2
    assert statuses()["failed"] == 1


def test_one_that_has_moved_on_is_passed_over(world: World, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = failed(world, 2)
    batch = begin(world, What.RETRY, cast)
    real = decisions.retry

    def slow(run: Run, **values: Any) -> None:
        # A colleague is quicker by a moment.
        if run.pk == second.pk:
            Run.objects.filter(pk=run.pk).update(status=Run.Status.CANCELLED)
        real(run, **values)

    monkeypatch.setattr(decisions, "retry", slow)
    bulk_actions.work()
    batch.refresh_from_db()
    assert (batch.done, batch.skipped) == (1, 1)
    assert not Decision.objects.filter(run=second).exists()


def test_what_is_let_go_starts_one_a_second(world: World, cast: Cast, settings: Any) -> None:
    held(world, 4)
    batch = begin(world, What.RELEASE, cast, wait="hold")
    bulk_actions.work()
    wakes = list(Run.objects.filter(status="waiting", wait_reason="delay").order_by("pk").values_list("wake_at"))
    assert [wake - batch.asked_at for (wake,) in wakes] == [timedelta(seconds=number) for number in (1, 2, 3)]
    assert statuses()["queued"] == 1, "the first one starts at once"
    assert not Run.objects.filter(wait_reason="hold").exists()


def test_cancelling_leaves_out_what_may_have_been_written(world: World, cast: Cast) -> None:
    (one,) = held(world, 1)
    (unproved,) = runs(world, 1, status=Run.Status.WAITING, wait_reason="down")
    make_step_run(unproved, state=StepRun.State.UNCERTAIN)
    runs(world, 1, status=Run.Status.WAITING, wait_reason="uncertain")
    runs(world, 1, status=Run.Status.QUEUED)
    assert begin(world, What.CANCEL, cast).counted == 2
    bulk_actions.work()
    one.refresh_from_db()
    assert one.status == Run.Status.CANCELLED
    assert statuses() == {"cancelled": 2, "waiting": 2, "succeeded": 1}


def test_a_worker_that_dies_is_followed_by_one_that_goes_on(
    world: World, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(world, 5)
    batch = begin(world, What.RETRY, cast)
    real = decisions.retry
    calls: list[int] = []

    def die(run: Run, **values: Any) -> None:
        calls.append(run.pk)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(run, **values)

    monkeypatch.setattr(decisions, "retry", die)
    with pytest.raises(KeyboardInterrupt):
        bulk_actions.work()
    assert bulk_actions.work() == 0, "its lease is still held"
    Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert bulk_actions.work() == 3
    batch.refresh_from_db()
    assert (batch.status, batch.done) == ("done", 5)
    assert Decision.objects.count() == 5, "none was decided twice"


def test_it_can_be_stopped(world: World, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    failed(world, 3)
    batch = begin(world, What.RETRY, cast)
    real = decisions.retry

    def stop_after_one(run: Run, **values: Any) -> None:
        real(run, **values)
        Batch.objects.update(status=Batch.Status.STOPPED)

    monkeypatch.setattr(decisions, "retry", stop_after_one)
    bulk_actions.work()
    assert statuses() == {"queued": 1, "failed": 2, "succeeded": 1}
    assert bulk_actions.stop(batch) is False


def test_many_runs_ring_one_bell(world: World, cast: Cast) -> None:
    failed(world, 12)
    begin(world, What.RETRY, cast)
    OrmQ.objects.all().delete()
    bulk_actions.work()
    assert OrmQ.objects.count() == 1


# --- pages -----------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_number_and_does_it_once_said_yes(builder: Client, world: World) -> None:
    failed(world, 3)
    path = reverse("bulk", args=["retry"]) + f"?status=failed&workflow={world.workflow.pk}"
    page = builder.get(path)
    text = page.content.decode()
    assert "Try again: 3 runs?" in text
    assert "Acme&#x27;s own workflow" in text
    assert "What a run of Acme" in text
    assert not Batch.objects.exists()
    up_to = page.context["up_to"]
    answer = builder.post(path, {"up_to": up_to, "counted": 3, "reason": ""}, follow=True)
    batch = Batch.objects.get()
    assert (batch.what, batch.counted, batch.up_to) == ("retry", 3, up_to)
    assert batch.filter == {"status": "failed", "workflow": str(world.workflow.pk)}
    assert "0 of 3 processed" in answer.content.decode()
    bulk_actions.work()
    assert "3 done" in builder.get(reverse("batch", args=[batch.pk])).content.decode()


def test_cancelling_many_needs_a_reason_and_a_number(builder: Client, world: World) -> None:
    held(world, 2)
    path = reverse("bulk", args=["cancel"]) + "?wait=hold"
    up_to = builder.get(path).context["up_to"]
    assert "Say why; it is kept with the run." in builder.post(path, {"up_to": up_to, "counted": 2}).content.decode()
    assert "check the number first" in builder.post(path, {"reason": "No"}).content.decode()
    assert not Batch.objects.exists()


def test_where_there_is_nothing_to_do_it_says_so(builder: Client, world: World) -> None:
    text = builder.get(reverse("bulk", args=["release"])).content.decode()
    assert "There are no such runs" in text
    assert builder.get(reverse("bulk", args=["delete"])).status_code == 404


def test_the_list_offers_what_fits_what_it_shows(builder: Client, world: World, client: Client) -> None:
    failed(world, 1)
    held(world, 1)

    def offered(query: str) -> list[str]:
        return [label for _, label in builder.get(reverse("runs") + query).context["offered"]]

    assert offered("") == []
    assert offered("?status=failed") == ["Try all of these again"]
    assert offered("?status=waiting&wait=hold") == ["Release all of these", "Cancel all of these"]
    assert offered("?status=waiting") == ["Cancel all of these"]
    assert offered("?status=succeeded") == []


def test_runs_are_found_by_why_they_wait_and_when_they_began(builder: Client, world: World) -> None:
    (one,) = held(world, 1)
    (old,) = failed(world, 1)
    Run.objects.filter(pk=old.pk).update(created_at="2026-10-05T12:00:00Z")

    def found(query: str) -> set[int]:
        return {run.pk for run in builder.get(reverse("runs") + query).context["runs"]}

    assert found("?wait=hold") == {one.pk}
    assert found("?wait=nonsense") == {one.pk, old.pk, world.run.pk}
    assert found("?since=2026-10-05&until=2026-10-05") == {old.pk}
    assert found("?until=2026-10-04") == set()
    assert found("?since=2026-10-06") == {one.pk, world.run.pk}
    assert found("?since=nonsense&until=9999-12-31") == {one.pk, old.pk, world.run.pk}


def test_nothing_of_another_team_is_counted_or_touched(world: World, cast: Cast, client: Client) -> None:
    failed(world, 2)
    client.force_login(cast.outsider)
    assert client.get(reverse("bulk", args=["retry"]) + f"?workflow={world.workflow.pk}").context["count"] == 0
    batch = begin(world, What.RETRY, cast)
    assert client.get(reverse("batch", args=[batch.pk])).status_code == 404
    assert client.post(reverse("stop_batch", args=[batch.pk])).status_code == 404
