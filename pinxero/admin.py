"""People in the admin; and other apps' tables shut or made read-only, because their own pages can do too much.

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
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from integrations.admin import SuperuserAdmin
from integrations.read_only import ReadOnlyAdmin

# By name: one module alone imports the queue.
Failure, OrmQ, Schedule, Success = (
    apps.get_model("django_q", name) for name in ("Failure", "OrmQ", "Schedule", "Success")
)

for _model in (
    Group, User, EmailAddress, SocialAccount, SocialApp, SocialToken, Authenticator, Failure, OrmQ, Schedule, Success,
):  # fmt: skip
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, SuperuserAdmin):
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

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: names stand in records of years. Switch a person off instead."""
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
    """Bells that have not been answered yet; their content is not shown, because showing it would unpickle it."""

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
    """Schedules of the queue; there should be none, for Pinxero keeps its own calendar."""

    list_display = ["id", "name", "func", "next_run"]
    fields = ["id", "name", "func", "next_run"]
    readonly_fields = fields
