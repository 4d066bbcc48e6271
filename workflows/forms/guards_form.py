"""The form of a team's guards."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from workflows.forms.page_forms import PlainForm
from workflows.guards.settings import Settings
from workflows.models import TeamGuards

MOST_CURRENCIES = 30
_AMOUNTS = {
    "largest": "Largest single amount",
    "per_hour": "All within 60 minutes",
    "per_day": "All within 24 hours",
}
#: Rows that are offered empty below those that are filled.
_SPARE = 2
_MOST = Decimal(10) ** 13
_CURRENCY = re.compile(r"[A-Z]{3}")


def _short(label: str, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", **attrs})
    return forms.CharField(label=label, required=False, max_length=40, widget=widget)


def _count(label: str) -> forms.IntegerField:
    wrong = "This is a whole number from 0 to 1,000,000. Left empty, there is no limit."
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        max_value=1_000_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], wrong),
    )


class GuardsForm(PlainForm):
    """What each guard does. `settings()` gives it once the form is valid."""

    duplicates = forms.ChoiceField(
        label="What is done with a bill that looks like one written before?",
        choices=TeamGuards.Duplicates.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is done."},
    )
    duplicate_days = forms.IntegerField(
        label="The same amount counts within so many days",
        min_value=0,
        max_value=365,
        help_text="Between the dates of the two bills. The same number counts whenever it was written.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": "Say how many days, from 0 to 365.",
            "invalid": "This is a whole number from 0 to 365.",
            "min_value": "This is a whole number from 0 to 365.",
            "max_value": "This is a whole number from 0 to 365.",
        },
    )

    period = forms.ChoiceField(
        label="What is done with what is dated in a locked period?",
        choices=TeamGuards.Period.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is done."},
    )
    lock_until = forms.DateField(
        label="Locked by the team up to",
        required=False,
        help_text="The last locked day. Where the organisation has locked its books up to a later one, that counts.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "This is a day, as 2026-03-31."},
    )
    holds_first_live = forms.BooleanField(
        label="Hold the first document that a workflow writes to live books after a demo company", required=False
    )
    documents_per_hour = _count("Documents within 60 minutes")
    documents_per_day = _count("Documents within 24 hours")

    def __init__(self, data: Any = None, *, settings: Settings) -> None:
        """`settings` are what is set now."""
        initial: dict[str, Any] = {name: getattr(settings, name) for name in self.base_fields}
        amounts = {name: getattr(settings, name) for name in _AMOUNTS}
        currencies = sorted({code for most in amounts.values() for code in most})
        for place, code in enumerate(currencies, 1):
            shown = {f"{name}_{place}": _shown(most[code]) for name, most in amounts.items() if code in most}
            initial |= {f"currency_{place}": code, **shown}
        super().__init__(data, initial=initial)
        typed = [int(name[9:]) for name in data or () if re.fullmatch(r"currency_[0-9]{1,2}", name)]
        count = max([len(currencies) + _SPARE, *typed])
        self.places = range(1, min(count, MOST_CURRENCIES) + 1)
        for place in self.places:
            self.fields[f"currency_{place}"] = _short("Currency", placeholder="NZD")
            for name, label in _AMOUNTS.items():
                self.fields[f"{name}_{place}"] = _short(label, inputmode="decimal")

    @property
    def limits(self) -> list[tuple[int, list[Any]]]:
        """For the template: (place, its fields)."""
        names = ("currency", *_AMOUNTS)
        return [(place, [self[f"{name}_{place}"] for name in names]) for place in self.places]

    def clean(self) -> dict[str, Any]:
        """A row says its currency and at least one amount, or nothing; and no currency stands twice."""
        given: dict[str, Any] = super().clean() or {}
        self._found: dict[str, dict[str, Decimal]] = {name: {} for name in _AMOUNTS}
        seen: set[str] = set()
        for place in self.places:
            currency = str(given.get(f"currency_{place}", "")).strip().upper()
            typed = {name: str(given.get(f"{name}_{place}", "")).strip() for name in _AMOUNTS}
            if not currency and not any(typed.values()):
                continue
            if not _CURRENCY.fullmatch(currency):
                self.add_error(f"currency_{place}", "A currency has a code of three letters, as NZD.")
            elif currency in seen:
                self.add_error(f"currency_{place}", f"{currency} stands in another row already.")
            elif not any(typed.values()):
                self.add_error(f"currency_{place}", "Give an amount for it, or empty the row.")
            seen.add(currency)
            for name, text in typed.items():
                amount = _amount(text)
                if text and amount is None:
                    self.add_error(f"{name}_{place}", "This is an amount, as 1000 or 1000.50.")
                elif amount is not None:
                    self._found[name][currency] = amount
        if given.get("lock_until") and given.get("period") == TeamGuards.Period.OFF:
            self.add_error("period", "Choose what is done up to the day that is given below, or empty that.")
        return given

    def settings(self) -> Settings:
        """What was typed."""
        found: dict[str, Any] = {name: dict(sorted(most.items())) for name, most in self._found.items()}
        return Settings(**found, **{name: self.cleaned_data[name] for name in self.base_fields})


def _shown(amount: Decimal) -> str:
    """With two places, or with as many as it has."""
    exact = f"{amount.normalize():,f}"
    return exact if len(exact.partition(".")[2]) > 2 else f"{amount:,.2f}"


def _amount(typed: str) -> Decimal | None:
    try:
        amount = Decimal(typed.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < _MOST and amount == round(amount, 4) else None
