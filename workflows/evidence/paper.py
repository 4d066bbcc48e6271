"""A PDF on A4 with headings, facts and tables, in a font for Latin, Greek and Cyrillic letters.

The font is a part of Noto Sans (`fonts/OFL.txt`). What it has no shape for is drawn as U+FFFD and listed, so that a
reader sees that something stands there and which character it is.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from django.utils import timezone
from django.utils.formats import date_format
from fpdf import FPDF
from fpdf.fonts import FontFace

# It would log every glyph that it takes over.
logging.getLogger("fontTools").setLevel(logging.WARNING)

_FONTS = Path(__file__).parent / "fonts"
_FAMILY = "noto"
_MARGIN = 16
_TEXT, _SMALL = 9, 7.5
#: How wide the labels of facts are, and the least that their texts take, in millimetres.
_LABELS = 42
_SHADE, _GREY, _RULE = (243, 244, 246), (95, 99, 108), (209, 213, 219)
_HEADINGS = {1: 18, 2: 13, 3: 10.5}
#: Longer texts are cut: all of them are in the JSON. A row of a table has to fit on a page, however wide its letters
#: are; so the text of a cell has at most so many characters for each millimetre of its width.
_LONGEST, _MOST_LINES = 2_000, 40
_PER_MILLIMETRE, _LONGEST_CELL, _MOST_CELL_LINES = 7, 800, 12
MISSING = "\ufffd"
_MOST_NAMED = 30


def exactly(at: datetime | None) -> str:
    """A time to the second."""
    return "" if at is None else date_format(timezone.localtime(at), "j M Y, H:i:s T")


class Paper(FPDF):
    """The PDF. Every text that it is given may come from anybody."""

    def __init__(self, footer: str, made_at: datetime) -> None:
        super().__init__(format="A4")
        for style, name in (("", "Regular"), ("B", "Bold")):
            self.add_font(_FAMILY, style, str(_FONTS / f"NotoSans-{name}.ttf"))
        self.set_font(_FAMILY, size=_TEXT)
        self._drawn = frozenset(self.current_font.cmap)  # type: ignore[union-attr]
        self.missing: set[str] = set()
        # Else "{nb}" would become the number of pages, in texts of other people too.
        self.alias_nb_pages(None)  # type: ignore[arg-type]
        self.set_margin(_MARGIN)
        self.set_auto_page_break(True, margin=_MARGIN + 4)
        self.set_creation_date(made_at)
        self.set_title("Evidence pack")
        self.set_creator("Pinxero")
        self._footer = self.clean(footer)
        self.add_page()

    def footer(self) -> None:
        """The line at the bottom of each page."""
        self.set_y(-_MARGIN)
        self.set_font(_FAMILY, size=_SMALL)
        self.set_text_color(*_GREY)
        self.cell(self.epw - 20, 5, self._footer[:130])
        self.cell(20, 5, f"Page {self.page_no()}", align="R")
        self.set_text_color(0)

    def clean(self, text: str, longest: int = _LONGEST, most_lines: int = _MOST_LINES) -> str:
        """The text as it can be drawn, on its own lines, cut where it is too long."""
        text = unicodedata.normalize("NFC", text)
        if len(text) > longest:
            text = f"{text[:longest]}… ({len(text):,} characters)"
        lines = text.replace("\t", " ").splitlines()
        if len(lines) > most_lines:
            lines = [*lines[:most_lines], f"… ({len(lines):,} lines)"]
        return "\n".join("".join(map(self._character, line)) for line in lines)

    def _character(self, character: str) -> str:
        if ord(character) in self._drawn:
            return character
        self.missing.add(character)
        return MISSING

    def heading(self, text: str, level: int = 2) -> None:
        """A heading that stays with what follows it."""
        size = _HEADINGS[level]
        if self.will_page_break(size * 2.2):
            self.add_page()
        elif level > 1:
            self.ln(4 if level == 2 else 2)
        self._lines(text, size, "B")
        if level == 2:
            self._rule()
        self.ln(1)

    def _rule(self) -> None:
        self.set_draw_color(*_RULE)
        self.line(self.l_margin, self.get_y() + 0.6, self.l_margin + self.epw, self.get_y() + 0.6)
        self.ln(1.4)

    def text_line(self, text: str, *, indent: float = 0, is_bold: bool = False, is_small: bool = False) -> None:
        """A paragraph."""
        self._lines(text, _SMALL if is_small else _TEXT, "B" if is_bold else "", indent=indent, is_grey=is_small)

    def amount_line(self, label: str, amount: str, *, is_bold: bool) -> None:
        """A total below a table: its amount stands where the last column ends."""
        self.set_font(_FAMILY, "B" if is_bold else "", _TEXT)
        if self.will_page_break(5):
            self.add_page()
        self.cell(self.epw - 70, 5, self.clean(label, 60, 1), align="R")
        self.cell(69, 5, self.clean(amount, 60, 1), align="R", new_x="LMARGIN", new_y="NEXT")

    def _lines(self, text: str, size: float, style: str = "", *, indent: float = 0, is_grey: bool = False) -> None:
        self.set_font(_FAMILY, style, size)
        if is_grey:
            self.set_text_color(*_GREY)
        self.set_x(self.l_margin + indent)
        self.multi_cell(self.epw - indent, size * 0.5, self.clean(text), align="L", new_x="LMARGIN", new_y="NEXT")
        self.set_text_color(0)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Labels with their texts beside them; what has no text is left out."""
        rows = [(label, text) for label, text in pairs if text]
        if rows:
            self._table(rows, (_LABELS, self.epw - _LABELS), ("LEFT", "LEFT"), is_ruled=False)

    def table(  # type: ignore[override]
        self, head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int], amounts: Iterable[int] = ()
    ) -> None:
        """A table whose head is repeated on every page. `widths` are shares, `amounts` the columns of numbers."""
        right = set(amounts)
        aligned = ["RIGHT" if number in right else "LEFT" for number in range(len(head))]
        self._table([head, *rows], widths, aligned, is_ruled=True)
        self.ln(1.5)

    def _table(
        self, rows: Sequence[Sequence[str]], widths: Sequence[float], aligned: Sequence[str], *, is_ruled: bool
    ) -> None:
        self.set_font(_FAMILY, size=_SMALL if is_ruled else _TEXT)
        self.set_draw_color(*_RULE)
        longest = [min(_LONGEST_CELL, int(_PER_MILLIMETRE * self.epw * each / sum(widths))) for each in widths]
        with super().table(
            col_widths=tuple(widths),
            text_align=tuple(aligned),
            first_row_as_headings=is_ruled,
            headings_style=FontFace(emphasis="BOLD", fill_color=_SHADE),
            borders_layout="HORIZONTAL_LINES" if is_ruled else "NONE",
            line_height=4 if is_ruled else 4.6,
            padding=(0.7, 1) if is_ruled else (0.2, 1, 0.2, 0),
            width=self.epw,
            align="LEFT",
            v_align="TOP",
        ) as drawn:
            for cells in rows:
                row = drawn.row()
                for place, cell in enumerate(cells):
                    grey = None if is_ruled or place else FontFace(color=_GREY)
                    row.cell(self.clean(cell, longest[place], _MOST_CELL_LINES), style=grey)

    def missing_note(self) -> None:
        """Say which characters could not be drawn since this was last asked."""
        if not self.missing:
            return
        found = sorted(self.missing)
        named = ", ".join(f"U+{ord(each):04X}" for each in found[:_MOST_NAMED])
        more = f" and {len(found) - _MOST_NAMED:,} others" if len(found) > _MOST_NAMED else ""
        self.ln(1)
        self.text_line(
            f"{MISSING} stands above for characters that this PDF cannot draw: {named}{more}. "
            "The JSON files beside it have them.",
            is_small=True,
        )
        self.missing = set()
