"""The backup made before a deletion, as a file."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from integrations.audit.exports import exported
from integrations.audit.record import About
from integrations.teams.access import Can, allow, team_of
from integrations.views.downloads import download
from workflows.engine.writes import backups
from workflows.models import Backup


@require_GET
@allow(Can.LOOK)
def backup(request: HttpRequest, run_id: int, step_run_id: int) -> HttpResponse:
    """The backup's JSON, for those who may read the run."""
    mine = Backup.objects.for_team(team_of(request)).select_related("step_run__run__workflow")
    found: Backup = get_object_or_404(mine, step_run_id=step_run_id, step_run__run_id=run_id)
    try:
        content = backups.content(found)
    except ValueError:
        raise Http404("The backup is damaged; use the database's own backup.") from None
    run = found.step_run.run
    about = About("run", run_id, f"Run {run_id} of {run.workflow.name}")
    exported(about, team_id=run.team_id, by=request.user, form="Backup before a deletion")
    stem = f"backup-run-{run_id}-step-{step_run_id}"
    return download(content, stem=stem, extension="json", content_type="application/json")
