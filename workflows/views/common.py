"""What the pages share: rows of one's own team or 404, connections to choose from, choices of an input."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from integrations.framework.base import Connector, Operation
from integrations.framework.choices import choices_for
from integrations.framework.registry import connectors
from integrations.models import Connection, Team
from integrations.schema.schema import Field
from integrations.teams.access import team_of
from workflows.definitions.tree import Place
from workflows.forms.schema_form import Loaded, Loader
from workflows.models import Run, Step, Workflow


def workflow_or_404(request: HttpRequest, workflow_id: int) -> Workflow:
    """The team's workflow with its connection; for anybody else it does not exist."""
    mine = Workflow.objects.for_team(team_of(request)).select_related("trigger_connection__grant", "published")
    found: Workflow = get_object_or_404(mine, pk=workflow_id)
    return found


def any_workflow_or_404(request: HttpRequest, workflow_id: int) -> Workflow:
    """The same, including deleted workflows, whose versions and runs can still be read."""
    mine = Workflow.objects.filter(team=team_of(request)).select_related("trigger_connection__grant", "published")
    found: Workflow = get_object_or_404(mine, pk=workflow_id)
    return found


def signed_in(request: HttpRequest) -> User | None:
    """Who does it; None for nobody."""
    return request.user if isinstance(request.user, User) else None


def steps_of(workflow: Workflow) -> list[Step]:
    """All steps in order, with their connections and mappings."""
    return list(
        workflow.steps.select_related("connection__grant")
        .prefetch_related("mappings", "conditions")
        .order_by("position")
    )


def place_of(step: Step | None, place: Place) -> Place:
    """The place of an existing step, else the place where a new one is to be added."""
    return place if step is None else Place(step.parent, step)


def connections_by_provider(team: Team) -> dict[str, list[Connection]]:
    """The team's connections that are not disconnected, in one query."""
    found: dict[str, list[Connection]] = defaultdict(list)
    mine = Connection.objects.for_team(team).exclude(status=Connection.Status.DISCONNECTED).select_related("grant")
    for connection in mine.order_by("provider", "name"):
        found[connection.provider].append(connection)
    return found


def state_of(runs: Sequence[Run], *more: object) -> str:
    """A hash that changes whenever a list of these runs would look different, so that a page can ask for changes."""
    rows = [(run.pk, run.title, run.status, run.wait_reason, run.result, run.error, run.finished_at) for run in runs]
    return hashlib.sha256(repr((rows, more)).encode(errors="backslashreplace")).hexdigest()[:16]


#: After a failure this slow, the provider is not asked for the form's other lists: the form has to open.
_SLOW_SECONDS = 3


@dataclass(frozen=True)
class OperationOffer:
    """One operation on offer, and what keeps it from being chosen."""

    operation: Operation
    needs_connection: bool
    missing_scopes: list[str]
    is_closed: bool = False

    @property
    def is_possible(self) -> bool:
        """Whether it can be chosen now."""
        return not self.needs_connection and not self.missing_scopes and not self.is_closed


def offers(
    chosen: Iterable[Operation], connections: Mapping[str, list[Connection]]
) -> list[tuple[Connector, bool, list[OperationOffer]]]:
    """Operations by connector, in the settings' order: (connector, is connected or needs no connection, offers)."""
    groups = []
    wanted = list(chosen)
    for connector in connectors():
        its = [each for each in wanted if each.connector.key == connector.key]
        mine = connections.get(connector.key, [])
        if its:
            is_connected = bool(mine) or not connector.needs_connection
            groups.append((connector, is_connected, [_offer(each, mine) for each in its]))
    return groups


def _offer(chosen: Operation, connections: list[Connection]) -> OperationOffer:
    if not chosen.connector.needs_connection:
        return OperationOffer(
            chosen, needs_connection=False, missing_scopes=[], is_closed=bool(chosen.connector.closed())
        )
    lacking = [missing_scopes(chosen, connection) for connection in connections]
    return OperationOffer(chosen, not connections, [] if not lacking or [] in lacking else lacking[0])


def missing_scopes(chosen: Operation, connection: Connection) -> list[str]:
    """The permissions that the connection lacks for it; none if the provider did not say what it granted."""
    granted = connection.grant.scopes
    return chosen.missing_scopes(granted) if granted else []


def pick_connection(
    connections: list[Connection], posted: str | None, stored: Connection | None
) -> tuple[Connection | None, str]:
    """The connection a form refers to: the posted one, else the stored one, else the only one.

    The second value is the message to show if there is none.
    """
    if posted is not None:
        found = next((each for each in connections if str(each.pk) == posted), None)
        return found, "" if found else "Choose a connection."
    if stored is not None and any(each.pk == stored.pk for each in connections):
        return stored, ""
    return (connections[0], "") if len(connections) == 1 else (None, "")


def loader(connection: Connection | None, *, refresh: str = "") -> Loader:
    """Fetches choices for a form, each list once however many rows use it. `refresh` names the input to fetch again."""
    trouble: list[str] = []
    fetched: dict[tuple[str, tuple[tuple[str, str], ...]], Loaded] = {}
    refreshed: set[str] = set()

    def load(field: Field, sources: Mapping[str, str], search: str) -> Loaded:
        assert field.dynamic_choices is not None
        if connection is None:
            return Loaded(problem="Choose a connection first, then the list can be fetched.")
        inputs = {
            name: sources[name]
            for name in field.dynamic_choices.depends_on
            if sources.get(name) and "{{" not in sources[name]
        }
        key = (field.dynamic_choices.key, tuple(sorted({**inputs, "search": search}.items())))
        # Another input may have shown the same list before the one whose button was pressed.
        is_asked_for = refresh == field.name and field.dynamic_choices.key not in refreshed
        if key not in fetched and trouble:
            return Loaded(problem=trouble[0])
        if key not in fetched or is_asked_for:
            began = time.monotonic()
            if is_asked_for:
                refreshed.add(field.dynamic_choices.key)
            found = choices_for(connection, field, inputs, refresh=is_asked_for, search=search)
            fetched[key] = Loaded(list(found.choices), found.fetched_at, found.is_cut, found.problem)
            if found.problem and time.monotonic() - began > _SLOW_SECONDS:
                trouble.append(found.problem)
        return fetched[key]

    return load
