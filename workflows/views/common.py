"""What the pages share: rows of one's own team or 404, connections to choose from, choices of an input."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from integrations.access import team_of
from integrations.base import Connector, Operation
from integrations.choices import choices_for
from integrations.models import ChoiceCache, Connection, Team
from integrations.registry import UnknownOperationError, connectors, operation
from integrations.schema import Field
from workflows.inputs import Loaded, Loader
from workflows.models import Run, Step, Workflow
from workflows.outline import Place


def workflow_or_404(request: HttpRequest, workflow_id: int) -> Workflow:
    """The team's workflow with its connection; for anybody else it does not exist."""
    mine = Workflow.objects.for_team(team_of(request)).select_related("trigger_connection__grant", "published")
    found: Workflow = get_object_or_404(mine, pk=workflow_id)
    return found


def any_workflow_or_404(request: HttpRequest, workflow_id: int) -> Workflow:
    """The same, with those that were deleted: their versions and runs are still read."""
    mine = Workflow.objects.filter(team=team_of(request)).select_related("trigger_connection__grant", "published")
    found: Workflow = get_object_or_404(mine, pk=workflow_id)
    return found


def steps_of(workflow: Workflow) -> list[Step]:
    """All steps in order, with their connections and mappings."""
    return list(
        workflow.steps.select_related("connection__grant")
        .prefetch_related("mappings", "conditions")
        .order_by("position")
    )


def operation_or_none(key: str) -> Operation | None:
    """The operation, or None where its connector is gone."""
    try:
        return operation(key)
    except UnknownOperationError:
        return None


def seen_at(step: Step | None, place: Place) -> Place:
    """From where a step looks around: before itself where it stands already, else from where it is to stand."""
    return place if step is None else Place(step.parent, step)


def connections_by_provider(team: Team) -> dict[str, list[Connection]]:
    """The team's connections that are not given up, in one query."""
    found: dict[str, list[Connection]] = defaultdict(list)
    mine = Connection.objects.for_team(team).exclude(status=Connection.Status.DISCONNECTED).select_related("grant")
    for connection in mine.order_by("provider", "name"):
        found[connection.provider].append(connection)
    return found


def state_of(runs: Sequence[Run], *more: object) -> str:
    """Changes whenever a list of these runs would look different, so that a page can ask whether it still holds."""
    rows = [(run.pk, run.title, run.status, run.wait_reason, run.result, run.error, run.finished_at) for run in runs]
    return hashlib.sha256(repr((rows, more)).encode(errors="backslashreplace")).hexdigest()[:16]


#: A provider that fails this slowly is not asked for the form's other lists as well; the form has to open.
_SLOW_SECONDS = 3

#: Names for stored ids: by connection and by what the choices are called, value to label.
ChoiceLabels = dict[tuple[int, str], dict[str, str]]


def choice_labels(connections: Iterable[Connection | None]) -> ChoiceLabels:
    """Names for stored ids, from the choices fetched last; never a call to a provider."""
    wanted = {connection.pk for connection in connections if connection is not None}
    found: ChoiceLabels = {}
    for row in ChoiceCache.objects.filter(connection__in=wanted).order_by("fetched_at"):
        found.setdefault((row.connection_id, row.key), {}).update({str(v): str(label) for v, label in row.choices})
    return found


@dataclass(frozen=True)
class Offer:
    """One operation as it is offered, and what stands in its way."""

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
) -> list[tuple[Connector, bool, list[Offer]]]:
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


def _offer(chosen: Operation, connections: list[Connection]) -> Offer:
    if not chosen.connector.needs_connection:
        return Offer(chosen, needs_connection=False, missing_scopes=[], is_closed=bool(chosen.connector.closed()))
    lacking = [missing_scopes(chosen, connection) for connection in connections]
    return Offer(chosen, not connections, [] if not lacking or [] in lacking else lacking[0])


def missing_scopes(chosen: Operation, connection: Connection) -> list[str]:
    """What the connection's consent lacks for it; nothing where the provider did not tell what it granted."""
    granted = connection.grant.scopes
    return chosen.missing_scopes(granted) if granted else []


def pick_connection(
    connections: list[Connection], posted: str | None, stored: Connection | None
) -> tuple[Connection | None, str]:
    """The connection that a form means: what was posted, else what is stored, else the only one there is.

    The second value is the sentence to show where none is settled.
    """
    if posted is not None:
        found = next((each for each in connections if str(each.pk) == posted), None)
        return found, "" if found else "Choose a connection."
    if stored is not None and any(each.pk == stored.pk for each in connections):
        return stored, ""
    return (connections[0], "") if len(connections) == 1 else (None, "")


def loader(connection: Connection | None, *, refresh: str = "") -> Loader:
    """Fetches choices for a form, each list once however many rows show it. `refresh` names the input to fetch anew."""
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
