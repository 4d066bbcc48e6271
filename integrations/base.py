"""All the vocabulary a connector needs: Connector, Trigger, Action, Item, and what they are given.

An operation is one class: docstring, key, name, effect, sample, Inputs, methods. The docstring's first line is what
people read beside the name. Keys sit in people's rows and are for ever; names may change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from integrations.documents import Answered, Document
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema

if TYPE_CHECKING:
    from integrations.models import Connection


class Effect(StrEnum):
    """What an action does to the provider's data; it drives preview, approval and undo."""

    READS = "reads"
    CREATES = "creates"
    UPDATES = "updates"
    DELETES = "deletes"


@dataclass(frozen=True)
class Item:
    """One thing that a trigger noticed.

    `key` is its identity and alone decides whether it is new. `data` is what later steps can use. `cursor` is where a
    later poll may resume once this item is stored: it saves work and never decides newness.
    """

    key: str
    data: dict[str, Any]
    cursor: str | None = None


@dataclass(frozen=True)
class Poll:
    """What a trigger is given to look: the client, the cleaned inputs, the stored cursor, and what is known already.

    `known(keys)` tells which of the keys have been seen before, so that a poll can stop paging where a provider's
    order allows it. In the baseline, and in a thorough poll (once a day, and when a workflow joins), every page must be
    read: providers' orders are not promises, and what was passed over has to be found.
    """

    api: ApiClient
    inputs: Any
    cursor: str | None
    known: Callable[[Iterable[str]], set[str]]
    is_baseline: bool
    is_thorough: bool = False


@dataclass(frozen=True)
class Writing:
    """What a write action may put into its request beside the inputs.

    `marker` is unique to this step run; a write carries it where the provider keeps it, so that `find()` can tell
    whether the write happened. `back_link` is the address of the run page, ending in the marker. `found` is what
    `prepare()` returned.
    """

    marker: str
    back_link: str
    organisation: Mapping[str, Any] = field(default_factory=dict)
    found: Any = None


class Operation:
    """What triggers and actions share."""

    key: ClassVar[str]
    name: ClassVar[str]
    sample: ClassVar[Mapping[str, Any]]
    scopes: ClassVar[tuple[str, ...]] = ()
    connector: ClassVar[Connector]

    class Inputs(Schema):
        """No inputs."""

    @property
    def full_key(self) -> str:
        """`connector.key`, as it stands in people's workflows."""
        return f"{self.connector.key}.{self.key}"

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return (self.__doc__ or self.name).strip().splitlines()[0]

    def missing_scopes(self, granted: Iterable[str]) -> list[str]:
        """The scopes this operation needs and the consent did not give."""
        has = set(granted)
        return [scope for scope in self.scopes if scope not in has]


class Trigger(Operation):
    """Notices something at a provider. Subclasses yield items; they never decide what is new by a clock."""

    noun: ClassVar[str] = "item"
    #: The category of the provider's notices that makes this trigger due at once, as "INVOICE"; "" where none does.
    doorbell: ClassVar[str] = ""

    def poll(self, poll: Poll) -> Iterator[Item]:
        """Yield what is there, in an order in which each item's cursor is safe once the item is stored."""
        raise NotImplementedError


class Action(Operation):
    """Does something at a provider.

    Actions that read implement `run`. Actions that write implement `request`, `output`, `find`, and make exactly one
    write: what they must read first happens in `prepare`, whose result is handed to `request` as `writing.found`.
    """

    effect: ClassVar[Effect]
    #: Seconds for which the provider answers a repeated Idempotency-Key with the first answer; 0 where it takes none.
    key_window: ClassVar[float] = 0
    #: True where a write that happened is certainly found by `find()` after the settling time.
    lookup_reliable: ClassVar[bool] = False
    #: Why `undo()` never gives a request, as a sentence for people; empty where it may.
    no_undo: ClassVar[str] = ""

    def run(self, api: ApiClient, inputs: Any) -> dict[str, Any]:
        """Read, and give what later steps can use."""
        raise NotImplementedError

    def prepare(self, api: ApiClient, inputs: Any) -> Any:
        """Read what the write depends on; nothing by default."""
        return None

    def request(self, inputs: Any, writing: Writing) -> Request:
        """Exactly what will be sent. Pure: the same inputs and marker give the same bytes."""
        raise NotImplementedError

    def output(self, response: Response) -> dict[str, Any]:
        """What later steps can use, from a 2xx answer. Raises RejectedError where a 2xx says no."""
        raise NotImplementedError

    def find(self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        """Every object at the provider that carries the marker, each as `output` would give it. Reads only.

        `since` is when the write was first sent: nothing older can be it, so a lookup may start there.
        """
        raise NotImplementedError

    def identify(self, output: Mapping[str, Any]) -> str:
        """The provider's id of the object written."""
        return ""

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        """The address at which a person sees the object at the provider; empty where there is none."""
        return ""

    def describe(self, output: Mapping[str, Any]) -> str:
        """The object in a few words for lists and mails, as "Invoice INV-0007, 40.00 NZD"."""
        return self.name

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """The one request that takes the write back (voids, deletes, archives); None where the provider has no way.

        `output` is what the write gave; what may have changed since is read. It sends nothing. Raises RejectedError
        with the sentence to show where the object is in a state in which the provider does not take it back.
        """
        return None

    def document(self, inputs: Any, organisation: Mapping[str, Any]) -> Document | None:
        """What would be written, for people, from the cleaned inputs and the connection's details alone; None where
        there is nothing to show beyond the inputs."""
        return None

    def answered(self, output: Mapping[str, Any]) -> Answered | None:
        """Number, day and totals as the provider wrote them; None where it tells none."""
        return None


@dataclass(frozen=True)
class Account:
    """One organisation or account that a consent reaches, as the page after the consent lists it."""

    external_id: str
    name: str
    provider_connection_id: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OAuthEndpoints:
    """Where and as whom tokens are had from a provider. `extra_token_fields` go into every token request."""

    token_url: str
    client_id: str
    client_secret: str
    revoke_url: str = ""
    extra_token_fields: Mapping[str, str] = field(default_factory=dict)


class Connector:
    """The package that knows one provider. `integrations/<key>/connector.py` holds its one instance, `connector`."""

    key: ClassVar[str]
    name: ClassVar[str]
    #: What a connection stands for, in one word: "organisation", "account".
    account_noun: ClassVar[str]
    client_class: ClassVar[type[ApiClient]]
    operations: ClassVar[tuple[type[Operation], ...]]

    def oauth(self) -> OAuthEndpoints:
        """The token endpoint and this installation's app there."""
        raise NotImplementedError

    def accounts(self, access_token: str) -> list[Account]:
        """What this consent reaches. Raises the five errors."""
        raise NotImplementedError

    def details(self, api: ApiClient) -> dict[str, Any]:
        """Facts of the organisation for forms and checks (currency, time zone, lock dates); JSON-able."""
        return {}

    def disconnect(self, access_token: str, connection: Connection) -> None:
        """Tell the provider that this connection is over, where it has a way."""

    def token_rejected(self, status: int, body: Mapping[str, Any]) -> bool:
        """Whether a refused refresh means that a person must consent again (Xero: `invalid_grant`)."""
        return body.get("error") == "invalid_grant"
