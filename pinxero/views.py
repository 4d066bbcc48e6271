"""The front door, the team switcher, and the pages for what went wrong."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations.access import choose_team as switch_team
from integrations.access import current_team
from pinxero.pages import page

logger = logging.getLogger(__name__)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The dashboard is where everybody begins."""
    return redirect("admin:index")


@require_POST
@login_required
def choose_team(request: HttpRequest) -> HttpResponse:
    """Work in another of one's teams."""
    team_id = request.POST.get("team", "")
    if not team_id.isdecimal() or len(team_id) > 18 or not switch_team(request, int(team_id)):
        raise Http404("There is no such team among yours.")
    messages.success(request, f"You work in {current_team(request)} now.")
    return redirect("admin:index")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: what is not allowed, and who allows it."""
    said = str(exception) if isinstance(exception, PermissionDenied) and str(exception) else ""
    return _error(request, 403, "Not allowed", said or "Your role does not allow this.", "lock")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: also the answer for what belongs to another team."""
    said = "This page does not exist, or it belongs to a team you are not in."
    return _error(request, 404, "Not found", said, "search_off")


def failed(request: HttpRequest) -> HttpResponse:
    """500: a bug of ours; the log has the traceback."""
    said = "Something went wrong inside Pinxero. The server's log has the details. Try again, or tell whoever runs it."
    return _error(request, 500, "Something went wrong", said, "error")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long or came from elsewhere."""
    said = "The form could not be accepted, usually because it was open for long. Load the page again and resend it."
    return _error(request, 403, "Please try again", said, "refresh")


def _error(request: HttpRequest, status: int, title: str, said: str, icon: str) -> HttpResponse:
    context = {"said": said, "icon": icon, "status": status, "heading": title}
    try:
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            return page(request, "errors/in_layout.html", context, title=title, status=status)
    except (DatabaseError, Http404, PermissionDenied):
        logger.exception("The page of an error could not be shown in the layout")
    return render(request, "errors/plain.html", context, status=status)
