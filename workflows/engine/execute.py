"""Execute one claimed run: walk the plan's steps, and decide how the run stands when the walk stops."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.urls import reverse

from integrations import registry
from integrations.clock import DatabaseNow, seconds
from integrations.models import Connection
from workflows import aftermath
from workflows.engine import filters, reading, steps, writing
from workflows.engine.lease import Lease, LostLeaseError, database_now
from workflows.engine.outcomes import FilteredError, ReviewError, StepFailedError
from workflows.engine.waiting import WaitError
from workflows.mapping import MappingContext
from workflows.models import Run, StepRun

logger = logging.getLogger(__name__)


@dataclass
class Walk:
    """A run under way: what steps may use, and the right to write it down."""

    run: Run
    lease: Lease
    data: dict[str, Any]
    connections: Mapping[int, Connection]
    step_runs: dict[str, StepRun] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    result: str = ""

    def home(self, step: Mapping[str, Any]) -> Connection | None:
        """Whose dates hold for a step: its connection's; without one, those of the run's or the trigger's."""
        run = self.run
        found = (self.connections.get(each or 0) for each in (step["connection"], run.connection_id, _heard_from(run)))
        return next((each for each in found if each is not None), None)

    def context(self, connection: Connection | None) -> MappingContext:
        """Dates and zones as the organisation sees them."""
        zone = _zone(connection)
        lock_dates = _lock_dates(connection.details if connection else {})
        return MappingContext(timezone=zone.key, today=database_now().astimezone(zone).date(), lock_dates=lock_dates)


def execute(run: Run, lease: Lease) -> None:
    """Take a claimed run as far as it goes now. Never raises, but for a lost database."""
    try:
        walk = _begin(run, lease)
        for position, step in enumerate(run.version.plan["steps"], start=1):
            _step(walk, position, step)
        note = f"{', '.join(walk.passed_over)} failed and was passed over. " if walk.passed_over else ""
        _finish(lease, Run.Status.SUCCEEDED, error=note, result=walk.result)
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", run.pk)
    except WaitError as wait:
        _wait(lease, run, wait)
    except FilteredError as filtered:
        _finish(lease, Run.Status.FILTERED, result=filtered.sentence)
    except StepFailedError as failed:
        _finish(lease, Run.Status.FAILED, error=failed.message)
    except ReviewError as review:
        _finish(lease, Run.Status.NEEDS_REVIEW, error=review.message)
    except (OperationalError, InterfaceError):
        # The database's trouble, not the run's: when the lease is over, it is taken up where it was written down.
        raise
    except Exception:
        logger.exception("Run %s crashed.", run.pk)
        _finish(
            lease,
            Run.Status.CRASHED,
            error="Pinxero itself failed in this run; nothing more was sent. The worker's log tells why.",
        )


def _begin(run: Run, lease: Lease) -> Walk:
    version = run.version
    plan = version.plan
    ids = {step["connection"] for step in plan["steps"] if step.get("connection")} | {_heard_from(run)} - {None}
    connections = Connection.objects.filter(team_id=run.team_id).select_related("grant").in_bulk(ids)
    # The day where the books are kept: in Auckland it is another one than in London for half of the day.
    books = connections.get(run.connection_id or _heard_from(run) or 0)
    started_on = run.created_at.astimezone(_zone(books)).date()
    data = {
        "trigger": run.event.data,
        "steps": {},
        "run": {"id": run.pk, "url": run_url(run.pk), "date": started_on.isoformat()},
        "workflow": {"name": run.workflow.name, "version": version.number},
    }
    walk = Walk(run=run, lease=lease, data=data, connections=connections)
    walk.step_runs = {each.step: each for each in StepRun.objects.filter(run=run, iteration="")}
    return walk


def _heard_from(run: Run) -> int | None:
    """The connection of the trigger."""
    heard: int | None = run.version.plan["trigger"].get("connection")
    return heard


