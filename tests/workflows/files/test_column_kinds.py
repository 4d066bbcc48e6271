"""What the columns of a file hold, by their values."""

from __future__ import annotations

import pytest

from integrations.schema.fields import Kind
from workflows.files.column_kinds import columns_of, kind_of


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1,250.50", "3"], Kind.NUMBER),
        (["1.250,50", "3,1"], Kind.NUMBER),
        (["-3", "0.5", "0"], Kind.NUMBER),
        (["2026-11-30", "2026-12-01"], Kind.DATE),
        (["30.11.2026", "1.12.2026"], Kind.DATE),
        (["11/30/2026", "12/1/2026"], Kind.DATE),
        (["yes", "No"], Kind.YES_NO),
        (["007", "12"], Kind.TEXT),
        (["+64 4 555"], Kind.TEXT),
        (["4012888888881881"], Kind.TEXT),
        (["12", "twelve"], Kind.TEXT),
        (["2026-11-30", "soon"], Kind.TEXT),
        (["x" * 201], Kind.LONG_TEXT),
        ([], Kind.TEXT),
    ],
)
def test_a_column_holds_what_fits_all_its_values(values: list[str], kind: Kind) -> None:
    assert kind_of(values) is kind


def test_a_column_is_needed_where_each_row_has_it() -> None:
    found = columns_of(["Name", "#", "Due"], [["Oak", "", "2026-11-30"], ["Ash", "", ""]])
    assert [(each.label, each.is_required, each.example) for each in found] == [
        ("Name", True, "Oak"), ("Column 2", False, ""), ("Due", False, "2026-11-30"),
    ]  # fmt: skip
