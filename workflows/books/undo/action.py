"""The action that takes back what another one wrote, for the engine to perform like any other write.

Before anything is sent, the record is read. Where it is gone already there is nothing to write; where it is no longer
as it was written, only a change that a person has seen and accepted lets it pass. What became of an undo without a
clear answer shows on the record itself, whoever ended it, so nothing is sent twice for lack of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from integrations.core.errors import OutcomeUnknownError, RejectedError
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.current import RecordState
from integrations.framework.recovery import Proof
from integrations.framework.registry import derived_key
from integrations.schema.documents import Document, WrittenDocument
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient
from workflows.books.undo.looking import Prospect, look, reason_against
from workflows.engine.writes import document_snapshot
from workflows.models import Posting, Undo
from workflows.models.execution import UNDO


def undoing(original: Action) -> Action:
    """The action that takes back what this one writes."""
    told = {
        "__doc__": f"Take back: {original.name}.",
        "original": original,
        "connector": original.connector,
        "key": derived_key(original.key, UNDO),
        "name": f"Take back: {original.name}",
        "scopes": original.scopes,
        # Where the provider keeps no key for a deletion, repeating that does no harm: the record is read first.
        "key_window": original.key_window,
        "sample": original.sample,
    }
    made: type[UndoAction] = type(f"Undo{type(original).__name__}", (UndoAction,), told)
    return made()


class UndoAction(Action):
    """Take back what a step wrote."""

    original: ClassVar[Action]
    effect = Effect.DELETES
    # The record itself shows whether it was done, and doing it twice gives the same.
    lookup_reliable = True
    no_undo = "What was taken back does not come back by itself. Run the workflow again."
    unreadable = "That something was taken back shows on what was written before."
    leaves = RecordState.DELETED

    class Inputs(Schema):
        undo: int = field("Number of the undo")

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def lock_key(self, inputs: Inputs) -> str:
        """The record that the write changed."""
        return f"undo:{_undo(inputs).posting.provider_id}"

    def prepare(self, api: ApiClient, inputs: Inputs) -> Prospect:
        """The record as it is now. Raises RejectedError where it cannot be taken back, or has changed unseen."""
        undo = _undo(inputs)
        if undo.state == Undo.State.DROPPED:
            raise RejectedError("Somebody has asked again for this to be taken back, and that run does it.")
        if refusal := reason_against(self.original, undo.posting):
            raise RejectedError(refusal)
        (found,) = look(self.original, api, [undo.posting])
        if found.refusal:
            raise RejectedError(found.refusal)
        if found.request is not None and found.changed and found.digest != undo.accepts:
            raise RejectedError(_unseen(found))
        return found

    def settled(self, inputs: Inputs, found: Prospect) -> dict[str, Any] | None:
        return _output(found) if found.request is None else None

    def remember(self, found: Prospect) -> dict[str, Any]:
        return _output(found)

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        request: Request = writing.found.request
        return request

    def output(self, response: Response) -> dict[str, Any]:
        """The record after it was taken back, where the answer shows it. An answer that says nothing of it, as one to a
        deletion, need not be like the one to the write."""
        if not response.body.strip():
            return {"answer": {}}
        response.json()
        try:
            return {"answer": self.original.output(response)}
        except OutcomeUnknownError:
            return {"answer": {}}

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The posting, if there is nothing left of it to take back."""
        (found,) = look(self.original, api, [_undo(inputs).posting])
        return [_output(found)] if found.nothing_left else []

    def identify(self, output: Mapping[str, Any]) -> str:
        return self.original.identify(output["record"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return self.original.link(output["record"], organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        if output.get("nothing_left"):
            return f"Nothing to take back: {output['nothing_left']}"
        return f"Taken back: {output['took_back']}"

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document | None:
        """What was written, as the undo of it. It is read from the posting's step, and so from more than the inputs."""
        posting = _undo(inputs).posting
        found = document_snapshot.document_of(posting.step_run, self.original) or Document(what=posting.noun)
        return replace(found, what=f"Undo of {_inside(posting.noun)}", status="", notes=())

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        record, answer = output.get("record"), output.get("answer")
        was = self.original.written_document(record) if record else None
        now = self.original.written_document(answer) if answer else None
        return replace(was or WrittenDocument(), status=now.status if now and now.status else "Taken back")


def _undo(inputs: UndoAction.Inputs) -> Undo:
    rows = Undo.objects.select_related("posting__step_run__connection", "posting__connection__grant", "posting__run")
    found = rows.prefetch_related("posting__lines").filter(pk=inputs.undo).first()
    if found is None:
        raise RejectedError("What was to be taken back is no longer known here.")
    return found


def _output(found: Prospect) -> dict[str, Any]:
    posting: Posting = found.posting
    told = {"took_back": posting.described or posting.noun, "run": posting.run_id, "record": dict(found.record)}
    return told | ({"nothing_left": found.nothing_left} if found.nothing_left else {})


def _unseen(found: Prospect) -> str:
    return (
        f"It is no longer as it was when this was asked for, so nothing was sent. {' '.join(found.changed)} "
        "Look at it, then take it back again if that is still right."
    )


def _inside(noun: str) -> str:
    """A noun inside a sentence: "sales invoice", but "PO"."""
    return noun if noun[:2].isupper() else noun[:1].lower() + noun[1:]
