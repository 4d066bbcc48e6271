"""How fast passwords may be tried for one person, without letting strangers lock that person out.

A browser in which a person has signed in before has its own counter, and so has every IP address: after five failures
in five minutes it alone is refused. Failures of all unknown browsers only make the next attempt wait, longer each time;
the right password is accepted after that wait. A person's name and e-mail address share a count; a name that nobody has
is counted too.

The price: a wait holds a thread of the web server. So no more than two of a process's threads wait at once, and anybody
who comes while both wait is asked to try again in a moment.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from typing import Any

from allauth.core.internal.ratelimit import get_ip
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

FREE_FAILURES = 5
LONGEST_SECONDS = 8
_REMEMBERED_SECONDS = 300
_COOKIE = "known_browser"
_COOKIE_SECONDS = 180 * 24 * 3600

_places = threading.BoundedSemaphore(2)


def person(credentials: dict[str, Any]) -> str:
    """One identifier per person, whether named by username or e-mail address."""
    user = named(credentials)
    return f"user {user.pk}" if user else f"nobody {_login(credentials).lower()}"


def named(credentials: dict[str, Any]) -> User | None:
    """The user whose username or e-mail address was typed."""
    login, users = _login(credentials), User.objects.order_by("pk")
    if not login:  # else it would be whoever has no address
        return None
    return users.filter(username__iexact=login).first() or users.filter(email__iexact=login).first()


def _login(credentials: dict[str, Any]) -> str:
    return str(credentials.get("username") or credentials.get("email") or "").strip()


def origin(request: HttpRequest, whose: str) -> str:
    """The key by which attempts are counted: the known browser, else the IP address."""
    return f"browser {_known(request, whose)}" if _known(request, whose) else f"address {get_ip(request)}"


def wait(request: HttpRequest, whose: str) -> bool:
    """Wait as long as earlier failures require. False if too many wait already; then do not try the password."""
    failures = cache.get(_key(whose), 0)
    if failures < FREE_FAILURES or _known(request, whose):
        return True
    if not _places.acquire(blocking=False):
        return False
    try:
        time.sleep(min(2 ** (failures - FREE_FAILURES), LONGEST_SECONDS))
    finally:
        _places.release()
    return True


def note_failure(whose: str) -> None:
    """Count a failure; forgotten five minutes after the last."""
    cache.set(_key(whose), cache.get(_key(whose), 0) + 1, _REMEMBERED_SECONDS)


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Remember that this person has signed in with this browser."""
    whose = f"user {user.pk}"
    if _known(request, whose):
        return
    response.set_signed_cookie(
        _COOKIE,
        f"{whose}:{secrets.token_hex(16)}",
        salt=_COOKIE,
        max_age=_COOKIE_SECONDS,
        httponly=True,
        secure=settings.IS_PRODUCTION,
        samesite="Lax",
    )


def _known(request: HttpRequest, whose: str) -> str:
    kept = request.get_signed_cookie(_COOKIE, default="", salt=_COOKIE, max_age=_COOKIE_SECONDS) or ""
    name, _, number = kept.partition(":")
    return number if name == whose else ""


def _key(whose: str) -> str:
    return "sign-in-failures-" + hashlib.sha256(whose.encode()).hexdigest()
