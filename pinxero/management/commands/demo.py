"""`manage.py demo data` and `demo run`: the demo company, and the main job once. `manage.py dev` calls both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pinxero import demo
from pinxero.development.visitor import VisitError, Visitor
from workflows.models import Run, StepRun, Workflow
from workflows.publishing import activation

_TITLES = ["Peach and basil tart", "Cold cucumber soup", "Charred corn salad", "Raspberry shrub", "Tomato focaccia"]
_WAIT_SECONDS = 90


class Command(BaseCommand):
    help = "Set up the demo company (data), tell who is in it (people), or let a new pin become a draft invoice (run)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("part", choices=["data", "people", "run"])

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("The demo invents accounts and data; it does not run in production.")
        password = settings.DEMO_PASSWORD
        if not password:
            raise CommandError("DEMO_PASSWORD is not set. make run makes one and keeps it in .env.")
        if options["part"] == "data":
            call_command("migrate", verbosity=0, interactive=False)
            call_command("createcachetable", verbosity=0)
            demo.ensure_people(password)
            return
        if options["part"] == "people":
            self._print_accounts(password)
            return
        try:
            self._run(password)
        except (demo.DemoError, VisitError, requests.RequestException) as error:
            raise CommandError(str(error)) from error

    def _run(self, password: str) -> None:
        team = demo.ensure_people(password)
        for provider in demo.missing_connections(team):
            self._print(f"Connecting {provider}: signing in as builder, giving consent at the sandbox ...")
            visitor = Visitor(settings.BASE_URL)
            visitor.sign_in("builder", password)
            visitor.connect(provider)
        workflow = demo.ensure_workflow(team)
        self._wait(lambda: _has_baseline(workflow), "the worker to note the pins that are there already")
        last = Run.objects.order_by("-pk").first()
        title = _TITLES[Run.objects.filter(workflow=workflow).count() % len(_TITLES)]
        self._print(f"Adding the pin {title!r} to the board {demo.BOARD!r} ...")
        _add_pin(title)
        activation.poll_now(workflow, by=None)
        run = self._await_run(workflow, title, last.pk if last else 0)
        self._print_accounts(password)
        self._print(f"The sandbox, where you can add pins yourself, is at {demo.sandbox_url()}.")
        self._print("")
        self._print(_line(run, title))

    def _await_run(self, workflow: Workflow, title: str, after: int) -> Run:
        found: list[Run] = []

        def has_ended() -> bool:
            runs = Run.objects.filter(workflow=workflow, pk__gt=after).select_related("event").order_by("pk")
            found[:] = [run for run in runs if run.event.data.get("title") == title and not run.is_open]
            return bool(found)

        self._wait(has_ended, f"the run of the pin {title!r}")
        return found[0]

    def _wait(self, is_done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while not is_done():
            if time.monotonic() > deadline:
                raise demo.DemoError(f"Waited {_WAIT_SECONDS} seconds for {what}, in vain. Is the worker running?")
            time.sleep(0.1)

    def _print_accounts(self, password: str) -> None:
        self._print("")
        self._print(f"Pinxero is at {settings.BASE_URL}. The password of everybody is {password}")
        for name, team, _, does in demo.PEOPLE:
            self._print(f"  {name:<13} {team}: {does}")

    def _print(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _has_baseline(workflow: Workflow) -> bool:
    workflow.refresh_from_db()
    return not workflow.awaits_baseline


def _add_pin(title: str) -> None:
    answer = requests.post(
        f"{demo.sandbox_url()}/_sandbox/pins",
        json={
            "board": demo.BOARD,
            "title": title,
            "description": "For the summer issue.",
            "link": "https://example.com",
        },
        timeout=30,
    )
    if answer.status_code != 200:
        raise demo.DemoError(f"The sandbox did not take the pin: {answer.text[:300]}")


def _line(run: Run, title: str) -> str:
    """The result for the pin, in the one line that the demo ends with."""
    url = f"{settings.BASE_URL}/runs/{run.pk}/"
    wrote = StepRun.objects.filter(run=run, operation=demo.WRITES).first()
    if run.status != Run.Status.SUCCEEDED or wrote is None or not wrote.output:
        raise demo.DemoError(
            f"The pin {title!r} did not become an invoice: run {run.pk} is {run.get_status_display().lower()}. "
            f"{run.error} {url}"
        )
    number, status = wrote.output.get("InvoiceNumber"), wrote.output.get("Status")
    return f'pin "{title}" -> invoice {number} ({status}), run {run.pk}: {url}'
