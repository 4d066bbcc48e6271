"""All the vocabulary a connector needs: Connector, Trigger, Action, Item, and what they are given.

An operation is one class: docstring, key, name, effect, sample, Inputs, methods. The docstring's first line is what
people read beside the name. Keys sit in people's rows and are for ever; names may change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from integrations.documents import Answered, Document
from integrations.fields import Field
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema

if TYPE_CHECKING:
    from integrations.models import Connection
    from integrations.notices import Webhook


class Effect(StrEnum):
    """What an action does to the provider's data; it drives preview, approval and undo."""

    READS = "reads"
    CREATES = "creates"
    UPDATES = "updates"
    DELETES = "deletes"


@dataclass(frozen=True)
class Item:
    """One thing that a trigger noticed.

    `key` is its identity and alone decides whether it is new: the record's id, and where the meaning is a change, a
    colon and what has changed. `data` is what later steps can use. `cursor` is where a
    later poll may resume once this item is stored: it saves work and never decides newness. `resume` is where a reading
    of every page may go on if it is broken off after this item. `happened` is when the thing came to be, as the
    provider tells it (a day in the organisation's books, or a moment); None where it does not, or where the thing is
    gone: such an item is never released by "start from". With `is_event` False the key is only to be known from now on.
    """

    key: str
    data: dict[str, Any]
    cursor: str | None = None
    resume: str | None = None
    happened: date | datetime | None = None
    is_event: bool = True

    @classmethod
    def mark(cls, *, cursor: str | None = None, resume: str | None = None) -> Item:
        """Nothing to know, only how far the reading has come; its key is empty."""
        return cls(key="", data={}, cursor=cursor, resume=resume, is_event=False)


@dataclass(frozen=True)
class Poll:
    """What a trigger is given to look: the client, the cleaned inputs, the stored cursor, and what is known already.

    `known(keys)` tells which of the keys have been seen before, so that a poll can stop paging where a provider's
    order allows it. In the baseline, and in a thorough poll (once a day, and when a workflow joins), every page must be
    read: providers' orders are not promises, and what was passed over has to be found.

    `resume` is set where such a reading was broken off: the mark that the trigger gave last. With `wants_known` a poll
    that reads everything gives what is known already too. `since` is set where only what happened since that day is
    asked for, to count it; a trigger may then ask its provider for less.
    """

    api: ApiClient
    inputs: Any
    cursor: str | None
    known: Callable[[Iterable[str]], set[str]]
    is_baseline: bool
    is_thorough: bool = False
    resume: str = ""
    wants_known: bool = False
    since: date | None = None


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


@dataclass(frozen=True)
class Backup:
    """What a write is about to take away, as the provider gave it. `title` says what it is, as "Board Summer recipes
    with 12 pins"; `content` is JSON."""

    title: str
    content: bytes


@dataclass(frozen=True)
class Confirmation:
    """What a person types when building a step that destroys something.

    It goes into the input `typed`, as text and never as a mapping: the name of what the input `target` chooses, letter
    by letter as the choices show it; or `sentence`, where the target is mapped and so decided by each run.
    """

    target: str
    typed: str
    sentence: str


