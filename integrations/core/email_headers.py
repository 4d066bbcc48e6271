"""An e-mail as exact bytes (RFC 5322), in which text from outside stays literal.

Python's own policies decode their input: a subject that looked like an encoded word (RFC 2047) was decoded, and what it
hid became headers, and the text a page. So they are given no text of ours. Headers are written here, encoded wherever
they could be read differently, and the mail is parsed again before it is sent: it must have exactly the intended
headers and text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import AddressHeader
from email.message import EmailMessage, Message
from email.utils import format_datetime, parseaddr
from typing import Any

from django.core import mail

from integrations.core.errors import RejectedError

_POLICY = policy.SMTP.clone(cte_type="7bit")
_LONGEST_LINE = 998
#: How an encoded word begins.
_ENCODED = "=?"
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_HEAD = ("Date", "Message-ID", "From", "To", "Reply-To", "Subject", "Auto-Submitted")
_PLAIN_HEADERS = (*_HEAD, "Content-Type", "Content-Transfer-Encoding", "MIME-Version")
_PARTED_HEADERS = (*_HEAD, "MIME-Version", "Content-Type")
_PLAIN, _PAGE = 'text/plain; charset="utf-8"', 'text/html; charset="utf-8"'
_PARTED = re.compile(r'multipart/(alternative|mixed);\s+boundary="px-[0-9a-f]{40}-[01]"')
#: The types of files that a mail may carry.
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE_NAME = re.compile(r"[a-z0-9-]{1,60}\.(csv|xlsx)")


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail. Its name is of small letters, digits and hyphens, with its extension."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """The intended mail. `sender` may have a name before its address; `to` and `reply_to` are addresses alone.

    `page` is the same as `text` as a whole HTML page; whoever gives one has escaped what came from outside.
    """

    sender: str
    to: Sequence[str]
    subject: str
    text: str
    message_id: str
    at: datetime
    reply_to: str = ""
    page: str = ""
    attachment: Attachment | None = None

    def build(self) -> bytes:
        """The message with CRLF line ends, plain ASCII. The same mail gives the same bytes.

        Raises RejectedError if an address is invalid, or if the bytes would not be read as intended.
        """
        for address in (*self.to, *([self.reply_to] if self.reply_to else [])):
            if not is_literal_address(address):
                raise RejectedError(f"{address[:100]!r} is no address that a mail can go to. Nothing was sent.")
        try:
            head = "".join(f"{name}: {value}\r\n" for name, value in self._headers())
            content = head.encode("ascii") + self._body()
            is_as_meant = self._is_meant(content)
        except (HeaderParseError, UnicodeError):
            is_as_meant = False
        if not is_as_meant:
            raise RejectedError(
                "The mail would be read otherwise than it is meant; its subject or its text has signs in it that "
                "mails cannot carry. Nothing was sent."
            )
        return content

    def _headers(self) -> Iterator[tuple[str, str]]:
        yield "Date", format_datetime(self.at)
        yield "Message-ID", self.message_id
        yield "From", _mailbox(self.sender)
        yield "To", _folded("To", ", ".join(self.to))
        if self.reply_to:
            yield "Reply-To", self.reply_to
        yield "Subject", _literal("Subject", one_line(self.subject))
        # RFC 3834: no out-of-office notes, and no loops with other robots.
        yield "Auto-Submitted", "auto-generated"

    def _body(self) -> bytes:
        """The headers of the body, the empty line, and the body."""
        message = EmailMessage(policy=_POLICY)
        message.set_content(self.text, cte=_encoding(self.text))
        if self.page:
            message.add_alternative(self.page, subtype="html", cte=_encoding(self.page))
        if self.attachment:
            _attach(message, self.attachment)
        for number, part in enumerate(each for each in message.walk() if each.is_multipart()):
            part.set_boundary(f"px-{self._digest()}-{number}")
        return message.as_bytes()

    def _digest(self) -> str:
        """Decided by all that is in the mail, so that no text can hold the boundary that stands around it."""
        attached = self.attachment.content if self.attachment else b""
        parts = (self.message_id.encode(), self.text.encode(), self.page.encode(), attached)
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:40]

    def _is_meant(self, content: bytes) -> bool:
        parsed = message_from_bytes(content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        names = _PARTED_HEADERS if self.page or self.attachment else _PLAIN_HEADERS
        own = [name for name in names if name != "Reply-To" or self.reply_to]
        if parsed.keys() != own or parsed.defects or any(value.defects for value in parsed.values()):
            return False
        told = [_addresses(parsed[name]) for name in own if name in ("From", "To", "Reply-To")]
        meant = [[parseaddr(self.sender)], [("", one) for one in self.to]]
        return (
            told == [*meant, *([[("", self.reply_to)]] if self.reply_to else [])]
            and str(parsed["Subject"]) == one_line(self.subject)
            and str(parsed["Message-ID"]) == self.message_id
            and [_told(part) for part in parsed.walk()] == list(self._parts())
        )

    def _parts(self) -> Iterator[tuple[str, str | bytes]]:
        """The parts as they are to be read: for each its type and, if it holds no others, what is in it."""
        if self.attachment:
            yield "multipart/mixed", ""
        if self.page:
            yield "multipart/alternative", ""
        yield _PLAIN, _lines(self.text)
        if self.page:
            yield _PAGE, _lines(self.page)
        if self.attachment:
            yield f"{self.attachment.content_type} {self.attachment.name}", self.attachment.content


class Settled(mail.EmailMessage):
    """A mail with fixed bytes, for Django's mail backends."""

    def __init__(self, recipients: Sequence[str], content: bytes) -> None:
        self.content = content
        parsed = message_from_bytes(content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        super().__init__(
            subject=str(parsed["Subject"]),
            body=_plain_text(parsed),
            from_email=parseaddr(str(parsed["From"]))[1],
            to=list(recipients),
            reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        )

    def message(self, *_: Any, **__: Any) -> Any:
        """The message that Django would otherwise build from the parts."""
        message = message_from_bytes(self.content, _Bytes)
        message.content = self.content
        return message


class _Bytes(Message):
    """A parsed mail that is written as the bytes it was parsed from."""

    content = b""

    def as_bytes(self, *_: Any, **__: Any) -> bytes:
        return self.content


def is_literal_address(text: str) -> bool:
    """Whether every program reads an address as it is written: plain ASCII, without encoded words."""
    return bool(_PLAIN_ADDRESS.fullmatch(text)) and _ENCODED not in text


def one_line(text: str) -> str:
    """The text with every run of white space, line breaks included, as one space, and no control characters."""
    return " ".join("".join(letter for letter in text if letter.isprintable() or letter.isspace()).split())


def require_shape(content: bytes) -> None:
    """Raise RejectedError if a mail has other headers or parts than those written here.

    For bytes that were stored before sending: an older release may have written them.
    """
    message = message_from_bytes(content)
    if not (_has_shape(message, _PLAIN_HEADERS) and _is_text(message, _PLAIN)) and not _is_parted(message):
        raise RejectedError(
            "The mail that was kept for this step has other headers than Pinxero writes, so it may say what nobody "
            "meant. Start the run again from its beginning. Nothing was sent."
        )


def _is_parted(message: Message) -> bool:
    """Whether it is a mail in several parts as `Mail` writes it."""
    if not _has_shape(message, _PARTED_HEADERS) or not _PARTED.fullmatch(message.get("Content-Type", "")):
        return False
    parts = [part for part in message.walk() if not part.is_multipart()]
    kinds = [_kind(part) for part in parts]
    return kinds in (["text", "page"], ["text", "file"], ["text", "page", "file"]) and not message.defects


def _kind(part: Message) -> str:
    if _is_text(part, _PLAIN):
        return "text"
    if _is_text(part, _PAGE):
        return "page"
    is_file = part.get_content_type() in (CSV, XLSX) and part.get_content_disposition() == "attachment"
    return "file" if is_file and _FILE_NAME.fullmatch(part.get_filename() or "") else ""


def _has_shape(message: Message, allowed: Sequence[str]) -> bool:
    names = [name for name in allowed if name in message]
    return message.keys() == names and "Subject" in names


def _is_text(message: Message, content_type: str) -> bool:
    return message.get("Content-Type", "") == content_type and message.get_content_disposition() is None


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    if not _FILE_NAME.fullmatch(attachment.name):
        raise ValueError(f"{attachment.name!r} is no name for a file in a mail.")
    kind, _, subtype = attachment.content_type.partition("/")
    message.add_attachment(attachment.content, kind, subtype, filename=attachment.name, cte="base64")


def _encoding(text: str) -> str:
    is_plain = text.isascii() and all(len(line) < _LONGEST_LINE for line in text.splitlines())
    return "7bit" if is_plain else "quoted-printable"


def _told(part: Any) -> tuple[str, str | bytes]:
    """A part as programs read it, in the form of `Mail._parts`."""
    if part.is_multipart():
        return part.get_content_type(), ""
    if part.get_content_disposition() == "attachment":
        return f"{part.get_content_type()} {part.get_filename()}", part.get_payload(decode=True)
    return str(part["Content-Type"]), _lines(part.get_content())


def _plain_text(parsed: EmailMessage) -> str:
    body = parsed.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def _literal(name: str, text: str) -> str:
    """A header's text as it will be read; encoded if it is not ASCII or looks encoded already."""
    charset = "us-ascii" if text.isascii() and _ENCODED not in text else "utf-8"
    return Header(text, charset, header_name=name).encode(linesep="\r\n")


def _folded(name: str, text: str) -> str:
    return Header(text, "us-ascii", header_name=name).encode(splitchars=",", linesep="\r\n")


def _mailbox(sender: str) -> str:
    name, address = parseaddr(sender)
    if not name:
        return address
    if not name.isascii() or _ENCODED in name:
        return f"{_literal('From', name)} <{address}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f"{name} <{address}>" if re.fullmatch(r"[\w !#$%&'*+/=?^`{|}~-]+", name) else f'"{quoted}" <{address}>'


def _addresses(header: AddressHeader) -> list[tuple[str, str]]:
    return [(one.display_name, one.addr_spec) for one in header.addresses]


def _lines(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text).rstrip("\n")