def _step(walk: Walk, position: int, step: dict[str, Any]) -> None:
    step_run = walk.step_runs.get(step["key"])
    if step_run is None:
        step_run = StepRun(
            run=walk.run,
            step=step["key"],
            position=position,
            kind=step["kind"],
            name=step["name"],
            operation=step.get("operation", ""),
            connection_id=step.get("connection"),
        )
    if _is_settled(walk, step, step_run):
        return
    if step_run.started_at is None:
        step_run.started_at = database_now()
    try:
        if step["kind"] != "filter":
            _insist_on_action(walk, step, step_run)
        if step["kind"] == "filter":
            filters.perform(walk, step, step_run)
        elif reading.is_read(step):
            reading.perform(walk, step, step_run)
        else:
            writing.perform(walk, step, step_run)
    except StepFailedError:
        if step.get("on_error") != "go_on":
            raise
        walk.passed_over.append(step_run.name)
        return
    _use_output(walk, step_run)
    # The run got on: a later wait is a wait of its own.
    walk.run.waiting_since = None


def _insist_on_action(walk: Walk, step: dict[str, Any], step_run: StepRun) -> None:
    """Raises StepFailedError where the action is not available any more, ReviewError where it may have written."""
    try:
        registry.action(step["operation"])
    except registry.UnknownOperationError:
        message = f"The action {step['operation']} is not available here any more. Choose another in the workflow."
        if step_run.state not in (StepRun.State.SENT, StepRun.State.UNCERTAIN):
            raise steps.fail(walk, step_run, message) from None
        step_run.state, step_run.error = StepRun.State.NEEDS_REVIEW, message
        walk.lease.record(step_run)
        raise ReviewError(f"{step_run.name}: it may have been written. {message}") from None


def _is_settled(walk: Walk, step: dict[str, Any], step_run: StepRun) -> bool:
    """Whether the step has come to its end before, so that the run just goes on.

    Raises again what ended the run there: a worker may have died after the step was written down and before the run
    was. Nothing but a person's decision takes a step back from such an end.
    """
    if step_run.state in StepRun.FINISHED:
        if step["kind"] == "filter":
            filters.insist(step, step_run)
        _use_output(walk, step_run)
        return True
    if step_run.state == StepRun.State.NEEDS_REVIEW:
        raise ReviewError(f"{step_run.name}: {step_run.error}")
    if step_run.state == StepRun.State.FAILED:
        if step.get("on_error") != "go_on":
            raise StepFailedError(f"{step_run.name}: {step_run.error}")
        walk.passed_over.append(step_run.name)
        return True
    return False


def _use_output(walk: Walk, step_run: StepRun) -> None:
    walk.data["steps"][step_run.step] = step_run.output or {}
    if step_run.provider_id:
        walk.result = (step_run.outcome or {}).get("described", walk.result)


def _finish(lease: Lease, status: Run.Status, *, error: str = "", result: str = "") -> None:
    changes = {
        "status": status,
        "error": error,
        "result": result[:200],
        "finished_at": DatabaseNow(),
        "lease_until": None,
        "waiting_since": None,
    }
    try:
        if status not in Run.NEEDS_ATTENTION:
            lease.record(run=changes)
            return
        with transaction.atomic():
            lease.record(run=changes)
            aftermath.after(lease.run_id, status, error)
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", lease.run_id)


def _wait(lease: Lease, run: Run, wait: WaitError) -> None:
    wake = None if wait.pause is None else DatabaseNow() + seconds(wait.pause)
    try:
        lease.record(
            run={
                "status": Run.Status.WAITING,
                "wait_reason": wait.reason,
                "wake_at": wake,
                "waits_for": wait.connection,
                "waiting_since": run.waiting_since or DatabaseNow(),
                "error": wait.message,
                "lease_until": None,
            }
        )
    except LostLeaseError:
        logger.warning("Run %s was taken over by another worker; this one leaves it alone.", lease.run_id)


def run_url(run_id: int) -> str:
    """The address of a run's page, for people and for what is written into the provider's documents."""
    return f"{settings.BASE_URL}{reverse('run', args=[run_id])}"


def _zone(connection: Connection | None) -> ZoneInfo:
    """Where the organisation is; what it says of that may be nothing that is known here."""
    try:
        return ZoneInfo((connection.details.get("timezone") if connection else "") or settings.TIME_ZONE)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _lock_dates(details: Mapping[str, Any]) -> tuple[date, ...]:
    found = []
    for name in ("period_lock_date", "end_of_year_lock_date"):
        try:
            found.append(date.fromisoformat(details.get(name) or ""))
        except ValueError:
            continue
    return tuple(found)
