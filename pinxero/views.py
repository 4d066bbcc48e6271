"""The home page, the team switcher, and the error pages."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from integrations.teams.access import choose_team as switch_team
from integrations.teams.access import current_team
from pinxero.guide import BUILD, LOOK, PAGES, RUN, find, find_picture
from pinxero.pages import page

logger = logging.getLogger(__name__)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Redirect to the dashboard, where everybody begins."""
    return redirect("admin:index")


@require_POST
@login_required
def choose_team(request: HttpRequest) -> HttpResponse:
    """Work in another of one's teams."""
    team_id = request.POST.get("team", "")
    if not team_id.isdecimal() or len(team_id) > 18 or not switch_team(request, int(team_id)):
        raise Http404("There is no such team among yours.")
    messages.success(request, f"You are now working in {current_team(request)}.")
    return redirect("admin:index")


@require_GET
@login_required
def guide(request: HttpRequest) -> HttpResponse:
    """All pages of the guide."""
    groups = {group: [each for each in PAGES if each.group == group] for group in (BUILD, LOOK, RUN)}
    return page(request, "guide/list.html", {"groups": groups}, title="Guide")


@require_GET
@login_required
def guide_page(request: HttpRequest, guide: str) -> HttpResponse:
    """One page of the guide, with the others of its group."""
    found = find(guide)
    if found is None:
        raise Http404("The guide has no such page.")
    beside = [each for each in PAGES if each.group == found.group]
    return page(request, "guide/page.html", {"guide": found, "beside": beside}, title=found.title)


@require_GET
@login_required
@cache_control(private=True, max_age=3600)
def guide_picture(request: HttpRequest, picture: str) -> HttpResponse:
    """A picture of the guide, from `docs/images`: its texts name it as they do in the repository."""
    path = find_picture(picture)
    if path is None:
        raise Http404("The guide has no such picture.")
    return HttpResponse(path.read_bytes(), content_type="image/webp")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: what is not allowed, and who may allow it."""
    message = str(exception) if isinstance(exception, PermissionDenied) and str(exception) else ""
    return _error(request, 403, "Not allowed", message or "Your role does not allow this.", "lock")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: also for what belongs to another team."""
    message = "This page does not exist, or it belongs to a team that you are not in."
    return _error(request, 404, "Not found", message, "search_off")


def too_long(request: HttpRequest, most: int, *, is_signed_in: bool) -> HttpResponse:
    """413: the body is longer than the view accepts; none of it was read."""
    size = f"{most // 1024 // 1024} MB" if most >= 1024 * 1024 else f"{most // 1024} kB"
    if is_signed_in:
        message = (
            f"What was sent is longer than {size}, which is the most that this page takes. Nothing of it was read."
        )
    else:
        message = (
            f"What was sent is longer than {size}, the most that is taken from somebody who is not signed in. Nothing "
            "of it was read. Sign in, then send it again."
        )
    return _error(request, 413, "Too long", message, "unarchive")


def failed(request: HttpRequest) -> HttpResponse:
    """500: a bug of ours; the log has the traceback."""
    message = (
        "Something went wrong inside Pinxero. The server's log has the details. Try again, or tell your administrator."
    )
    return _error(request, 500, "Something went wrong", message, "error")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long or came from elsewhere."""
    message = (
        "The form could not be accepted, usually because it was open for too long. Reload the page and send it again."
    )
    return _error(request, 403, "Please try again", message, "refresh")


def _error(request: HttpRequest, status: int, title: str, message: str, icon: str) -> HttpResponse:
    context = {"message": message, "icon": icon, "status": status, "heading": title}
    try:
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            return page(request, "errors/in_layout.html", context, title=title, status=status)
    except (DatabaseError, Http404, PermissionDenied):
        logger.exception("The page of an error could not be shown in the layout")
    return render(request, "errors/plain.html", context, status=status)
