"""What lasts and people should know of: connections, providers and looks that fail, and a disk that is nearly full.

Each is told once, when it begins, and its notice says when it is over.
"""

from __future__ import annotations

from collections.abc import Iterator

from integrations import connections, registry
from integrations.clock import DatabaseNow, seconds
from integrations.errors import IntegrationError
from integrations.limits import PROBE_SECONDS
from integrations.models import CallBudget, Connection, Team
from workflows import beats, disk, notices
from workflows.models import Notice, TriggerState, Workflow
from workflows.notices import Matter

#: A look that fails once or twice is the weather.
_FAILED_LOOKS = 3
#: Real seconds after which a try is overdue that runs and looks should have made, and how many are made up for at once.
_LEFT_ALONE_SECONDS = 2 * PROBE_SECONDS
_MOST_TRIED = 5


def watch() -> int:
    """Let the notices say what is the case now; how many began or ended."""
    found = [*_to_reconnect(), *_down(), *_failing_looks(), *_full_disks()]
    return notices.tell_what_lasts(Notice.LASTING, found)


def try_providers() -> int:
    """Call those that are down and that no run and no look tries just now, so that an outage has an end even where
    everything is paused; how many answered."""
    left_alone = DatabaseNow() - seconds(_LEFT_ALONE_SECONDS)
    down = CallBudget.objects.filter(
        down_since__isnull=False, probe_at__lt=left_alone, connection__status=Connection.Status.CONNECTED
    )
    answered = 0
    for budget in down.select_related("connection__grant").order_by("probe_at")[:_MOST_TRIED]:
        beats.getting_on()
        try:
            connections.refresh_details(budget.connection)
        except IntegrationError:
            continue
        answered += 1
    return answered


def _to_reconnect() -> Iterator[Matter]:
    for each in Connection.objects.filter(status=Connection.Status.NEEDS_RECONNECT):
        yield Matter(
            each.team_id,
            Notice.Kind.RECONNECT,
            title=f"{each.name} needs reconnecting",
            text=f"{each.last_error or 'The access is not accepted any more.'} Its runs wait, and go on by themselves "
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
            text=f"The last try came to this: {budget.down_reason.rstrip('.')}. One call a minute tries whether it is "
            "back. Runs wait meanwhile and go on by themselves.",
            connection=budget.connection,
        )


def _provider(connection: Connection) -> str:
    try:
        return registry.connector(connection.provider).name
    except registry.UnknownOperationError:
        return connection.provider


def _failing_looks() -> Iterator[Matter]:
    failing = TriggerState.objects.filter(
        failures__gte=_FAILED_LOOKS,
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
            title=f"{state.connection.name}: looking for “{what}” fails",
            text=f"{state.failures} looks in a row have failed. The last one said: {state.last_error} Nothing is "
            "missed: the next look that succeeds finds what came meanwhile.",
            connection=state.connection,
        )


def _full_disks() -> Iterator[Matter]:
    low = [room for room in disk.rooms() if room.is_low]
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
