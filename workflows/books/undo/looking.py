"""What taking back a posting would do now: the one request, or the reason why there is none.

The record is read as it is now and held against the posting, so that nobody's later work is taken away unseen. The page
that asks a person and the step that writes look with the same function.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.core.errors import NothingToUndoError, RejectedError
from integrations.core.exact_json import dumps
from integrations.core.messages import Request
from integrations.framework.base import Action
from integrations.framework.current import Current, Gone, Reading, Unreadable, Written
from integrations.transport.http import ApiClient
from workflows.books.comparison import Comparison, Verdict, compare
from workflows.models import Posting, PostingLine


@dataclass(frozen=True)
class Prospect:
    """What would be done about one posting: `request` is sent, or there is `nothing_left` to take back, or it is
    refused; the last two are sentences. `record` is what the write gave. `changed` says what differs from what was
    written, in sentences, each as "Total was 115.00 and is 200.00"."""

    posting: Posting
    record: Mapping[str, Any]
    request: Request | None = None
    nothing_left: str = ""
    refusal: str = ""
    changed: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of what has changed; "" where nothing has. Who accepts it accepts this and no other change."""
        return hashlib.sha256(dumps(list(self.changed)).encode()).hexdigest() if self.changed else ""


def reason_against(action: Action, posting: Posting) -> str:
    """Why nothing can be taken back of what the action wrote, as far as is known without asking the provider."""
    if action.no_undo:
        return action.no_undo
    connection = posting.connection
    if action.connector.needs_connection and connection is None:
        return "Its connection no longer exists."
    granted = connection.grant.scopes if connection is not None else []
    if missing := action.missing_scopes(granted) if granted else []:
        return (
            f"{connection} was connected without the permission {', '.join(missing)}, which this needs. Reconnect it."
        )
    if not posting.provider_id and not posting.step_run.output:
        return "Its ID at the provider is not known, so it has to be taken back there."
    return ""


def look(action: Action, api: ApiClient, postings: Sequence[Posting]) -> list[Prospect]:
    """What would be done about each of what this action wrote through this client. Reads only. Raises the client's
    errors but RejectedError.

    The postings come with their step runs and lines.
    """
    written = [Written(each.provider_id, each.contact_id, each.step_run.output or {}) for each in postings]
    try:
        readings = action.current(api, written)
    except RejectedError as error:
        readings = {each.provider_id: Unreadable(error.message) for each in postings}
    missing = Unreadable(action.unreadable or "It could not be read.")
    return [_prospect(action, api, each, readings.get(each.provider_id, missing)) for each in postings]


def _prospect(action: Action, api: ApiClient, posting: Posting, reading: Reading) -> Prospect:
    record: Mapping[str, Any] = posting.step_run.output or (reading.output if isinstance(reading, Current) else {})
    if ended := _ended(posting, reading):
        return Prospect(posting, record, nothing_left=ended)
    if not record:
        return Prospect(posting, record, refusal="What it gave is not known here, so it has to be taken back by hand.")
    changed = changes(compare(posting, lines_of(posting), reading, leaves=action.leaves))
    try:
        request = action.undo(api, record, api.organisation)
    except NothingToUndoError as error:
        return Prospect(posting, record, nothing_left=error.message)
    except RejectedError as error:
        return Prospect(posting, record, refusal=error.message, changed=changed)
    if request is None:
        return Prospect(posting, record, refusal="The provider offers no way to take this back.", changed=changed)
    return Prospect(posting, record, request, changed=changed)


def _ended(posting: Posting, reading: Reading) -> str:
    name = posting.described or posting.noun
    if isinstance(reading, Gone):
        return f"{name} is not there any more."
    if isinstance(reading, Current) and reading.state.is_ended:
        return f"{name} is {(reading.status or reading.state.value).lower()} already."
    return ""


def lines_of(posting: Posting) -> list[PostingLine]:
    """What its lines come to."""
    return list(posting.lines.all())


def changes(found: Comparison) -> tuple[str, ...]:
    """What differs, in sentences; empty where it is as it was written."""
    if found.verdict is Verdict.UNREADABLE:
        return (f"Whether it is as it was written is not known. {found.note}".strip(),)
    return tuple(f"{each.label} was {each.was or 'empty'} and is {each.now or 'empty'}." for each in found.fields)
