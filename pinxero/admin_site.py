"""The admin site: sign-in goes through allauth, and a team's members may enter without being staff."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from integrations.teams.access import membership

NO_TEAM = "You belong to no team yet. Ask an administrator to add you to one."


class AdminSite(UnfoldAdminSite):
    """Unfold's site with Pinxero's sign-in and permissions."""

    index_title = "Dashboard"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Members of a team, and superusers. What each may see is checked per model and per page."""
        user = request.user
        if isinstance(user, AnonymousUser) or not user.is_active:
            return False
        return user.is_superuser or membership(request) is not None

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """allauth's page: the only sign-in, with its rate limits and second factor."""
        if request.user.is_authenticated:
            if not self.has_permission(request):
                raise PermissionDenied(NO_TEAM)
            return redirect("admin:index")
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), reverse("account_login"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign out and go to the sign-in page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        logout(request)
        return redirect("account_login")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """allauth's page, which asks for the present password."""
        return redirect("account_change_password")

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """No search palette: Unfold's would name every model and keep its answers for minutes after a role changed."""
        return HttpResponse(status=204)
