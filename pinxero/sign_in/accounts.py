"""Sign-in to Pinxero itself: accounts are made by an administrator, never by a visitor."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account import forms
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from integrations.teams import leaving
from integrations.teams.recent_sign_in import is_recent
from pinxero.sign_in import company, pace, recording
from pinxero.sign_in.second_factor import is_shown

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """allauth with sign-up closed, addresses from BASE_URL, and mails that cannot break a page."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "That username or that password is not right.",
        "email_password_mismatch": "That address or that password is not right.",
        "too_many_login_attempts": "Too many failed attempts. Try again in a few minutes.",
        "busy": (
            "Somebody keeps trying to sign in under this name, so attempts are taken slowly. Try again in a moment, or "
            "from a browser in which you have signed in before."
        ),
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse or slow down guessing; see `sign_in_pace`."""
        super().pre_authenticate(request, **credentials)
        if not pace.wait(request, pace.person(credentials)):
            self._rollback_login_failed_rl_usage()
            raise self.validation_error("busy")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        pace.note_failure(pace.person(credentials))
        recording.failed(pace.named(credentials), "Password")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """allauth would count by the name typed, and all unknown browsers together."""
        whose = pace.person(credentials)
        return f"{whose}, {pace.origin(request, whose)}"

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        """Record it, and remember the browser."""
        response = super().post_login(request, user, **more)
        recording.signed_in(user)
        pace.remember_browser(request, response, user)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not after a recent sign-in with every factor that the account has."""
        request = self.request
        if is_recent(request) and (is_shown(request) or not is_mfa_enabled(request.user)):
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """From BASE_URL, never from the Host header, which a visitor can set."""
        user, _, secret = key.partition("-")
        return f"{settings.BASE_URL}{reverse('account_reset_password_from_key', args=[user, secret])}"

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_login")

    def format_email_subject(self, subject: str) -> str:
        return str(subject)

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """Called for each change that a person makes to their own account: record it, then tell them."""
        recording.account_mail(template_prefix, user)
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send it; a failing mail server is only logged, because the page must not depend on it or reveal whether the
        account exists."""
        try:
            super().send_mail(template_prefix, email, {**context, "base_url": settings.BASE_URL})
        except (OSError, SMTPException):
            logger.exception("A mail (%s) could not be sent. Check EMAIL_URL.", template_prefix)


class EndOfOldPassword:
    """Not a rule for passwords: Django calls its validators for every password stored, whichever page or command set
    it, and what was given under the old one ends then. They are not called if only the hash is renewed.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Accepts any password."""

    def password_changed(self, password: str, user: User) -> None:
        """End what was given under the old password."""
        leaving.password_changed(user)

    def get_help_text(self) -> str:
        return "A changed password signs its owner out everywhere else and revokes all of their API tokens."


class LoginForm(forms.LoginForm):
    """allauth's form with our labels."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login = self.fields["login"]
        login.label = "Username or e-mail address"
        login.widget.attrs.update({"autocomplete": "username", "placeholder": "", "autofocus": True})
        self.fields["password"].widget.attrs["placeholder"] = ""


def around_the_door(request: HttpRequest) -> dict[str, Any]:
    """The admin's colours and style sheets for allauth's pages and that of an invitation, whose views do not add
    them."""
    name = (request.resolver_match.url_name if request.resolver_match else None) or ""
    if name == "account_login" and company.is_configured():
        around = {"px_company": settings.OIDC_NAME, "px_company_url": reverse("openid_connect_login", args=["company"])}
        return {**admin.site.each_context(request), **around}
    return admin.site.each_context(request) if name.startswith(("account_", "mfa_", "invitation")) else {}
