"""The demo company: its people by role, and one workflow that turns a new pin into a draft invoice.

Everything goes through the services that the pages use. What is there already is used again, so the demo can be started
as often as one likes; what people have changed in its workflow stays.
"""

from __future__ import annotations

from django.contrib.auth.models import User

from integrations import choices, registry
from integrations.encryption import UndecryptableError
from integrations.models import Connection, Grant, Membership, Role, Team
from workflows import editing, lifecycle, publishing
from workflows.models import Condition, Workflow

TEAM = "Demo company"
OTHER_TEAM = "Another company"
PEOPLE = [
    ("builder", TEAM, Role.BUILDER, "connects, builds, switches on, retries"),
    ("approver", TEAM, Role.APPROVER, "looks, and decides what waits for approval"),
    ("auditor", TEAM, Role.AUDITOR, "reads everything, changes nothing"),
    ("outsider", OTHER_TEAM, Role.BUILDER, "belongs to another company and sees nothing of this one"),
]
PROVIDERS = ("pinterest", "xero")
ORGANISATION = "Demo Company"
BOARD = "Summer recipes"
CONTACT = "Boom FM"
WORKFLOW = "New pin to draft invoice"


class DemoError(Exception):
    """The demo cannot go on; the message says why and what helps."""


def ensure_people(password: str) -> Team:
    """The teams and their people, all with this password; gives the demo company's."""
    for name, team_name, role, _ in PEOPLE:
        team, _ = Team.objects.get_or_create(name=team_name)
        user, _ = User.objects.get_or_create(
            username=name, defaults={"email": f"{name}@demo.invalid", "is_staff": True}
        )
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
    return Team.objects.get(name=TEAM)


def missing_connections(team: Team) -> list[str]:
    """The providers to which the demo company has no connection that works with the keys of today."""
    return [provider for provider in PROVIDERS if _connection(team, provider) is None]


def _connection(team: Team, provider: str, name: str = "") -> Connection | None:
    usable = Connection.objects.for_team(team).filter(provider=provider, status=Connection.Status.CONNECTED)
    for connection in usable.filter(name__startswith=name).order_by("pk"):
        try:
            Grant.objects.get(pk=connection.grant_id, status=Grant.Status.ACTIVE)
        except (UndecryptableError, Grant.DoesNotExist):
            continue
        return connection
    return None


def ensure_workflow(team: Team) -> Workflow:
    """The demo's workflow, published and active. Raises DemoError where it cannot be."""
    builder = User.objects.get(username="builder")
    workflow = Workflow.objects.for_team(team).filter(name=WORKFLOW).first()
    if workflow is None:
        workflow = _build(team, builder)
    try:
        if workflow.published is None:
            publishing.publish(workflow, by=builder, note="Set up by the demo.")
        if workflow.status != Workflow.Status.ACTIVE or workflow.listens_to is None:
            lifecycle.activate(workflow, by=builder)
    except (publishing.PublishError, lifecycle.NotAllowedNowError) as error:
        raise DemoError(f"The workflow {WORKFLOW} cannot be switched on: {error}") from error
    return workflow


def _build(team: Team, builder: User) -> Workflow:
    account = _connection(team, "pinterest")
    books = _connection(team, "xero", ORGANISATION)
    if account is None or books is None:
        raise DemoError(f"The demo needs a Pinterest account and the organisation {ORGANISATION} to be connected.")
    workflow = editing.create_workflow(
        team, name=WORKFLOW, operation="pinterest.new_pin", connection=account, by=builder
    )
    editing.describe_workflow(
        workflow, name=WORKFLOW, description=f"Every recipe pinned to {BOARD} is billed to {CONTACT}, as a draft."
    )
    editing.set_trigger(
        workflow,
        operation="pinterest.new_pin",
        connection=account,
        inputs={"board_id": _choice(account, "pinterest.new_pin", "board_id", BOARD)},
        interval_minutes=1,
    )
    editing.set_filter(
        workflow,
        group=Condition.Kind.ALL,
        comparisons=[
            {"left": "{{ trigger.title }}", "type": "existence", "operator": "is_not_empty"},
            {"left": "{{ trigger.title }}", "type": "text", "operator": "not_contains", "right": "draft"},
        ],
    )
    editing.save_step(
        workflow,
        None,
        editing.StepDraft(
            name="Create invoice",
            operation="xero.create_invoice",
            connection=books,
            sources={
                "contact_id": _choice(books, "xero.create_invoice", "contact_id", CONTACT),
                "lines": [
                    {
                        "description": "Recipe for the summer issue: {{ trigger.title }}",
                        "quantity": "1",
                        "unit_amount": "40.00",
                        "account_code": "200",
                        "tax_type": "OUTPUT2",
                    }
                ],
                "due_date": "{{ run.date | add_days(14) }}",
                "status": "DRAFT",
            },
        ),
    )
    return workflow


def _choice(connection: Connection, operation: str, name: str, label: str) -> str:
    """The value behind a label, as the editor's list of choices offers it."""
    declared = next(each for each in registry.operation(operation).Inputs.fields() if each.name == name)
    offered = choices.choices_for(connection, declared, {}, refresh=True)
    for value, shown in offered.choices:
        if shown.startswith(label):
            return str(value)
    raise DemoError(f"{connection.name} offers no {label} for {declared.label}. {offered.problem}".strip())
