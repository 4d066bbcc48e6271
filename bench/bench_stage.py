"""The setup of every measure: a migrated database, the stub as provider, and the workflow of the benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from workflows.models import Workflow

CHECKOUT = Path(__file__).resolve().parents[1]


class BenchStage:
    """Django set up on the database, and helpers. Entering starts the stub."""

    def __init__(self, folder: Path, url: str, *, is_quick: bool) -> None:
        self.folder, self.url, self.is_quick = folder, url, is_quick

    def __enter__(self) -> Self:
        self.stub = subprocess.Popen(
            [sys.executable, str(CHECKOUT / "bench" / "stub.py")], stdout=subprocess.PIPE, text=True
        )
        assert self.stub.stdout is not None
        self.port = int(self.stub.stdout.readline())
        os.environ.update(self._environment())
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from pinxero.development.emptying import unprotected

        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        with unprotected():
            call_command("flush", verbosity=0, interactive=False)
        self.vendor = connection.vendor
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stub.kill()
        self.stub.wait()

    def _environment(self) -> dict[str, str]:
        from cryptography.fernet import Fernet

        return {
            "PINXERO_ENV_FILE": "",
            "PINXERO_MODE": "development",
            "DJANGO_SETTINGS_MODULE": "pinxero.settings",
            "SECRET_KEY": "bench-" + "x" * 50,
            "TOKEN_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": self.url,
            "HTTP_REQUEST_HOSTS": f"http://127.0.0.1:{self.port}",
            "OUTSIDE_PRIVATE_HOSTS": f"http://127.0.0.1:{self.port}",
            "LOG_LEVEL": "ERROR",
            "PINXERO_STALE_SECONDS": "30",
            **dict.fromkeys(
                ("XERO_CLIENT_ID", "XERO_CLIENT_SECRET", "PINTEREST_CLIENT_ID", "PINTEREST_CLIENT_SECRET"), "bench"
            ),
        }

    def size(self, full: int, quick: int) -> int:
        """The full size, or the small one."""
        return quick if self.is_quick else full

    @property
    def target(self) -> str:
        """The stub's address."""
        return f"http://127.0.0.1:{self.port}/things"

    def team(self) -> Any:
        """The one team."""
        from integrations.models import Team

        return Team.objects.get_or_create(name="Bench")[0]

    def connection(self) -> Any:
        """A connection to Pinterest for the trigger; nothing calls it."""
        from datetime import timedelta

        from django.utils import timezone

        from integrations.models import Connection, Grant

        team = self.team()
        grant, _ = Grant.objects.get_or_create(
            team=team,
            provider="pinterest",
            external_user_id="bench",
            defaults={"access_token": "x", "refresh_token": "y", "expires_at": timezone.now() + timedelta(days=1)},
        )
        found, _ = Connection.objects.get_or_create(
            team=team, grant=grant, provider="pinterest", external_id="bench", defaults={"name": "Bench"}
        )
        return found

    def workflow(self, name: str = "Pin to HTTP") -> Workflow:
        """Trigger, filter, one HTTP action with six mapped fields; published and listening."""
        from workflows.models import Condition, Mapping, Safeguards, Step, TriggerState, Workflow
        from workflows.publishing import publish

        connection = self.connection()
        made = Workflow.objects.create(
            team=self.team(), name=name, trigger_operation="pinterest.new_pin", trigger_connection=connection
        )
        check = Step.objects.create(workflow=made, key="filter", name="Filter", kind="filter", position=1)
        Condition.objects.create(
            step=check, position=1, left="{{ trigger.title }}", type="text", operator="contains", right="Chair"
        )
        send = Step.objects.create(
            workflow=made, key="send", name="Send it", kind="action", position=2, operation="web.http_send"
        )
        Mapping.objects.create(step=send, input="url", value=self.target + "?n={{ trigger.title | extract_number }}")
        for row, (label, source) in enumerate(FIELDS.items()):
            Mapping.objects.create(step=send, input="body_fields", row=row, column="name", value=label)
            Mapping.objects.create(step=send, input="body_fields", row=row, column="value", value=source)
        publish.publish(made, by=None)
        # The benchmark measures very many runs at once.
        Safeguards.objects.create(workflow=made, hold_above=0, most_per_hour=0)
        made.status = "active"
        made.listens_to, _ = TriggerState.objects.get_or_create(
            team=made.team,
            connection=connection,
            operation="pinterest.new_pin",
            inputs_hash="bench",
            defaults={"status": "listening", "inputs": {}},
        )
        made.save()
        return made

    def accept(self, workflow: Workflow, numbers: range) -> None:
        """Store one event per number, as a poll would, all in one transaction."""
        from django.db.models import F

        from integrations.framework.base import Item
        from workflows.models import TriggerState
        from workflows.triggers import intake

        state = workflow.listens_to
        assert state is not None
        TriggerState.objects.filter(pk=state.pk).update(lease_token=F("lease_token") + 1)
        state.refresh_from_db()
        intake.accept(state, [Item(key=f"{time.time_ns()}-{n}", data=event(n)) for n in numbers])


#: The six mapped fields and their sources.
FIELDS = {
    "title": "{{ trigger.title | upper }}",
    "amount": "{{ ((trigger.title | extract_number) * 1.15) | round(2) }}",
    "day": "{{ run.date | add_days(30) }}",
    "board": "{{ trigger.board_name | default('none') }}",
    "note": "Pin {{ trigger.id }} of {{ trigger.board_name }}",
    "link": "{{ trigger.link }}",
}


def event(number: int) -> dict[str, Any]:
    """A pin as the trigger returns it, about as large as real ones."""
    return {
        "id": str(813_744_226_420_000_000 + number),
        "title": f"Chair number {number}",
        "description": "An oak chair, " * 8,
        "board_name": "Summer",
        "link": f"https://shop.example/chair/{number}",
        "media": {
            "images": {size: {"url": f"https://i.example/{size}/{number}.jpg"} for size in ("150", "600", "1200")}
        },
    }
