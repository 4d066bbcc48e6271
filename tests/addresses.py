"""Every address that Pinxero has, by the resolver, and where each leads with the rows of a test's world."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver
from django.utils import timezone

from integrations.models import CallBudget, Invitation, Membership
from integrations.people import invitations
from tests.base import Cast
from tests.world import LOOPED, PREVIEWED, World, make_looped_run, make_preview
from workflows.api import tokens
from workflows.definitions import samples
from workflows.lookup_tables import editing
from workflows.models import (
    ApiToken,
    ApprovalDelegation,
    ApprovalRequest,
    Backtest,
    BacktestItem,
    Batch,
    ControlsChange,
    LookupRow,
    LookupTable,
    LookupVersion,
    Notice,
    PolicyVersion,
    Preview,
    PublicationRequest,
    Reconciliation,
    ReconciliationFinding,
    Release,
    Run,
    SampleItem,
    Upload,
)
from workflows.notifications import notify


def _addresses(patterns: Any, namespaces: tuple[str, ...] = (), route: str = "") -> Iterator[tuple[str, str]]:
    """Every (name, route) there is. Django's nameless admin addresses are named after what they stand for."""
    for pattern in patterns:
        there = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            below = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _addresses(pattern.url_patterns, below, there)
            continue
        name = pattern.name or ""
        if namespaces == ("admin",) and not name:
            parts = there.split("/")
            name = f"{parts[1]}_{parts[2]}_" if "<path:object_id>" in there else " catch all"
        yield ":".join([*namespaces, name]), there


ADDRESSES = dict(_addresses(get_resolver().url_patterns))


def furnish(made: World, cast: Cast) -> None:
    """One row more of everything that has a page of its own."""
    CallBudget.objects.create(connection=made.xero)
    notify.notify(notify.Matter(made.team.pk, Notice.Kind.FAILED, "Acme Ltd failed", workflow=made.workflow))
    Batch.objects.create(team=made.team, what=Batch.What.CANCEL, up_to=1, counted=1, by=cast.builder)
    Release.objects.create(
        workflow=made.workflow, trigger_state=made.state, since="2026-10-01", status=Release.Status.DONE
    )
    editing.create(
        cast.team, name="Acme Ltd boards", description="", columns=["Board"], rows=[{"Board": "Oak"}], by=cast.builder
    )
    samples.keep_typed(made.workflow, {"title": "Acme Ltd's sample"})
    Upload.objects.create(workflow=made.workflow, name="rows.csv", columns=["Title"], rows=[["Oak"]], row_count=1)
    tokens.make(made.team, cast.builder, name="Shop", scope="read", days=None)
    invitations.invite(
        made.team, "new@acme.example", role="auditor", until=None, by=cast.administrator, reason="The audit"
    )
    PolicyVersion.objects.create(team=made.team, number=1, proposed_by=cast.administrator, note="Acme Ltd's audit")
    ApprovalRequest.objects.create(
        team=made.team, run=made.run, step_run=made.step_run, workflow=made.workflow, version=made.version,
        connection=made.xero, stages=[{"count": 1, "role": "approver", "people": []}], needed=1,
        request_sha256="0" * 64, fingerprint="1" * 64, title="Sales invoice", contact="Acme Ltd's customer",
        organisation="Acme Ltd", expires_at=timezone.now() + timedelta(days=7), rule="Always: ask Acme Ltd's approver.",
        message="Acme Ltd's message", findings=[{"level": "warns", "input": "", "message": "Look", "advice": ""}],
    )  # fmt: skip
    PublicationRequest.objects.create(
        workflow=made.workflow, number=1, sha256="0" * 64, summary="When a pin is new:\nAcme Ltd gets an invoice.",
        note="Acme Ltd's wish", asked_by=cast.builder,
    )  # fmt: skip
    ControlsChange.objects.create(
        team=made.team, values={"approval_days": 30}, note="Acme Ltd's wish", asked_by=cast.administrator
    )
    today = timezone.localdate()
    ApprovalDelegation.objects.create(
        team=made.team, away=cast.administrator, stand_in=cast.approver, first_day=today, last_day=today
    )
    make_looped_run(made)
    make_preview(made)
    plan = made.version.plan
    backtest = Backtest.objects.create(
        team=made.team, workflow=made.workflow, plan=plan, days=7, since="2026-10-01", status="done", found=1, done=1
    )
    BacktestItem.objects.create(backtest=backtest, number=1, key="Acme 1", data={}, outcome="filtered")
    reconciliation = Reconciliation.objects.create(
        team=made.team, connection=made.xero, organisation="Acme Ltd", since="2026-11-01", until="2026-11-30",
        status="done", total=4, done=4, fresh=1, counts={"same": 2, "changed": 1, "unknown": 1},
    )  # fmt: skip
    ReconciliationFinding.objects.create(
        reconciliation=reconciliation, run=made.run, key="posting:0", verdict="changed", changes=" amount ",
        fields=[["amount", "Total", "115.00", "126.50"]], signature="a", noun="Sales invoice", number="INV-0007",
        contact="Acme Ltd's customer", day="2026-11-22", currency="NZD", amount=115,
    )  # fmt: skip
    ReconciliationFinding.objects.create(
        reconciliation=reconciliation, key="record:0", verdict="unknown", signature="b", noun="Bill",
        note="It was written with this installation's access, by something other than Pinxero.",
    )  # fmt: skip


