"""Comparing postings with what the provider has now, a few at a time; and telling what else was written there.

Several postings may be of one record: created, then changed by another step. Only the last one says what it should be
now; for those before, it is enough to know that we have written it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from integrations.core.errors import IntegrationError, ReconnectError, TemporaryError
from integrations.core.exact_json import dumps, storable_text
from integrations.framework.base import Action, Effect
from integrations.framework.current import OwnRecord, Reading, RecordState, Unreadable, Written
from integrations.framework.registry import connector, operation_or_none
from integrations.models import Connection
from integrations.transport.call_budget import Purpose
from integrations.transport.http import ApiClient
from workflows.books.comparison import Comparison, Verdict, compare
from workflows.books.undo.action import UndoAction
from workflows.models import Posting, Reconciliation, ReconciliationFinding, StepRun

#: So many are compared before the result is stored.
PORTION = 40

_Verdict = ReconciliationFinding.Verdict


def verdicts_of(
    reconciliation: Reconciliation, postings: Sequence[Posting], api: ApiClient
) -> Iterator[tuple[str, ReconciliationFinding | None]]:
    """For each posting its verdict, and a finding where it is not the same. Raises TemporaryError and ReconnectError;
    what else is refused makes the postings unreadable."""
    last = _last_of_each(postings)
    again = [each for each in postings if last.get(each.provider_id, each.pk) != each.pk and _reads(each.operation)]
    yield from ((_Verdict.WRITTEN_AGAIN.value, None) for _ in again)
    written_again = {each.pk for each in again}
    rest = sorted((each for each in postings if each.pk not in written_again), key=lambda each: each.operation)
    for operation, of_it in groupby(rest, key=lambda each: each.operation):
        yield from _of_operation(reconciliation, operation, list(of_it), api)


def _of_operation(
    reconciliation: Reconciliation, key: str, postings: Sequence[Posting], api: ApiClient
) -> Iterator[tuple[str, ReconciliationFinding | None]]:
    action = operation_or_none(key)
    readings = _readings(_reader(key), postings, api)
    for posting in postings:
        reading = readings.get(posting.provider_id) or Unreadable("The provider gave no ID for it.")
        leaves = action.leaves if isinstance(action, Action) else RecordState.OPEN
        if posting.effect == Effect.DELETES.value and not leaves.is_ended:
            leaves = RecordState.VOIDED
        compared = compare(posting, list(posting.lines.all()), reading, leaves=leaves)
        if compared.verdict is Verdict.SAME:
            yield _Verdict.SAME, None
        else:
            yield compared.verdict.value, _of_posting(reconciliation, posting, compared)


def _readings(action: Action | None, postings: Sequence[Posting], api: ApiClient) -> Mapping[str, Reading]:
    asked = [
        Written(each.provider_id, each.contact_id, each.step_run.output or {}) for each in postings if each.provider_id
    ]
    if action is None:
        return {each.provider_id: Unreadable("The step that wrote it is no longer part of Pinxero.") for each in asked}
    granted = api.connection.grant.scopes  # empty where they are not known
    if granted and (missing := action.missing_scopes(granted)):
        why = f"The connection lacks a permission for it: {', '.join(missing)}. Reconnect it and agree to all it lists."
        return {each.provider_id: Unreadable(why) for each in asked}
    try:
        return action.current(api, asked) if asked else {}
    except (TemporaryError, ReconnectError):
        raise
    except IntegrationError as error:
        return {each.provider_id: Unreadable(error.message) for each in asked}


def _last_of_each(postings: Sequence[Posting]) -> dict[str, int]:
    """The last posting of each record, by the record's id; of those whose step can read what it wrote."""
    ids = {each.provider_id for each in postings if each.provider_id}
    connections = {each.connection_id for each in postings}
    found = Posting.objects.filter(connection__in=connections, provider_id__in=ids).order_by("written_at", "pk")
    return {
        provider_id: pk
        for provider_id, pk, operation in found.values_list("provider_id", "pk", "operation")
        if _reads(operation)
    }


def _reads(operation: str) -> bool:
    """Whether what the step wrote can be read. A step that cannot, as a mail of an invoice, says nothing about it."""
    reader = _reader(operation)
    return reader is not None and not reader.unreadable


