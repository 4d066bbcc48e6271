"""Lasting trouble that people should know of: failing connections, providers and polls, and a nearly full disk.

Each gets one notice when it begins, and the notice says when it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from integrations.connections import service
from integrations.core.clock import DatabaseNow, seconds
from integrations.core.errors import IntegrationError
from integrations.framework import registry
from integrations.models import CallBudget, Connection, Team
from integrations.transport.call_budget import PROBE_SECONDS
from workflows.models import ApprovalRequest, Notice, TriggerState, Workflow
from workflows.notifications import notify
from workflows.notifications.notify import Matter
from workflows.runtime import disk, heartbeats

#: One or two failed polls are not worth a notice.
_FAILED_POLLS = 3
#: Real seconds after which an attempt by runs or polls is overdue, and how many providers are tried in one round.
_LEFT_ALONE_SECONDS = 2 * PROBE_SECONDS
_MOST_TRIED = 5
#: How long before a request for approval counts as refused people are reminded of it.
_REMINDED = timedelta(days=1)


def watch() -> int:
    """Make the notices match the present state; returns how many began or ended."""
    found = [*_to_reconnect(), *_down(), *_failing_polls(), *_full_disks(), *_expiring()]
    return notify.keep_lasting_notices(Notice.LASTING, found)


def try_providers() -> int:
    """Call the providers that are down and that no run and no poll is trying, so that an outage ends even where
    everything is paused; returns how many answered."""
    left_alone = DatabaseNow() - seconds(_LEFT_ALONE_SECONDS)
    down = CallBudget.objects.filter(
        down_since__isnull=False, probe_at__lt=left_alone, connection__status=Connection.Status.CONNECTED
    )
    answered = 0
    for budget in down.select_related("connection__grant").order_by("probe_at")[:_MOST_TRIED]:
        heartbeats.note_progress()
        try:
            service.refresh_details(budget.connection)
        except IntegrationError:
            continue
        answered += 1
    return answered


def _expiring() -> Iterator[Matter]:
    """Requests for approval that soon count as refused, one matter for each workflow."""
    soon = ApprovalRequest.objects.filter(status=ApprovalRequest.Status.OPEN, expires_at__lt=timezone.now() + _REMINDED)
    first: dict[int, ApprovalRequest] = {}
    for each in soon.select_related("workflow").order_by("expires_at"):
        if each.workflow is not None:
            first.setdefault(each.workflow.pk, each)
    for each in first.values():
        assert each.workflow is not None
        yield Matter(
            each.workflow.team_id,
            Notice.Kind.EXPIRING,
            title=f"{each.workflow.name} needs an approval within a day",
            text=f"{each} counts as refused {each.expires_at:%-d %B %Y, %H:%M} UTC, if nobody decides on it.",
            workflow=each.workflow,
        )


def _to_reconnect() -> Iterator[Matter]:
    for each in Connection.objects.filter(status=Connection.Status.NEEDS_RECONNECT):
        yield Matter(
            each.team_id,
            Notice.Kind.RECONNECT,
            title=f"{each.name} needs reconnecting",
            text=f"{each.last_error or 'The access is no longer accepted.'} Its runs wait, and go on by themselves "
            "once it is reconnected.",
            connection=each,
        )


def _down() -> Iterator[Matter]:
    for budget in CallBudget.objects.filter(down_since__isnull=False).select_related("connection"):
        if budget.connection.status != Connection.Status.CONNECTED:
            continue
        yield Matter(
            budget.connection.team_id,
            Notice.Kind.DOWN,
            title=f"{budget.connection.name}: {_provider(budget.connection)} does not answer",
            text=f"The last attempt ended with: {budget.down_reason.rstrip('.')}. Pinxero checks once a minute whether "
            "it is back. Runs wait meanwhile and go on by themselves.",
            connection=budget.connection,
        )


def _provider(connection: Connection) -> str:
    try:
        return registry.connector(connection.provider).name
    except registry.UnknownOperationError:
        return connection.provider


def _failing_polls() -> Iterator[Matter]:
    failing = TriggerState.objects.filter(
        failures__gte=_FAILED_POLLS,
        listeners__status=Workflow.Status.ACTIVE,
        connection__status=Connection.Status.CONNECTED,
        connection__budget__down_since__isnull=True,
    )
    for state in failing.select_related("connection").distinct():
        try:
            what = registry.trigger(state.operation).name
        except registry.UnknownOperationError:
            what = state.operation
        yield Matter(
            state.team_id,
            Notice.Kind.TRIGGER,
            title=f"{state.connection.name}: checking for “{what}” fails",
            text=f"{state.failures} checks in a row have failed. The last error was: {state.last_error} Nothing is "
            "missed: the next check that succeeds finds what came meanwhile.",
            connection=state.connection,
        )


def _full_disks() -> Iterator[Matter]:
    low = [room for room in disk.disk_spaces() if room.is_low]
    if not low:
        return
    text = " ".join(room.sentence for room in low)
    for pk in Team.objects.values_list("pk", flat=True):
        yield Matter(
            pk,
            Notice.Kind.DISK,
            title="The disk is nearly full, so nothing new is begun",
            text=f"{text} Workers go on by themselves when there is room again; nothing is lost.",
        )
