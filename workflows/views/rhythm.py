"""How often a workflow's trigger looks, told honestly: at once or by the clock, shared, slowed, and from when on."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format

from workflows import doorbell, pacing
from workflows.models import Release, Workflow


@dataclass(frozen=True)
class Rhythm:
    """Sentences for the pages; empty where there is nothing to say. `cadence` goes on from "Looks"."""

    cadence: str
    shared: str = ""
    slowed: str = ""
    started: str = ""


def rhythm_of(workflow: Workflow) -> Rhythm:
    """What is to be told of a workflow's looks now."""
    state = workflow.listens_to
    pace = pacing.pace_of(state) if state is not None else None
    if state is None or pace is None:
        return Rhythm(doorbell.cadence(workflow.trigger_operation, workflow.interval_minutes))
    others = Workflow.objects.filter(listens_to=state, status=Workflow.Status.ACTIVE).exclude(pk=workflow.pk)
    eager = others.filter(interval_minutes__lt=workflow.interval_minutes).order_by("interval_minutes", "name").first()
    shared = ""
    if eager is not None:
        shared = f"{eager.name} shares this look and wants it every {_minutes(eager.interval_minutes)}."
    elif count := others.count():
        shared = f"One look serves this workflow and {count} other{'s' if count > 1 else ''}."
    kept = " The rest is kept for what workflows do." if pace.sentence else ""
    return Rhythm(
        doorbell.cadence(state.operation, pace.minutes, pace.bell),
        shared,
        f"{pace.sentence}{kept}".strip(),
        _started(workflow),
    )


def _minutes(count: int) -> str:
    return "minute" if count == 1 else f"{count} minutes"


def _started(workflow: Workflow) -> str:
    wish = workflow.releases.filter(trigger_state=workflow.listens_to).exclude(status=Release.Status.DROPPED).first()
    if wish is None:
        return ""
    runs = f"{wish.released:,} run{'' if wish.released == 1 else 's'}"
    day = date_format(wish.since, "j F Y")
    if wish.status == Release.Status.PENDING:
        return f"It is reading what came since {day}: {runs} started so far."
    return f"Started from {day}: {runs} for what was there already."
