"""The forms of the pages about people."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.models import Role
from integrations.people.members import CHOOSABLE, role_name


class _Form(forms.Form):
    """Errors reach screen readers; the template draws it field by field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        kwargs.setdefault("use_required_attribute", False)
        super().__init__(*args, **kwargs)

    def full_clean(self) -> None:
        """Marks the fields with errors."""
        super().full_clean()
        for name in self.errors.keys() & self.fields.keys():
            self.fields[name].widget.attrs["aria-invalid"] = "true"


def _reason(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="Why?",
        max_length=500,
        error_messages={"required": "Say why; it is kept in the record of activity."},
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class MemberForm(_Form):
    """A role, until when, and why."""

    role = forms.ChoiceField(label="Role", choices=Role.choices, error_messages={"required": "Choose a role."})
    until = forms.DateField(
        label="Last day",
        required=False,
        error_messages={"invalid": "Give a day such as 2026-11-30, or leave it empty."},
        help_text="For somebody who is here for a while, such as an external auditor. Empty: no end.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    reason = _reason("Kept in the record of activity, with your name and the time.")

    def clean_until(self) -> date | None:
        """Not a day that is over."""
        day: date | None = self.cleaned_data["until"]
        if day is not None and day < timezone.localdate():
            raise ValidationError("This day is over. To end it now, remove the person.")
        return day


class InvitationForm(MemberForm):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        error_messages={"required": "Give the address that the invitation goes to."},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.AUDITOR)

    field_order = ["email", "role", "until", "reason"]


class SecondFactorForm(_Form):
    """Which roles need a second factor."""

    roles = forms.MultipleChoiceField(
        label="Who else needs one?",
        required=False,
        choices=[(role.value, role_name(role)) for role in CHOOSABLE],
        help_text="Whoever has none yet is asked for it on every page, and can do nothing else once the days are over.",
        widget=forms.CheckboxSelectMultiple,
    )
    reason = _reason("Kept in the record of activity, with your name and the time.")


class ReasonForm(_Form):
    """Why somebody is removed."""

    reason = _reason("Kept in the record of activity, with your name and the time.")


class NewAccountForm(_Form):
    """The account of somebody who accepts an invitation."""

    username = forms.CharField(
        label="Username",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        error_messages={"required": "Choose a name to sign in with."},
        help_text="Colleagues see it beside what you do.",
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        error_messages={"required": "Choose a password."},
        help_text="At least 12 characters; a sentence is easiest to keep in mind.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Password again",
        strip=False,
        error_messages={"required": "Type the password a second time."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_username(self) -> str:
        """A name that nobody has, however it is written, neither as a name nor as an address to sign in with."""
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists() or User.objects.filter(email__iexact=name).exists():
            raise ValidationError("This name is taken. Choose another.")
        return name

    def clean(self) -> dict[str, Any]:
        """The passwords are equal and good."""
        data: dict[str, Any] = super().clean() or {}
        password = data.get("password")
        if password:
            if data.get("again") and password != data["again"]:
                self.add_error("again", "The two passwords differ.")
            try:
                validate_password(password, User(username=data.get("username", ""), email=self.email))
            except ValidationError as error:
                self.add_error("password", error)
        return data
