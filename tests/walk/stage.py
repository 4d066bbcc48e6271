"""The stage of the walk: connections with the sandbox's tokens, real workflows, and the engine in this process."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from django.test import Client
from django.utils import timezone

from integrations.connections import service
from integrations.framework import registry
from integrations.framework.base import Action, Item, Operation, Trigger
from integrations.models import CallBudget, Connection
from integrations.sandbox.exchange.fault_dial import WRITES
from integrations.schema.schema import Schema
from integrations.transport.http import ApiClient
from integrations.transport.token_set import read_tokens
from tests.base import Cast, make_connection
from tests.integrations.wire import DETAILS
from tests.provider import DEMO, Sandbox
from workflows.definitions import editing
from workflows.engine.execute import execute
from workflows.engine.lease import claim
from workflows.models import Run, StepRun, TriggerState, Workflow
from workflows.publishing import activation, publish
from workflows.triggers import intake, polling
from workflows.worker.sweeper import wake_reconnected

#: How much faster than real time the engine waits: the ten minutes before a second lookup become an eighth of a second.
TIME_SCALE = 5000
LONGEST_SECONDS = 20
_STARTER = "pinterest.new_board"
_TOKEN_PATHS = ("/connect/token", "/v5/oauth/token")


@dataclass
class Stage:
    """What a test of the walk plays on."""

    sandbox: Sandbox
    cast: Cast
    client: Client
    connections: dict[str, Connection] = field(default_factory=dict)

    # --- connections ------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Both providers, as after a consent."""
        for provider, external_id, details in (
            ("pinterest", "783612114631173151", {"name": "Pinworks"}),
            ("xero", DEMO, dict(DETAILS[DEMO])),
        ):
            told = self.sandbox.tokens(provider)
            connection = make_connection(self.cast.team, provider, external_id=external_id, **details)
            grant = connection.grant
            grant.external_user_id = told["user_id"]
            grant.access_token, grant.refresh_token = told["access_token"], told["refresh_token"]
            grant.save()
            self.connections[provider] = connection

    def reconnect(self, operation: Operation) -> None:
        """A person consents anew, and picks the same organisation again."""
        connector = operation.connector
        told = self.sandbox.tokens(connector.key)
        accounts = connector.accounts(told["access_token"])
        grant = service.add_grant(
            team=self.cast.team,
            provider=connector.key,
            external_user_id=told["user_id"],
            label="The same person",
            tokens=read_tokens(told),
            asked_scopes=[],
            accounts=accounts,
            by=self.cast.builder,
        )
        mine = self.connection(operation).external_id
        service.choose_accounts(grant, [each for each in accounts if each.external_id == mine], by=self.cast.builder)

    def lose_permissions(self, operation: Operation) -> None:
        """The consent is renewed with too few of the boxes ticked."""
        told = self.sandbox.tokens(operation.connector.key, scopes=["user_accounts:read"])
        grant = self.connection(operation).grant
        grant.access_token, grant.refresh_token = told["access_token"], told["refresh_token"]
        grant.save()

    def make_room(self, operation: Operation) -> None:
        """The pause that the provider asked for is over."""
        CallBudget.objects.filter(connection=self.connections[operation.connector.key]).update(blocked_until=None)

    def connection(self, operation: Operation) -> Connection:
        """The operation's connection as it stands now."""
        connection = self.connections[operation.connector.key]
        connection.refresh_from_db()
        return connection

    def api(self, operation: Operation) -> ApiClient:
        return operation.connector.client_class(self.connections[operation.connector.key])

    # --- workflows --------------------------------------------------------------------------------------------------

    def start(self, action: Action, inputs: Schema) -> Run:
        """A queued run of a published workflow whose one step is the action with these inputs.

        What starts it is handed to intake as a poll would: the triggers' own tests poll, and most of the time is saved.
        """
        workflow = editing.create_workflow(
            self.cast.team,
            name=f"When a board is new: {action.name}",
            operation=_STARTER,
            connection=self.connections["pinterest"],
            by=self.cast.builder,
        )
        draft = editing.StepDraft(
            action.name, action.full_key, self.connections.get(action.connector.key), sources_of(action, inputs)
        )
        editing.save_step(workflow, None, draft)
        return self.set_off(workflow)

    def set_off(self, workflow: Workflow, *, key: str = "1") -> Run:
        """Publish and switch on a workflow of new boards, and queue its run for one, whose key is new to it."""
        publish.publish(workflow, by=self.cast.builder, note="First version")
        activation.activate(workflow, by=self.cast.builder)
        TriggerState.objects.filter(pk=workflow.listens_to_id).update(status=TriggerState.Status.LISTENING)
        Workflow.objects.filter(pk=workflow.pk).update(awaits_baseline=False)
        state = polling.claim()
        assert state is not None
        assert intake.accept(state, [Item(key, dict(registry.trigger(_STARTER).sample))]) == 1
        return Run.objects.get(workflow=workflow)

    def listen(self, trigger: Trigger, inputs: dict[str, Any]) -> Workflow:
        """An active workflow past its baseline that looks for a contact named by what the trigger brings."""
        workflow = editing.create_workflow(
            self.cast.team,
            name=f"When: {trigger.name}",
            operation=trigger.full_key,
            connection=self.connections[trigger.connector.key],
            by=self.cast.builder,
        )
        editing.set_trigger(
            workflow,
            operation=trigger.full_key,
            connection=self.connections[trigger.connector.key],
            inputs=inputs,
            interval_minutes=5,
        )
        sources: editing.Sources = {
            "search_by": "name",
            "value": f"{{{{ trigger.{next(iter(trigger.sample))} }}}}",
            "if_none": "empty",
        }
        draft = editing.StepDraft("Look for it", "xero.find_contact", self.connections["xero"], sources)
        editing.save_step(workflow, None, draft)
        self.go_live(workflow)
        return workflow

    def go_live(self, workflow: Workflow) -> None:
        """Publish, switch on, and let the baseline be read."""
        publish.publish(workflow, by=self.cast.builder, note="First version")
        activation.activate(workflow, by=self.cast.builder)
        self.look(workflow)
        assert self.state(workflow).status == TriggerState.Status.LISTENING, self.state(workflow).last_error
        assert not Run.objects.filter(workflow=workflow).exists()

    def state(self, workflow: Workflow) -> TriggerState:
        workflow.refresh_from_db()
        assert workflow.listens_to_id is not None
        return TriggerState.objects.get(pk=workflow.listens_to_id)

    def look(self, workflow: Workflow) -> None:
        """One poll, now."""
        workflow.refresh_from_db()
        activation.poll_now(workflow, by=self.cast.builder)
        state = polling.claim()
        assert state is not None
        polling.poll(state)

    def advance(self, run: Run) -> Run:
        """Take the run as far as it goes now and no further."""
        claimed = claim()
        assert claimed is not None
        execute(*claimed)
        run.refresh_from_db()
        return run

    def settle(self, run: Run) -> Run:
        """Until the run has ended or waits for a person."""
        ends = time.monotonic() + LONGEST_SECONDS
        wake_reconnected()
        while time.monotonic() < ends:
            # Runs only: on this clock the next poll is due before the last one has ended.
            if (claimed := claim()) is not None:
                execute(*claimed)
                continue
            run.refresh_from_db()
            if run.status not in Run.OPEN or (run.status == Run.Status.WAITING and run.wake_at is None):
                return run
            # Asking every few milliseconds would take most of a test's time.
            left = (run.wake_at - timezone.now()).total_seconds() if run.wake_at else 0
            time.sleep(min(max(left, 0.005), 0.25))
        raise AssertionError(f"The run did not come to an end: {run.status}, {run.wait_reason}, {run.error}")

    # --- looking ----------------------------------------------------------------------------------------------------

    def mark(self) -> int:
        """Where the sandbox's ledger stands."""
        rows = self.sandbox.ledger()
        return int(rows[-1]["seq"]) if rows else 0

    def written(self, since: int) -> list[dict[str, Any]]:
        """What was committed to the sandbox's books after the mark, oldest first."""
        return [
            row
            for row in self.sandbox.ledger(after=since, committed=True)
            if row["method"] in WRITES and row["path"] not in _TOKEN_PATHS
        ]

    def page(self, run: Run) -> str:
        """The run's page as the team sees it."""
        return self._get(f"/runs/{run.pk}/")

    def workflow_page(self, workflow: Workflow) -> str:
        return self._get(f"/workflows/{workflow.pk}/")

    def _get(self, address: str) -> str:
        self.client.force_login(self.cast.builder)
        answer = self.client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        return answer.content.decode()


def step_of(run: Run) -> StepRun:
    """The one action step of a run."""
    return StepRun.objects.get(run=run, kind="action")


def sources_of(action: Action, inputs: Schema) -> editing.Sources:
    """Cleaned inputs as a person would have typed them."""
    sources: editing.Sources = {}
    for declared in action.Inputs.fields():
        value = getattr(inputs, declared.name)
        if isinstance(value, list | tuple) and declared.columns:
            rows = [{c.name: getattr(row, c.name) for c in declared.columns} for row in value]
            sources[declared.name] = [{n: typed(v) for n, v in row.items() if v not in (None, "")} for row in rows]
        elif value not in (None, "", [], ()):
            sources[declared.name] = typed(value)
    return sources


def typed(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)
