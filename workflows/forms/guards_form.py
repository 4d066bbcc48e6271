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
#: Rows that are offered empty below those that are filled.
_SPARE = 2
_MOST = Decimal(10) ** 13
_CURRENCY = re.compile(r"[A-Z]{3}")


def _short(label: str, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", **attrs})
    return forms.CharField(label=label, required=False, max_length=40, widget=widget)


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

    def __init__(self, data: Any = None, *, settings: Settings) -> None:
        """`settings` are what is set now."""
        initial: dict[str, Any] = {"duplicates": settings.duplicates, "duplicate_days": settings.duplicate_days}
        for place, (currency, most) in enumerate(settings.largest.items(), 1):
            initial |= {f"currency_{place}": currency, f"largest_{place}": f"{most:,.2f}"}
        super().__init__(data, initial=initial)
        typed = [int(name[9:]) for name in data or () if re.fullmatch(r"currency_[0-9]{1,2}", name)]
        count = max([len(settings.largest) + _SPARE, *typed])
        self.places = range(1, min(count, MOST_CURRENCIES) + 1)
        for place in self.places:
            self.fields[f"currency_{place}"] = _short("Currency", placeholder="NZD")
            self.fields[f"largest_{place}"] = _short("Largest single amount", inputmode="decimal")

    @property
    def limits(self) -> list[tuple[int, Any, Any]]:
        """For the template: (place, currency, amount)."""
        return [(place, self[f"currency_{place}"], self[f"largest_{place}"]) for place in self.places]

    def clean(self) -> dict[str, Any]:
        """Each row says both or neither, and no currency twice."""
        given: dict[str, Any] = super().clean() or {}
        self._largest: dict[str, Decimal] = {}
        for place in self.places:
            currency = str(given.get(f"currency_{place}", "")).strip().upper()
            typed = str(given.get(f"largest_{place}", "")).strip()
            if not currency and not typed:
                continue
            if not _CURRENCY.fullmatch(currency):
                self.add_error(f"currency_{place}", "A currency has a code of three letters, as NZD.")
            elif currency in self._largest:
                self.add_error(f"currency_{place}", f"{currency} stands in another row already.")
            elif (amount := _amount(typed)) is None:
                self.add_error(
                    f"largest_{place}", "This is an amount, as 1000 or 1000.50. Empty both to have no limit."
                )
            else:
                self._largest[currency] = amount
        return given

    def settings(self) -> Settings:
        """What was typed."""
        given = self.cleaned_data
        return Settings(
            largest=dict(sorted(self._largest.items())),
            duplicates=given["duplicates"],
            duplicate_days=given["duplicate_days"],
        )


def _amount(typed: str) -> Decimal | None:
    try:
        amount = Decimal(typed.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < _MOST and amount == round(amount, 4) else None
