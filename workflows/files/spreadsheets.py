"""CSV files as spreadsheets, banks and shops write them: their kind, their column separator, where their table begins.

Nothing is lost silently: lines above the heading are returned, and a file of another kind is named.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

SEPARATORS = (";", "\t", "|", ",")  # in a tie the first: numbers and names contain commas too
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<mark>[;,|\t])"?', re.IGNORECASE)
#: How many lines are read to find the column separator and the heading.
_LOOKED_AT = 200
_LETTERS_LOOKED_AT = 200_000
_MOST_ABOVE = 30
_FIGURES = re.compile(r"[^\w]*[0-9][0-9.,'’:/\s\xa0\u202f-]*[^\w]*")
_OTHER_KINDS = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind (.xls)"),
    (b"{\\rtf", "a text document (.rtf)"),
)
_PACKED = (
    (b"xl/", "an Excel workbook (.xlsx)"),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)"),
    (b"Index/", "a Numbers spreadsheet"),
)


@dataclass(frozen=True)
class Line:
    """One line of the table: its cells, and on which line of the file it begins."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Sheet:
    """A file as read. `above` is the unused text before the heading; `heading` is None in an empty file."""

    heading: Line | None
    rows: list[Line]
    above: tuple[str, ...]
    separator: str


def other_kind(raw: bytes) -> str:
    """What the file is if not a CSV file, as a sentence with what to do; "" if it may be one."""
    named = next((name for magic, name in _OTHER_KINDS if raw.startswith(magic)), "")
    if raw.startswith(b"PK\x03\x04"):
        named = next((name for part, name in _PACKED if part in raw), "a packed file (.zip)")
    elif re.match(rb"\s*<(!doctype html|html|\?xml)", raw.removeprefix(codecs.BOM_UTF8)[:200].lower()):
        named = "a web page or XML"
    if not named:
        return ""
    return (
        f"The file is {named}, which cannot be read here. Open it in a spreadsheet, save it as CSV "
        "(File, Save as, CSV UTF-8) and choose that file."
    )


def decode(raw: bytes) -> tuple[str, str]:
    """The text of a file, and what to tell the person about how it was read."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace"), ""
    try:
        return raw.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        note = (
            "The file is not in UTF-8; it was read as Windows text. Check letters with accents and the £ and € signs."
        )
        return raw.decode("cp1252", "replace"), note


def read(text: str, *, most_rows: int) -> Sheet:
    """The heading and the rows below, at most one more row than `most_rows`. Raises csv.Error."""
    text, mark, skipped = _without_separator_line(text.removeprefix("\ufeff"))
    separator = mark or _separator(text)
    # A spreadsheet may write a million lines of separators below its table.
    reader = csv.reader(io.StringIO(text.rstrip(f"{separator} \r\n"), newline=""), delimiter=separator)
    lines: list[Line] = []
    begin = 1 + skipped
    for cells in reader:
        if any(cell.strip() for cell in cells):
            lines.append(Line(begin, cells))
            if len(lines) > most_rows + _MOST_ABOVE + 1:
                break
        begin = reader.line_num + 1 + skipped
    if not lines:
        return Sheet(None, [], (), separator)
    at = _heading(lines)
    _cut(lines[at:])
    above = tuple(" ".join(cell.strip() for cell in line.cells if cell.strip())[:200] for line in lines[:at])
    return Sheet(lines[at], lines[at + 1 : at + most_rows + 2], above, separator)


def lines_above_in_words(sheet: Sheet) -> str:
    """What is not used because it is above the heading, as a sentence; "" if nothing is."""
    if not sheet.above:
        return ""
    shown = "; ".join(f"“{each[:80]}”" for each in sheet.above[:3])
    more = f" and {len(sheet.above) - 3} more" if len(sheet.above) > 3 else ""
    return f"Not used are the lines above the heading: {shown}{more}."


def _without_separator_line(text: str) -> tuple[str, str, int]:
    """The text without Excel's line that names the separator, that separator, and how many lines were removed."""
    first = re.match("[^\r\n]*(?:\r\n|\r|\n|$)", text)
    match = _SEPARATOR_LINE.fullmatch(first[0].strip("\r\n ")) if first else None
    if first is None or match is None:
        return text, "", 0
    return text[first.end() :], match["mark"], 1


def _separator(text: str) -> str:
    """The column separator: the usual one that splits most lines into the same number of columns."""

    head = text[:_LETTERS_LOOKED_AT]

    def fit(mark: str) -> int:
        counts: Counter[int] = Counter()
        filled: Counter[int] = Counter()  # without the separators after the last value
        try:
            for cells in islice(csv.reader(io.StringIO(head, newline=""), delimiter=mark), _LOOKED_AT):
                if any(cell.strip() for cell in cells):
                    counts[len(cells)] += 1
                    filled[_last(cells)] += 1
        except csv.Error:
            pass  # `read` raises it
        return max((number for each in (counts, filled) for width, number in each.items() if width > 1), default=0)

    fits = {mark: fit(mark) for mark in SEPARATORS}
    most = max(fits.values())
    return next(mark for mark in SEPARATORS if fits[mark] == most) if most else ","


def _heading(lines: list[Line]) -> int:
    """Which line names the columns: the first, or the first one as full as the rows if only titles are above it."""
    looked_at = lines[:_LOOKED_AT]
    usual = _usual(_filled(line) for line in looked_at)
    width = _usual(len(line.cells) for line in looked_at)
    for at, line in enumerate(looked_at[: _MOST_ABOVE + 1]):
        filled = _filled(line)
        is_title = filled < usual and (filled <= 1 or len(line.cells) < width or filled * 2 <= usual)
        if not is_title:
            has_figures = any(_FIGURES.fullmatch(cell.strip()) for cell in line.cells)
            return 0 if has_figures else at
    return 0


def _usual(widths: Iterable[int]) -> int:
    """What most lines have; in a tie, the largest."""
    counts = Counter(widths)
    return max(counts, key=lambda width: (counts[width], width))


def _filled(line: Line) -> int:
    return sum(1 for cell in line.cells if cell.strip())


def _cut(lines: list[Line]) -> None:
    """Remove the empty columns on the right that come from separators after the last value."""
    width = max(_last(line.cells) for line in lines)
    for line in lines:
        del line.cells[max(width, 1) :]


def _last(cells: list[str]) -> int:
    return max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)
