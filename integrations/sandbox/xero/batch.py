"""Writing several records in one call: the forms of the body, and the two ways to report problems of some of them."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from integrations.sandbox.exchange.answers import Answer, Unreadable, loads
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers
from integrations.sandbox.xero.books import is_guid

EMPTY_ID = "00000000-0000-0000-0000-000000000000"
#: The most records of a kind in one request.
MOST = {"Items": 500}
Record = dict[str, Any]


class Invalid(Exception):
    """One record breaks rules: `messages` are all its problems, `element` is the record as sent, with errors added."""

    def __init__(self, element: Record, messages: list[str], nested: list[str] | None = None) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages + (nested or [])
        self.element = {**element, "ValidationErrors": [{"Message": message} for message in messages]}


def elements(call: Call, plural: str) -> list[Record]:
    """The records of the body: `{"Invoices": [...]}`, or one bare record."""
    try:
        body = loads(call.body)
    except Unreadable as error:
        raise answers.bad_post_data(f"JSON for {plural} could not be read: {error}") from error
    if isinstance(body, dict) and plural not in body and body:
        body = {plural: [body]}
    found = body.get(plural) if isinstance(body, dict) else None
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list) or not found or not all(isinstance(item, dict) for item in found):
        raise answers.bad_post_data(f"The body must hold a list {plural} with at least one record.")
    if len(found) > MOST.get(plural, len(found)):
        raise answers.bad_post_data(f"A request can hold at most {MOST[plural]} records of {plural}.")
    return found


def write(
    call: Call, plural: str, id_name: str, write_one: Callable[[Record], Record], only_id: str | None = None
) -> Answer:
    """Write all records or none (the default); with `summarizeErrors=false` the valid ones."""
    sent = elements(call, plural)
    if only_id is not None:
        if len(sent) != 1:
            raise answers.bad_post_data(f"One record of {plural} is expected here.")
        sent[0][id_name] = only_id
    if call.request.GET.get("summarizeErrors", "true").lower() == "false":
        return answers.envelope(plural, [_one_by_one(call, write_one, record, id_name) for record in sent])
    written, wrong, messages = [], [], []
    for record in sent:
        try:
            with transaction.atomic():
                written.append(write_one(record))
        except Invalid as error:
            wrong.append(_printable(error.element, id_name))
            messages += error.messages
    if wrong:
        raise answers.validation_refusal(wrong, messages)
    return answers.envelope(plural, written)


def _one_by_one(call: Call, write_one: Callable[[Record], Record], record: Record, id_name: str) -> Record:
    outcome, count = call.outcome, len(call.object_ids)
    try:
        with transaction.atomic():
            written = write_one(record)
    except Invalid as error:
        call.outcome = outcome  # what was rolled back did not happen
        del call.object_ids[count:]
        return {**_printable(error.element, id_name), "StatusAttributeString": "ERROR", "HasErrors": True}
    return {**written, "StatusAttributeString": "OK"}


def _printable(element: Record, id_name: str) -> Record:
    """The record as sent, with an empty id in place of an invalid one, which would make the answer invalid."""
    sent_id = str(element.get(id_name) or "")
    return {**element, id_name: sent_id if is_guid(sent_id) else EMPTY_ID}
