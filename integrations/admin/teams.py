"""Teams, members and connections in the admin. Tokens are on no page: the fields are not among those shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline

from integrations.admin.read_only import TeamReadOnlyAdmin
from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.models import CallBudget, Connection, Grant, Membership, Role, Team
from integrations.teams import leaving
from integrations.teams.recent_sign_in import recently_signed_in


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


class RecentlyChangedAdmin(SuperuserAdmin):
    """Rows that decide who may do what: a change of them wants a recent sign-in."""

    @method_decorator(recently_signed_in)
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add or change one."""
        return super().changeform_view(*args, **kwargs)

    @method_decorator(recently_signed_in)
    def delete_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Remove one."""
        return super().delete_view(*args, **kwargs)


class MembershipForm(forms.ModelForm):
    """Whose a membership is, and where, stays: another person's is another row, and ends on its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in {"user", "team"} & self.fields.keys():
                self.fields[name].disabled = True


class MembershipInline(TabularInline):
    """A team's members."""

    model = Membership
    form = MembershipForm
    extra = 1
    autocomplete_fields = ["user"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


def _record_role(request: HttpRequest, team_id: int, user: User, before: str, after: str) -> None:
    """Record who has which role from now on; an empty role is none."""
    if before == after:
        return
    action = Audited.MEMBER_CHANGED if before and after else Audited.MEMBER_ADDED if after else Audited.MEMBER_REMOVED
    was, now = ({"Role": str(Role(role).label)} if role else {} for role in (before, after))
    record(action, team_id=team_id, about=user, by=request.user, before=was, after=now)


@admin.register(Team)
class TeamAdmin(RecentlyChangedAdmin):
    """Who works together. A team with workflows or connections stays."""

    list_display = ["name", "created_at"]
    search_fields = ["name"]
    # Which roles need a second factor is decided, and recorded, on the team's own page.
    fields = ["name"]
    inlines = [MembershipInline]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not self._is_superuser(request):
            return False
        return obj is None or not (obj.grants.exists() or obj.workflows.exists())

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        """Recorded for the team."""
        before = Team.objects.filter(pk=obj.pk).values_list("name", flat=True).first()
        super().save_model(request, obj, form, change)
        if before != obj.name:
            action = Audited.TEAM_CHANGED if change else Audited.TEAM_CREATED
            was = {"Name": before} if before else {}
            record(action, team_id=obj.pk, about=obj, by=request.user, before=was, after={"Name": obj.name})

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        """Its members have left it then. What was recorded of it stays, and that it was deleted is recorded for the
        installation."""
        members = set(obj.memberships.values_list("user_id", flat=True))
        about = About.row(obj)
        super().delete_model(request, obj)
        leaving.membership_ended(members)
        record(Audited.TEAM_DELETED, team_id=None, about=about, by=request.user)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Who is taken off the list has left."""
        roles = dict(Membership.objects.filter(team=form.instance).values_list("pk", "role"))
        leaves = [(each.instance.user, each.instance.pk) for each in formset.deleted_forms if each.instance.pk]
        super().save_formset(request, form, formset, change)
        leaving.membership_ended({each.user_id for each in formset.deleted_objects})
        for each in [*formset.new_objects, *(changed for changed, _ in formset.changed_objects)]:
            _record_role(request, each.team_id, each.user, roles.get(each.pk, ""), each.role)
        for user, pk in leaves:
            _record_role(request, form.instance.pk, user, roles.get(pk, ""), "")


@admin.register(Membership)
class MembershipAdmin(RecentlyChangedAdmin):
    """Roles of people in teams."""

    form = MembershipForm
    list_display = ["user", "team", "role"]
    list_filter = ["role", "team"]
    search_fields = ["user__username", "user__email", "team__name"]
    autocomplete_fields = ["user", "team"]
    list_select_related = ["user", "team"]

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Recorded for the team."""
        before = Membership.objects.filter(pk=obj.pk).values_list("role", flat=True).first() or ""
        super().save_model(request, obj, form, change)
        _record_role(request, obj.team_id, obj.user, before, obj.role)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """The person has left the team."""
        super().delete_model(request, obj)
        leaving.membership_ended({obj.user_id})
        _record_role(request, obj.team_id, obj.user, obj.role, "")


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
