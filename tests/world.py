"""A team with one of everything, for tests of pages: connections, a published workflow, a run that needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from integrations.framework.base import Backup
from integrations.framework.registry import operation
from integrations.models import Connection, Team
from integrations.transport.http import Request
from tests.base import Cast, make_connection
from workflows.definitions import editing
from workflows.engine.writes import backups
from workflows.language.conditions import evaluate
from workflows.models import (
    Decision,
    Event,
    Preview,
    PreviewStep,
    Run,
    Step,
    StepRun,
    TriggerState,
    Workflow,
    WorkflowVersion,
)
from workflows.publishing import publish

BOARD = "813744226420700001"
CONTACT = "6d42f03b-181f-43e3-93fb-2025c012de92"
SECRET_NAME = "Acme's own workflow"


@dataclass(frozen=True)
class World:
    """What belongs to the cast's first team."""

    team: Team
    pinterest: Connection
    xero: Connection
    workflow: Workflow
    draft: Workflow
    steps: list[Step]
    version: WorkflowVersion
    state: TriggerState
    event: Event
    run: Run
    step_run: StepRun
    decision: Decision


def make_world(cast: Cast) -> World:
    """Create it."""
    pinterest = make_connection(cast.team, "pinterest", name="Acme pins")
    xero = make_connection(cast.team, "xero", name="Acme Ltd", base_currency="GBP")
    workflow = make_workflow(cast, pinterest, xero)
    version = publish.publish(workflow, by=cast.builder, note="The first one")
    state = TriggerState.objects.create(
        team=cast.team, connection=pinterest, operation="pinterest.new_pin", inputs_hash="x", status="listening"
    )
    Workflow.objects.filter(pk=workflow.pk).update(listens_to=state, status=Workflow.Status.ACTIVE)
    workflow.refresh_from_db()
    draft = editing.create_workflow(
        cast.team, name="A draft of Acme", operation="pinterest.new_board", connection=pinterest, by=cast.builder
    )
    event = make_event(state, "1")
    run = make_run(workflow, version, event, xero, status=Run.Status.NEEDS_REVIEW, error="Nobody knows.")
    step_run = make_step_run(run, state=StepRun.State.NEEDS_REVIEW)
    backups.keep(step_run, Backup(title="What Acme had", content=b"{}"))
    decision = Decision.objects.create(run=run, what=Decision.What.RETRY, by=cast.builder, reason="Try once more")
    steps = list(workflow.steps.filter(kind=Step.Kind.ACTION))
    return World(
        cast.team, pinterest, xero, workflow, draft, steps, version, state, event, run, step_run, decision
    )  # fmt: skip


def make_workflow(cast: Cast, pinterest: Connection, xero: Connection, *, name: str = SECRET_NAME) -> Workflow:
    """Pins to draft invoices: a filter, two steps, everything filled in."""
    workflow = editing.create_workflow(
        cast.team, name=name, operation="pinterest.new_pin", connection=pinterest, by=cast.builder
    )
    editing.set_trigger(
        workflow, operation="pinterest.new_pin", connection=pinterest, inputs={"board_id": BOARD}, interval_minutes=5
    )
    comparison = {"left": "{{ trigger.title }}", "type": "text", "operator": "contains", "right": "oak"}
    editing.set_filter(workflow, group="all", comparisons=[comparison])
    sources: editing.Sources = {"name": "{{ trigger.board_name }}", "email": "pins@acme.example"}
    editing.save_step(
        workflow, None, editing.StepDraft("Know the customer", "xero.create_or_update_contact", xero, sources)
    )
    editing.save_step(workflow, None, editing.StepDraft("Write it", "xero.create_invoice", xero, invoice_sources()))
    return workflow


def invoice_sources() -> editing.Sources:
    """A complete invoice."""
    line = {"description": "{{ trigger.title }}", "quantity": "1", "unit_amount": "120.50", "account_code": "200"}
    return {"contact_id": CONTACT, "lines": [line], "reference": "Pin {{ trigger.id }}"}


def make_event(state: TriggerState, key: str, **data: Any) -> Event:
    """An event with the trigger's sample, changed by `data`."""
    sample = {**operation("pinterest.new_pin").sample, **data}
    return Event.objects.create(
        team=state.team,
        trigger_state=state,
        operation=state.operation,
        connection=state.connection,
        key=key,
        data=sample,
    )


