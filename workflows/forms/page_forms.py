"""The plain forms of the pages; the forms of operations are made from their Schema in `schema_form.py`."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.utils import ErrorDict

from workflows.models import Step


class PlainForm(forms.Form):
    """A form whose errors reach screen readers; the template draws it field by field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        kwargs.setdefault("use_required_attribute", False)
        super().__init__(*args, **kwargs)

    def show_unchecked(self) -> None:
        """Show what was typed without a word about what is missing: nobody has saved it yet."""
        self._errors = ErrorDict()

    def full_clean(self) -> None:
        """Marks the fields with errors for screen readers."""
        super().full_clean()
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["aria-invalid"] = "true"


def _name(what: str) -> forms.CharField:
    return forms.CharField(
        label="Name",
        max_length=120,
        error_messages={"required": f"Give the {what} a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class WorkflowForm(PlainForm):
    """What a workflow is called and what it is for."""

    name = _name("workflow")
    description = forms.CharField(
        label="What is it for?",
        required=False,
        max_length=2000,
        help_text="For colleagues and auditors; shown on the workflow's page.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class NewWorkflowForm(PlainForm):
    """A name and what starts it."""

    name = _name("workflow")
    trigger = forms.CharField(
        max_length=100, error_messages={"required": "Choose what starts the workflow."}, label="When this happens"
    )


class StepForm(PlainForm):
    """What every step has besides its operation's inputs."""

    name = _name("step")
    on_error = forms.ChoiceField(
        label="If it fails",
        choices=Step.OnError.choices,
        initial=Step.OnError.STOP,
        help_text="An error path holds steps of its own, such as a message to a colleague. After them the run goes on.",
    )
    max_attempts = forms.IntegerField(
        label="Maximum attempts",
        initial=5,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text="How many times a temporary failure is tried before the step fails. A refusal is not tried again.",
        widget=forms.NumberInput(attrs={"min": 1, "max": 20}),
    )


class StepNameForm(PlainForm):
    """What a step is called."""

    name = _name("step")


class KindStepForm(PlainForm):
    """What a step without an operation has besides its settings."""

    name = _name("step")
    on_error = forms.ChoiceField(
        label="If it fails",
        choices=[(each.value, each.label) for each in (Step.OnError.STOP, Step.OnError.GO_ON)],
        initial=Step.OnError.STOP,
    )

    def __init__(self, *args: Any, can_fail: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not can_fail:
            del self.fields["on_error"]


class BranchForm(PlainForm):
    """What a branch is called, and which paths a new one begins with."""

    name = _name("branch")
    paths = forms.IntegerField(
        label="Paths with conditions",
        initial=1,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="The first one whose conditions are met is taken. More can be added later.",
        widget=forms.NumberInput(attrs={"min": 1, "max": 10}),
    )
    has_otherwise = forms.BooleanField(
        label="And a last path for everything else",
        required=False,
        initial=True,
        help_text="Without it, a run that no path fits goes on after the branch.",
    )

    def __init__(self, *args: Any, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["paths"], self.fields["has_otherwise"]


class TriggerForm(PlainForm):
    """How often a trigger checks for new items."""

    interval_minutes = forms.IntegerField(
        label="Check every (minutes)",
        initial=5,
        validators=[MinValueValidator(1), MaxValueValidator(15)],
        help_text="Between 1 and 15. Checking less often uses fewer of the provider's calls.",
        widget=forms.NumberInput(attrs={"min": 1, "max": 15}),
    )


class ActivateForm(PlainForm):
    """From when on a newly activated workflow starts runs."""

    NOW, DAY = "now", "day"

    start = forms.ChoiceField(label="Start from", choices=[(NOW, "Now"), (DAY, "A day")], initial=NOW, required=False)
    since = forms.DateField(
        label="Day",
        required=False,
        error_messages={"invalid": "Give a day such as 2026-11-30."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    counted_for = forms.CharField(required=False, widget=forms.HiddenInput)
    counted = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    is_capped = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """A day is required if, and only if, "A day" is chosen."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("start") == self.DAY and not data.get("since") and "since" not in self.errors:
            self.add_error("since", "Choose the day to start from.")
        if data.get("start") != self.DAY and data.get("since"):
            self.add_error("since", "Choose “A day” above to start from this day, or empty it to start from now.")
        return data

    @property
    def since_day(self) -> date | None:
        """The chosen day; None for now."""
        day: date | None = self.cleaned_data["since"] if self.cleaned_data["start"] == self.DAY else None
        return day

    @property
    def is_counted(self) -> bool:
        """Whether the person has seen how many runs this day would start."""
        return bool(self.since_day) and self.cleaned_data["counted_for"] == str(self.since_day)


class NoteForm(PlainForm):
    """A note to a version."""

    note = forms.CharField(
        label="What has changed, and why?",
        required=False,
        max_length=2000,
        help_text="Stands in the list of versions, for you and for the auditor.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class PublishForm(NoteForm):
    """A note, and where no preview says that it works, the tick to publish all the same; by `switch_on` one of two
    buttons was pressed."""

    switch_on = forms.BooleanField(required=False, widget=forms.HiddenInput)
    unpreviewed = forms.BooleanField(
        label="Publish without a preview that reached its end",
        error_messages={"required": "Preview it first, or tick this to publish all the same."},
    )

    def __init__(self, *args: Any, is_previewed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_previewed:
            del self.fields["unpreviewed"]


class PauseForm(PlainForm):
    """Why a workflow is paused."""

    reason = forms.CharField(
        label="Why?", required=False, max_length=250, help_text="Shown to everybody who looks at the workflow."
    )


class DecisionForm(PlainForm):
    """The reason of a person's decision about a run."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        error_messages={"required": "Say why; it is kept with the run."},
        help_text="Kept with the run, with your name and the time.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    provider_id = forms.CharField(
        label="Number or id of the document",
        required=False,
        max_length=200,
        help_text="As the provider shows it, for instance the invoice number. Helps whoever checks this later.",
    )

    writes_twice = forms.BooleanField(
        error_messages={"required": "Confirm that it is to be written a second time, or leave the run as it is."}
    )

    def __init__(self, *args: Any, needs_reason: bool, asks_provider_id: bool, written: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason
        if not asks_provider_id:
            del self.fields["provider_id"]
        if not written:
            del self.fields["writes_twice"]
            return
        many = "this document" if written == 1 else f"these {written:,} documents"
        self.fields["writes_twice"].label = f"Write {many} a second time"
