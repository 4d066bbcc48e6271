"""Files behind links that people give, to be attached to a record.

An administrator decides which hosts they may come from (`FILE_LINK_HOSTS`): by default only that of Pinterest's
pictures, because Pinxero calls whatever address somebody gives. `integrations.transport.safe_fetch` makes the call.

Xero takes 10 files per record, each up to 10 MB, and recognises the kind of file by its name:
https://developer.xero.com/documentation/api/accounting/attachments
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from posixpath import basename, splitext
from urllib.parse import unquote, urlsplit

from django.conf import settings

from integrations.core.errors import RejectedError
from integrations.transport import safe_fetch
from integrations.transport.url_rules import parse, rules

MOST_BYTES = 10_000_000
#: The entry in `FILE_LINK_HOSTS` that allows every public host.
ANY_HOST = "any"
_LONGEST_STEM = 150
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}")
_UNTOLD = "application/octet-stream"
#: Web pages in place of a file: a log-in, a preview.
_PAGES = {"text/html", "application/xhtml+xml"}


@dataclass(frozen=True)
class LinkedFile:
    """What is behind a link. `stem` and `extension` make its name; the latter has its dot."""

    content: bytes
    content_type: str
    stem: str
    extension: str

    def named(self, marker: str) -> str:
        """The name with the marker in it, before the extension."""
        return f"{self.stem} {marker}{self.extension}".strip()


def problem_of(url: str) -> str:
    """Why the link may not be called, as a sentence; empty if it may. Makes no call."""
    try:
        _allowed(url)
    except RejectedError as error:
        return error.message
    return ""


def fetched(url: str, name: str | None) -> LinkedFile:
    """The file behind the link, under its own name or the given one.

    Raises RejectedError for a link that is not allowed and for anything but a file, TemporaryError if another attempt
    may help.
    """
    answer = safe_fetch.fetch(url, hosts=_allowed(url), max_bytes=MOST_BYTES)
    if answer.content_type in _PAGES:
        raise RejectedError(
            "Behind the link is a web page, not a file. Give a link that leads straight to the file, without a log-in."
        )
    if not answer.content:
        raise RejectedError("The file behind the link is empty.")
    stem, extension = _parts(name or unquote(basename(urlsplit(answer.url).path)))
    extension = extension or mimetypes.guess_extension(answer.content_type) or ""
    if not extension:
        raise RejectedError(
            "What kind of file is behind the link is told neither by its name nor by its host. Give a file name that "
            "ends in .pdf, for example."
        )
    told = answer.content_type if _CONTENT_TYPE.fullmatch(answer.content_type) else _UNTOLD
    kind = told if told != _UNTOLD else mimetypes.guess_type(f"a{extension}")[0] or _UNTOLD
    return LinkedFile(content=answer.content, content_type=kind, stem=stem, extension=extension)


def _allowed(url: str) -> list[str] | None:
    """The hosts that files may come from, None for every public one. Raises RejectedError if the link's is not
    allowed."""
    hosts: list[str] = settings.FILE_LINK_HOSTS
    if ANY_HOST in hosts:
        safe_fetch.allowed(url, hosts=None)
        return None
    target = parse(url)
    if not any(rule.fits(target) for rule in rules(hosts)):
        raise RejectedError(
            f"Files from {target.scheme}://{target.netloc} are not among those that an administrator has allowed. "
            "Nothing was fetched. Ask an administrator to add the host to the setting FILE_LINK_HOSTS."
        )
    return hosts


def _parts(name: str) -> tuple[str, str]:
    """Stem and extension of a file's name, without characters that URLs or file systems cannot take."""
    plain = name.strip().replace("\\", "/").rpartition("/")[2]
    stem, extension = splitext(plain)
    if not _EXTENSION.fullmatch(extension):
        stem, extension = plain, ""
    stem = re.sub(r"\s+", " ", re.sub(r"[^\w .-]", " ", stem))
    return stem.strip(" .")[:_LONGEST_STEM].strip(" .") or "file", extension.lower()
