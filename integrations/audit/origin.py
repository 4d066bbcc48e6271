"""Where a request comes from, for what is recorded while it is answered.

Services do not see requests, and an address is no business of theirs; so it is kept beside them while a request lasts.
In a worker and in commands there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.contrib.auth.models import User


@dataclass(frozen=True)
class Origin:
    """An IP address, empty if it is not known, and the person who is signed in there, asked for only when needed."""

    address: str
    person: Callable[[], User | None]


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """What is recorded within comes from there."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def address() -> str:
    """The IP address of the request that is being answered; empty if there is none."""
    origin = _current.get()
    return origin.address if origin else ""


def person() -> User | None:
    """Who has sent the request that is being answered, for services that are not told."""
    origin = _current.get()
    return origin.person() if origin else None
