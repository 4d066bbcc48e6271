"""Mails through the installation's own mail server, as Django's settings name it."""

from __future__ import annotations

import time
from email import message_from_bytes, policy
from email.message import EmailMessage as Message
from typing import Any, ClassVar

from django.core import mail
from django.core.mail.backends.smtp import EmailBackend

from integrations.errors import OutcomeUnknownError, RejectedError
from integrations.http import ApiClient, Request, Response
from integrations.jsonfield import dumps
from integrations.limits import Limits
from integrations.mail import addresses, smtp
from integrations.mail.message import sender

METHOD = "MAIL"
_SCHEME = "mailto:"


def envelope(recipients: list[str]) -> str:
    """Recipients as the path of a request."""
    return _SCHEME + ",".join(recipients)


class MailClient(ApiClient):
    """Sends what a request holds: the recipients in its path, the whole mail in its body."""

    provider_name: ClassVar[str] = "The mail server"

    def headers(self) -> dict[str, str]:
        return {}

    def limits(self) -> Limits:
        return Limits(per_minute=0, at_once=0, per_day=0)

    def url(self, request: Request) -> str:
        return request.path

    def write(self, request: Request, *, idempotency_key: str = "") -> Response:
        recipients = request.path.removeprefix(_SCHEME).split(",")
        for recipient in recipients:
            if said := addresses.problem(recipient):
                raise RejectedError(f"{said} Nothing was sent.")
        started = time.monotonic()
        message = message_from_bytes(request.body, policy=policy.default)
        said = self._hand_over(recipients, request.body)
        told = {
            "message_id": str(message["Message-ID"]),
            "to": recipients,
            "subject": str(message["Subject"]),
            "answer": said,
        }
        took = round((time.monotonic() - started) * 1000)
        return Response(250, {"content-type": "application/json"}, dumps(told).encode(), took)

    def _hand_over(self, recipients: list[str], content: bytes) -> str:
        keep = self.before_call or _nothing
        backend = mail.get_connection()
        if isinstance(backend, EmailBackend):
            return smtp.deliver(backend, sender(), recipients, content, before_call=keep)
        keep()
        try:
            backend.send_messages([_Ready(recipients, content)])
        except OSError:
            raise OutcomeUnknownError("The mail could not be written down; how much of it was is not known.") from None
        return "Written down instead of sent: EMAIL_URL names no mail server."


class _Ready(mail.EmailMessage):
    """A mail whose bytes are settled, for the backends that only write mails down."""

    def __init__(self, recipients: list[str], content: bytes) -> None:
        self.content = content
        parsed = message_from_bytes(content, policy=policy.default)
        body = parsed.get_body(("plain",)) if isinstance(parsed, Message) else None
        super().__init__(
            subject=str(parsed["Subject"]),
            body=body.get_content() if body is not None else "",
            from_email=str(parsed["From"]),
            to=recipients,
            reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        )

    def message(self, *_: Any, **__: Any) -> Any:
        """What Django would otherwise make of the parts."""
        return message_from_bytes(self.content, policy=policy.SMTP)


def _nothing() -> None:
    """No lease to keep."""
