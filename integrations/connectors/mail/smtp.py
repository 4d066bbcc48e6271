"""Sends one mail to the mail server, and says exactly what is known afterwards.

A server must not deliver anything before the line with the single dot (RFC 5321, 4.1.1.4): after an error before that
line nothing was sent, so the server gets a moment to hang up or refuse first. If the connection ends after that line
and before the reply, the outcome is unknown. Django opens the connection from its settings; its own `send_messages`
does not distinguish the two cases.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from smtplib import SMTP, SMTPAuthenticationError, SMTPException

from django.core.mail.backends.smtp import EmailBackend

from integrations.core.errors import IntegrationError, OutcomeUnknownError, RejectedError, TemporaryError
from integrations.core.exact_json import storable_text

#: Servers scan a mail before they accept it; this is how long we wait for the reply.
REPLY_SECONDS = 40.0
#: Time for everything before the mail itself.
TALK_SECONDS = 45.0
#: Pause between the mail and its final dot, to notice a server that hangs up before it, when nothing is sent yet.
PAUSE_SECONDS = 0.1
_READY = 354


def deliver(
    backend: EmailBackend, sender: str, recipients: Sequence[str], content: bytes, *, before_call: Callable[[], None]
) -> str:
    """The server's reply when it accepted the mail, for all recipients or for none.

    Raises RejectedError and TemporaryError if it certainly was not sent, OutcomeUnknownError if it may have been.
    """
    try:
        smtp = _open(backend)
        try:
            _announce(smtp, sender, recipients, before_call)
            return _hand_over(smtp, content)
        finally:
            with suppress(SMTPException, OSError):
                smtp.close()
    finally:
        backend.connection = None


def _open(backend: EmailBackend) -> SMTP:
    try:
        backend.open()
    except SMTPAuthenticationError as error:
        if error.smtp_code < 500:
            raise TemporaryError("The mail server did not take Pinxero's log-in just now. Nothing was sent.") from None
        raise RejectedError(
            "The mail server does not accept Pinxero's log-in. Nothing was sent. "
            "Ask an administrator to check the setting EMAIL_URL."
        ) from None
    except (SMTPException, OSError):
        raise TemporaryError("The mail server could not be reached. Nothing was sent.") from None
    assert backend.connection is not None
    return backend.connection


def _announce(smtp: SMTP, sender: str, recipients: Sequence[str], before_call: Callable[[], None]) -> None:
    """Everything until the server is ready for the mail itself."""
    ends = time.monotonic() + TALK_SECONDS

    def ask(command: str, what: str, *, ready: int = 250) -> None:
        if time.monotonic() > ends:
            raise TemporaryError("The mail server was too slow. Nothing was sent.")
        before_call()
        try:
            code, words = smtp.docmd(command)
        except (SMTPException, OSError):
            raise TemporaryError("The mail server ended the connection. Nothing was sent.") from None
        if code != ready and not (ready == 250 and code == 251):
            raise _refusal(code, words, what)

    try:
        smtp.ehlo_or_helo_if_needed()
    except (SMTPException, OSError):
        raise TemporaryError("The mail server ended the connection. Nothing was sent.") from None
    ask(f"MAIL FROM:<{sender}>", f"the sender {sender}")
    for recipient in recipients:
        ask(f"RCPT TO:<{recipient}>", recipient)
    ask("DATA", "the mail", ready=_READY)


def _hand_over(smtp: SMTP, content: bytes) -> str:
    try:
        smtp.send(_ready(content))
    except (SMTPException, OSError):
        raise TemporaryError("The mail server ended the connection within the mail. Nothing was sent.") from None
    _insist_on_silence(smtp)
    try:
        smtp.send(b".\r\n")
    except (SMTPException, OSError):
        # What the operating system does not accept does not leave this machine.
        raise TemporaryError("The mail server ended the connection within the mail. Nothing was sent.") from None
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(REPLY_SECONDS)
        code, words = smtp.getreply()
    except (SMTPException, OSError):
        raise OutcomeUnknownError(
            "The mail server was given the whole mail and did not say whether it took it; whether it was sent is not "
            "known."
        ) from None
    if code != 250:
        raise _refusal(code, words, "the mail")
    with suppress(SMTPException, OSError):
        smtp.quit()
    return f"{code} {_words(words)}"


def _insist_on_silence(smtp: SMTP) -> None:
    """Raises if the server hung up or replied before the final dot: then the dot is not sent, and neither is the
    mail."""
    if smtp.sock is None or not select.select([smtp.sock], [], [], PAUSE_SECONDS)[0]:
        return
    try:
        # Reads below TLS, whose own records are not a reply from the server.
        heard = socket.socket.recv(smtp.sock, 1, socket.MSG_PEEK)
        if heard and isinstance(smtp.sock, ssl.SSLSocket):
            return
        code, words = smtp.getreply()
    except (SMTPException, OSError):
        raise TemporaryError("The mail server ended the connection within the mail. Nothing was sent.") from None
    if 200 <= code < 400:
        raise TemporaryError("The mail server answered before the mail had an end. Nothing was sent.")
    raise _refusal(code, words, "the mail")


def _ready(content: bytes) -> bytes:
    """Doubles each dot at the start of a line, and ends with a line break (RFC 5321, 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    stuffed = re.sub(rb"(?m)^\.", b"..", lines)
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _refusal(code: int, words: bytes, what: str) -> IntegrationError:
    said = f"The mail server did not take {what}: {code} {_words(words)} Nothing was sent."
    if 400 <= code < 500:
        return TemporaryError(said)
    return RejectedError(said, reasons=[f"{code} {_words(words)}"], status=code)


def _words(words: bytes) -> str:
    return storable_text(" ".join(words.decode("utf-8", errors="replace").split()))[:300]
