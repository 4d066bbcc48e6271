"""The plain forms of lookup tables; rows and columns are read by their pages."""

from __future__ import annotations

from typing import Any

from django import forms

from workflows.forms.page_forms import PlainForm
from workflows.lookup_tables.csv_files import SIZE_LIMIT
from workflows.lookup_tables.editing import trimmed


class LookupTableForm(PlainForm):
    """What a table is called and what it is for."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        error_messages={"required": "Give the table a name."},
        help_text="Workflows refer to it by this name, so choose one that lasts: Boards, Suppliers, Watch-list.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(
        label="What is it for?",
        required=False,
        max_length=2000,
        help_text="For colleagues and auditors; shown on the table's page.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class NewLookupTableForm(LookupTableForm):
    """The same, plus its columns: typed, or from the first line of a file."""

    column_names = forms.CharField(
        label="Columns",
        required=False,
        max_length=2000,
        help_text="One on each line. Rows are looked up by the first, such as Board; the others hold the results, "
        "such as Account.",
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "Board\nAccount"}),
    )
    file = forms.FileField(
        label="or a CSV file",
        required=False,
        help_text="Its first line names the columns. Spreadsheets save one under “Save as”, CSV.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
    )

    def clean(self) -> dict[str, Any]:
        """Either column names or a file is needed."""
        data: dict[str, Any] = super().clean() or {}
        chosen = data.get("file")
        if chosen is None and not self.columns and "file" not in self.errors:
            self.add_error("column_names", "Name at least one column, or choose a file.")
        if chosen is not None and self.columns:
            self.add_error("file", "Either name the columns or choose a file, which names its own.")
        if chosen is not None and chosen.size > SIZE_LIMIT:
            self.add_error("file", f"The file is larger than {SIZE_LIMIT // 1000} kB. Start with a part of it.")
        return data

    @property
    def columns(self) -> list[str]:
        """The columns that were typed."""
        lines = (trimmed(line) for line in str(self.cleaned_data.get("column_names") or "").splitlines())
        return [line for line in lines if line]