class Operation:
    """What triggers and actions share."""

    key: ClassVar[str]
    name: ClassVar[str]
    sample: ClassVar[Mapping[str, Any]]
    scopes: ClassVar[tuple[str, ...]] = ()
    #: Scopes that one value of an input needs besides: {"privacy": {"SECRET": ("boards:write_secret",)}}.
    scopes_of_values: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {}
    connector: ClassVar[Connector]

    class Inputs(Schema):
        """No inputs."""

    def sample_of(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The sample with these inputs as they are stored; the same for all where they do not change its shape."""
        return self.sample

    @property
    def full_key(self) -> str:
        """`connector.key`, as it stands in people's workflows."""
        return f"{self.connector.key}.{self.key}"

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return (self.__doc__ or self.name).strip().splitlines()[0]

    def missing_scopes(self, granted: Iterable[str], values: Mapping[str, Any] | None = None) -> list[str]:
        """The scopes this operation needs, with these values of its inputs, and the consent did not give."""
        has = set(granted)
        needed = [*self.scopes]
        for name, by_value in self.scopes_of_values.items():
            needed += by_value.get(str((values or {}).get(name)), ())
        return [scope for scope in dict.fromkeys(needed) if scope not in has]


class Trigger(Operation):
    """Notices something at a provider. Subclasses yield items; they never decide what is new by a clock."""

    noun: ClassVar[str] = "item"
    #: The category of the provider's notices that makes this trigger due at once, as "INVOICE"; "" where none does.
    doorbell: ClassVar[str] = ""
    #: What tells when a thing came to be, in people's words: "the date on the invoice". Empty where the provider tells
    #: nothing of the kind; then nothing of the past can be released.
    dated_by: ClassVar[str] = ""

    def resource(self, item: Item) -> str:
        """The provider's id of the record that the item is about, as an action's `identify` gives it."""
        return item.key.partition(":")[0]

    def poll(self, poll: Poll) -> Iterator[Item]:
        """Yield what is there, in an order in which each item's cursor is safe once the item is stored."""
        raise NotImplementedError


class Door(StrEnum):
    """By what a workflow that nobody polls for may be started."""

    CLOCK = "clock"
    ADDRESS = "address"
    HAND = "hand"
    FILE = "file"
    API = "api"
    CALL = "call"


class Start(Trigger):
    """Starts one workflow, without a provider and without looking anywhere: by the clock, a call, a person, a file."""

    noun = "start"
    doors: ClassVar[frozenset[Door]] = frozenset()
    #: True where it brings values that nobody knows beforehand, so that no reference to them can be called wrong.
    is_open: ClassVar[bool] = False

    def poll(self, poll: Poll) -> Iterator[Item]:
        """Nothing: nobody polls it."""
        return iter(())

    def fields(self, inputs: Mapping[str, Any]) -> tuple[Field, ...]:
        """The values that whoever starts it gives, as the trigger's stored inputs declare them. Wrong ones are left
        out; cleaning the inputs tells of them."""
        return ()

    def asked(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        """The names of the inputs that matter beside these; a form leaves the others out."""
        return frozenset(each.name for each in self.Inputs.fields())

    def title(self, data: Mapping[str, Any]) -> str:
        """What a run with this data is called in lists; empty where its values say it best."""
        return ""


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
    #: False where what was written cannot be looked up by any means: then nothing uncertain is settled by itself.
    has_lookup: ClassVar[bool] = True
    #: Why `undo()` never gives a request, as a sentence for people; empty where it may.
    no_undo: ClassVar[str] = ""
    #: What a person has to type before the step can be saved; None for all but the most destructive.
    confirmation: ClassVar[Confirmation | None] = None

    def run(self, api: ApiClient, inputs: Any) -> dict[str, Any]:
        """Read, and give what later steps can use."""
        raise NotImplementedError

    def prepare(self, api: ApiClient, inputs: Any) -> Any:
        """Read what the write depends on; nothing by default."""
        return None

    def turn(self, inputs: Any) -> str:
        """What at the provider only one run at a time may change, as "/Invoices/<id>", because it is read first and
        then written as a whole; empty where runs are not in each other's way. Pure."""
        return ""

    def settled(self, inputs: Any, found: Any) -> dict[str, Any] | None:
        """The output where `prepare` found that there is nothing to write, as a contact that is there already; None
        where the write goes ahead. Pure."""
        return None

    def remember(self, found: Any) -> dict[str, Any]:
        """What of `found` becomes part of the output, because the answer to the write does not tell it: a deletion is
        answered with nothing. Stored before the write is sent."""
        return {}

    def backup(self, found: Any) -> Backup | None:
        """What of `found` is kept before the write is sent, because the write takes it away; None where nothing is."""
        return None

    def request(self, inputs: Any, writing: Writing) -> Request:
        """Exactly what will be sent. Pure: the same inputs and marker give the same bytes."""
        raise NotImplementedError

    def output(self, response: Response) -> dict[str, Any]:
        """What later steps can use, from a 2xx answer. Raises RejectedError where a 2xx says no."""
        raise NotImplementedError

    def read_back(self, api: ApiClient, inputs: Any, output: dict[str, Any]) -> dict[str, Any]:
        """The output with what can only be read after the write, as the stock after a receipt; by default as it is.

        Reads only. The write has happened by then, so what this raises undoes nothing: the engine goes on with the
        output as it was and puts the sentence into its `warning`.
        """
        return output

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
    #: False where there is no provider to consent at: steps have no connection, and `client_class` is made with None.
    #: Such a client raises no ReconnectError.
    needs_connection: ClassVar[bool] = True
    operations: ClassVar[tuple[type[Operation], ...]]
    #: Where the provider gives notice of changes; None where it gives none.
    webhook: ClassVar[Webhook | None] = None
    #: The field of items and outputs that tells, by the provider's clock, when a record changed last; "" where none.
    changed_field: ClassVar[str] = ""

    def closed(self) -> str:
        """Why nothing of it can be used in this installation now, as a sentence that says whom to ask; else empty."""
        return ""

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
