"""Tables as files: CSV as spreadsheets expect it, or an Excel workbook of one sheet, written a part at a time.

Numbers stay numbers, and no text becomes a formula. The same table gives the same bytes.

The workbook is written here (ECMA-376, part 1): no library for it is needed elsewhere, and this is all that it takes.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.utils.html import escape

from integrations.core.csv_cells import is_formula, neutral

Cell = str | int | Decimal | None
#: The most rows that a sheet has, by Excel.
MOST_ROWS = 1_048_576
#: About as many bytes are handed on at once.
_PART = 64 * 1024
#: Excel counts in binary floating point, which holds so many digits exactly.
_EXACT_DIGITS = 15
#: The styles of the workbook, by their place in it.
_PLAIN, _AMOUNT, _LITERAL, _HEADING = range(4)
# What XML 1.0 cannot hold.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_START = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def csv_parts(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """In UTF-8 with a byte order mark, amounts with a decimal point and no separators of thousands."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    yield codecs.BOM_UTF8
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
        if out.tell() >= _PART:
            yield out.getvalue().encode("utf-8", "replace")
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode("utf-8", "replace")


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return neutral(cell) if isinstance(cell, str) else _number(cell)


def _number(number: int | Decimal) -> str:
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def workbook_parts(head: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[int]) -> Iterator[bytes]:
    """A workbook whose amounts are numbers that can be added up. `head` is empty if nothing names the columns; `widths`
    are in letters. Rows that a sheet has no room for are left out."""
    sink = Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as package:
        for name, text in _FRAME.items():
            package.writestr(_entry(name), _START + text)
        with package.open(_entry("xl/worksheets/sheet1.xml"), "w", force_zip64=True) as sheet:
            for text in _sheet(head, rows, widths):
                sheet.write(text.encode())
                if len(sink.held) >= _PART:
                    yield sink.taken()
    yield sink.taken()


class Sink(io.RawIOBase):
    """Where a ZIP is written to: it holds what has not been handed on, and cannot go back."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, part: object) -> int:
        before = len(self.held)
        self.held += memoryview(part)  # type: ignore[arg-type]
        return len(self.held) - before

    def taken(self) -> bytes:
        """What is held, which is then gone."""
        part = bytes(self.held)
        self.held.clear()
        return part


def _entry(name: str) -> ZipInfo:
    """Without the time of writing, so that the bytes are decided by the table alone."""
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    return entry


def _sheet(head: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[int]) -> Iterator[str]:
    cols = "".join(
        f'<col min="{place}" max="{place}" width="{min(60, max(9, width + 3))}" customWidth="1"/>'
        for place, width in enumerate(widths, 1)
    )
    yield f'{_START}<worksheet xmlns="{_SHEET}">{f"<cols>{cols}</cols>" if cols else ""}<sheetData>'
    lines = chain([(head, True)] if any(head) else [], ((row, False) for row in rows))
    for number, line in enumerate(islice(lines, MOST_ROWS), 1):
        yield f'<row r="{number}">{"".join(_cells(*line))}</row>'
    yield "</sheetData></worksheet>"


def _cells(row: Sequence[Cell], is_heading: bool) -> Iterator[str]:
    for cell in row:
        if cell is None or cell == "":
            yield "<c/>"
        elif isinstance(cell, str):
            yield _text_cell(cell, is_heading)
        elif len(Decimal(cell).as_tuple().digits) > _EXACT_DIGITS:
            yield _text_cell(_number(cell), is_heading)
        else:
            yield f'<c s="{_style(cell)}"><v>{_number(cell)}</v></c>'


def _style(number: int | Decimal) -> int:
    is_amount = isinstance(number, Decimal) and -2 <= int(number.as_tuple().exponent) < 0
    return _AMOUNT if is_amount else _PLAIN


def _text_cell(text: str, is_heading: bool) -> str:
    style = _HEADING if is_heading else _LITERAL if is_formula(text) else _PLAIN
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(_NO_XML.sub("", text))}</t></is></c>'


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


_FRAME = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f"{_relation(1, 'officeDocument', 'xl/workbook.xml')}</Relationships>"
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets><sheet name="Table" sheetId="1" r:id="rId1"/></sheets>'
        "</workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">{_relation(1, "worksheet", "worksheets/sheet1.xml")}'
        f"{_relation(2, 'styles', 'styles.xml')}</Relationships>"
    ),
    # In the order of the styles above; number format 4 is "#,##0.00", `quotePrefix` an apostrophe before the text.
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_SHEET}">'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="4"><xf xfId="0"/><xf xfId="0" numFmtId="4" applyNumberFormat="1"/>'
        '<xf xfId="0" numFmtId="49" quotePrefix="1"/><xf xfId="0" fontId="1" applyFont="1"/></cellXfs></styleSheet>'
    ),
}
