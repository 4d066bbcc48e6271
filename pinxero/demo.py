"""The demo company: its people by role, and one workflow that turns a new pin into a draft invoice.

Everything goes through the services that the pages use. Existing data is reused, so the demo can be started any number
of times; people's changes to its workflow stay.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from integrations.core.encryption import UndecryptableError, open_secrets
from integrations.framework import choices, registry
from integrations.models import Connection, Grant, Membership, Role, Team
from workflows.definitions import editing
from workflows.models import Condition, Workflow
from workflows.publishing import activation, publish

TEAM = "Demo company"
OTHER_TEAM = "Another company"
PEOPLE = [
    ("builder", TEAM, Role.BUILDER, "connects, builds, switches on, retries"),
    ("approver", TEAM, Role.APPROVER, "looks, and decides what waits for approval"),
    ("auditor", TEAM, Role.AUDITOR, "reads everything, changes nothing"),
    ("administrator", TEAM, Role.ADMINISTRATOR, "decides who belongs to the team, reads everything"),
    ("outsider", OTHER_TEAM, Role.BUILDER, "belongs to another company and sees nothing of this one"),
]
#: What is automated, between which providers: see `demo.toml`.
_CONTENT = tomllib.loads(Path(__file__).with_name("demo.toml").read_text())
WORKFLOW: str = _CONTENT["workflow"]
BOARD: str = _CONTENT["board"]
#: The action whose outcome the demo ends with.
WRITES: str = _CONTENT["step"]["operation"]
PROVIDERS = [_CONTENT[part]["operation"].partition(".")[0] for part in ("trigger", "step")]


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


def ensure_people(password: str) -> Team:
    """The teams and their people, all with this password; returns the demo company's team."""
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
    """The providers to which the demo company has no connection that works with the present keys."""
    return [provider for provider in PROVIDERS if _connection(team, provider) is None]


def _connection(team: Team, provider: str, name: str = "") -> Connection | None:
    usable = Connection.objects.for_team(team).filter(provider=provider, status=Connection.Status.CONNECTED)
    for connection in usable.filter(name__startswith=name).order_by("pk"):
        try:
            open_secrets(Grant.objects.get(pk=connection.grant_id, status=Grant.Status.ACTIVE))
        except (UndecryptableError, Grant.DoesNotExist):
            continue
        return connection
    return None


def ensure_workflow(team: Team) -> Workflow:
    """The demo's workflow, published and active. Raises DemoError if it cannot be."""
    builder = User.objects.get(username="builder")
    workflow = Workflow.objects.for_team(team).filter(name=WORKFLOW).first()
    if workflow is None:
        workflow = _build(team, builder)
    try:
        if workflow.published is None:
            publish.publish(workflow, by=builder, note="Set up by the demo.")
        if workflow.status != Workflow.Status.ACTIVE or workflow.listens_to is None:
            activation.activate(workflow, by=builder)
    except (publish.PublishError, activation.NotAllowedNowError) as error:
        raise DemoError(f"The workflow {WORKFLOW} cannot be switched on: {error}") from error
    return workflow


def _build(team: Team, builder: User) -> Workflow:
    trigger, step = _CONTENT["trigger"], _CONTENT["step"]
    watched, written = _connection_of(team, trigger), _connection_of(team, step)
    operation = trigger["operation"]
    workflow = editing.create_workflow(team, name=WORKFLOW, operation=operation, connection=watched, by=builder)
    editing.describe_workflow(workflow, name=WORKFLOW, description=_CONTENT["description"])
    editing.set_trigger(
        workflow, operation=operation, connection=watched, inputs=_chosen(watched, trigger), interval_minutes=1
    )
    editing.set_filter(workflow, group=Condition.Kind.ALL, comparisons=_CONTENT["filter"])
    editing.save_step(
        workflow,
        None,
        editing.StepDraft(
            name=step["name"],
            operation=step["operation"],
            connection=written,
            sources={**_chosen(written, step), **step["inputs"]},
        ),
    )
    return workflow


def _connection_of(team: Team, part: Mapping[str, Any]) -> Connection:
    provider, account = part["operation"].partition(".")[0], part["account"]
    found = _connection(team, provider, account)
    if found is None:
        name = registry.connector(provider).name
        raise DemoError(f"The demo needs {account or 'an account'} at {name} to be connected.")
    return found


def _chosen(connection: Connection, part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _choice(connection, part["operation"], name, label) for name, label in part["choices"].items()}


def _choice(connection: Connection, operation: str, name: str, label: str) -> str:
    """The value behind a label, as the editor's list of choices offers it."""
    declared = next(each for each in registry.operation(operation).Inputs.fields() if each.name == name)
    offered = choices.choices_for(connection, declared, {}, refresh=True)
    for value, shown in offered.choices:
        if shown.startswith(label):
            return str(value)
    raise DemoError(f"{connection.name} offers no {label} for {declared.label}. {offered.problem}".strip())


def sandbox_url() -> str:
    """The address of the sandbox, which replaces the providers."""
    hosts = (host for declared in settings.CONNECTOR_SETTINGS for host in declared.hosts)
    return str(next(getattr(settings, host.name) for host in hosts if host.in_sandbox == ""))
