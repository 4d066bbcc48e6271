"""A second factor is required for some roles: superusers, approvers and administrators, unless SECOND_FACTOR_FOR says
otherwise, and those that a team has chosen.

Whoever has none yet may go on for SECOND_FACTOR_GRACE_DAYS from when it was first asked for, with a note on every page;
afterwards only one's own account pages open, so that nobody who still has to set it up is locked out. It is checked per
session: other sessions from before the setup need a code too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.base import forms as code_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from integrations.core.encryption import UndecryptableError, decrypt, encrypt
from integrations.models import Role, SecondFactorDemand
from integrations.teams.access import membership
from integrations.teams.second_factor_seeds import UnreadableSeedError
from pinxero.sign_in import recording

#: In SECOND_FACTOR_FOR, besides the roles.
SUPERUSER = "superuser"
KNOWN = {SUPERUSER, *Role.values}
#: The default; a check warns if the setting leaves one of them out.
USUAL = {SUPERUSER, str(Role.APPROVER), str(Role.ADMINISTRATOR)}

_SESSION_KEY = "second_factor_of"
_OWN_PAGES = ("account_", "mfa_")


def is_wanted(request: HttpRequest) -> bool:
    """Whether this person needs one: by any of their roles, in any team."""
    wanted = set(settings.SECOND_FACTOR_FOR)
    if request.user.is_superuser and SUPERUSER in wanted:
        return True
    membership(request)
    mine = getattr(request, "_pinxero_memberships", [])
    return any(each.role in wanted or each.role in each.team.second_factor_roles for each in mine)


def due(user: User) -> datetime:
    """Until when somebody who needs one may go on without; it is asked for from the first time that this is called."""
    demand, _ = SecondFactorDemand.objects.get_or_create(user=user)
    return demand.since + timedelta(days=settings.SECOND_FACTOR_GRACE_DAYS)


def is_in_grace(request: HttpRequest) -> datetime | None:
    """Until when this request's person may still go on without the one that they need; None for everybody else."""
    until: datetime | None = getattr(request, "_second_factor_due", None)
    return until


def is_shown(request: HttpRequest) -> bool:
    """Whether it was used in this session."""
    if request.session.get(_SESSION_KEY) == request.user.pk:
        return True
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


class SecondFactorMiddleware:
    """Redirects people who need one to set it up, or to enter a code."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """A redirect, or None if the page may open."""
        name = (request.resolver_match.url_name if request.resolver_match else "") or ""
        if name.startswith(_OWN_PAGES) or not request.user.is_authenticated or not is_wanted(request):
            return None
        if not is_mfa_enabled(request.user, types=[Authenticator.Type.TOTP]):
            until = due(request.user)
            if timezone.now() < until:
                request._second_factor_due = until  # type: ignore[attr-defined]
                return None
            messages.info(request, "Your role in Pinxero needs two-factor sign-in. Set it up to go on.")
            return redirect("mfa_activate_totp")
        if is_shown(request):
            return None
        return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Pages of recovery codes cannot show them without their key; redirect to the page before, which says why."""
        if not isinstance(exception, UnreadableSeedError):
            return None
        messages.error(request, exception.message)
        return redirect("mfa_index")


class ActivateForm(forms.ActivateTOTPForm):
    """allauth's form; the code that activates the app counts as the second factor of this session.

    Until then the seed waits in the session. allauth asks its adapter for rows only, so it is encrypted here.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        if kept := session.pop(SECRET_SESSION_KEY, None):
            with suppress(UndecryptableError):  # then allauth makes a new one, and the page shows it
                session[SECRET_SESSION_KEY] = decrypt(kept)
        super().__init__(*args, **kwargs)
        session[SECRET_SESSION_KEY] = encrypt(self.secret)

    def clean_code(self) -> str:
        code: str = super().clean_code()
        context.request.session[_SESSION_KEY] = self.user.pk
        return code


class _RecordsFailures:
    """A wrong code is recorded."""

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            recording.failed(self.user, "Code of the second factor")  # type: ignore[attr-defined]
            raise
        return code


class CodeForm(_RecordsFailures, code_forms.AuthenticateForm):
    """allauth's form for the code at the door."""


class CodeAgainForm(_RecordsFailures, code_forms.ReauthenticateForm):
    """allauth's form for a code that is asked for again."""
