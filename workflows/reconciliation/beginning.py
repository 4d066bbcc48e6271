"""Beginning, stopping and forgetting reconciliations."""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.models import Connection
from workflows.engine.portions import Portions
from workflows.models import Posting, Reconciliation
from workflows.runtime.broker import wake_for_reconciliations

logger = logging.getLogger(__name__)

Status = Reconciliation.Status
#: A nightly one goes back this many days: a quarter, and a little more.
NIGHTLY_DAYS = 92
#: The longest period of one reconciliation.
MOST_DAYS = 366
_KEPT_DAYS = 400
#: How a worker claims and continues them.
PORTIONS = Portions(Reconciliation, "connection__grant", wake=wake_for_reconciliations)


class NotBegunError(Exception):
    """It cannot begin; `message` says why, and `fields` which of `since` and `until` is wrong."""

    def __init__(self, message: str, *fields: str) -> None:
        super().__init__(message)
        self.message, self.fields = message, fields


def begin(connection: Connection, *, since: date, until: date, by: User | None) -> Reconciliation:
    """Begin one of what was written there on these days. If one of the organisation is under way, it is that. Raises
    NotBegunError."""
    if until < since:
        raise NotBegunError("The last day is before the first.", "until")
    if (until - since).days >= MOST_DAYS:
        raise NotBegunError(f"Choose {MOST_DAYS} days at most.", "since")
    if since > timezone.localdate():
        raise NotBegunError("The period has not begun yet.", "since")
    if connection.status != Connection.Status.CONNECTED:
        raise NotBegunError(f"{connection.name} is not connected, so nothing can be read there. Reconnect it first.")
    try:
        with transaction.atomic():
            made: Reconciliation = Reconciliation.objects.create(
                team_id=connection.team_id,
                connection=connection,
                organisation=connection.name,
                since=since,
                until=until,
                by=by,
                total=of_period(connection, since, until).count(),
            )
            if by is not None:
                after = {"Organisation": connection.name, "Period": f"{since.isoformat()} to {until.isoformat()}"}
                record(Audited.RECONCILED, team_id=made.team_id, about=made, by=by, after=after)
            wake_for_reconciliations()
    except IntegrityError:
        # A second press of the button, or a colleague, was a moment faster.
        return Reconciliation.objects.get(connection=connection, status__in=Reconciliation.UNDER_WAY)
    return made


def begin_nightly() -> int:
    """Begin one for each connected organisation in which something was written lately; returns how many."""
    today, begun = timezone.localdate(), 0
    since = today - timedelta(days=NIGHTLY_DAYS)
    connected = Connection.objects.filter(status=Connection.Status.CONNECTED).order_by("pk")
    for connection in connected:
        if not of_period(connection, since, today).exists():
            continue
        begin(connection, since=since, until=today, by=None)
        begun += 1
    return begun


def stop(reconciliation: Reconciliation) -> bool:
    """Stop it; what was found stays. False where it has ended already."""
    return PORTIONS.stop(reconciliation)


def forget_old() -> int:
    """Remove the reconciliations that have been kept long enough; returns how many."""
    return PORTIONS.forget(_KEPT_DAYS)


def of_period(connection: Connection | None, since: date, until: date) -> QuerySet[Posting]:
    """The postings of an organisation that were written on these days, both included."""
    begins, ends = bounds(since, until)
    found: QuerySet[Posting] = Posting.objects.filter(connection=connection, written_at__gte=begins)
    return found.filter(written_at__lt=ends).order_by("pk")


def bounds(since: date, until: date) -> tuple[datetime, datetime]:
    """The moments at which the period begins, and after which it has ended, in the installation's time zone."""
    zone = timezone.get_current_timezone()
    return (
        datetime.combine(since, time.min, tzinfo=zone),
        datetime.combine(until + timedelta(days=1), time.min, tzinfo=zone),
    )
