"""Refuses request bodies that are too long before they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from integrations.core.body_limits import FROM_STRANGERS, length_of, most_for
from pinxero.views import too_long

Respond = Callable[[HttpRequest], HttpResponse]


class LimitBodies:
    """Runs before the CSRF middleware, which would parse the whole form with its files."""

    def __init__(self, get_response: Respond) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Respond, args: Any, kwargs: Any) -> HttpResponse | None:
        """A 413 if the body is longer than this view accepts from this person; else None."""
        length = length_of(request)
        if length <= FROM_STRANGERS:
            return None
        # Only now load the person, because that costs a database query.
        is_signed_in = bool(request.user.is_authenticated)
        most = most_for(view, is_signed_in=is_signed_in)
        if length <= most:
            return None
        answer: Respond | None = getattr(view, "too_long", None)
        return answer(request) if answer is not None else too_long(request, most, is_signed_in=is_signed_in)
