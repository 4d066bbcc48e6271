"""Start the sandbox: it replaces this process by its own, with settings and a database of its own."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Run the local stand-in for Pinterest and Xero. For development and tests only."
    requires_system_checks = []  # its own process checks its own settings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, required=True, help="the port to listen on (0: any free one)")
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
        parser.add_argument("--database", help="SQLite file (default: .local/sandbox.sqlite3)")
        parser.add_argument("--time-scale", type=float, default=1.0, help="divide all its waiting times by this")

    def handle(self, *args: Any, **options: Any) -> None:
        if getattr(settings, "PINXERO_MODE", "") == "production":
            raise CommandError(
                "The sandbox invents contacts and invoices, so it does not start in production. "
                "Set PINXERO_MODE to development, on a machine that holds no real books."
            )
        command = [sys.executable, "-m", "integrations.sandbox", "--port", str(options["port"])]
        command += ["--host", options["host"], "--time-scale", str(options["time_scale"])]
        if options["database"]:
            command += ["--database", options["database"]]
        os.execv(sys.executable, command)  # noqa: S606 - no shell, fixed program
