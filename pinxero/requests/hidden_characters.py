"""Middleware for every page that is sent."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from integrations.core.hidden_characters import shown_in_page


class HiddenCharacters:
    """Characters that reverse or hide text are shown by their number, on every page, including the admin's.

    Done last, because outside text reaches pages in many ways: templates, the admin's columns, messages, choices. The
    price is one search per page. Responses for programs and files are not changed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if not is_page or response.streaming or response.content.isascii():
            return response
        html = response.content.decode(response.charset)
        changed = shown_in_page(html)
        if changed != html:
            response.content = changed
        return response
