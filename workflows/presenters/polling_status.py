"""How a workflow's trigger is polled, for people: how often, shared with whom, slowed down or not, and since when."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format

from workflows.models import Release, Workflow
from workflows.triggers import pacing, wake_on_webhook


@dataclass(frozen=True)
class PollingStatus:
    """Sentences for the pages; empty if there is nothing to say. `cadence` continues "Checks ..."."""

    cadence: str
    shared: str = ""
    slowed: str = ""
    started: str = ""


def polling_status(workflow: Workflow) -> PollingStatus:
    """The present polling status of a workflow."""
    state = workflow.listens_to
    pace = pacing.pace_of(state) if state is not None else None
    if state is None or pace is None:
        return PollingStatus(wake_on_webhook.cadence(workflow.trigger_operation, workflow.interval_minutes))
    others = Workflow.objects.filter(listens_to=state, status=Workflow.Status.ACTIVE).exclude(pk=workflow.pk)
    eager = others.filter(interval_minutes__lt=workflow.interval_minutes).order_by("interval_minutes", "name").first()
    shared = ""
    if eager is not None:
        shared = f"{eager.name} shares this check and needs it every {_minutes(eager.interval_minutes)}."
    elif count := others.count():
        shared = f"One check serves this workflow and {count} other{'s' if count > 1 else ''}."
    kept = " The rest is kept for what workflows do." if pace.sentence else ""
    return PollingStatus(
        wake_on_webhook.cadence(state.operation, pace.minutes, pace.bell),
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
