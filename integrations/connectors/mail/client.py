"""Mails through the installation's own mail server, from Django's settings."""

from __future__ import annotations

import time
from email import message_from_bytes, policy
from typing import ClassVar

from django.core import mail
from django.core.mail.backends.smtp import EmailBackend

from integrations.connectors.mail import addresses, smtp
from integrations.connectors.mail.message import sender
from integrations.core.email_headers import Settled, require_shape
from integrations.core.errors import OutcomeUnknownError, RejectedError
from integrations.core.exact_json import dumps
from integrations.core.messages import Request, Response
from integrations.transport.call_budget import Limits
from integrations.transport.http import ApiClient

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

    def write(self, request: Request, *, idempotency_key: str = "", had_401: bool = False) -> Response:
        recipients = request.path.removeprefix(_SCHEME).split(",")
        for recipient in recipients:
            if said := addresses.problem(recipient):
                raise RejectedError(f"{said} Nothing was sent.")
        require_shape(request.body)
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
            backend.send_messages([Settled(recipients, content)])
        except OSError:
            raise OutcomeUnknownError("The mail could not be written down; how much of it was is not known.") from None
        return "Written down instead of sent: EMAIL_URL names no mail server."


def _nothing() -> None:
    """No lease to keep."""
