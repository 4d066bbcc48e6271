"""`manage.py worker`: the process that polls triggers and executes runs. Start one per host."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workflows.worker.supervisor import Supervisor


class Command(BaseCommand):
    help = "Poll triggers and execute runs until stopped (SIGTERM finishes what is under way)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stale-seconds", type=float, help="Restart the cluster after so long without life.")
        parser.add_argument("--grace-seconds", type=float, default=150, help="How long a stop may take.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Worker: supervising. Stop it with Ctrl+C or SIGTERM.")
        raise SystemExit(
            Supervisor(stale_seconds=options["stale_seconds"], grace_seconds=options["grace_seconds"]).run()
        )