def make_run(
    workflow: Workflow, version: WorkflowVersion, event: Event, connection: Connection | None, **fields: Any
) -> Run:
    """A run of the event; a succeeded one unless told."""
    now = timezone.now()
    values = {"status": Run.Status.SUCCEEDED, "title": "Oak table", "started_at": now, "finished_at": now, **fields}
    return Run.objects.create(
        team=workflow.team, workflow=workflow, version=version, event=event, connection=connection, **values
    )


PREVIEWED = "A previewed pin"


def make_preview(world: World) -> Preview:
    """A preview of the published version in which its two writes would be made."""
    steps = [step for step in world.version.plan["steps"] if step["kind"] == "action"]
    preview = Preview.objects.create(
        team=world.team,
        workflow=world.workflow,
        version=world.version,
        plan=world.version.plan,
        plan_sha256=world.version.plan_sha256,
        data=world.event.data,
        title=PREVIEWED,
        status=Preview.Status.DONE,
        writes=len(steps),
    )
    PreviewStep.objects.bulk_create(
        PreviewStep(
            preview=preview,
            number=number,
            step=step["key"],
            position=number,
            kind=step["kind"],
            name=step["name"],
            operation=step["operation"],
            connection=world.xero,
            state=PreviewStep.State.WRITTEN,
            request={"method": "PUT", "path": "/Invoices", "query": [], "headers": [], "body": "{}"},
            marker=f"PX-{number}",
            is_predicted=True,
        )
        for number, step in enumerate(steps, start=1)
    )
    return preview


LOOPED = "Three items, one after the other"


def make_looped_run(world: World, count: int = 3) -> Run:
    """A run of a version with a loop: the second turn ended by its filter, the third failed."""
    filter_, write = world.version.plan["steps"][0], world.version.plan["steps"][-1]
    each = {"key": "each", "name": "Each line", "kind": "loop", "items": "{{ trigger.lines }}", "limit": 1000}
    plan = {**world.version.plan, "format": 2, "steps": [{**each, "on_item_error": "go_on", "steps": [filter_, write]}]}
    last = world.workflow.versions.order_by("number").last()
    assert last is not None
    version = WorkflowVersion.objects.create(
        workflow=world.workflow, number=last.number + 1, plan=plan, plan_sha256="looped"
    )
    run = make_run(world.workflow, version, make_event(world.state, "looped"), world.xero, title=LOOPED)
    items = [{"title": f"Line {number}"} for number in range(1, count + 1)]
    common = {"run": run, "step": "each", "name": "Each line", "started_at": run.started_at}
    StepRun.objects.create(
        **common,
        kind="loop",
        position=1,
        state="succeeded",
        inputs={"items": items},
        outcome={"count": count},
        output={"count": count, "items": []},
    )
    states = {2: "skipped", 3: "failed"}
    StepRun.objects.bulk_create(
        StepRun(
            **common,
            kind="turn",
            position=number,
            iteration=str(number),
            state=states.get(number, "succeeded"),
            error="Write it: The name is taken." if number == 3 else "",
            outcome={"title": item["title"]},
            finished_at=run.finished_at,
        )
        for number, item in enumerate(items, start=1)
    )
    return run


def make_step_run(run: Run, **fields: Any) -> StepRun:
    """The filter's step run, and that of the invoice with a request on it; gives the latter."""
    key, tree = run.version.plan["steps"][0]["key"], run.version.plan["steps"][0]["conditions"]
    outcome = evaluate(tree, {"trigger": run.event.data}).to_dict()
    StepRun.objects.create(
        run=run, step=key, position=1, kind="filter", name="Filter", state="succeeded", outcome=outcome
    )
    invoice = {"Invoices": [{"Type": "ACCREC", "LineItems": [{"UnitAmount": Decimal("120.50")}]}]}
    request = Request.of_json("PUT", "/api.xro/2.0/Invoices", invoice, query={"unitdp": "4"})
    values = {
        "state": StepRun.State.SUCCEEDED,
        "inputs": {"contact_id": CONTACT, "lines": [{"description": "Oak table", "unit_amount": "120.50"}]},
        "request": request.to_dict(),
        "request_sha256": request.sha256,
        "idempotency_key": f"key-{run.pk}",
        "marker": f"PX-{run.pk:016x}",
        "attempts": [{"at": "2026-11-23T05:00:00+00:00", "what": "send", "outcome": "no clear answer", "took": 30}],
        **fields,
    }
    return StepRun.objects.create(
        run=run,
        step="create_invoice",
        position=3,
        kind="action",
        name="Write it",
        operation="xero.create_invoice",
        connection=run.connection,
        **values,
    )
