"""Sign-in to Pinxero itself: accounts are made by an administrator, never by a visitor."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account import forms
from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """allauth with sign-up closed, addresses from BASE_URL, and mails that cannot break a page."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "That username or that password is not right.",
        "email_password_mismatch": "That address or that password is not right.",
        "too_many_login_attempts": "Too many failed attempts. Try again in a few minutes.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """From BASE_URL, never from the Host header, which a visitor may write."""
        user, _, secret = key.partition("-")
        return f"{settings.BASE_URL}{reverse('account_reset_password_from_key', args=[user, secret])}"

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_login")

    def format_email_subject(self, subject: str) -> str:
        return str(subject)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send it; a mail server that fails is told to the log only: the page's answer may neither depend on it nor
        tell whether there is such an account."""
        try:
            super().send_mail(template_prefix, email, {**context, "base_url": settings.BASE_URL})
        except (OSError, SMTPException):
            logger.exception("A mail (%s) could not be sent. Check EMAIL_URL.", template_prefix)


class LoginForm(forms.LoginForm):
    """allauth's, in our words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login = self.fields["login"]
        login.label = "Username or e-mail address"
        login.widget.attrs.update({"autocomplete": "username", "placeholder": "", "autofocus": True})
        self.fields["password"].widget.attrs["placeholder"] = ""


def around_the_door(request: HttpRequest) -> dict[str, Any]:
    """Colours and style sheets of the admin for allauth's pages, whose views do not know them."""
    name = (request.resolver_match.url_name if request.resolver_match else None) or ""
    return admin.site.each_context(request) if name.startswith(("account_", "mfa_")) else {}
