"""`manage.py functions`: the page of all functions of the mapping language."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workflows.language.functions.documentation import page


class Command(BaseCommand):
    """Prints it; `manage.py functions > docs/functions.md` brings the page up to date."""

    help = "Print the page of all functions that a mapping can use."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        self.stdout.write(page(), ending="")
