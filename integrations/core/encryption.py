"""Encryption of tokens at rest: a ring of Fernet keys from the environment; it fails closed.

The first key of TOKEN_KEYS encrypts, every key decrypts, so a key is rotated by putting a new one in front and running
`manage.py rotate_keys`. The keys are never derived from SECRET_KEY: a leaked SECRET_KEY must not open the tokens. A
value that no key opens raises UndecryptableError instead of being used as text, so ciphertext is never sent to a
provider.

A stored value is decrypted when its attribute is read, not when its row is: hardly any reader of a row needs its
tokens, and a page that shows none must work if the keys are lost. The price: reading the attribute raises the error.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute


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
    """The key ring as configured now. Raises ImproperlyConfigured if it is missing or invalid."""
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


@dataclass(frozen=True)
class Sealed:
    """A stored value as it came from the database, still encrypted. It is not a str, so that it cannot be sent by
    mistake.
    """

    ciphertext: str = field(repr=False)

    def open(self) -> str:
        """The text. Raises UndecryptableError when no key opens it."""
        return decrypt(self.ciphertext)

    def __str__(self) -> str:
        return "(sealed)"

    __repr__ = __str__


class _OpenedOnAccess(DeferredAttribute):
    """The attribute of an encrypted field: decrypts once, at the first read."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = value.open()
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):
    """Text that is ciphertext in the database. Empty stays empty; it cannot be searched."""

    descriptor_class = _OpenedOnAccess

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return _under_the_first_key(value)
        value = super().get_prep_value(value)
        return value if value in (None, "") else encrypt(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | str | None:
        return value if value in (None, "") else Sealed(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """A value that was not decrypted is stored as it is, so that a row can be saved if the keys are lost."""
        value = model_instance.__dict__.get(self.attname)
        return value if isinstance(value, Sealed) else super().pre_save(model_instance, add)

    def value_to_string(self, obj: models.Model) -> str:
        """Empty: a file of `dumpdata` holds no token. Connections loaded from it must be connected again."""
        return ""

    def get_lookup(self, lookup_name: str) -> Any:
        """Ciphertext can only be queried for being empty."""
        if lookup_name not in ("isnull",):
            raise FieldError(f"{self.name} is encrypted and cannot be searched by {lookup_name}.")
        return super().get_lookup(lookup_name)


def _under_the_first_key(value: Sealed) -> str:
    """With an older key, a row that a rotation has already re-encrypted could get that key's ciphertext again."""
    try:
        return encrypt(value.open())
    except UndecryptableError:
        return value.ciphertext


def open_secrets(row: models.Model) -> None:
    """Decrypt what is encrypted in a row, for callers about to need it. Raises UndecryptableError."""
    for each in row._meta.concrete_fields:
        if isinstance(each, EncryptedTextField):
            getattr(row, each.attname)
