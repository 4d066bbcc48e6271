"""What is old is removed, what proves a write stays, and what still waits is never touched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.base import Cast
from tests.world import World, make_preview
from workflows.books import postings
from workflows.definitions import samples
from workflows.definitions.samples import Found
from workflows.models import (
    Decision,
    Event,
    FetchedOutput,
    Posting,
    Preview,
    PreviewStep,
    Run,
    SampleItem,
    SeenItem,
    StepRun,
)
from workflows.publishing import activation
from workflows.runs import decisions
from workflows.worker import retention

pytestmark = pytest.mark.django_db


def ended(run: Run, *, days: float, status: str = "succeeded") -> Run:
    """The run, made one that ended so many days ago."""
    at = timezone.now() - timedelta(days=days)
    reason = Run.WaitReason.DELAY if status == "waiting" else ""
    Run.objects.filter(pk=run.pk).update(status=status, wait_reason=reason, finished_at=at, wake_at=None)
    return Run.objects.get(pk=run.pk)


def wrote(world: World) -> StepRun:
    """The world's step run as one that sent a write and was answered."""
    world.step_run.first_sent_at = timezone.now() - timedelta(days=100)
    world.step_run.request = {"method": "PUT", "path": "/Invoices", "body": "{}"}
    world.step_run.response_body = '{"Invoices": [{"Contact": "private"}]}'
    world.step_run.output = {"InvoiceID": "one"}
    world.step_run.provider_id = "one"
    world.step_run.save()
    return world.step_run


def test_bodies_go_after_ninety_days_and_the_evidence_of_the_write_stays(world: World) -> None:
    step_run = wrote(world)
    ended(world.run, days=91)
    assert retention.remove_old() == 1
    step_run.refresh_from_db()
    world.run.refresh_from_db()
    assert (step_run.response_body, step_run.response_headers) == ("", None)
    assert (step_run.provider_id, step_run.output) == ("one", {"InvoiceID": "one"})
    assert step_run.request == {"method": "PUT", "path": "/Invoices", "body": "{}"}
    assert world.run.trimmed_at is not None
    assert Event.objects.get(pk=world.run.event_id).data == {}
    assert Decision.objects.filter(run=world.run).exists()
    assert retention.remove_old() == 0


def test_a_younger_run_keeps_everything(world: World) -> None:
    wrote(world)
    ended(world.run, days=89)
    assert retention.remove_old() == 0
    assert Event.objects.get(pk=world.run.event_id).data != {}


@pytest.mark.parametrize("status", ["queued", "waiting", "needs_review"])
def test_a_run_that_waits_is_never_touched_however_old(world: World, status: str) -> None:
    wrote(world)
    ended(world.run, days=3000, status=status)
    assert retention.remove_old() == 0
    assert StepRun.objects.get(pk=world.step_run.pk).response_body != ""


def test_an_event_keeps_its_data_while_another_run_of_it_is_young(world: World) -> None:
    again = Run.objects.get(pk=world.run.pk)
    again.pk, again.replay = None, 1
    again.save()
    ended(again, days=1)
    ended(world.run, days=91)
    assert retention.remove_old() == 1
    assert Event.objects.get(pk=world.run.event_id).data != {}


def test_what_wrote_nothing_goes_after_a_year_and_what_wrote_after_seven(world: World) -> None:
    wrote(world)
    ended(world.run, days=2500)
    idle = Run.objects.get(pk=world.run.pk)
    idle.pk, idle.replay = None, 1
    idle.save()
    ended(idle, days=401, status="filtered")
    retention.remove_old()
    assert not Run.objects.filter(pk=idle.pk).exists()
    assert Run.objects.filter(pk=world.run.pk).exists()
    ended(world.run, days=settings.KEEP_EVIDENCE_YEARS * 366)
    event, key = world.run.event_id, world.run.event.key
    SeenItem.objects.get_or_create(trigger_state=world.state, key=key)
    retention.remove_old()
    assert not Run.objects.filter(pk=world.run.pk).exists()
    assert not Event.objects.filter(pk=event).exists()
    assert SeenItem.objects.filter(key=key).exists(), "an item that was seen once would start a run again"


def test_what_a_person_marked_as_done_is_kept_as_long_as_what_was_sent(world: World) -> None:
    by_hand = [{"what": "person", "outcome": "marked as done"}]
    StepRun.objects.filter(pk=world.step_run.pk).update(state="succeeded", first_sent_at=None, attempts=by_hand)
    postings.record([StepRun.objects.get(pk=world.step_run.pk)])
    ended(world.run, days=500)
    retention.remove_old()
    assert world.run.postings.count() == 1
    ended(world.run, days=settings.KEEP_EVIDENCE_YEARS * 366)
    retention.remove_old()
    assert not Posting.objects.exists()


def test_more_than_a_batch_is_removed_in_batches_of_few_queries(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(1, 5):
        run = Run.objects.get(pk=world.run.pk)
        run.pk, run.replay = None, number
        run.save()
        ended(run, days=100)
    ended(world.run, days=100)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert retention.remove_old() == 5
    assert len(caught) < 40
    assert not Run.objects.filter(trimmed_at=None, finished_at__isnull=False).exists()


def test_an_event_without_data_is_not_run_again(world: World, cast: Cast) -> None:
    run = ended(world.run, days=91)
    retention.remove_old()
    run.refresh_from_db()
    with pytest.raises(activation.NotAllowedNowError, match="no longer kept"):
        decisions.replay(run, by=cast.builder, reason="Again")


def test_the_run_page_says_what_is_no_longer_kept(client: Client, world: World, cast: Cast) -> None:
    ended(world.run, days=91)
    retention.remove_old()
    client.force_login(cast.auditor)
    text = client.get(reverse("run", args=[world.run.pk])).content.decode()
    assert "What came in and the provider’s answers are no longer kept" in text


def test_the_size_of_the_database_is_known() -> None:
    size = retention.database_size()
    assert size is None if settings.DATABASES["default"]["NAME"] == ":memory:" else True
    if connection.vendor == "postgresql":
        assert size is not None
        assert size > 1_000_000


def test_previews_go_after_a_week_with_those_of_called_workflows(world: World) -> None:
    old, new = make_preview(world), make_preview(world)
    inner = make_preview(world)
    Preview.objects.filter(pk=inner.pk).update(called_by=old)
    old.steps.update(called=inner)
    age = timezone.now() - timedelta(days=7, minutes=1)
    Preview.objects.filter(pk__in=[old.pk, inner.pk]).update(created_at=age)
    Preview.objects.filter(pk=new.pk).update(created_at=age + timedelta(minutes=2))
    assert retention.remove_old() == 2
    assert list(Preview.objects.all()) == [new]
    assert set(PreviewStep.objects.values_list("preview", flat=True)) == {new.pk}
    assert Run.objects.filter(pk=world.run.pk).exists()


def test_what_was_read_as_a_sample_goes_with_the_bodies_and_what_was_typed_stays(world: World) -> None:
    samples.keep_items(world.workflow, [Found({"title": "Private"})])
    samples.keep_fetched(world.steps[0], {"Name": "Private"})
    samples.keep_typed(world.workflow, {"title": "Typed"})
    old = timezone.now() - timedelta(days=settings.KEEP_BODIES_DAYS + 1)
    retention.remove_old()
    assert SampleItem.objects.count() == 2
    SampleItem.objects.update(taken_at=old)
    FetchedOutput.objects.update(fetched_at=old)
    retention.remove_old()
    assert [each.title for each in SampleItem.objects.all()] == ["Typed"]
    assert not FetchedOutput.objects.exists()
