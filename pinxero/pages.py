"""Server-rendered pages inside the admin's house: same header, same sidebar, same look."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, title: str, status: int = 200
) -> HttpResponse:
    """Render a template that extends `page.html`, with the admin's own context around it."""
    around = admin.site.each_context(request)
    return render(request, template, {**around, "title": title, **(context or {})}, status=status)
