"""Workflows on the scripted provider, ready to run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from integrations.core.errors import OutcomeUnknownError
from integrations.framework import registry
from integrations.framework.base import Item
from integrations.models import Connection
from tests.base import Cast, make_connection
from tests.workflows.planting import MakeTree, Spec, made
from tests.workflows.scripted import connector as scripted
from tests.world import World, make_world
from workflows.engine import lease
from workflows.engine.work_loop import do_one
from workflows.models import Condition, Mapping, Run, Step, StepRun, TriggerState, Workflow
from workflows.publishing import activation, publish
from workflows.triggers import polling


@pytest.fixture
def world(cast: Cast) -> World:
    """Two workflows, connections and runs of the team; some tests make their own."""
    return make_world(cast)


@pytest.fixture
def builder(client: Client, cast: Cast) -> Client:
    """A browser in which the builder is signed in."""
    client.force_login(cast.builder)
    return client


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[scripted.Provider]:
    """The scripted provider, empty and well-behaved, and the only connector there is."""
    fresh = scripted.Provider()
    scripted.provider = fresh
    # A registry beside the real one, whose operations other tests hold already.
    monkeypatch.setattr(registry, "_load", lru_cache(maxsize=1)(registry._load.__wrapped__))
    # On SQLite ids begin anew with each test: without this, a long run of the one before would hold up this one's.
    monkeypatch.setattr(lease, "_behind", (0, 0.0))
    with override_settings(CONNECTORS=["tests.workflows.scripted"], TIME_SCALE=600):
        yield fresh


@pytest.fixture
def connection(cast: Cast, provider: scripted.Provider) -> Connection:
    """The team's connection to the scripted provider."""
    return make_connection(cast.team, "scripted", name="Scripted account", timezone="Pacific/Auckland")


Make = Callable[..., Workflow]


@pytest.fixture
def make_workflow(cast: Cast, connection: Connection) -> Make:
    """Build, publish and switch on: when there is a new thing, do these steps."""

    def make(
        *,
        actions: tuple[str, ...] = ("write_thing",),
        name: str = "Copy things",
        inputs: dict[str, str] | None = None,
        condition: dict[str, Any] | None = None,
        on_error: str = "stop",
        is_active: bool = True,
    ) -> Workflow:
        workflow = Workflow.objects.create(
            team=cast.team,
            name=name,
            trigger_operation="scripted.new_thing",
            trigger_connection=connection,
            created_by=cast.builder,
        )
        if condition is not None:
            step = Step.objects.create(workflow=workflow, key="filter", name="Filter", kind="filter", position=1)
            Condition.objects.create(step=step, position=1, **condition)
        for position, action in enumerate(actions, start=2):
            step = Step.objects.create(
                workflow=workflow,
                key=f"{action}_{position}",
                name=action.replace("_", " ").capitalize(),
                kind="action",
                position=position,
                operation=f"scripted.{action}",
                connection=connection,
                on_error=on_error,
            )
            for field, value in (inputs or {"name": "{{ trigger.title }}"}).items():
                Mapping.objects.create(step=step, input=field, value=value)
        publish.publish(workflow, by=cast.builder, note="First version")
        if is_active:
            activation.activate(workflow, by=cast.builder)
        return workflow

    return make


def thing(number: int, **data: Any) -> Item:
    """An item of the scripted trigger."""
    return Item(key=str(number), data={"id": str(number), "title": f"Thing {number}", "price": 10, **data})


def settle(seconds: float = 30.0, *, sits_out: bool = False) -> None:
    """Do all that is due, waiting for what will be, until every run has ended or waits for a person.

    Of the long waits until a write is looked up, only the end is waited for, unless the test `sits_out` all of them.
    """
    ends = time.monotonic() + seconds
    # As a worker does: on a slow machine a poll is due again before the last one has ended, and no run would be done.
    prefers_runs = False
    while time.monotonic() < ends:
        if do_one(prefers_runs=prefers_runs):
            prefers_runs = not prefers_runs
            continue
        if not Run.objects.filter(status__in=Run.OPEN).exclude(wake_at=None, status=Run.Status.WAITING).exists():
            return
        if not sits_out:
            _let_time_pass()
        time.sleep(0.01)
    raise AssertionError(f"Not settled: {list(Run.objects.values('pk', 'status', 'wait_reason', 'wake_at', 'error'))}")


def _let_time_pass(until: float = 0.1) -> None:
    """Make all that is known of an uncertain write older, so that its wait ends in so many seconds."""
    for run in Run.objects.filter(status=Run.Status.WAITING, wait_reason=Run.WaitReason.UNCERTAIN).exclude(
        wake_at=None
    ):
        gone = run.wake_at - timezone.now() - timedelta(seconds=until)
        if gone <= timedelta(0):
            continue
        for step_run in StepRun.objects.filter(run=run):
            for name in ("first_sent_at", "last_sent_at", "looked_up_at"):
                moment = getattr(step_run, name)
                setattr(step_run, name, moment and moment - gone)
            step_run.save(update_fields=["first_sent_at", "last_sent_at", "looked_up_at"])
        Run.objects.filter(pk=run.pk, lease_token=run.lease_token).update(wake_at=run.wake_at - gone)


def drain(seconds: float = 10.0) -> int:
    """Do what is due now and no more. What is due again and again fails the test: it would prove little, and slowly."""
    done = 0
    ends = time.monotonic() + seconds
    while last := do_one():
        done += 1
        if time.monotonic() > ends:
            open_runs = Run.objects.filter(status__in=Run.OPEN).values("pk", "status", "wait_reason", "wake_at")
            polls = TriggerState.objects.values("pk", "status", "next_due_at")
            raise AssertionError(
                f"Still something due after {done} polls and runs, the last of them {last!r}, at {timezone.now()}: "
                f"{list(open_runs)}, {list(polls)}"
            )
    return done


def start(provider: scripted.Provider, make_workflow: Make, *items: Item, **options: object) -> None:
    """An active workflow past its baseline, and items that are due."""
    workflow = make_workflow(**options)
    drain()
    provider.items.extend(items or (thing(1),))
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    assert do_poll()


def do_poll() -> bool:
    state = polling.claim()
    if state is None:
        return False
    polling.poll(state)
    return True


def the_run() -> Run:
    return Run.objects.get()


def the_write() -> StepRun:
    return StepRun.objects.get(kind="action")


def said(step_run: StepRun) -> list[tuple[str, str]]:
    return [(line["what"], line["outcome"]) for line in step_run.attempts]


def unknown() -> OutcomeUnknownError:
    return OutcomeUnknownError("The provider said nothing.")


@pytest.fixture
def make_tree(cast: Cast, connection: Connection) -> MakeTree:
    """Build and publish a workflow of these steps."""

    def make(*specs: Spec, name: str = "", is_active: bool = False) -> Workflow:
        workflow = made(cast, connection, *specs, name=name)
        publish.publish(workflow, by=cast.builder, note="First version")
        if is_active:
            activation.activate(workflow, by=cast.builder)
        return workflow

    return make
