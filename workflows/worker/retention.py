"""How long records are kept, and the nightly chore that removes the rest in batches.

- **Bodies**: what came in, what was read and what a provider answered. They hold personal data and most of the bytes,
  and help for as long as somebody asks what went wrong: `KEEP_BODIES_DAYS`.
  Samples that were read from a provider are such bodies too.
- **Runs that wrote nothing**: `KEEP_RUNS_DAYS`.
- **Previews**: nothing of them was written, and what they show of the items is a week old: `Preview.KEPT_DAYS`.
- **Evidence of writes**: the run, its decisions, the exact request, what was written, its id and link. Tax law requires
  them for years: `KEEP_EVIDENCE_YEARS`.

A run that is in progress or waits for a person is never touched, however old it is. Days are counted from the end of
the run. Each batch is a transaction of its own, so nothing is locked for long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from workflows.models import Event, FetchedOutput, Posting, Preview, Run, SampleItem, StepRun
from workflows.runtime import heartbeats

BATCH = 200
#: The chore stops after this long; the next round continues.
LONGEST_SECONDS = 60.0
_FINAL = [status for status in Run.Status.values if status not in {*Run.OPEN, Run.Status.NEEDS_REVIEW}]
#: A person may have said that something is there which was never sent.
_POSTED = Posting.objects.filter(run=OuterRef("pk"))
_WROTE = StepRun.objects.filter(run=OuterRef("pk"), first_sent_at__isnull=False)


def remove_old(longest: float = LONGEST_SECONDS) -> int:
    """Remove what has been kept long enough, until all is done or time is up; returns how many runs and
    previews were touched."""
    now, ends, done = timezone.now(), time.monotonic() + longest, 0
    for kept, remove in (
        (_to_trim(now - timedelta(days=settings.KEEP_BODIES_DAYS)), _trim),
        (_idle(now - timedelta(days=settings.KEEP_RUNS_DAYS)), _delete),
        (_ended(now - timedelta(days=round(settings.KEEP_EVIDENCE_YEARS * 365.25))), _delete),
        (_previews(now - timedelta(days=Preview.KEPT_DAYS)), _delete_previews),
    ):
        done += _in_batches(kept, remove, ends)
    _remove_samples(now - timedelta(days=settings.KEEP_BODIES_DAYS))
    return done


def _remove_samples(before: datetime) -> None:
    """What people typed stays: it is no provider's data."""
    SampleItem.objects.filter(origin=SampleItem.Origin.REAL, taken_at__lt=before).delete()
    FetchedOutput.objects.filter(fetched_at__lt=before).delete()


def _in_batches(kept: Callable[[], Iterable[int]], remove: Callable[[list[int]], None], ends: float) -> int:
    done = 0
    while time.monotonic() < ends:
        heartbeats.note_progress()
        chosen = list(kept())
        if not chosen:
            break
        with transaction.atomic():
            remove(chosen)
        done += len(chosen)
    return done


def _to_trim(before: datetime) -> Callable[[], Iterable[int]]:
    found = Run.objects.filter(trimmed_at__isnull=True, finished_at__lt=before, status__in=_FINAL)
    return lambda: found.order_by("finished_at").values_list("pk", flat=True)[:BATCH]


def _idle(before: datetime) -> Callable[[], Iterable[int]]:
    found = Run.objects.filter(trimmed_at__isnull=False, finished_at__lt=before, status__in=_FINAL)
    return lambda: found.filter(~Exists(_WROTE), ~Exists(_POSTED)).order_by("pk").values_list("pk", flat=True)[:BATCH]


def _ended(before: datetime) -> Callable[[], Iterable[int]]:
    found = Run.objects.filter(finished_at__lt=before, status__in=_FINAL)
    return lambda: found.order_by("pk").values_list("pk", flat=True)[:BATCH]


def _previews(before: datetime) -> Callable[[], Iterable[int]]:
    found = Preview.objects.filter(created_at__lt=before)
    return lambda: found.order_by("created_at").values_list("pk", flat=True)[:BATCH]


def _delete_previews(previews: list[int]) -> None:
    Preview.objects.filter(pk__in=previews).delete()


def _trim(runs: list[int]) -> None:
    steps = StepRun.objects.filter(run__in=runs)
    # What a write sent and its result are the evidence; only the provider's raw answer is removed.
    steps.filter(first_sent_at__isnull=True).update(inputs=None, outcome=None, output=None, attempts=[])
    steps.update(response_body="", response_headers=None)
    Run.objects.filter(pk__in=runs).update(trimmed_at=timezone.now())
    untouched = Run.objects.filter(event=OuterRef("pk"), trimmed_at__isnull=True)
    Event.objects.filter(~Exists(untouched), runs__in=runs).update(data={})


def _delete(runs: list[int]) -> None:
    events = list(Event.objects.filter(runs__in=runs).values_list("pk", flat=True))
    Run.objects.filter(pk__in=runs).delete()
    # The item's key stays in SeenItem, so that the item is not taken for a new one.
    Event.objects.filter(pk__in=events, runs__isnull=True).delete()


def database_size() -> int | None:
    """The size of the database in bytes; None where it is not known."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            size: int = cursor.fetchone()[0]
            return size
    name = str(connection.settings_dict["NAME"])
    files = [Path(name + ending) for ending in ("", "-wal")]
    found = [each.stat().st_size for each in files if each.is_file()]
    return sum(found) if found else None
