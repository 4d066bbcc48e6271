"""A table as a file for a mail: CSV, or an Excel workbook of one sheet."""

from __future__ import annotations

from integrations.connectors.mail.tables import Table
from integrations.core import workbooks

#: The most that a file holds: more than that is no mail.
MOST_ROWS, MOST_COLUMNS, MOST_BYTES = 10_000, 100, 2_000_000


def as_csv(table: Table) -> bytes:
    """In UTF-8 with a byte order mark, amounts with a decimal point and no separators of thousands."""
    head = [table.head] if any(table.head) else []
    return b"".join(workbooks.csv_parts([*head, *table.rows]))


def as_xlsx(table: Table) -> bytes:
    """A workbook whose amounts are numbers that can be added up."""
    return b"".join(workbooks.workbook_parts(table.head, table.rows, _widths(table)))


def _widths(table: Table) -> list[int]:
    """As wide as what is in the columns."""
    longest = [0] * table.width
    for row in (table.head, *table.rows):
        for place, cell in enumerate(row):
            longest[place] = max(longest[place], len(str(cell or "")))
    return longest
