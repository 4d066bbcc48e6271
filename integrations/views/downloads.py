"""Files to download."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from integrations.core import workbooks

Answer = TypeVar("Answer", bound=HttpResponseBase)
#: Characters with a special meaning in a file system, a URL or a header.
_MEANS_SOMETHING = set('<>:"/\\|?*%;')
_LONGEST_STEM = 150
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download(content: bytes | str, *, stem: str, extension: str, content_type: str) -> HttpResponse:
    """The content as a file to save. `stem` may come from people, so special and invisible characters are left out: the
    name is valid on every system and reads in the direction in which it is written."""
    return as_download(HttpResponse(content, content_type=f"{content_type}; charset=utf-8"), stem, extension)


def csv_download(
    columns: Iterable[str], rows: Iterable[Sequence[workbooks.Cell]], *, stem: str
) -> StreamingHttpResponse:
    """A table with these columns as CSV, sent while its rows are read."""
    parts = workbooks.csv_parts(chain([list(columns)], rows))
    return as_download(StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8"), stem, "csv")


def workbook_download(
    columns: Mapping[str, int], rows: Iterable[Sequence[workbooks.Cell]], *, stem: str
) -> StreamingHttpResponse:
    """The same as an Excel workbook. Columns are given with their widths, in letters."""
    parts = workbooks.workbook_parts(list(columns), rows, list(columns.values()))
    return as_download(StreamingHttpResponse(parts, content_type=_XLSX), stem, "xlsx")


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
