"""Files attached to documents: put by name, listed, read. The body of the request is the file itself."""

import base64
import mimetypes
import urllib.parse

from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.models import Document
from integrations.sandbox.xero import answers, books, history
from integrations.sandbox.xero.batch import Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoices

KIND = "Attachments"
MAX_FILES, MAX_BYTES = 10, 10 * 1024 * 1024
_UNSAFE = set('<>:"/\\|?*+%')


def list_attachments(call: Call, kind: str, key: str) -> Answer:
    parent = books.existing(call, kind, key)
    return answers.envelope(KIND, [_render(one, parent) for one in _of(parent)])


def get_attachment(call: Call, kind: str, key: str, name: str) -> Answer:
    parent = books.existing(call, kind, key)
    wanted = urllib.parse.unquote(name)
    for one in _of(parent):
        if wanted in {one.record["FileName"], one.id}:
            return Answer(200, base64.b64decode(one.record["Content"]), one.record["MimeType"])
    raise answers.not_found()


def put_attachment(call: Call, kind: str, key: str, name: str) -> Answer:
    """A file with the same name is replaced."""
    parent = books.existing(call, kind, key)
    file_name = urllib.parse.unquote(name)
    kept = _of(parent)
    same = next((one for one in kept if one.record["FileName"] == file_name), None)
    _check(call, file_name, len(kept) - (same is not None))
    is_online = books.is_true(call.request.GET, "IncludeOnline")
    if is_online and not (kind == invoices.KIND and parent.record["Type"] == "ACCREC") and kind != "CreditNotes":
        raise answers.bad_request(17, "InvalidDataException", "IncludeOnline is for sales invoices and credit notes")
    guessed = mimetypes.guess_type(file_name)[0]
    record = {
        "FileName": file_name,
        "MimeType": call.request.headers.get("Content-Type", "").partition(";")[0] or guessed or "",
        "ContentLength": len(call.body),
        "IncludeOnline": is_online,
        "Content": base64.b64encode(call.body).decode(),
    }
    if same is None:
        same = books.add(call, KIND, record, number=parent.id, name=file_name)
    else:
        same.record = record
        books.store(same)
    parent.record["HasAttachments"] = True
    Document.objects.filter(pk=parent.row.pk).update(content=books.dumps(parent.record))
    history.write(call, parent.id, "Attached a file", f"{file_name} attached {call.how}.")
    call.wrote(f"attached {file_name} to {kind}", same.id)
    return answers.envelope(KIND, [_render(same, parent)])


def _check(call: Call, file_name: str, others: int) -> None:
    problem = ""
    if not file_name or len(file_name) > 255 or _UNSAFE & set(file_name) or "." not in file_name:
        problem = 'The file name needs an extension and may not hold < > : " / \\ | ? * + %'
    elif not call.body:
        problem = "The attachment is empty"
    elif len(call.body) > MAX_BYTES:
        problem = "The attachment is larger than 10 MB"
    elif others >= MAX_FILES:
        problem = f"A document can have at most {MAX_FILES} attachments"
    if problem:
        raise answers.bad_request(17, "InvalidDataException", problem)


def _of(parent: Entry) -> list[Entry]:
    rows = books.rows(parent.tenant, KIND).filter(number=parent.id).order_by("id")
    return [books.entry(row) for row in rows]


def _render(one: Entry, parent: Entry) -> Record:
    kept = {name: value for name, value in one.record.items() if name != "Content"}
    address = f"https://api.xero.com/api.xro/2.0/{parent.row.kind}/{parent.id}/Attachments/"
    return {"AttachmentID": one.id, **kept, "Url": address + urllib.parse.quote(one.record["FileName"])}
