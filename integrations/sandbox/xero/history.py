"""History and notes of a document: written by the system and by callers, never changed."""

from typing import Any

from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.models import Note
from integrations.sandbox.xero import answers, batch, books

PLURAL = "HistoryRecords"
MAX_DETAILS = 2500
_USER = "Robin Ledger"


def write(call: Call, document_id: str, changes: str, details: str) -> Note:
    return Note.objects.create(
        tenant=call.tenant, document_id=document_id, at=clock.now(), changes=changes, user=_USER, details=details
    )


def list_notes(call: Call, kind: str, key: str) -> Answer:
    document_id = _document_id(call, kind, key)
    notes = Note.objects.filter(tenant=call.tenant, document_id=document_id).order_by("-at", "-id")
    return answers.envelope(PLURAL, [_rendered(note) for note in notes])


def add_notes(call: Call, kind: str, key: str) -> Answer:
    document_id = _document_id(call, kind, key)
    made = []
    for sent in batch.elements(call, PLURAL):
        details = sent.get("Details")
        if not isinstance(details, str) or not details.strip():
            raise _refusal(sent, "Details must be specified")
        if len(details) > MAX_DETAILS:
            raise _refusal(sent, f"Details cannot be longer than {MAX_DETAILS} characters")
        made.append(_rendered(write(call, document_id, "Note", details)) | {"ValidationErrors": []})
    call.wrote(f"noted on {kind}", document_id)
    return answers.envelope(PLURAL, made)


def _refusal(sent: dict[str, Any], message: str) -> Exception:
    return answers.validation_refusal([batch.Invalid(sent, [message]).element], [message])


def _document_id(call: Call, kind: str, key: str) -> str:
    found = books.find(call.tenant, kind, key)
    if found is None:
        raise answers.not_found()
    return found.id


def _rendered(note: Note) -> dict[str, Any]:
    return {
        "Changes": note.changes,
        "DateUTCString": clock.iso_seconds(note.at),
        "DateUTC": answers.xero_moment(note.at),
        "User": note.user,
        "Details": note.details,
    }