def _reader(operation: str) -> Action | None:
    """The action that reads what a step wrote. What was taken back is read as what it was."""
    action = operation_or_none(operation)
    if isinstance(action, UndoAction):
        return action.original
    return action if isinstance(action, Action) else None


def _of_posting(reconciliation: Reconciliation, posting: Posting, compared: Comparison) -> ReconciliationFinding:
    fields = [[each.change.value, each.label, each.was, each.now] for each in compared.fields]
    return ReconciliationFinding(
        reconciliation=reconciliation,
        posting=posting,
        run_id=posting.run_id,
        key=f"posting:{posting.pk}",
        verdict=compared.verdict.value,
        changes=listed(change.value for change in compared.changes),
        fields=fields,
        note=compared.note,
        signature=_signature(compared.verdict.value, fields),
        noun=posting.noun,
        number=posting.number,
        described=posting.described,
        contact=posting.contact,
        day=posting.day,
        status=posting.status,
        currency=posting.currency,
        amount=posting.amount,
        provider_id=posting.provider_id,
        link=posting.link,
    )


# --- what no posting is of --------------------------------------------------------------------------------------------


def unknown_of(
    reconciliation: Reconciliation, records: Sequence[OwnRecord], bounds: tuple[datetime, datetime]
) -> list[ReconciliationFinding]:
    """Findings for those of the records that no posting of the organisation is of, and which belong into the period by
    their date or by when they last changed. Deleted ones are in no books."""
    ids = [each.provider_id for each in records]
    known = set(
        Posting.objects.filter(connection=reconciliation.connection_id, provider_id__in=ids)
        .order_by()
        .values_list("provider_id", flat=True)
    )
    others = [
        each
        for each in records
        if each.provider_id not in known
        and each.current.state is not RecordState.DELETED
        and _is_in_period(reconciliation, each, bounds)
    ]
    markers = [each.marker for each in others if each.marker]
    runs = dict(
        StepRun.objects.filter(run__team=reconciliation.team_id, marker__in=markers).values_list("marker", "run_id")
    )
    return [_of_record(reconciliation, each, runs.get(each.marker)) for each in others]


def _is_in_period(reconciliation: Reconciliation, own: OwnRecord, bounds: tuple[datetime, datetime]) -> bool:
    day = own.current.day
    if day is not None and reconciliation.since <= day <= reconciliation.until:
        return True
    changed = own.changed_at.astimezone(UTC) if own.changed_at else None
    return changed is not None and bounds[0] <= changed < bounds[1]


def _of_record(reconciliation: Reconciliation, own: OwnRecord, run: int | None) -> ReconciliationFinding:
    now = own.current
    if run is not None:
        note = f"Run {run} sent it, and has not recorded that it was written."
    elif own.marker:
        note = f"It carries the code {own.marker}, which no run of this installation has."
    else:
        note = "It was written with this installation's access, by something other than Pinxero."
    number = _text(now.number)
    return ReconciliationFinding(
        reconciliation=reconciliation,
        run_id=run,
        key=f"record:{own.provider_id}"[:220],
        verdict=_Verdict.UNKNOWN,
        note=note,
        signature=_signature(_Verdict.UNKNOWN.value, [number, str(now.amount)]),
        noun=own.noun,
        number=number,
        contact=_text(now.contact),
        day=now.day,
        status=_text(now.status)[:60],
        currency=_text(now.currency)[:10],
        amount=now.amount,
        provider_id=_text(own.provider_id),
        link=own.link,
    )


def listed(changes: Iterable[str]) -> str:
    """Values each between spaces, so that one can be searched for."""
    text = " ".join(changes)
    return f" {text} " if text else ""


def client_of(connection: Connection) -> ApiClient:
    """A client that uses what reconciliations may use of the day's calls."""
    return connector(connection.provider).client_class(connection, purpose=Purpose.RECONCILE)


def _signature(verdict: str, fields: Sequence[object]) -> str:
    return hashlib.sha256(dumps([verdict, list(fields)]).encode()).hexdigest()


def _text(value: str | None) -> str:
    return storable_text(value or "")[:200]
