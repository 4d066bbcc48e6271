"""Postings of what was written before there were postings."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from workflows.books import postings
from workflows.models import Posting, PostingLine, Run, Step, StepRun

logger = logging.getLogger(__name__)

BATCH = 500
_RECENT_DAYS = 3


def fill_recent() -> int:
    """Make the postings of the last days' runs that have none, and return how many: a worker of an older version may
    have finished what it had begun after a migration."""
    since = timezone.now() - timedelta(days=_RECENT_DAYS)
    recent = Run.objects.filter(finished_at__gte=since, trimmed_at__isnull=True)
    return fill(StepRun.objects.filter(run__in=recent), Posting, PostingLine)


def fill(step_runs: Any, posting: Any, line: Any) -> int:
    """Make the postings that step runs of this query lack, and return how many. Each batch is a transaction, and what
    is there stays as it is, so it may be interrupted and begun again.

    It takes the models, because a migration has others than the code, which may have fewer columns.
    """
    done = 0
    for batch in _batches(step_runs, posting):
        made = [each for row in batch if (each := postings.made_of(row)) is not None]
        with transaction.atomic():
            posting.objects.bulk_create(
                [posting(**_known(posting, each.posting)) for each in made], ignore_conflicts=True
            )
            lines = [{**one, "posting_id": each.posting["step_run_id"]} for each in made for one in each.lines]
            line.objects.bulk_create([line(**_known(line, each)) for each in lines], ignore_conflicts=True)
        done += len(made)
        if made:
            logger.info("Postings of earlier runs: %s made.", f"{done:,}")
    return done


def _batches(step_runs: Any, posting: Any) -> Iterator[list[Any]]:
    """The step runs that may have written something and have no posting, in the order of their making."""
    there = posting.objects.filter(step_run=OuterRef("pk"))
    found = step_runs.filter(kind=Step.Kind.ACTION, state=StepRun.State.SUCCEEDED).exclude(Exists(there))
    last = 0
    while batch := list(found.filter(pk__gt=last).select_related("run", "connection").order_by("pk")[:BATCH]):
        last = batch[-1].pk
        yield batch


def _known(model: Any, values: dict[str, Any]) -> dict[str, Any]:
    names = {each.attname for each in model._meta.concrete_fields}
    return {name: value for name, value in values.items() if name in names}
