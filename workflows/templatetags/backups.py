"""The backup of a step, for the page of its run."""

from __future__ import annotations

from typing import Any

from django import template

from workflows.models import Backup, StepRun

register = template.Library()


@register.inclusion_tag("runs/_backup.html")
def kept_backup(step_run: StepRun | None) -> dict[str, Any]:
    """The step's backup, if any. Only steps that write are looked up; the content is not loaded."""
    if step_run is None or not step_run.request:
        return {"backup": None}
    found = Backup.objects.filter(step_run=step_run).defer("content").first()
    return {"backup": found, "step": step_run}
