"""start(): the one door for starts that nobody polls for: by the clock, a call, a person, a file, a workflow, the API.

One transaction holds the event, the run and the bell. The key is the start's identity within its workflow: whoever
comes with the same key again gets the run that it started the first time, from however many processes at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from integrations import registry
from integrations.base import Door, Start, Trigger
from integrations.cleaning import clean_value
from integrations.errors import InvalidInputError
from integrations.fields import Field, Kind
from integrations.jsonfield import dumps, loads
from workflows import intake, polling, releasing, schedules
from workflows.models import Event, Run, Workflow, WorkflowVersion
from workflows.queue import ring

#: A workflow that calls one that calls one ... ends here, before a circle fills the database.
DEEPEST = 10
_LONGEST_TITLE = 200


class NotStartedError(Exception):
    """The workflow cannot be started like this now; `message` says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Started:
    """What came of asking for a start. `run` is None where the key was there and its run is kept no more."""

    run: Run | None
    is_new: bool


def start(
    workflow: Workflow,
    *,
    operation: str,
    key: str,
    data: Mapping[str, Any],
    by: User | None = None,
    called_by: Run | None = None,
    even_paused: bool = False,
) -> Run | None:
    """Start a run of the published version with this data, once per key; the run it is or was.

    Raises NotStartedError.
    """
    return start_once(
        workflow, operation=operation, key=key, data=data, by=by, called_by=called_by, even_paused=even_paused
    ).run


def start_once(
    workflow: Workflow,
    *,
    operation: str,
    key: str,
    data: Mapping[str, Any],
    by: User | None = None,
    called_by: Run | None = None,
    even_paused: bool = False,
) -> Started:
    """The same, told apart: whether this call started it.

    `operation` is the trigger whose data this is. With `even_paused` it starts also where the workflow is not switched
    on, as a person may who tries it out.
    """
    depth = 0 if called_by is None else called_by.depth + 1
    if depth > DEEPEST:
        raise NotStartedError(
            f"Workflows have called each other {DEEPEST} times in a row here. Look whether they call in a circle."
        )
    stored = intake.stored_key(key)
    with transaction.atomic():
        version = _version(workflow, even_paused=even_paused)
        known = _known(workflow, stored)
        if known is not None:
            return known
        event = _event(workflow, version, operation=operation, key=stored, data=data, by=by)
        try:
            with transaction.atomic():
                event.save()
        except IntegrityError:
            # Somebody with the same key was quicker by a moment; his row is there to be read now.
            return _known(workflow, stored) or Started(None, is_new=False)
        run = _run(workflow, version, event, called_by=called_by, depth=depth)
        run.save()
        ring()
    return Started(run, is_new=True)


def start_many(
    workflow: Workflow, *, operation: str, items: Iterable[tuple[str, Mapping[str, Any]]], by: User | None
) -> int:
    """Start a run for each (key, data) that was not there before, all or none; how many. Raises NotStartedError."""
    with transaction.atomic():
        version = _version(workflow, even_paused=False, locks=True)
        given = {intake.stored_key(key): data for key, data in items}
        known: set[str] = set()
        keys = list(given)
        for at in range(0, len(keys), 500):
            found = Event.objects.filter(starts=workflow, key__in=keys[at : at + 500])
            known.update(found.values_list("key", flat=True))
        events = Event.objects.bulk_create(
            (
                _event(workflow, version, operation=operation, key=key, data=data, by=by)
                for key, data in given.items()
                if key not in known
            ),
            batch_size=500,
        )
        Run.objects.bulk_create((_run(workflow, version, event) for event in events), batch_size=500)
        if events:
            ring(2 if len(events) > 1 else 1)
    return len(events)


