"""Files to download."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

Answer = TypeVar("Answer", bound=HttpResponseBase)
#: Characters with a special meaning in a file system, a URL or a header.
_MEANS_SOMETHING = set('<>:"/\\|?*%;')
_LONGEST_STEM = 150


def download(content: bytes | str, *, stem: str, extension: str, content_type: str) -> HttpResponse:
    """The content as a file to save. `stem` may come from people, so special and invisible characters are left out: the
    name is valid on every system and reads in the direction in which it is written."""
    return as_download(HttpResponse(content, content_type=f"{content_type}; charset=utf-8"), stem, extension)


def as_download(response: Answer, stem: str, extension: str) -> Answer:
    """The response, to be saved under this name."""
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"{file_stem(stem)}.{extension}"
    )
    response["Cache-Control"] = "no-store"
    return response


def file_stem(text: str) -> str:
    """The text as a file's name without its extension."""
    letters = (" " if letter in _MEANS_SOMETHING else letter for letter in text if letter.isprintable())
    plain = " ".join("".join(letters).replace("=?", "= ").split())
    return plain.strip(" .")[:_LONGEST_STEM].strip(" .") or "file"
