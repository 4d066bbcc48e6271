"""The step protocol: what happened, what certainly did not, and what is uncertain, one answer at a time."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest
from django.test import override_settings

from integrations.core.clock import seconds
from integrations.core.errors import Hold, RejectedError, TemporaryError
from integrations.core.exact_json import dumps
from integrations.transport.http import Request, Response
from tests.workflows.conftest import Make, drain, said, settle, start, the_run, the_write, unknown
from tests.workflows.scripted.connector import Provider
from workflows.engine import lease
from workflows.engine.execute import execute
from workflows.engine.work_loop import do_one
from workflows.models import Run, StepRun
from workflows.runs import available_actions

pytestmark = pytest.mark.django_db


def test_a_write_is_booked_once_and_written_down(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    drain()
    run, write = the_run(), the_write()
    assert [run.status, run.title, run.result] == ["succeeded", "Thing 1", "Thing T1"]
    assert [thing["name"] for thing in provider.books] == ["Thing 1"]
    assert write.provider_id == "T1"
    assert write.request["body"] == dumps({"name": "Thing 1", "marker": write.marker})
    assert provider.sent == [(write.request["body"].encode(), write.idempotency_key)]
    assert write.first_sent_at is not None
    assert said(write) == [("send", "done")]


def test_the_row_is_committed_before_the_wire(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    seen: list[tuple[str, bool]] = []

    def look() -> Response:
        write = the_write()
        seen.append((write.state, write.idempotency_key is not None))
        raise unknown()

    provider.script = [look]
    drain()
    assert seen == [("sent", True)]


def test_a_refusal_fails_the_step_with_the_providers_words_and_nothing_is_sent_again(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    provider.script = [RejectedError("The name is taken.", reasons=["The name is taken."])]
    settle()
    assert the_run().status == "failed"
    assert the_run().error == "Write thing: The name is taken."
    assert provider.books == []
    assert len(provider.sent) == 1


def test_a_pause_asked_for_moves_the_run_and_the_same_write_goes_out_later(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    provider.script = [TemporaryError("Too many calls.", retry_after=60, hold=Hold.BUDGET)]
    # Once: on a slow machine the shortened pause would be over before all else is done.
    assert do_one(prefers_runs=True) == the_run()
    run = the_run()
    assert [run.status, run.wait_reason, run.error] == ["waiting", "budget", "Too many calls."]
    assert run.lease_until is None
    assert the_write().state == "pending"
    settle()
    assert the_run().status == "succeeded"
    assert len(provider.books) == 1


def test_an_unknown_outcome_is_sent_again_with_the_same_bytes_and_the_same_key(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    provider.script = ["commit and be silent"]
    drain()
    run = the_run()
    assert [run.status, run.wait_reason] == ["waiting", "uncertain"]
    settle()
    assert the_run().status == "succeeded"
    assert provider.sent[0] == provider.sent[1]
    assert len(provider.books) == 1
    assert said(the_write()) == [("send", "unknown"), ("send", "done")]


def test_where_the_key_answers_with_a_stored_error_the_marker_is_looked_up(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    answered = unknown()
    answered.response = Response(500, body=b"stored error")
    provider.script = ["commit and be silent", answered]
    settle()
    assert the_run().status == "succeeded"
    assert len(provider.books) == 1
    assert len(provider.sent) == 2
    assert said(the_write()) == [("send", "unknown"), ("send", "unknown"), ("look up", "found")]
    assert the_write().provider_id == "T1"


def test_what_is_found_nowhere_three_times_is_sent_again_under_a_new_key(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    answered = unknown()
    answered.response = Response(500, body=b"stored error")
    provider.script = [answered, answered]
    settle()
    assert the_run().status == "succeeded"
    assert len(provider.books) == 1
    keys = [key for _, key in provider.sent]
    assert keys[0] == keys[1] != keys[2]
    assert said(the_write()) == [
        ("send", "unknown"),
        ("send", "unknown"),
        ("look up", "not found"),
        ("look up", "not found"),
        ("look up", "not found"),
        ("new key", "done"),
        ("send", "done"),
    ]


def test_two_objects_with_one_marker_raise_the_alarm(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=("write_unsurely",))

    def twice() -> Response:
        marker = the_write().marker
        provider.books += [{"id": "T1", "name": "x", "marker": marker}, {"id": "T2", "name": "x", "marker": marker}]
        raise unknown()

    provider.script = [twice]
    settle()
    assert the_run().status == "needs_review"
    assert "2 objects" in the_run().error
    assert the_write().outcome == {"found": ["T1", "T2"]}
    assert len(provider.sent) == 1


def test_without_a_reliable_lookup_a_person_decides(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=("write_unsurely",))
    provider.script = [unknown()]
    settle()
    run = the_run()
    assert run.status == "needs_review"
    assert [way.key for way in available_actions.available_actions(run)] == ["mark_done", "send_again", "cancel"]
    assert len(provider.sent) == 1
    assert provider.sent[0][1] == ""


@pytest.mark.parametrize("hidden", [1, 2])
def test_what_a_slow_provider_tells_late_is_found_by_a_later_lookup(
    provider: Provider, make_workflow: Make, hidden: int
) -> None:
    start(provider, make_workflow, actions=("write_unsurely",))
    provider.script, provider.hidden = ["commit and be silent"], hidden
    settle(sits_out=True)
    assert the_run().status == "succeeded"
    looks = [("look up", "not found")] * hidden
    assert said(the_write()) == [("send", "unknown"), *looks, ("look up", "found")]
    assert len(provider.books) == 1
    moments = [datetime.fromisoformat(line["at"]) for line in the_write().attempts if line["what"] == "look up"]
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert all(pause >= seconds(600) * count for count, pause in enumerate(pauses, start=1))


def test_a_refused_repetition_is_looked_up_before_it_counts_as_a_failure(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    refused = RejectedError("The name must be unique.")
    refused.response = Response(400, body=b"{}")
    provider.script = ["commit and be silent", refused]
    settle()
    assert the_run().status == "succeeded"
    assert len(provider.books) == 1


def test_a_refused_repetition_that_was_never_written_fails_with_the_refusal(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    refused = RejectedError("The name is too long.")
    refused.response = Response(400, body=b"{}")
    provider.script = [unknown(), refused]
    settle()
    assert [the_run().status, the_run().error] == ["failed", "Write thing: The name is too long."]
    assert provider.books == []


def test_a_lookup_that_cannot_be_made_now_keeps_the_write_uncertain(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=("write_unsurely",))
    provider.script = ["commit and be silent"]
    provider.lookups = [TemporaryError("The provider answered 503.")] * 7
    settle(20)
    assert the_run().status == "succeeded"
    assert len(provider.sent) == 1


def test_an_answer_that_cannot_be_read_is_not_taken_for_a_success(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow, actions=("write_unsurely",))
    provider.script = [lambda: Response(200, body=b"<html>busy</html>")]
    drain()
    run = the_run()
    assert [run.status, run.wait_reason] == ["waiting", "uncertain"]
    assert the_write().state == "uncertain"


def test_a_worker_killed_after_sending_leaves_a_write_that_is_settled_not_repeated(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)

    class Killed(BaseException):
        pass

    def write_and_die() -> Response:
        body, key = provider.sent[-1]
        provider.script = []
        provider.sent.pop()
        provider.write(Request("PUT", "/things", body=body), key)
        raise Killed

    provider.script = [write_and_die]
    with pytest.raises(Killed):
        drain()
    assert [the_run().status, the_write().state] == ["running", "sent"]
    settle()
    assert the_run().status == "succeeded"
    assert the_run().claims >= 2
    assert provider.sent[0] == provider.sent[1]
    assert said(the_write()) == [("send", "unknown"), ("send", "done")]
    assert len(provider.books) == 1


def test_a_worker_that_comes_back_after_its_lease_changes_nothing(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    claimed = lease.claim()
    assert claimed is not None
    run, zombie = claimed
    Run.objects.update(lease_token=zombie.token + 1)
    execute(run, zombie)
    assert provider.sent == []
    assert StepRun.objects.count() == 0
    assert Run.objects.get().status == "running"


def test_without_the_intent_a_killed_worker_writes_twice(provider: Provider, make_workflow: Make) -> None:
    """The negative control: what the row before the wire is worth."""
    start(provider, make_workflow)

    class Killed(BaseException):
        pass

    def write_and_die() -> Response:
        provider.books.append({"id": "T1", "name": "Thing 1", "marker": "lost with the worker"})
        raise Killed

    provider.script = [write_and_die]
    with override_settings(SAFETIES_OFF=["no_intent"]):
        with pytest.raises(Killed):
            drain()
        settle()
    assert len(provider.books) == 2


def test_without_the_lookup_a_stored_error_leads_to_a_second_document(provider: Provider, make_workflow: Make) -> None:
    """The negative control: what the lookup is worth where the provider keeps no keys."""
    start(provider, make_workflow, actions=("write_unsurely",))
    provider.script = ["commit and be silent"]
    with override_settings(SAFETIES_OFF=["no_lookup"]):
        settle()
    assert len(provider.books) == 2
