"""How much a workflow may do without a person, and the pause after failures in a row.

Failures are counted from the rows of the runs when one has ended badly: there is no counter to keep in step, and a
worker that dies in between loses nothing. Runs that were filtered or cancelled neither count nor end the series. Only
runs of the published version count: what an older one could not do says nothing about the one that has mended it.
"""

from __future__ import annotations

from django.db.models import Q

from integrations.core.clock import DatabaseNow
from workflows.models import Run, Safeguards, Workflow

#: Only runs that ended by themselves are counted.
_ENDED = (Run.Status.SUCCEEDED, *Run.STUCK)


def of(workflow: Workflow) -> Safeguards:
    """The workflow's safeguards; the defaults, unsaved, where nobody has set any."""
    found = Safeguards.objects.filter(workflow=workflow).first()
    return found or Safeguards(workflow=workflow)


def stored(workflow: Workflow) -> Safeguards:
    """The workflow's safeguards; created with the defaults where there are none."""
    return Safeguards.objects.get_or_create(workflow=workflow)[0]


def has_failed_too_often(workflow: Workflow) -> int:
    """The number of failures in a row after which the workflow is to be paused now; 0 where it is not."""
    own, version = of(workflow), workflow.published
    if not own.pause_after or version is None:
        return 0
    since = Q() if own.counts_from is None else Q(finished_at__gt=own.counts_from)
    # A run of the version cannot be older than it, which saves reading all that came before.
    of_version = Q(version=version, created_at__gte=version.published_at)
    runs = Run.objects.filter(since, of_version, workflow=workflow, status__in=_ENDED).order_by("-pk")
    last = list(runs.values_list("status", flat=True)[: own.pause_after])
    is_full = len(last) == own.pause_after and Run.Status.SUCCEEDED not in last
    return own.pause_after if is_full else 0


def begin_counting(workflow: Workflow) -> None:
    """Ignore earlier failures from now on: a person has switched the workflow on."""
    Safeguards.objects.filter(workflow=workflow).update(counts_from=DatabaseNow())
