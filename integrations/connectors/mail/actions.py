"""Sending e-mail, with a table of an earlier step. A sent mail cannot be looked up, so one without a clear answer waits
for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.connectors.mail import addresses, content, message, samples, tables
from integrations.connectors.mail.client import METHOD, envelope
from integrations.connectors.mail.content import TablePlace
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.schema.documents import Document
from integrations.schema.schema import Data, Schema, field
from integrations.transport.http import ApiClient


class SendEmail(Action):
    """Send an e-mail through your own mail server."""

    key = "send_email"
    name = "Send e-mail"
    words = ("e-mail", "email", "mail", "message", "notify", "notice", "report", "tell", "alert")
    effect = Effect.CREATES
    sample = samples.SENT
    has_lookup = False
    no_undo = "An e-mail cannot be called back once it is sent."

    class Inputs(Schema):
        to: str = field(
            "To",
            max_length=2000,
            help=f"One address, or up to {addresses.MOST} with commas between.",
        )
        subject: str = field("Subject", max_length=200)
        text: str = field("Text", max_length=100_000, long=True, help="Plain text.")
        table: Data | None = field(
            "Table", default=None, help="A list or a report from an earlier step, to be shown below the text."
        )
        table_place: TablePlace = field("The table goes", default=TablePlace.MAIL)
        reply_to: str = field(
            "Answers go to",
            default="",
            max_length=320,
            help="An address; left empty, the sender of Pinxero's mails.",
        )

        def check(self) -> Mapping[str, str]:
            found = _problems(self.to, self.subject, self.reply_to)
            problem = content.table_problem(self.table, self.table_place)
            return found | ({"table": problem} if problem else {})

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """The time of sending: a mail without a date counts as spam."""
        return {"at": datetime.now(UTC).replace(microsecond=0).isoformat()}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        to = addresses.split(inputs.to)
        body = message.build(
            to=to,
            subject=inputs.subject,
            text=content.text(inputs.text, inputs.table, inputs.table_place),
            reply_to=inputs.reply_to.strip(),
            marker=writing.marker,
            at=datetime.fromisoformat(writing.found["at"]),
            page=content.page(inputs.text, inputs.table, inputs.table_place),
            attachment=content.attachment(inputs.subject, inputs.table, inputs.table_place),
        )
        return Request(method=METHOD, path=envelope(to), body=body)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        attached = content.attachment(inputs.subject, inputs.table, inputs.table_place)
        facts = [("Subject", message.one_line(inputs.subject)), ("Text", inputs.text)]
        if inputs.table is not None:
            where = inputs.table_place.label
            facts.append(("Table", f"{tables.of(inputs.table).in_words()}; {where[:1].lower()}{where[1:]}"))
        if attached is not None:
            facts.append(("Attached", f"{attached.name}, {len(attached.content):,} bytes"))
        if inputs.reply_to:
            facts.append(("Answers go to", inputs.reply_to.strip()))
        return Document(what="E-mail", whom=", ".join(addresses.split(inputs.to)), whom_label="To", facts=tuple(facts))

    def output(self, response: Response) -> dict[str, Any]:
        told: dict[str, Any] = response.json()
        return {name: told[name] for name in samples.SENT}

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["message_id"])

    def describe(self, output: Mapping[str, Any]) -> str:
        to = output["to"]
        more = f" and {len(to) - 1} more" if len(to) > 1 else ""
        return f'E-mail "{output["subject"]}" to {to[0]}{more}'


def _problems(to: str, subject: str, reply_to: str) -> dict[str, str]:
    found: dict[str, str] = {}
    recipients = addresses.split(to)
    if not recipients:
        found["to"] = "Give at least one address."
    if len(recipients) > addresses.MOST:
        found["to"] = f"These are {len(recipients)} addresses; one mail goes to {addresses.MOST} at most."
    for address in recipients:
        if said := addresses.problem(address):
            found.setdefault("to", said)
    if reply_to.strip() and not addresses.is_address(reply_to.strip()):
        found["reply_to"] = f"{reply_to.strip()[:100]!r} is no e-mail address such as jane@example.com."
    if not message.one_line(subject):
        found["subject"] = "The subject is empty."
    return found
