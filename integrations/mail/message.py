"""An e-mail to the byte (RFC 5322), before it is sent.

The `Message-ID` is the step's marker, so that a mail in somebody's inbox leads to the run that sent it. Nothing of it
can add a header: line breaks in a subject become spaces, addresses are plain ones, and Python's own policy refuses the
rest.
"""

from __future__ import annotations

from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from django.conf import settings

_POLICY = policy.SMTP.clone(cte_type="7bit")
_LONGEST_LINE = 998


def build(*, to: list[str], subject: str, text: str, reply_to: str, marker: str, at: datetime) -> bytes:
    """The message with CRLF line ends, plain ASCII. The same arguments give the same bytes."""
    message = EmailMessage(policy=_POLICY)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(marker)
    message["From"] = settings.DEFAULT_FROM_EMAIL
    message["To"] = ", ".join(to)
    if reply_to:
        message["Reply-To"] = reply_to
    message["Subject"] = one_line(subject)
    # RFC 3834: no out-of-office notes, and no loops with other robots.
    message["Auto-Submitted"] = "auto-generated"
    is_plain = text.isascii() and all(len(line) < _LONGEST_LINE for line in text.splitlines())
    message.set_content(text, cte="7bit" if is_plain else "quoted-printable")
    return message.as_bytes()


def one_line(text: str) -> str:
    """The text with every run of white space, line breaks included, as one space, and no control characters."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def message_id(marker: str) -> str:
    """The step's marker as a Message-ID, in the sender's domain."""
    return f"<{marker}@{sender().rpartition('@')[2] or 'localhost'}>"


def sender() -> str:
    """The address that mails come from, without its name."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
