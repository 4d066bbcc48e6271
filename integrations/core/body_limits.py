"""How large a request's body may be, declared at its view.

A form is parsed before its view is called, for the CSRF token in it, and that writes files to the disk. So the limit is
looked up by the view and compared with the declared length before anything is read (`pinxero.requests.body_limits` does
so). A body without a declared length is not read at all: WSGI knows none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse

#: From somebody who is not signed in: the sign-in forms are the largest.
FROM_STRANGERS = 64 * 1024
#: From somebody who is, unless the view declares otherwise.
FROM_PEOPLE = 1024 * 1024
#: Where files are accepted; each page sets its own limit for a file.
WITH_FILE = 10 * 1024 * 1024

V = TypeVar("V", bound=Callable[..., HttpResponse])
TooLong = Callable[[HttpRequest], HttpResponse]


def takes(most: int) -> Callable[[V], V]:
    """Mark a view of signed-in people that takes up to `most` bytes."""
    return _marking(takes_from_people=most)


def takes_from_anybody(most: int, *, too_long: TooLong) -> Callable[[V], V]:
    """Mark a view that programs call, none of them signed in. `too_long` makes the answer to a larger body."""
    return _marking(takes_from_anybody=most, too_long=too_long)


def _marking(**marks: Any) -> Callable[[V], V]:
    def mark(view: V) -> V:
        for name, value in marks.items():
            setattr(view, name, value)
        return view

    return mark


def most_for(view: Callable[..., HttpResponse], *, is_signed_in: bool) -> int:
    """How many bytes a view accepts."""
    from_anybody: int = getattr(view, "takes_from_anybody", FROM_STRANGERS)
    from_people: int = getattr(view, "takes_from_people", FROM_PEOPLE)
    return max(from_anybody, from_people) if is_signed_in else from_anybody


def length_of(request: HttpRequest) -> int:
    """The declared length of the body, which is the most that Django reads of it."""
    text = str(request.META.get("CONTENT_LENGTH") or "0").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