def path_of(name: str, world: World) -> str:
    """Where it is, with the rows of this world."""
    route = ADDRESSES[name]
    if name == "admin: catch all":
        return "/admin/no/such/page"
    if name == "account_reset_password_from_key":
        return "/accounts/password/reset/key/1-set-password/"
    if name == "hook":
        return "/hooks/xero/"
    values: dict[str, Any] = {
        "workflow_id": world.draft.pk if name == "delete_workflow" else world.workflow.pk,
        "step_id": world.steps[0].pk,
        "preview_id": Preview.objects.get(title=PREVIEWED).pk,
        "number": 1,
        "place": 0,
        "delegation_id": ApprovalDelegation.objects.get(team=world.team).pk,
        "approval_id": ApprovalRequest.objects.get(team=world.team.pk).pk,
        "table_id": LookupTable.objects.get().pk,
        "run_id": Run.objects.get(title=LOOPED).pk if name in ("run_turns", "run_turn") else world.run.pk,
        "step": "each",
        "iteration": "1",
        "step_run_id": world.step_run.pk,
        "way": "cancel",
        "what": "cancel",
        "batch_id": Batch.objects.get(team=world.team).pk,
        "item_id": SampleItem.objects.get().pk,
        "backtest_id": Backtest.objects.get().pk,
        "reconciliation_id": Reconciliation.objects.get().pk,
        "backtest_item_id": BacktestItem.objects.get().pk,
        "part": "items",
        "upload_id": Upload.objects.get().pk,
        "token_id": ApiToken.objects.get(name="Shop").pk,
        "token": "no-such-token",
        "membership_id": Membership.objects.get(team=world.team, user=world.workflow.created_by_id).pk,
        "kind": tokens.KIND,
        "held_id": ApiToken.objects.get(name="Shop").pk,
        "invitation_id": Invitation.objects.get(team=world.team).pk,
        "notice_id": Notice.objects.get(team=world.team).pk,
        "marker": world.step_run.marker,
        "provider": "pinterest",
        "provider_id": "company",
        "grant_id": world.pinterest.grant_id,
        "connection_id": world.pinterest.pk,
        "key": "some-key",
        "recipe": "pins-to-draft-invoices",
        "guide": "values",
        "picture": "values.webp",
        "id": world.workflow.created_by_id,
        "content_type_id": 1,
        "object_id": _object_id(name, world),
        "app_label": "workflows",
    }
    if name.startswith("admin:") and name.endswith("_"):
        return f"/{route.split('<')[0]}{values['object_id']}/"
    wanted = [key for key in values if f":{key}>" in route or f"<{key}>" in route]
    return reverse(name, kwargs={key: values[key] for key in wanted})


def _object_id(name: str, world: World) -> object:
    rows: dict[str, Model] = {
        "integrations_team": world.team,
        "integrations_membership": Membership.objects.filter(team=world.team).first(),
        "integrations_connection": world.xero,
        "integrations_grant": world.xero.grant,
        "integrations_callbudget": world.xero.budget,
        "workflows_workflow": world.workflow,
        "workflows_workflowversion": world.version,
        "workflows_run": world.run,
        "workflows_steprun": world.step_run,
        "workflows_event": world.event,
        "workflows_triggerstate": world.state,
        "workflows_decision": world.decision,
        "workflows_release": Release.objects.get(workflow=world.workflow),
        "workflows_lookuptable": LookupTable.objects.get(),
        "workflows_lookupversion": LookupVersion.objects.get(),
        "workflows_lookuprow": LookupRow.objects.get(),
        "auth_user": world.workflow.created_by,
    }
    found = next((row for key, row in rows.items() if name.startswith(f"admin:{key}_")), None)
    return found.pk if found is not None else 1
