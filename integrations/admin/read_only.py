"""Admin pages that look and never touch: rows of one's own team, or rows for superusers only.

Changes go through the pages and their services, which keep the rules; a form over the raw rows would not.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from integrations.teams.access import Can, current_team, may


class ReadOnlyAdmin(ModelAdmin):
    """Rows of the whole installation, for superusers to look at."""

    list_per_page = 50
    show_full_result_count = False
    actions = None
    list_display_links: Any = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TeamReadOnlyAdmin(ReadOnlyAdmin):
    """Rows of the team that the person works in now; all rows for superusers. Others' rows do not exist."""

    #: The lookup that leads from a row to its team.
    team_path: ClassVar[str] = "team"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request, obj) or may(request, Can.LOOK)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        team = current_team(request)
        return rows.none() if team is None else rows.filter(**{self.team_path: team})
