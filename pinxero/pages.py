"""Server-rendered pages in the admin's layout: same header, sidebar and style."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, title: str, status: int = 200
) -> HttpResponse:
    """Render a template that extends `page.html`, with the admin's own context."""
    around = admin.site.each_context(request)
    return render(request, template, {**around, "title": title, **(context or {})}, status=status)
