"""What follows when a run has ended badly: people are told, and a workflow that only fails is paused.

Called in the transaction that ends the run, so that neither happens without the other.
"""

from __future__ import annotations

from workflows import lifecycle, notices, safeguards
from workflows.models import Notice, Run, Workflow

_KINDS = {
    Run.Status.FAILED: (Notice.Kind.FAILED, "a run failed"),
    Run.Status.CRASHED: (Notice.Kind.CRASHED, "a run crashed"),
    Run.Status.NEEDS_REVIEW: (Notice.Kind.REVIEW, "a run needs a person"),
}


def after(run_id: int, status: Run.Status, error: str) -> None:
    """Tell of a run that has ended so, and pause its workflow where it was one too many."""
    if status not in _KINDS:
        return
    kind, words = _KINDS[status]
    run = Run.objects.select_related("workflow").get(pk=run_id)
    workflow = run.workflow
    notices.tell(
        notices.Matter(run.team_id, kind, title=f"{workflow.name}: {words}", text=error, workflow=workflow, run=run)
    )
    failed = safeguards.has_failed_too_often(workflow)
    if failed:
        _pause(workflow, failed, run, error)


def _pause(workflow: Workflow, failed: int, run: Run, error: str) -> None:
    locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
    safeguards.stored(locked)
    why = f"Paused by itself: {failed} run{'s' * (failed > 1)} in a row did not end well."
    try:
        lifecycle.pause(locked, by=None, reason=f"{why} Look at them, then switch it on again.")
    except lifecycle.NotAllowedNowError:
        return  # paused already; this is a run that was under way
    notices.tell(
        notices.Matter(
            run.team_id,
            Notice.Kind.PAUSED,
            title=f"{workflow.name} was paused",
            text=(
                f"{why} Runs under way go on; nothing new is started. The last one said: {error} "
                "When you switch it on again, you can start from a day, so that nothing is missed."
            ),
            workflow=workflow,
            run=run,
        )
    )
