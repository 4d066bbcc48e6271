"""Users in the admin; other apps' tables are removed or made read-only, because their own pages allow too much.

django-q2's Schedule form and "resubmit" run any function by name; allauth's rows hold client secrets, tokens and the
seeds of second factors. None of that belongs on a page.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from integrations.admin.read_only import ReadOnlyAdmin
from integrations.admin.teams import RecentlyChangedAdmin
from integrations.audit.actions import Audited
from integrations.teams import leaving
from integrations.teams.recent_sign_in import recently_signed_in
from pinxero.sign_in import recording

# By name: only one module imports the queue.
Failure, OrmQ, Schedule, Success = (
    apps.get_model("django_q", name) for name in ("Failure", "OrmQ", "Schedule", "Success")
)

for _model in (
    Group, User, EmailAddress, SocialAccount, SocialApp, SocialToken, Authenticator, Failure, OrmQ, Schedule, Success,
):  # fmt: skip
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


_ACCESS = {"is_active": "May sign in", "is_superuser": "Administers this installation"}


def _access(user: User) -> dict[str, str]:
    return {label: "Yes" if getattr(user, name) else "No" for name, label in _ACCESS.items()}


@admin.register(User)
class UserAdmin(DjangoUserAdmin, RecentlyChangedAdmin):
    """People who may sign in. What they may do is their membership in a team; Django's own permissions are not used."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "first_name", "last_name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    actions = None
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Access", {"fields": ["is_active", "is_superuser", "last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ()

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Deactivating an account ends its sessions and tokens."""
        before = User.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            leaving.account_closed({obj.pk})
        self._record(request, before, obj, form.changed_data)

    @staticmethod
    def _record(request: HttpRequest, before: User | None, now: User, changed: list[str]) -> None:
        """What the account allows is recorded in words; of names and addresses only that they were changed."""
        if before is None:
            recording.about_person(Audited.ACCOUNT_CREATED, now, by=request.user, after=_access(now))
        elif changed:
            others = [str(label_for_field(name, User)) for name in changed if name not in _ACCESS]
            after = _access(now) | ({"Changed": ", ".join(others)} if others else {})
            recording.about_person(Audited.ACCOUNT_CHANGED, now, by=request.user, before=_access(before), after=after)

    @method_decorator(recently_signed_in)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set somebody's password."""
        users = User.objects.filter(pk=id) if id.isdecimal() else User.objects.none()
        before = users.values_list("password", flat=True).first()
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            user = users.first()
            if user is not None and user.password != before:
                recording.about_person(Audited.PASSWORD_CHANGED, user, by=request.user)
        return response

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may delete users: their names are in the records. Deactivate them instead."""
        return False


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Addresses that allauth knows."""

    list_display = ["email", "user", "verified", "primary"]
    list_select_related = ["user"]
    fields = ["email", "user", "verified", "primary"]
    readonly_fields = fields


@admin.register(OrmQ)
class QueueAdmin(ReadOnlyAdmin):
    """Queued wake-ups; their content is not shown, because that would unpickle it."""

    list_display = ["id", "key", "lock"]
    fields = ["id", "key", "lock"]
    readonly_fields = fields


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    """Tasks that failed outside of a run, by name and time only."""

    list_display = ["id", "name", "func", "started", "stopped", "attempt_count"]
    fields = ["id", "name", "func", "started", "stopped", "attempt_count"]
    readonly_fields = fields


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Schedules of the queue; there should be none, because Pinxero schedules its own work."""

    list_display = ["id", "name", "func", "next_run"]
    fields = ["id", "name", "func", "next_run"]
    readonly_fields = fields
