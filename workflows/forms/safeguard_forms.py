"""The form of a workflow's safeguards."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator

from workflows.forms.page_forms import PlainForm
from workflows.models import Safeguards

_MOST = 100_000


def _number(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=0,
        max_value=_MOST,
        error_messages={"required": "Give a number; 0 switches it off."},
        widget=forms.NumberInput(attrs={"min": 0}),
    )


class SafeguardsForm(PlainForm):
    """How much a workflow may do by itself, whom it tells, and when it is expected to run."""

    LIMITS = ("pause_after", "hold_above", "most_per_hour")
    TELLING = ("notify", "people")
    EXPECTED = ("expected", "expected_weekday", "expected_day", "expected_at", "expected_zone", "expected_within")

    pause_after = _number(
        "Pause after this many failures in a row",
        "Runs under way go on. 0: never.",
    )
    hold_above = _number(
        "Hold new runs if one check finds more than",
        "So many at once are more often a mistake than a busy day, so they wait until a person releases them. "
        "Only runs that would write are counted. 0: never.",
    )
    most_per_hour = _number(
        "Hold new runs if there are more in one hour than",
        "Stops workflows that trigger each other in a circle. 0: never.",
    )
    notify = forms.ChoiceField(
        label="Who is told by e-mail", choices=Safeguards.Notify.choices, widget=forms.RadioSelect
    )
    people = forms.ModelMultipleChoiceField(
        label="People",
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "One of them is not in the team any more. Choose again."},
    )
    expected = forms.ChoiceField(label="A run is expected", choices=Safeguards.Expected.choices, required=False)
    expected_weekday = forms.TypedChoiceField(
        label="On which day of the week",
        choices=Safeguards.Weekday.choices,
        coerce=int,
        required=False,
        empty_value="0",
    )
    expected_day = forms.IntegerField(
        label="On which day of the month",
        required=False,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text="29, 30 and 31 mean the last day of a shorter month.",
        widget=forms.NumberInput(attrs={"min": 1, "max": 31}),
    )
    expected_at = forms.TimeField(
        label="By",
        required=False,
        error_messages={"invalid": "Give a time such as 10:00."},
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    expected_zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=60,
        help_text="Such as Pacific/Auckland. Empty: the installation's.",
        widget=forms.TextInput(attrs={"list": "px-zones", "autocomplete": "off"}),
    )
    expected_within = forms.IntegerField(
        label="Started within (hours)",
        required=False,
        validators=[MinValueValidator(1), MaxValueValidator(744)],
        help_text="A run counts if it was started at most this many hours before that time.",
        widget=forms.NumberInput(attrs={"min": 1, "max": 744}),
    )

    def __init__(self, *args: Any, members: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["people"]
        assert isinstance(people, forms.ModelMultipleChoiceField)
        people.queryset = User.objects.filter(pk__in=[each.pk for each in members]).order_by("username")

    def clean_expected_zone(self) -> str:
        """The zone must exist."""
        zone: str = self.cleaned_data["expected_zone"].strip()
        if not zone:
            return ""
        try:
            return ZoneInfo(zone).key
        except (KeyError, ValueError, OSError):
            raise forms.ValidationError(f"There is no time zone called {zone}.") from None

    def clean(self) -> dict[str, Any]:
        """An expected run needs a time; telling only some people needs those people."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("expected") and not data.get("expected_at") and "expected_at" not in self.errors:
            self.add_error("expected_at", "Give the time by which the run is expected.")
        if data.get("notify") == Safeguards.Notify.PEOPLE and not data.get("people") and "people" not in self.errors:
            self.add_error("people", "Choose at least one, or tell nobody by e-mail.")
        data["expected_weekday"] = int(data.get("expected_weekday") or 0)
        data["expected_day"] = data.get("expected_day") or 1
        data["expected_within"] = data.get("expected_within") or 24
        return data
