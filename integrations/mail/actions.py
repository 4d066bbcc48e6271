"""Sending e-mail. A mail cannot be looked up once it is sent: one without a clear answer waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.base import Action, Effect, Writing
from integrations.http import ApiClient, Request, Response
from integrations.mail import addresses, message, samples
from integrations.mail.client import METHOD, envelope
from integrations.schema import Schema, field


class SendEmail(Action):
    """Send an e-mail through your own mail server."""

    key = "send_email"
    name = "Send e-mail"
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
        reply_to: str = field(
            "Answers go to",
            default="",
            max_length=320,
            help="An address; left empty, the sender of Pinxero's mails.",
        )

        def check(self) -> Mapping[str, str]:
            return _problems(self.to, self.subject, self.reply_to)

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, str]:
        """When it is sent; a mail without a date is taken for spam."""
        return {"at": datetime.now(UTC).replace(microsecond=0).isoformat()}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        to = addresses.split(inputs.to)
        content = message.build(
            to=to,
            subject=inputs.subject,
            text=inputs.text,
            reply_to=inputs.reply_to.strip(),
            marker=writing.marker,
            at=datetime.fromisoformat(writing.found["at"]),
        )
        return Request(method=METHOD, path=envelope(to), body=content)

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
