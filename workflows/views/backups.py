"""What was kept before a deletion, as a file."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from integrations.access import Can, allow, team_of
from workflows import backups
from workflows.models import Backup


@require_GET
@allow(Can.LOOK)
def backup(request: HttpRequest, run_id: int, step_run_id: int) -> HttpResponse:
    """The JSON as it was kept, for those who may read the run."""
    mine = Backup.objects.for_team(team_of(request))
    found: Backup = get_object_or_404(mine, step_run_id=step_run_id, step_run__run_id=run_id)
    try:
        content = backups.content(found)
    except ValueError:
        raise Http404("The backup is damaged; look at the database's own backup.") from None
    response = HttpResponse(content, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="backup-run-{run_id}-step-{step_run_id}.json"'
    response["Cache-Control"] = "no-store"
    return response
