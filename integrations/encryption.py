"""Encryption of tokens at rest: a ring of Fernet keys from the environment, closed when anything is wrong.

The first key of TOKEN_KEYS encrypts, every key decrypts, so a key is rotated by putting a new one in front and running
`manage.py rotate_keys`. The keys are never derived from SECRET_KEY: a leaked SECRET_KEY must not open the tokens. A
value that no key opens raises UndecryptableError instead of passing as text, so ciphertext is never sent to a provider.
"""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models


class UndecryptableError(Exception):
    """A stored secret opens with none of the keys in TOKEN_KEYS."""


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("TOKEN_KEYS is empty: tokens cannot be stored. Set it to one or more Fernet keys.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("TOKEN_KEYS holds something that is not a Fernet key.") from error


def ring() -> MultiFernet:
    """The key ring as configured now. Raises ImproperlyConfigured where it is missing or broken."""
    return _ring(tuple(settings.TOKEN_KEYS))


def encrypt(text: str) -> str:
    """Text to ciphertext under the first key."""
    return ring().encrypt(text.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """Ciphertext to text. Raises UndecryptableError when no key opens it."""
    try:
        return ring().decrypt(ciphertext.encode()).decode()
    except InvalidToken as error:
        raise UndecryptableError("A stored token cannot be opened with the keys in TOKEN_KEYS.") from error


class EncryptedTextField(models.TextField):
    """Text that is ciphertext in the database. Empty stays empty; it cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value in (None, "") else encrypt(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return value if value in (None, "") else decrypt(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Nothing: a file of `dumpdata` holds no token. What is loaded from it has to be connected again."""
        return ""

    def get_lookup(self, lookup_name: str) -> Any:
        """Only emptiness can be asked of ciphertext."""
        if lookup_name not in ("isnull",):
            raise FieldError(f"{self.name} is encrypted and cannot be searched by {lookup_name}.")
        return super().get_lookup(lookup_name)