def cleaned(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Given values as the declared fields hold them, ready to be stored. Raises InvalidInputError.

    What is not given and not needed is None, so that a reference to it finds nothing instead of failing.
    """
    made: dict[str, Any] = {}
    problems: dict[str, str] = {}
    declared = {f.name: f for f in fields}
    for name in values.keys() - declared.keys():
        problems[str(name)[:60]] = "The workflow asks for no such value."
    for f in declared.values():
        value = values.get(f.name)
        if value is None or value == "" or value == []:
            made[f.name] = [] if f.kind is Kind.LIST else None
            if f.is_required:
                problems[f.name] = f"{f.label} is needed, but nothing was given."
            continue
        try:
            made[f.name] = _clean(f, value)
        except ValueError as error:
            problems[f.name] = str(error)
    if problems:
        raise InvalidInputError(problems)
    return made


def _clean(f: Field, value: Any) -> Any:
    if f.kind is Kind.LIST:
        # Rows of values may come in a list too: a loop goes over them.
        return value if isinstance(value, list) else [part for part in str(value).splitlines() if part.strip()]
    if f.kind is Kind.CHOICE:
        text = str(clean_value(f, value))
        found = next((each for each, _ in f.fixed_choices if each.lower() == text.strip().lower()), None)
        if found is None:
            names = ", ".join(each for each, _ in f.fixed_choices)
            raise ValueError(f"{f.label} takes one of {names}; this is “{text[:60]}”.")
        return found
    return loads(dumps(clean_value(f, value)))


# --- what a version is started by -------------------------------------------------------------------------------------


def trigger_of(version: WorkflowVersion) -> Trigger | None:
    """The trigger that the version names; None where it is not available any more."""
    try:
        return registry.trigger(version.plan["trigger"]["operation"])
    except registry.UnknownOperationError:
        return None


def start_of(workflow: Workflow) -> Start | None:
    """What the published version is started by, where that is not a trigger at a provider."""
    found = trigger_of(workflow.published) if workflow.published else None
    return found if isinstance(found, Start) else None


def opens(workflow: Workflow, door: Door) -> Start:
    """What the published version is started by, through this door. Raises NotStartedError where it has none such."""
    found = start_of(workflow)
    if found is None or door not in found.doors:
        raise NotStartedError(f"{workflow.name} is not {_SAID[door]}. Choose another trigger for it and publish.")
    return found


def fields_of(workflow: Workflow) -> tuple[Field, ...]:
    """The values that the published version asks for when it is started."""
    found = start_of(workflow)
    return found.fields(inputs_of(workflow)) if found else ()


def inputs_of(workflow: Workflow) -> dict[str, Any]:
    """The published trigger's inputs."""
    return dict(workflow.published.plan["trigger"]["inputs"]) if workflow.published else {}


def listen(workflow: Workflow) -> None:
    """Let an active workflow be started by what its published version says, and by nothing else."""
    if start_of(workflow) is None:
        schedules.forget(workflow)
        polling.listen(workflow)
        return
    if workflow.listens_to_id is not None:
        releasing.drop(workflow)
    Workflow.objects.filter(pk=workflow.pk).update(listens_to=None, awaits_baseline=False)
    workflow.listens_to, workflow.awaits_baseline = None, False
    schedules.plan(workflow)


def stop_listening(workflow: Workflow) -> None:
    """Let nothing start it by itself any more."""
    schedules.forget(workflow)


_SAID = {
    Door.CLOCK: "started by the clock",
    Door.ADDRESS: "started by calls to an address",
    Door.HAND: "started by hand",
    Door.FILE: "started from files",
    Door.API: "started by the API",
    Door.CALL: "started by other workflows",
}


def _version(workflow: Workflow, *, even_paused: bool, locks: bool = False) -> WorkflowVersion:
    found = Workflow.objects.select_related("published")
    if locks:
        found = found.select_for_update(of=("self",))
    now = found.filter(pk=workflow.pk, deleted_at__isnull=True).first()
    if now is None:
        raise NotStartedError(f"{workflow.name} has been deleted.")
    if now.published is None:
        raise NotStartedError(f"{now.name} has not been published yet. Publish it, then switch it on.")
    if now.status != Workflow.Status.ACTIVE and not even_paused:
        raise NotStartedError(f"{now.name} is not switched on. Switch it on first.")
    version: WorkflowVersion = now.published
    return version


def _known(workflow: Workflow, key: str) -> Started | None:
    event = Event.objects.filter(starts=workflow, key=key).only("pk").first()
    if event is None:
        return None
    return Started(Run.objects.filter(workflow=workflow, event=event, replay=0).first(), is_new=False)


def _event(
    workflow: Workflow, version: WorkflowVersion, *, operation: str, key: str, data: Mapping[str, Any], by: User | None
) -> Event:
    told = version.plan["trigger"]
    return Event(
        team_id=workflow.team_id,
        starts=workflow,
        operation=operation,
        connection_id=told["connection"] if operation == told["operation"] else None,
        key=key,
        data=dict(data),
        by=by,
    )


def _run(
    workflow: Workflow, version: WorkflowVersion, event: Event, *, called_by: Run | None = None, depth: int = 0
) -> Run:
    run = intake.new_run(workflow, version, event)
    run.called_by, run.depth = called_by, depth
    run.title = _title(event, run.title)
    return run


def _title(event: Event, usual: str) -> str:
    """What its data says best; a key made by a machine says nothing."""
    try:
        found = registry.trigger(event.operation)
    except registry.UnknownOperationError:
        return usual
    said = found.title(event.data) if isinstance(found, Start) else ""
    if not said and usual == event.key[:_LONGEST_TITLE]:
        said = next((v.strip() for v in event.data.values() if isinstance(v, str) and v.strip()), found.name)
    return (said or usual).splitlines()[0][:_LONGEST_TITLE]
