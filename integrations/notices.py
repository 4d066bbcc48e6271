"""What a provider's webhook tells, and how it proves that it is the provider: pure, for connectors to fill in.

A notice is thin. It says that something about a record changed, never what; nothing in it is believed but that it is
worth a look. https://developer.xero.com/documentation/guides/webhooks/overview/ is the model.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class UnreadableError(Exception):
    """A delivery with a good signature whose body is not what the provider describes."""


@dataclass(frozen=True)
class Notice:
    """Something about a record changed.

    `organisation` is the provider's id, as `Connection.external_id` holds it. `category` is what triggers name as their
    doorbell. `told_at` is the provider's own time as it wrote it: with the rest it tells two notices apart.
    """

    organisation: str
    category: str
    resource_id: str
    change: str
    told_at: str


@dataclass(frozen=True)
class Delivery:
    """The notices of one request. `first` and `last` number all that it carries, known or not; 0 where unnumbered."""

    notices: tuple[Notice, ...]
    first: int = 0
    last: int = 0


class Webhook:
    """One address at which a provider gives notice, for all its organisations and all our workflows."""

    #: The request header that carries the signature.
    header: ClassVar[str]
    #: Where a person sets it up at the provider, for the connection's page: "example.com, your app, Webhooks".
    place: ClassVar[str]
    #: What a person chooses there, as "contacts and invoices", and presses to have the address proved.
    wanted: ClassVar[str]
    proof: ClassVar[str]
    #: The setting that takes the signing key.
    setting: ClassVar[str]

    def keys(self) -> Sequence[str]:
        """The signing keys that count now, several while one replaces another; none where it is not set up."""
        raise NotImplementedError

    def sign(self, body: bytes, key: str) -> str:
        """The signature that the provider gives this body with that key."""
        raise NotImplementedError

    def read(self, body: bytes) -> Delivery:
        """What a body tells; what is of unknown kind in it is left out. Raises UnreadableError."""
        raise NotImplementedError

    def signed_by(self, body: bytes, signature: str) -> str | None:
        """The key with which the body was signed, None where no key of ours was. Takes as long whichever it is."""
        given = signature.encode("latin-1", "replace")
        found = None
        for key in self.keys():
            if hmac.compare_digest(self.sign(body, key).encode("latin-1", "replace"), given):
                found = key
        return found
