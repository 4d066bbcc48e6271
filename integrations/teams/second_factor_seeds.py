"""The seeds of second factors, encrypted with the key ring of TOKEN_KEYS where allauth stores them.

Whoever reads a seed can make that person's codes from then on, so the database must not hold one unencrypted.
allauth keeps them inside a JSON column of its own table and asks its adapter before each is stored and read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.core.exceptions import ValidationError

from integrations.core.encryption import UndecryptableError, decrypt, encrypt

_SEEDS = ("secret", "seed")  # of an app, of recovery codes
_LISTS = ("migrated_codes",)


class UnreadableSeedError(ValidationError):
    """No key decrypts a seed. A form that asks for a code shows this instead of an error page."""

    silent_variable_failure = True  # a page that only counts codes still opens

    def __init__(self) -> None:
        super().__init__(
            "This code cannot be checked, because Pinxero's key for second factors is missing. Ask whoever runs "
            "Pinxero to put the key back into TOKEN_KEYS, or to reset your second factor."
        )


class SeedAdapter(DefaultMFAAdapter):
    """allauth's, with its hooks for encryption filled in."""

    def encrypt(self, text: str) -> str:
        """Under the first key."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """With any key. Raises UnreadableSeedError; ciphertext is never used as a seed."""
        try:
            return decrypt(encrypted_text)
        except UndecryptableError as error:
            raise UnreadableSeedError from error


def with_seeds(data: dict[str, Any], turn: Callable[[str], str]) -> dict[str, Any]:
    """What allauth stores of one second factor, with `turn` applied to each secret in it and the rest unchanged."""
    turned = {key: turn(data[key]) for key in _SEEDS if key in data}
    lists = {key: [turn(each) for each in data[key]] for key in _LISTS if key in data}
    return {**data, **turned, **lists}
