"""A provider's webhook: how to verify and read it. Pure; each connector fills it in.

An event is thin: it says that something about a record changed, not what. We trust nothing in it except that a poll is
worthwhile. https://developer.xero.com/documentation/guides/webhooks/overview/ is the model.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class UnreadableError(Exception):
    """A delivery with a valid signature whose body is not what the provider documents."""


@dataclass(frozen=True)
class WebhookEvent:
    """Something about a record changed.

    `organisation` is the provider's id, as `Connection.external_id` holds it. `category` is what triggers name as their
    `doorbell`. `told_at` is the provider's own timestamp, unparsed: with the other fields it distinguishes two events.
    """

    organisation: str
    category: str
    resource_id: str
    change: str
    told_at: str


@dataclass(frozen=True)
class Delivery:
    """The events of one request. `first` and `last` number everything it carries, known or not; 0 if unnumbered."""

    events: tuple[WebhookEvent, ...]
    first: int = 0
    last: int = 0


class Webhook:
    """One address for a provider's webhooks, for all its organisations and all our workflows."""

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
        """The valid signing keys, several while one replaces another; empty if it is not set up."""
        raise NotImplementedError

    def sign(self, body: bytes, key: str) -> str:
        """The signature that the provider gives this body with that key."""
        raise NotImplementedError

    def read(self, body: bytes) -> Delivery:
        """The events in a body; unknown kinds are left out. Raises UnreadableError."""
        raise NotImplementedError

    def signed_by(self, body: bytes, signature: str) -> str | None:
        """The key with which the body was signed, None if it is none of ours. Takes constant time."""
        given = signature.encode("latin-1", "replace")
        found = None
        for key in self.keys():
            if hmac.compare_digest(self.sign(body, key).encode("latin-1", "replace"), given):
                found = key
        return found
