"""`manage.py dev`, what `make run` calls: Pinxero, its worker and the sandbox here, and the main job once."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.framework import registry
from pinxero.development import environment
from pinxero.development.environment import Installation, Ports, SetupError
from pinxero.development.processes import Interrupted, ProcessEndedError, Processes

_START_SECONDS = 60


class Command(BaseCommand):
    is_up = False
    help = "Run Pinxero with demo data beside the sandbox, for development and for trying it out."
    requires_system_checks = []  # the secrets they require may not exist yet; every process started here is checked

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            default=os.environ.get("ONCE", "") not in ("", "0"),
            help="Do the main job once, then stop everything (also: ONCE=1).",
        )
        parser.add_argument(
            "--real",
            action="store_true",
            default=os.environ.get("REAL", "") not in ("", "0"),
            help="Talk to the real providers instead of the sandbox; no demo data (also: REAL=1).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        folder = Path(settings.BASE_DIR)
        installation = _installation(folder, is_real=options["real"])
        try:
            ports = environment.read_ports(os.environ)
            environment.require_free(ports, is_real=installation.is_real)
            values, made = environment.ensure_secrets(installation)
            if made:
                self._print(f"Secrets and settings of this installation were written to {installation.env_file}.")
            environment.require_clients(installation, values, ports)
        except SetupError as error:
            raise CommandError(str(error)) from error
        (folder / ".local").mkdir(mode=0o700, exist_ok=True)
        with Processes(folder, environment.for_processes(installation, ports, values), self._print) as processes:
            try:
                self._bring_up(processes, ports, is_real=installation.is_real)
                if not installation.is_real:
                    self._ask_for_notices(ports, values)
                self._print(f"All up after {time.monotonic() - began:.0f} s.")
                if installation.is_real:
                    self._run_demo(processes, "people")
                else:
                    self._main_job(processes, is_last=options["once"])
                self.is_up = True
                if options["once"]:
                    processes.hush()
                    return
                processes.wait()
            except ProcessEndedError as error:
                processes.stop()
                raise CommandError(f"{error}\nEverything else was stopped.") from error
            except Interrupted as error:
                self._print("Stopping.")
                processes.stop()
                # Once it runs, Ctrl+C is the ordinary way to end it.
                raise SystemExit(0 if self.is_up and not options["once"] else 128 + error.number) from error

    def _bring_up(self, processes: Processes, ports: Ports, *, is_real: bool) -> None:
        python, manage = sys.executable, "manage.py"
        ready = [(f"{ports.web_url}/accounts/login/", "web")]
        if not is_real:
            processes.start("sandbox", python, manage, "sandbox", "--port", str(ports.sandbox))
            ready.append((f"{ports.sandbox_url}/_sandbox/health", "sandbox"))
        self._print("Database and accounts ...")
        self._run_demo(processes, "data")
        self._print("Starting the web server and the worker ...")
        processes.start(
            "web",
            *(python, "-m", "gunicorn", "pinxero.wsgi", "--bind", f"{environment.HOST}:{ports.web}"),
            *("--workers", "1", "--threads", "8", "--graceful-timeout", "3", "--log-level", "warning"),
            "--no-control-socket",
        )
        processes.start("worker", python, manage, "worker")
        for url, what in ready:
            processes.wait_until(lambda url=url: _answers(url), within=_START_SECONDS, what=what)  # type: ignore[misc]

    def _ask_for_notices(self, ports: Ports, values: Mapping[str, str]) -> None:
        """Have the sandbox send webhooks as providers do; without them everything is found by polling, only later."""
        for connector in registry.connectors():
            if connector.webhook is None or not connector.declared.is_in_sandbox:
                continue
            key = values[connector.webhook.setting].split(",")[0]
            state = environment.register_webhook(ports, f"{ports.web_url}/hooks/{connector.key}/", key)
            if state != "OK":
                self._print(f"The sandbox will not give notice of changes: {state}. They are found by polling.")

    def _main_job(self, processes: Processes, *, is_last: bool) -> None:
        self._print("Now the main job, through the real processes:")
        try:
            self._run_demo(processes, "run")
        except ProcessEndedError:
            if is_last:
                raise
            processes.check()  # one of the other processes may be the reason
            self._print("The main job did not succeed; see above. Everything is still up. Ctrl+C stops it.")

    def _run_demo(self, processes: Processes, part: str) -> None:
        demo = processes.start("demo", sys.executable, "manage.py", "demo", part, is_lasting=False, is_plain=True)
        processes.finish(demo, within=_START_SECONDS * 3)

    def _print(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _installation(folder: Path, *, is_real: bool) -> Installation:
    """The sandbox and the real providers have separate files and databases, so that their tokens never mix."""
    named = os.environ.get("PINXERO_ENV_FILE")
    return Installation(
        Path(named).resolve() if named else folder / (".env.real" if is_real else ".env"), folder, is_real
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address, http
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
