"""How far a workflow may go by itself, and the pause after failures in a row.

The failures are counted in the rows of the runs, when one has ended badly: no counter has to be kept in step, and a
worker that dies in between loses nothing. Runs that were filtered or cancelled neither count nor break the row.
"""

from __future__ import annotations

from django.db.models import Q

from integrations.clock import DatabaseNow
from workflows.models import Run, Safeguards, Workflow

#: What is looked at: the runs that came to an end of their own.
_ENDED = (Run.Status.SUCCEEDED, *Run.NEEDS_ATTENTION)


def of(workflow: Workflow) -> Safeguards:
    """The workflow's safeguards; the defaults, unsaved, where nobody has set any."""
    found = Safeguards.objects.filter(workflow=workflow).first()
    return found or Safeguards(workflow=workflow)


def stored(workflow: Workflow) -> Safeguards:
    """The same, stored."""
    return Safeguards.objects.get_or_create(workflow=workflow)[0]


def has_failed_too_often(workflow: Workflow) -> int:
    """After how many failures in a row the workflow is to be paused now; 0 where it is not."""
    own = of(workflow)
    if not own.pause_after:
        return 0
    since = Q() if own.counts_from is None else Q(finished_at__gt=own.counts_from)
    runs = Run.objects.filter(since, workflow=workflow, status__in=_ENDED).order_by("-pk")
    last = list(runs.values_list("status", flat=True)[: own.pause_after])
    is_full = len(last) == own.pause_after and Run.Status.SUCCEEDED not in last
    return own.pause_after if is_full else 0


def begin_counting(workflow: Workflow) -> None:
    """What has failed until now does not count any more: a person has switched the workflow on."""
    Safeguards.objects.filter(workflow=workflow).update(counts_from=DatabaseNow())
