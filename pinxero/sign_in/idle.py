"""A browser in which nobody does anything for SESSION_IDLE_MINUTES is signed out, and every browser SESSION_COOKIE_AGE
after its sign-in, however busy (OWASP ASVS 5.0, 7.3).

The session's own expiry does not do: it moves on whenever something is stored in the session. What a page asks for by
itself to stay up to date does not count as doing something.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from integrations.teams.leaving import SINCE, USED

#: The last use is stored at most so often, so that not every page writes.
_NOTED_SECONDS = 60
#: The header by which our script tells what a page asks for by itself.
_BY_ITSELF = "PX-By-Itself"


class IdleMiddleware:
    """Signs out where it is time, with a message, and leads back to the page after the next sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        was_in, was_noted = request.user.is_authenticated, SINCE in request.session
        if was_in:
            ended = _why_ended(request)
            if ended:
                return _sign_out(request, ended)
            _note(request)
        response = self.get_response(request)
        session = request.session
        # Somebody has signed in, by whichever door, or as another person than before.
        if SESSION_KEY in session and SINCE not in session and (was_noted or not was_in):
            session[SINCE] = session[USED] = time.time()
        return response


def _why_ended(request: HttpRequest) -> str:
    """Why this session is over; empty if it is not."""
    now = time.time()
    if now - request.session.get(USED, now) >= settings.SESSION_IDLE_MINUTES * 60:
        return f"You were signed out because nothing was done for {settings.SESSION_IDLE_MINUTES} minutes."
    if now - request.session.get(SINCE, now) >= settings.SESSION_COOKIE_AGE:
        return f"You were signed out {settings.SESSION_COOKIE_AGE // 3600} hours after signing in."
    return ""


def _note(request: HttpRequest) -> None:
    now, session = time.time(), request.session
    # A session from before this was noted ends by its own expiry, within eight hours.
    if now - session.get(USED, now) >= _NOTED_SECONDS and _BY_ITSELF not in request.headers:
        session[USED] = now


def _sign_out(request: HttpRequest, why: str) -> HttpResponse:
    address = _page(request)
    logout(request)
    messages.info(request, f"{why} Sign in to go on.")
    door = resolve_url(settings.LOGIN_URL)
    there = f"{door}?{urlencode({'next': address})}" if address else door
    if "HX-Request" in request.headers:
        # htmx would put the sign-in page into a part of the page; with this header the browser goes there.
        answer = HttpResponse(status=200)
        answer["HX-Redirect"] = there
        return answer
    return redirect(there)


def _page(request: HttpRequest) -> str:
    """The page to come back to: only ever one that is opened, never something that is done."""
    if request.method == "GET" and "HX-Request" not in request.headers:
        return request.get_full_path()
    shown = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "")
    address = f"{shown.path}?{shown.query}" if shown.query else shown.path
    same_host = shown.netloc == request.get_host()
    return address if same_host and url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""
