"""Changes that an unattended browser must not allow: they need a recent sign-in, password or code.

What was posted is kept, encrypted, in the session while allauth's page asks, and is processed afterwards at its own
address: nothing typed is lost. That address is then opened by GET, with a number that only this session knows and that
is valid once, so nobody else can trigger the change by a link.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from integrations.core.encryption import UndecryptableError, decrypt, encrypt

View = TypeVar("View", bound=Callable[..., HttpResponse])

_SESSION_KEY = "waits_for_sign_in"
_NUMBER = "go_on"


def is_recent(request: HttpRequest) -> bool:
    """Whether the person has shown a password or a code within the last minutes."""
    user = request.user
    if not user.is_authenticated:
        return False
    records = get_authentication_records(request, user)
    return any(time.time() - record["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT for record in records)


def recently_signed_in(view: View) -> View:
    """Guard a view: what is posted to it needs a recent sign-in. Placed outside of `allow`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = ask(request)
        return view(request, *args, **kwargs) if asked is None else asked

    guarded.asks_recent_sign_in = True  # type: ignore[attr-defined]
    return cast(View, guarded)


def ask(request: HttpRequest) -> HttpResponse | None:
    """The page to sign in again; None if the request may go on now, as what was posted first."""
    if not request.user.is_authenticated:
        return None
    is_waiting = request.method == "GET" and _NUMBER in request.GET
    if request.method != "POST" and not is_waiting:
        return None
    if is_recent(request):
        if is_waiting:
            _take_up(request)
        return None
    address = request.get_full_path() if is_waiting else _put_aside(request)
    methods = get_adapter().get_reauthentication_methods(request.user)
    page = methods[0]["url"] if methods else reverse("account_confirm_at_company")
    return HttpResponseRedirect(f"{page}?{urlencode({'next': address})}")


def _put_aside(request: HttpRequest) -> str:
    """Keep what was posted; returns the address at which it goes on."""
    number = secrets.token_urlsafe(24)
    kept = {"path": request.path, "number": number, "posted": encrypt(request.POST.urlencode())}
    request.session[_SESSION_KEY] = kept
    query = request.GET.copy()
    query[_NUMBER] = number
    return f"{request.path}?{query.urlencode()}"


def _take_up(request: HttpRequest) -> None:
    """Make the request what was posted before; it stays a GET if nothing is kept, as after a reload."""
    kept = request.session.get(_SESSION_KEY) or {}
    given = request.GET[_NUMBER].encode()
    if kept.get("path") != request.path or not hmac.compare_digest(kept["number"].encode(), given):
        return
    del request.session[_SESSION_KEY]
    try:
        posted = decrypt(kept["posted"])
    except UndecryptableError:
        return
    request.method = "POST"
    request.POST = QueryDict(posted)
