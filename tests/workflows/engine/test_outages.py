"""A provider that is down, an organisation that is frozen: runs wait, say why, and go on by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.core.errors import Hold, OutcomeUnknownError, TemporaryError
from integrations.models import CallBudget, Connection
from tests.workflows.conftest import Make, drain, said, settle, start, the_run, the_write, thing, unknown
from tests.workflows.scripted.connector import Provider
from workflows.engine.writes import settling
from workflows.models import Run, StepRun
from workflows.runs import decisions
from workflows.worker import sweeper

pytestmark = pytest.mark.django_db


def down(since: Any = None) -> TemporaryError:
    return TemporaryError("Scripted has not answered.", hold=Hold.DOWN, since=since or timezone.now(), retry_after=60)


def set_down(connection: Connection, **values: Any) -> None:
    now = timezone.now()
    changes = {"down_since": now, "down_reason": "it answered 503", "probe_at": now + timedelta(hours=1), **values}
    CallBudget.objects.update_or_create(connection=connection, defaults=changes)


def test_a_run_waits_for_the_provider_and_goes_on_when_it_is_back(
    provider: Provider, connection: Connection, make_workflow: Make
) -> None:
    set_down(connection)
    provider.script.append(down())
    start(provider, make_workflow)
    drain()
    run = the_run()
    assert (run.status, run.wait_reason, run.waits_for, run.wake_at) == ("waiting", "down", connection, None)
    assert run.error == "Scripted has not answered."
    assert run.waiting_since is not None
    assert the_write().tries == 0, "an outage never counts as a try"
    sweeper.sweep()
    assert the_run().status == Run.Status.WAITING
    CallBudget.objects.update(down_since=None, probe_at=None)
    sweeper.sweep()
    settle()
    assert the_run().status == Run.Status.SUCCEEDED
    assert len(provider.books) == 1


def test_while_it_is_down_one_run_tries_and_the_others_sleep(
    provider: Provider, connection: Connection, make_workflow: Make
) -> None:
    set_down(connection)
    provider.script += [down(), down(), down()]
    start(provider, make_workflow, thing(1), thing(2), thing(3))
    drain()
    assert Run.objects.filter(wait_reason="down").count() == 3
    CallBudget.objects.update(probe_at=timezone.now() - timedelta(seconds=1))
    assert sweeper.wake_for_provider() == 1
    assert list(Run.objects.order_by("pk").values_list("status", flat=True)) == ["queued", "waiting", "waiting"]


def test_after_a_day_of_outage_a_run_that_waited_for_a_day_fails_and_says_so(
    provider: Provider, connection: Connection, make_workflow: Make, settings: Any
) -> None:
    settings.TIME_SCALE = 1
    long_ago = timezone.now() - timedelta(hours=25)
    set_down(connection, down_since=long_ago)
    provider.script += [down(long_ago), down(long_ago)]
    start(provider, make_workflow)
    drain()
    assert the_run().status == Run.Status.WAITING, "the outage is old, the wait is not"
    Run.objects.update(waiting_since=long_ago)
    sweeper.sweep()
    drain()
    run = the_run()
    assert run.status == Run.Status.FAILED
    assert "The run waited for 24 hours; nothing was written." in run.error
    assert provider.books == []


def test_a_write_that_cannot_be_looked_up_for_a_day_is_shown_to_a_person(
    provider: Provider, make_workflow: Make, settings: Any
) -> None:
    provider.script.append(unknown())
    provider.lookups += [TemporaryError("Not now.", retry_after=1)] * 3
    start(provider, make_workflow, actions=("write_unsurely",))
    drain()
    settings.TIME_SCALE = 1
    step_run = the_write()
    step_run.attempts = [{**line, "at": "2026-11-01T00:00:00+00:00"} for line in step_run.attempts]
    step_run.last_sent_at = timezone.now() - timedelta(hours=30)
    step_run.save()
    Run.objects.update(wake_at=timezone.now())
    drain()
    assert the_run().status == Run.Status.NEEDS_REVIEW
    assert the_write().state == StepRun.State.NEEDS_REVIEW
    assert "for 24 hours it could not be looked up: Not now." in the_write().error
    assert said(the_write())[-1] == ("look up", "not now")


def test_a_write_that_is_found_nowhere_is_not_sent_for_ever(provider: Provider, make_workflow: Make) -> None:
    provider.script += [OutcomeUnknownError("Silence.")] * 400
    start(provider, make_workflow)
    settle()
    assert the_run().status == Run.Status.NEEDS_REVIEW
    assert f"It was sent {settling.MOST_KEYS + 1} times" in the_write().error
    assert the_write().key_group == settling.MOST_KEYS
    decisions.send_again(the_run(), by=None, reason="It is not there.")
    provider.script.clear()
    settle()
    assert the_run().status == Run.Status.SUCCEEDED, "a person's word begins the count anew"
    assert len(provider.books) == 1


def test_a_frozen_organisation_is_read_and_not_written_to(
    provider: Provider, connection: Connection, make_workflow: Make
) -> None:
    Connection.objects.update(frozen_at=timezone.now(), freeze_reason="Month end")
    start(provider, make_workflow, actions=("read_thing", "write_thing"))
    drain()
    run = the_run()
    assert (run.status, run.wait_reason, run.waits_for) == ("waiting", "freeze", connection)
    assert run.error == (
        "Nothing may be written to Scripted account just now: it is frozen (Month end). "
        "The run goes on by itself after."
    )
    assert StepRun.objects.get(operation="scripted.read_thing").state == "succeeded"
    assert provider.sent == []
    sweeper.sweep()
    assert the_run().status == Run.Status.WAITING
    Connection.objects.update(frozen_at=None)
    sweeper.sweep()
    settle()
    assert the_run().status == Run.Status.SUCCEEDED
