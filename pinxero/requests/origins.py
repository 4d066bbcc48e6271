"""Middleware that keeps beside each request where it comes from, for the audit trail."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from integrations.audit.origin import Origin, coming_from


class KeepOrigin:
    """What is recorded while a request is answered comes from its IP address, read as the limits of sign-in read it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with coming_from(Origin(_address(request), lambda: _person(request))):
            return self._get_response(request)


def _address(request: HttpRequest) -> str:
    try:
        return str(get_adapter().get_client_ip(request))[:45]
    except PermissionDenied:  # behind a proxy that does not tell it
        return ""


def _person(request: HttpRequest) -> User | None:
    user = getattr(request, "user", None)
    # As a row and not as Django's lazy stand-in for it.
    return User.objects.filter(pk=user.pk).first() if user is not None and user.is_authenticated else None
