"""Teams, members and connections in the admin. Tokens are on no page: the fields are not among those shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline

from integrations.models import CallBudget, Connection, Grant, Membership, Team
from integrations.read_only import TeamReadOnlyAdmin


class SuperuserAdmin(ModelAdmin):
    """Rows that only superusers may see and change."""

    actions = None
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)

    @staticmethod
    def _is_superuser(request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)


class MembershipInline(TabularInline):
    """A team's members."""

    model = Membership
    extra = 1
    autocomplete_fields = ["user"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


@admin.register(Team)
class TeamAdmin(SuperuserAdmin):
    """Who works together. A team with workflows or connections stays."""

    list_display = ["name", "created_at"]
    search_fields = ["name"]
    inlines = [MembershipInline]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not self._is_superuser(request):
            return False
        return obj is None or not (obj.grants.exists() or obj.workflows.exists())


@admin.register(Membership)
class MembershipAdmin(SuperuserAdmin):
    """Roles of people in teams."""

    list_display = ["user", "team", "role"]
    list_filter = ["role", "team"]
    search_fields = ["user__username", "user__email", "team__name"]
    autocomplete_fields = ["user", "team"]
    list_select_related = ["user", "team"]


@admin.register(Connection)
class ConnectionAdmin(TeamReadOnlyAdmin):
    """Organisations and accounts; connecting and disconnecting happens on the connections page."""

    list_display = ["name", "provider", "status", "team", "last_used_at", "page"]
    list_filter = ["provider", "status"]
    search_fields = ["name", "external_id"]
    list_select_related = ["team"]
    fields = [
        "name", "provider", "external_id", "team", "status", "last_error", "last_used_at", "created_at", "page",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Page")
    def page(self, connection: Connection) -> str:
        """Its own page."""
        try:
            return format_html('<a href="{}">Open</a>', reverse("connection", args=[connection.pk]))
        except NoReverseMatch:
            return ""


@admin.register(Grant)
class GrantAdmin(TeamReadOnlyAdmin):
    """Consents: who gave them, what for, how long they last. Never the tokens."""

    list_display = ["provider", "label", "team", "status", "expires_at", "refreshed_at"]
    list_filter = ["provider", "status"]
    search_fields = ["label"]
    list_select_related = ["team"]
    fields = [
        "provider", "label", "external_user_id", "team", "status", "granted", "expires_at", "refresh_expires_at",
        "refreshed_at", "last_error", "connected_by", "created_at",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Permissions granted")
    def granted(self, grant: Grant) -> str:
        """The scopes in words."""
        return ", ".join(str(scope) for scope in grant.scopes)


@admin.register(CallBudget)
class CallBudgetAdmin(TeamReadOnlyAdmin):
    """How much of a day's calls a connection has used."""

    team_path = "connection__team"
    list_display = ["connection", "day_used", "day_limit", "day_started_at", "blocked_until"]
    list_select_related = ["connection"]
    fields = ["connection", "day_used", "day_limit", "day_started_at", "blocked_until", "blocked_reason"]
    readonly_fields = fields
