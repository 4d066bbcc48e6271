"""The forms of a team's controls, and of deciding in another's place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone

from workflows.forms.page_forms import PlainForm


class ControlsForm(PlainForm):
    """How strict a team is with itself."""

    second_person_publishes = forms.BooleanField(
        label="What one person has built, a second person publishes", required=False
    )
    builders_release = forms.BooleanField(
        label="Whoever built a workflow may let its held runs go themselves", required=False
    )
    approval_days = forms.IntegerField(
        label="A request for approval counts as refused after so many days",
        min_value=1,
        max_value=90,
        error_messages={"required": "Give a number from 1 to 90."},
        widget=forms.NumberInput(attrs={"min": 1, "max": 90}),
    )
    reason = forms.CharField(
        label="Why?",
        max_length=500,
        error_messages={"required": "Say why; it is kept in the record of activity."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        error_messages={"required": "Choose a day.", "invalid": "Give a day such as 2026-11-30."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class DelegationForm(PlainForm):
    """Who is away, who decides in their place, and on which days."""

    away = forms.ChoiceField(label="Who is away?", error_messages={"required": "Choose a person."})
    stand_in = forms.ChoiceField(label="Who decides in their place?", error_messages={"required": "Choose a person."})
    first_day = _day("First day")
    last_day = _day("Last day")

    def __init__(self, *args: Any, people: Iterable[User], only: User | None, **kwargs: Any) -> None:
        """`only` is the one person who may be away, where somebody sets it up for themselves."""
        today = timezone.localdate()
        kwargs.setdefault("initial", {"first_day": today, "last_day": today})
        super().__init__(*args, **kwargs)
        names = [(str(each.pk), each.get_username()) for each in people]
        away, stand_in = self.fields["away"], self.fields["stand_in"]
        assert isinstance(away, forms.ChoiceField)
        assert isinstance(stand_in, forms.ChoiceField)
        away.choices = [each for each in names if only is None or each[0] == str(only.pk)]
        stand_in.choices = [("", "Choose"), *names]
