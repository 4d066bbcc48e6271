"""Switching workflows on and off. Callers check permissions; these functions check that it makes sense now."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.core.errors import IntegrationError
from integrations.framework import registry
from integrations.framework.base import Start, Trigger
from integrations.models import Connection
from integrations.transport import call_budget
from workflows.definitions.start_values import start_of
from workflows.models import Release, Workflow
from workflows.notifications import safeguards
from workflows.runtime.broker import wake_worker
from workflows.triggers import backfill, polling, schedules

#: What keeps a connection from being used, by its status.
NOT_USABLE = {
    str(Connection.Status.NEEDS_RECONNECT): "needs reconnecting",
    str(Connection.Status.DISCONNECTED): "is disconnected",
}


class NotAllowedNowError(Exception):
    """It makes no sense in the present state; `message` says why and what to do instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def usable_trigger(workflow: Workflow) -> tuple[Trigger, Connection | None]:
    """The trigger of the published version and its connection; None if it needs no connection.

    Raises NotAllowedNowError if it cannot be switched on now.
    """
    if workflow.published is None:
        raise NotAllowedNowError("Publish the workflow first; only a published version can be switched on.")
    trigger_plan = workflow.published.plan["trigger"]
    try:
        trigger = registry.trigger(trigger_plan["operation"])
    except registry.UnknownOperationError:
        raise NotAllowedNowError(
            f"The trigger {trigger_plan['operation']} is not available here any more. Choose another one and publish."
        ) from None
    if isinstance(trigger, Start):
        return trigger, None
    connection = Connection.objects.filter(pk=trigger_plan["connection"], team_id=workflow.team_id).first()
    if connection is None or not connection.is_usable:
        name = connection.name if connection else "The trigger's connection"
        raise NotAllowedNowError(f"{name} is not connected. Reconnect it, then switch the workflow on.")
    return trigger, connection


def count_backfill(workflow: Workflow, since: date) -> backfill.Counted:
    """How many runs a backfill from the day would start. Only reads. Raises NotAllowedNowError."""
    trigger, connection = usable_trigger(workflow)
    connection = _check_day(trigger, connection, since)
    try:
        return backfill.count(workflow, connection, since)
    except IntegrationError as error:
        raise NotAllowedNowError(f"{connection.name} could not be read to count them. {error.message}") from error


def activate(
    workflow: Workflow, *, by: User | None, since: date | None = None, counted: backfill.Counted | None = None
) -> None:
    """Switch it on: new items start runs from the next poll on. Raises NotAllowedNowError.

    With `since`, what was created on that day or later also starts runs of this workflow, once; `counted` is the number
    that the person was shown.
    """
    trigger, connection = usable_trigger(workflow)
    if since is not None:
        _check_day(trigger, connection, since)
    with transaction.atomic():
        locked = Workflow.objects.select_for_update(of=("self",)).select_related("published").get(pk=workflow.pk)
        if since is not None and locked.status == Workflow.Status.ACTIVE:
            raise NotAllowedNowError(
                "The workflow is active already. Pause it first; then it can be switched on from a day in the past."
            )
        before = _status(locked)
        locked.status, locked.pause_reason, locked.has_paused_itself = Workflow.Status.ACTIVE, "", False
        locked.save(update_fields=["status", "pause_reason", "has_paused_itself", "changed_at"])
        safeguards.begin_counting(locked)
        listen(locked)
        state = locked.listens_to
        if state is not None and since is not None:
            Release.objects.create(
                workflow=locked,
                trigger_state=state,
                since=since,
                counted=counted.number if counted else None,
                is_capped=bool(counted and (counted.is_capped or counted.is_partial)),
                asked_by=by,
            )
            polling.start_over(state)
        if state is not None:
            polling.poll_now(state)
            wake_worker()
        after = _status(locked) | ({"Starts from": f"{since:%-d %B %Y}"} if since is not None else {})
        if after != before:
            record(Audited.WORKFLOW_ON, team_id=locked.team_id, about=locked, by=by, before=before, after=after)
    workflow.refresh_from_db()


def _status(workflow: Workflow) -> dict[str, str]:
    return {"Status": str(workflow.get_status_display())}


def _check_day(trigger: Trigger, connection: Connection | None, since: date) -> Connection:
    if connection is None:
        raise NotAllowedNowError("Nothing is noticed at a provider here, so there is no past to start from.")
    if not backfill.is_possible(trigger):
        raise NotAllowedNowError(
            f"{trigger.connector.name} does not say when a {trigger.noun} was created, so this workflow can only start "
            "from now."
        )
    if since > backfill.today(connection):
        raise NotAllowedNowError("Choose a day that is not in the future, or start from now.")
    return connection


def pause(workflow: Workflow, *, by: User | None, reason: str = "") -> None:
    """Switch it off: new items start nothing; current runs go on. Switching on again starts with a baseline."""
    if workflow.status != Workflow.Status.ACTIVE:
        raise NotAllowedNowError("The workflow is not active.")
    before = _status(workflow)
    with transaction.atomic():
        backfill.drop(workflow)
        Workflow.objects.filter(pk=workflow.pk).update(
            status=Workflow.Status.PAUSED,
            pause_reason=reason or (f"Paused by {by.get_username()}." if by else "Paused."),
            has_paused_itself=by is None,
            listens_to=None,
            awaits_baseline=False,
        )
        stop_listening(workflow)
        workflow.refresh_from_db()
        record(
            Audited.WORKFLOW_OFF,
            team_id=workflow.team_id,
            about=workflow,
            by=by,
            reason=reason,
            before=before,
            after=_status(workflow),
        )


def poll_now(workflow: Workflow, *, by: User | None) -> None:
    """Poll its trigger now instead of when it is due."""
    if workflow.status != Workflow.Status.ACTIVE or workflow.listens_to is None:
        raise NotAllowedNowError("Only an active workflow checks for new items. Switch it on first.")
    connection = workflow.listens_to.connection
    if not connection.is_usable:
        why = f" {connection.last_error}" if connection.last_error else ""
        raise NotAllowedNowError(
            f"It cannot check: {connection.name} {NOT_USABLE[connection.status]}.{why} Connect it again under "
            "Connections; then it checks by itself."
        )
    if hindrance := call_budget.hindrance(connection):
        raise NotAllowedNowError(f"It cannot check just now. {hindrance}")
    polling.poll_now(workflow.listens_to)
    wake_worker()


def listen(workflow: Workflow) -> None:
    """Let an active workflow be started by the trigger of its published version, and by nothing else."""
    if start_of(workflow) is None:
        schedules.forget(workflow)
        polling.listen(workflow)
        return
    if workflow.listens_to_id is not None:
        backfill.drop(workflow)
    Workflow.objects.filter(pk=workflow.pk).update(listens_to=None, awaits_baseline=False)
    workflow.listens_to, workflow.awaits_baseline = None, False
    schedules.plan(workflow)


def stop_listening(workflow: Workflow) -> None:
    """Let no trigger start it any more."""
    schedules.forget(workflow)
