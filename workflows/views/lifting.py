"""The button that retries a connection now, although its provider asked for a pause."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from integrations.models import Connection
from integrations.teams.access import Can, allow, team_of
from workflows.runs.lifting import try_now as do


@require_POST
@allow(Can.BUILD)
def try_now(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Make the next call now."""
    mine = Connection.objects.for_team(team_of(request)).defer("grant__access_token", "grant__refresh_token")
    found: Connection = get_object_or_404(mine, pk=connection_id)
    if not found.is_usable:
        messages.warning(request, f"{found.name} is not connected. Reconnect it first.")
        return redirect("connection", found.pk)
    woken = do(found)
    what = (
        f"{woken:,} run{'s' * (woken != 1)} that waited for it go{'es' * (woken == 1)} on"
        if woken
        else "Nothing waited"
    )
    messages.success(
        request, f"The pause of {found.name} is over. {what}. If {found.name} asks for another pause, runs wait again."
    )
    return redirect("connection", found.pk)
