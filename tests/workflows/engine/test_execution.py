"""Executing runs: inputs, filters, reads, waits, failures, and what people decide about them."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from integrations.core.errors import ReconnectError, RejectedError, TemporaryError
from integrations.framework import registry
from integrations.framework.base import Item
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import Make, drain, settle, start, the_run, the_write, thing, unknown
from tests.workflows.scripted.connector import Provider, WriteThing, connector
from workflows.engine import lease
from workflows.models import Run, StepRun
from workflows.publishing import activation
from workflows.runs import available_actions, decisions
from workflows.worker.sweeper import sweep

pytestmark = pytest.mark.django_db


def left_behind(run: Run) -> bool:
    """Claim the run and die; whether it was given out."""
    Run.objects.exclude(pk=run.pk).filter(status="queued").update(status="waiting", wait_reason="hold")
    claimed = lease.claim()
    Run.objects.filter(pk=run.pk, status="running").update(lease_until="2020-01-01T00:00:00Z")
    return claimed is not None


def test_a_run_that_kills_its_workers_is_parked_and_can_be_tried_again(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    start(provider, make_workflow)
    run = the_run()
    assert [left_behind(run) for _ in range(4)] == [True, True, True, False]
    run = the_run()
    assert run.status == "crashed"
    assert "died 3 times" in run.error
    decisions.retry(run, by=cast.builder)
    settle()
    assert the_run().status == "succeeded"


def test_a_run_is_not_parked_for_what_kills_the_workers_of_other_runs_too(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow, *(thing(number) for number in range(1, 5)))
    first, *others = Run.objects.order_by("pk")
    for other in others:
        lease_ = {"status": "running", "wait_reason": "", "lease_until": "2020-01-01T00:00:00Z"}
        Run.objects.exclude(pk=other.pk).update(status="waiting", wait_reason="hold")
        Run.objects.filter(pk=other.pk).update(**lease_)
        assert lease.claim() is not None
    Run.objects.exclude(pk=first.pk).update(status="waiting", wait_reason="hold")
    Run.objects.filter(pk=first.pk).update(status="queued", wait_reason="")
    given_out = 0
    while left_behind(first):
        given_out += 1
    assert given_out == 10
    first.refresh_from_db()
    assert [first.status, "died 10 times" in first.error] == ["crashed", True]


def test_finished_steps_are_never_run_again(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    start(provider, make_workflow, actions=("write_thing", "write_thing"))
    provider.script = ["behave", RejectedError("No.")]
    settle()
    assert the_run().status == "failed"
    decisions.retry(the_run(), by=cast.builder, reason="mended there")
    settle()
    assert the_run().status == "succeeded"
    assert [thing["id"] for thing in provider.books] == ["T1", "T2"]
    assert len(provider.sent) == 3


def test_a_retry_after_a_refusal_uses_a_new_key_because_refusals_are_kept_under_theirs(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    start(provider, make_workflow)
    provider.script = [RejectedError("No.")]
    settle()
    decisions.retry(the_run(), by=cast.builder)
    settle()
    assert provider.sent[0][0] == provider.sent[1][0]
    assert provider.sent[0][1] != provider.sent[1][1]


def test_later_steps_use_what_earlier_ones_wrote(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=("read_thing",), inputs={"name": "x"}, condition=None)
    settle()
    assert StepRun.objects.get().output == {"id": "T0", "price": 12}


def test_a_step_that_may_fail_is_passed_over(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=("write_thing", "write_unsurely"), on_error="go_on")
    provider.script = [RejectedError("No.")]
    settle()
    run = the_run()
    assert run.status == "succeeded"
    assert "Write thing failed and was passed over" in run.error
    assert [thing["name"] for thing in provider.books] == ["Thing 1"]


def test_an_input_that_does_not_fit_fails_before_anything_is_sent(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, thing(1, title="x" * 51))
    settle()
    write = the_write()
    assert write.state == "failed"
    assert write.problems == {"name": "Name takes at most 50 characters; this has 51."}
    assert provider.sent == []


def test_a_missing_value_is_named(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, Item(key="1", data={"id": "1"}))
    settle()
    assert the_run().status == "failed"
    assert 'There is no "title" in trigger' in the_run().error
    assert provider.sent == []


@pytest.mark.parametrize(("price", "status", "written"), [(10, "succeeded", 1), (9, "filtered", 0)])
def test_a_filter_lets_pass_or_ends_the_run_with_both_values(
    provider: Provider, make_workflow: Make, price: int, status: str, written: int
) -> None:
    condition = {"left": "{{ trigger.price }}", "type": "number", "operator": "at_least", "right": "10"}
    start(provider, make_workflow, thing(1, price=price), condition=condition)
    settle()
    assert the_run().status == status
    assert len(provider.books) == written
    outcome = StepRun.objects.get(kind="filter").outcome
    assert outcome["passed"] is (status == "succeeded")


def test_a_read_is_tried_again_with_growing_pauses_and_then_fails(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=("read_thing",), inputs={"name": "x"})
    provider.reads = [TemporaryError("The provider answered 500.")] * 9
    settle()
    assert the_run().status == "failed"
    assert "Tried 5 times" in the_run().error
    assert len(provider.reads) == 4


def test_a_lost_connection_makes_runs_wait_and_they_go_on_after_reconnecting(
    provider: Provider, make_workflow: Make, connection: Connection
) -> None:
    start(provider, make_workflow, thing(1), thing(2))
    provider.script = [ReconnectError("Access was withdrawn.")]
    drain()
    assert {run.wait_reason for run in Run.objects.all()} == {"connection"}
    connection.refresh_from_db()
    assert connection.status == Connection.Status.NEEDS_RECONNECT
    assert len(provider.sent) == 1
    sweep()
    assert drain() == 0
    Connection.objects.update(status=Connection.Status.CONNECTED)
    sweep()
    settle()
    assert {run.status for run in Run.objects.all()} == {"succeeded"}
    assert len(provider.books) == 2


def test_a_bug_crashes_the_run_and_says_so_plainly(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(provider, make_workflow)
    monkeypatch.setattr("workflows.engine.writes.sending.commit_intent", lambda *args: 1 / 0)
    drain()
    run = the_run()
    assert run.status == "crashed"
    assert "Pinxero itself failed" in run.error
    assert "Zero" not in run.error
    assert provider.sent == []


def test_an_output_that_cannot_be_stored_crashes_the_run_and_not_the_worker(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(provider, make_workflow, actions=("write_thing", "write_thing"))
    monkeypatch.setattr(WriteThing, "output", lambda self, response: {"id": "T1", "rate": float("nan")})
    drain()
    assert the_run().status == "crashed"
    assert len(provider.books) == 1
    # It was written: nothing says that it was not, and a retry settles it instead of writing it again.
    assert StepRun.objects.get(kind="action").state == "sent"


def test_a_published_plan_cannot_be_changed_even_by_a_bulk_update(provider: Provider, make_workflow: Make) -> None:
    workflow = make_workflow()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        workflow.versions.update(plan={"steps": []})


def test_a_decision_is_recorded_and_cannot_be_rewritten(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    start(provider, make_workflow, actions=("write_unsurely",))
    provider.script = [unknown()]
    settle()
    decisions.mark_done(the_run(), by=cast.builder, reason="Seen there as T9", provider_id="T9")
    settle()
    run = the_run()
    assert run.status == "succeeded"
    decision = run.decisions.get()
    assert [decision.what, decision.reason, decision.by] == ["mark_done", "Seen there as T9", cast.builder]
    assert the_write().provider_id == "T9"
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        run.decisions.update(reason="something else")


def test_sending_again_after_a_person_looked_uses_a_new_key(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    start(provider, make_workflow, actions=("write_unsurely",))
    provider.script = [unknown()]
    settle()
    decisions.send_again(the_run(), by=cast.builder, reason="Not there")
    settle()
    assert the_run().status == "succeeded"
    assert len(provider.books) == 1
    assert the_write().key_group == 1


def test_a_cancelled_run_writes_nothing_more(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    start(provider, make_workflow)
    provider.script = [TemporaryError("Later.", retry_after=60)]
    drain()
    decisions.cancel(the_run(), by=cast.builder, reason="A mistake")
    settle()
    assert the_run().status == "cancelled"
    assert provider.books == []
    with pytest.raises(activation.NotAllowedNowError, match="cancelled by now"):
        decisions.retry(the_run(), by=cast.builder)


def test_a_replay_is_a_new_run_of_the_same_event(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    start(provider, make_workflow)
    settle()
    again = decisions.replay(the_run(), by=cast.builder, reason="Once more")
    settle()
    again.refresh_from_db()
    assert [again.status, again.replay] == ["succeeded", 1]
    assert len(provider.books) == 2
    assert again.event_id == Run.objects.exclude(pk=again.pk).get().event_id


def test_every_state_that_is_not_final_has_a_way_out() -> None:
    ways = {
        status: available_actions.available_actions(Run(status=status, wait_reason="retry"))
        for status in Run.Status.values
    }
    assert {status for status, out in ways.items() if not out} == set()


def test_a_long_read_keeps_its_lease_and_stops_where_another_worker_has_the_run(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    claimed = lease.claim()
    assert claimed is not None
    _, mine = claimed
    Run.objects.update(lease_until="2020-01-01T00:00:00Z")
    mine.keep()
    assert Run.objects.filter(lease_until__year=2020).exists()
    mine.renewed_at -= 60
    mine.keep()
    assert not Run.objects.filter(lease_until__year=2020).exists()
    Run.objects.update(lease_token=mine.token + 1)
    mine.renewed_at -= 60
    with pytest.raises(lease.LostLeaseError):
        mine.keep()


def test_an_action_that_is_gone_fails_the_step_in_plain_words(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(provider, make_workflow)
    monkeypatch.setattr(type(connector), "operations", connector.operations[:1])
    registry._load.cache_clear()
    settle()
    assert the_run().status == "failed"
    assert "The action scripted.write_thing is not available here any more" in the_run().error
    assert provider.sent == []


def test_a_document_that_cannot_be_described_is_still_written_once(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(provider, make_workflow)
    monkeypatch.setattr(WriteThing, "describe", lambda self, output: output["no such field"])
    settle()
    assert [the_run().status, len(provider.books), len(provider.sent)] == ["succeeded", 1, 1]


def test_a_run_that_got_on_begins_its_next_wait_anew(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=("write_thing", "write_unsurely"))
    later = TemporaryError("Later.", retry_after=60)
    provider.script = [later]
    drain()
    first = the_run().waiting_since
    provider.script = ["behave", TemporaryError("Later.", retry_after=60)]
    Run.objects.update(wake_at="2020-01-01T00:00:00Z")
    drain()
    assert the_run().status == "waiting"
    assert first is not None
    assert the_run().waiting_since > first


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-10-31T23:30:00Z", "2026-11-01"),
        ("2026-10-31T09:00:00Z", "2026-10-31"),
        ("2026-10-31T23:30:00", "2026-10-31"),
        ("2026-10-31", "2026-10-31"),
    ],
)
def test_a_moment_put_into_a_date_is_the_day_it_was_at_the_organisation(
    provider: Provider, make_workflow: Make, moment: str, day: str
) -> None:
    item = thing(1, title=moment)
    start(provider, make_workflow, item, inputs={"name": "x", "day": "{{ trigger.title }}"})
    settle()
    assert [book["day"] for book in provider.books] == [day]
