"""Runs that should have started: "expected by 10:00 on the 1st", checked by the worker's chores.

Each time is checked once, even if no worker ran when it came. Any run that was started counts, however it ended: people
are notified of failures anyway.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from workflows.definitions.recurrence import Days, Moment
from workflows.models import Notice, Run, Safeguards, Workflow
from workflows.models.execution import UNDO
from workflows.notifications import notify
from workflows.runtime.clock import database_now

#: After a long outage, only this many of the latest times count.
_MOST = 31


def check() -> int:
    """Check the times that have come since the last check; returns how many runs were missing."""
    watched = Safeguards.objects.exclude(expected=Safeguards.Expected.NEVER).exclude(expected_at=None)
    watched = watched.filter(workflow__deleted_at__isnull=True).exclude(workflow__status=Workflow.Status.DRAFT)
    now = database_now()
    return sum(_check(own, now) for own in watched.select_related("workflow__team"))


def begin(own: Safeguards) -> None:
    """Ignore times before now, because what is expected has just been changed. The caller saves."""
    own.expected_checked = database_now()


def rule(own: Safeguards) -> Days:
    """When a run is expected."""
    assert own.expected_at is not None
    return Days(
        how=own.expected,
        times=(own.expected_at,),
        zone=ZoneInfo(own.expected_zone or settings.TIME_ZONE),
        days=frozenset({own.expected_weekday}),
        number=own.expected_day,
    )


def next_time(own: Safeguards) -> datetime | None:
    """When the next one is expected; None where none is."""
    if not own.expected or own.expected_at is None:
        return None
    return next((each.at for each in rule(own).after(database_now())), None)


def _check(own: Safeguards, now: datetime) -> int:
    since = own.expected_checked
    if since is None:
        Safeguards.objects.filter(pk=own.pk, expected_checked=None).update(expected_checked=now)
        return 0
    come = list(takewhile(lambda moment: moment.at <= now, rule(own).after(since)))
    if not come:
        return 0
    missing = [moment for moment in come[-_MOST:] if not _was_started(own, moment)]
    with transaction.atomic():
        mine = Safeguards.objects.filter(pk=own.pk, expected_checked=since)
        if not mine.update(expected_checked=come[-1].at) or not missing:
            return 0
        notify.notify(_matter(own, missing[-1]), times=len(missing))
    return len(missing)


def _was_started(own: Safeguards, moment: Moment) -> bool:
    since = moment.at - timedelta(hours=own.expected_within)
    started = Run.objects.filter(workflow=own.workflow_id, created_at__gt=since, created_at__lte=moment.at)
    return started.exclude(event__operation=UNDO).exists()


def _matter(own: Safeguards, moment: Moment) -> notify.Matter:
    workflow = own.workflow
    hours = own.expected_within
    zone = own.expected_zone or settings.TIME_ZONE
    text = (
        f"A run was expected by {moment.wall:%H:%M on %-d %B} ({zone}), but none was started in the "
        f"{f'{hours} hours' if hours > 1 else 'hour'} before."
    )
    if workflow.status == Workflow.Status.PAUSED:
        text += f" The workflow is paused: {workflow.pause_reason or 'no reason was given.'}"
    else:
        text += " The workflow is active: see whether there was anything for it to do, and whether its checks succeed."
    return notify.Matter(
        workflow.team_id, Notice.Kind.EXPECTED, f"{workflow.name}: no run when one was expected", text, workflow
    )
