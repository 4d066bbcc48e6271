"""What follows when a run has ended badly: people are notified, and a workflow that keeps failing is paused.

Called in the transaction that ends the run, so that neither happens without the other.
"""

from __future__ import annotations

from workflows.models import Notice, Run, Workflow
from workflows.notifications import notify, safeguards
from workflows.publishing import activation

_KINDS = {
    Run.Status.FAILED: (Notice.Kind.FAILED, "a run failed"),
    Run.Status.CRASHED: (Notice.Kind.CRASHED, "a run crashed"),
    Run.Status.NEEDS_REVIEW: (Notice.Kind.REVIEW, "a run needs a person"),
}


def follow_up(run_id: int, status: Run.Status, error: str) -> None:
    """Notify people of a run that has ended badly, and pause its workflow if it was one failure too many."""
    if status not in _KINDS:
        return
    kind, words = _KINDS[status]
    run = Run.objects.select_related("workflow__published").get(pk=run_id)
    workflow = run.workflow
    notify.notify(
        notify.Matter(run.team_id, kind, title=f"{workflow.name}: {words}", text=error, workflow=workflow, run=run)
    )
    failed = safeguards.has_failed_too_often(workflow) if run.version_id == workflow.published_id else 0
    if failed:
        _pause(workflow, failed, run, error)


def _pause(workflow: Workflow, failed: int, run: Run, error: str) -> None:
    locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
    safeguards.stored(locked)
    why = f"Paused by itself: {failed} run{'s' * (failed > 1)} in a row did not end well."
    try:
        activation.pause(locked, by=None, reason=f"{why} Look at them, then switch it on again.")
    except activation.NotAllowedNowError:
        return  # paused already; this is a run that was under way
    notify.notify(
        notify.Matter(
            run.team_id,
            Notice.Kind.PAUSED,
            title=f"{workflow.name} was paused",
            text=(
                f"{why} Runs under way go on; nothing new is started. The last error was: {error} "
                "When you switch it on again, you can start from a day, so that nothing is missed."
            ),
            workflow=workflow,
            run=run,
        )
    )
