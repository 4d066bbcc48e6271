"""The mail of a step: from the installation's own address, with the step's marker as its `Message-ID`, so that the run
that sent a mail can be found from the mail."""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr

from django.conf import settings

from integrations.core.email_headers import Attachment, Mail, one_line


def build(
    *,
    to: list[str],
    subject: str,
    text: str,
    reply_to: str,
    marker: str,
    at: datetime,
    page: str = "",
    attachment: Attachment | None = None,
) -> bytes:
    """The message as bytes. The same arguments give the same bytes. Raises RejectedError, as `Mail.build`."""
    return Mail(
        sender=settings.DEFAULT_FROM_EMAIL,
        to=to,
        subject=subject,
        text=text,
        message_id=message_id(marker),
        at=at,
        reply_to=reply_to,
        page=page,
        attachment=attachment,
    ).build()


def message_id(marker: str) -> str:
    """The step's marker as a Message-ID, in the sender's domain."""
    return f"<{marker}@{sender().rpartition('@')[2] or 'localhost'}>"


def sender() -> str:
    """The address that mails are sent from, without a name."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


__all__ = ["build", "message_id", "one_line", "sender"]
