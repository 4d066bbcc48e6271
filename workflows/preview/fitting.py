"""Whether a plan was previewed as it is, and what came of it."""

from __future__ import annotations

from workflows.models import Preview, Workflow


def last_full_preview(workflow: Workflow, plan_sha256: str) -> Preview | None:
    """The newest preview of the whole plan with this fingerprint, as a run would go through it; None if it was not
    previewed as it is."""
    whole = Preview.objects.filter(workflow=workflow, called_by=None, upto="", fail_step="", forced=None)
    return whole.filter(plan_sha256=plan_sha256).select_related("by").order_by("-pk").first()


def is_clean(preview: Preview | None) -> bool:
    """Whether it reached an end that a run may have, every check worked, and none found what would stop a write."""
    ends = (Preview.Status.DONE, Preview.Status.FILTERED)
    if preview is None or preview.forced or preview.status not in ends:
        return False
    return not preview.stops and not preview.unchecked
