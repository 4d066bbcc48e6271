"""Cells of CSV files, written so that no spreadsheet runs one as a formula.

https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,' ]*%?")


def neutral(cell: str) -> str:
    """The cell after an apostrophe if a spreadsheet would take it for a formula. Numbers stay numbers."""
    return f"'{cell}" if is_formula(cell) else cell


def freed(cell: str) -> str:
    """What `neutral` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run the cell."""
    return bool(_FORMULA.match(cell)) and not _NUMBER.fullmatch(cell)
