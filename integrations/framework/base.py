"""All that a connector builds on: Connector, Trigger, Action, Item, and what they are given.

An operation is one class: docstring, key, name, effect, sample, Inputs, methods. People read the docstring's first line
beside the name. Keys are stored in people's rows and never change; names may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from integrations.core.moments import DateForm
from integrations.framework.checks import Facts, Finding
from integrations.framework.connector_settings import ConnectorSettings
from integrations.framework.current import ListsOwn, Readable
from integrations.framework.recovery import Recoverable
from integrations.framework.undoable import Undoable
from integrations.schema.documents import Document, WrittenDocument
from integrations.schema.fields import Field
from integrations.schema.schema import Schema
from integrations.transport.http import ApiClient, Request, Response
from integrations.transport.token_set import OAuthEndpoints

if TYPE_CHECKING:
    from integrations.framework.webhook import Webhook
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

    `key` is its identity and alone decides whether it is new: the record's id, and if the item means a change, a colon
    and what has changed. `data` is what later steps can use. `cursor` is where a later poll may resume once this item
    is stored: it saves work and never decides what is new. `resume` is where a poll of every page may go on if it is
    interrupted after this item. `happened` is when the thing came into being, as the provider gives it (a day in the
    organisation's books, or a moment); None if it does not, or where the thing is deleted: such an item is never
    started by a backfill. With `is_event` False the key is only remembered as known.
    """

    key: str
    data: dict[str, Any]
    cursor: str | None = None
    resume: str | None = None
    happened: date | datetime | None = None
    is_event: bool = True

    @classmethod
    def mark(cls, *, cursor: str | None = None, resume: str | None = None) -> Item:
        """No item, only how far the poll has come; its key is empty."""
        return cls(key="", data={}, cursor=cursor, resume=resume, is_event=False)


@dataclass(frozen=True)
class Poll:
    """What a trigger is given to poll: the client, the cleaned inputs, the stored cursor, and what is known already.

    `known(keys)` returns which of the keys have been seen before, so that a poll can stop paging where a provider's
    order allows it. In the baseline, and in a thorough poll (once a day, and when a workflow joins), every page must be
    read: providers do not guarantee their orders, and skipped items must be found.

    `resume` is set if such a poll was interrupted: the last position that the trigger gave. With `wants_known` a poll
    that reads everything also gives what is known already. `since` is set if only what happened since that day is
    wanted, to count it; a trigger may then ask its provider for less. `newest` is set if only about that many of the
    newest items are wanted, to show them: nothing counts as known then, every item is an event, and a trigger reads a
    page or two, the newest first where its provider can sort.
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
    newest: int | None = None


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
    """What a write is about to delete, as the provider gave it. `title` says what it is, as "Board Summer recipes
    with 12 pins"; `content` is JSON."""

    title: str
    content: bytes


@dataclass(frozen=True)
class Confirmation:
    """What a person types when building a step that destroys something.

    It goes into the input `typed`, as text and never as a mapping: the name of what the input `target` chooses, exactly
    as the choices show it; or `sentence`, where the target is mapped and so differs by run.
    """

    target: str
    typed: str
    sentence: str


@dataclass(frozen=True)
class Record:
    """A kind of record that one step hands on to the next, as a contact.

    `ids` and `titles` are the paths at which outputs and items hold its id and what it is called, the best first.
    `finder` is the key of the action that finds or creates one from the inputs `asked`, all of which it then needs, and
    `find_help` says to people how it goes about that.
    """

    noun: str
    ids: tuple[str, ...]
    titles: tuple[str, ...] = ()
    finder: str = ""
    asked: tuple[str, ...] = ()
    find_help: str = ""


class Operation:
    """What triggers and actions share."""

    key: ClassVar[str]
    name: ClassVar[str]
    sample: ClassVar[Mapping[str, Any]]
    scopes: ClassVar[tuple[str, ...]] = ()
    #: Further words by which people look for it, beside its name and summary.
    words: ClassVar[tuple[str, ...]] = ()
    #: Further scopes that one value of an input needs: {"privacy": {"SECRET": ("boards:write_secret",)}}.
    scopes_of_values: ClassVar[Mapping[str, Mapping[str, tuple[str, ...]]]] = {}
    connector: ClassVar[Connector]

    class Inputs(Schema):
        """No inputs."""

    def sample_of(self, inputs: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """The sample for these stored inputs: of the shape and the sense of what they let through. Pure.

        `names` holds what lists call the ids among the inputs, by input, where that is known.
        """
        return self.sample

    @property
    def full_key(self) -> str:
        """`connector.key`, as people's workflows store it."""
        return f"{self.connector.key}.{self.key}"

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return (self.__doc__ or self.name).strip().splitlines()[0]

    def missing_scopes(self, granted: Iterable[str], values: Mapping[str, Any] | None = None) -> list[str]:
        """The scopes that this operation needs with these values of its inputs and the consent did not give."""
        has = set(granted)
        needed = [*self.scopes]
        for name, by_value in self.scopes_of_values.items():
            needed += by_value.get(str((values or {}).get(name)), ())
        return [scope for scope in dict.fromkeys(needed) if scope not in has]


class Trigger(Operation):
    """Notices something at a provider. Subclasses yield items; they never decide what is new by a clock."""

    noun: ClassVar[str] = "item"
    #: What has happened, to continue "When": "a quote is accepted". Empty if it is that there is a new item.
    happening: ClassVar[str] = ""
    #: The category of the provider's webhook events that makes this trigger due at once, as "INVOICE"; "" if none does.
    doorbell: ClassVar[str] = ""
    #: What says when a thing came into being, in people's words: "the date on the invoice". Empty if the provider gives
    #: nothing of the kind; then a backfill is not possible.
    dated_by: ClassVar[str] = ""

    def resource(self, item: Item) -> str:
        """The provider's id of the item's record, as an action's `identify` gives it."""
        return item.key.partition(":")[0]

    def poll(self, poll: Poll) -> Iterator[Item]:
        """Yield the items, in an order in which each item's cursor is safe once the item is stored."""
        raise NotImplementedError


class Door(StrEnum):
    """What may start a workflow whose trigger is not polled."""

    CLOCK = "clock"
    ADDRESS = "address"
    HAND = "hand"
    FILE = "file"
    API = "api"
    CALL = "call"


class Start(Trigger):
    """Starts one workflow without a provider and without a poll: by the clock, a call, a person, a file."""

    noun = "start"
    doors: ClassVar[frozenset[Door]] = frozenset()
    #: True if it brings values that nobody knows beforehand, so that no reference to them can be reported as wrong.
    is_open: ClassVar[bool] = False

    def poll(self, poll: Poll) -> Iterator[Item]:
        """Nothing: it is not polled."""
        return iter(())

    def fields(self, inputs: Mapping[str, Any]) -> tuple[Field, ...]:
        """The values to give when starting it, as the trigger's stored inputs declare them. Wrong declarations are left
        out; cleaning the inputs reports them.
        """
        return ()

    def declaring(self, fields: Iterable[tuple[Field, str]]) -> dict[str, Any]:
        """The inputs that declare these values, each with an example; empty if it declares none."""
        return {}

    def asked(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        """The names of the inputs that matter with these values; a form leaves the others out."""
        return frozenset(each.name for each in self.Inputs.fields())

    def title(self, data: Mapping[str, Any]) -> str:
        """The title in lists of a run with this data; empty if its values are a better one."""
        return ""


class Action(Operation, Recoverable, Readable, Undoable):
    """Does something at a provider.

    Actions that read implement `run`. Actions that write implement `request`, `output`, `find`, and make exactly one
    write: what they must read first is read in `prepare`, whose result `request` gets as `writing.found`. How a write
    without a clear answer is settled is declared in `recovery.py`, how what it wrote is read again in `current.py`,
    how it is taken back in `undoable.py`.
    """

    effect: ClassVar[Effect]
    #: What a person has to type before the step can be saved; None for all but the most destructive.
    confirmation: ClassVar[Confirmation | None] = None
    #: Of a supplier's bill, the input that holds the supplier's number; "" for everything else.
    bill_number: ClassVar[str] = ""
    #: The input that holds the day on which it counts in the books; left empty there, it is the day of writing.
    posted_on: ClassVar[str] = ""

    def run(self, api: ApiClient, inputs: Any) -> dict[str, Any]:
        """Read, and return what later steps can use."""
        raise NotImplementedError

    def prepare(self, api: ApiClient, inputs: Any) -> Any:
        """Read what the write depends on; nothing by default."""
        return None

    def lock_key(self, inputs: Any) -> str:
        """The record that only one run at a time may change, as "/Invoices/<id>", because it is read first and then
        written as a whole; empty if runs do not conflict. Pure.
        """
        return ""

    def settled(self, inputs: Any, found: Any) -> dict[str, Any] | None:
        """The output if `prepare` found that there is nothing to write, as a contact that exists already; None if the
        write goes ahead. Pure.
        """
        return None

    def remember(self, found: Any) -> dict[str, Any]:
        """What of `found` becomes part of the output, because the answer to the write lacks it: a deletion has an empty
        answer. Stored before the write is sent.
        """
        return {}

    def backup(self, found: Any) -> Backup | None:
        """What of `found` is kept before the write is sent, because the write deletes it; None if nothing is."""
        return None

    def request(self, inputs: Any, writing: Writing) -> Request:
        """Exactly what will be sent. Pure: the same inputs and marker give the same bytes."""
        raise NotImplementedError

    def output(self, response: Response) -> dict[str, Any]:
        """What later steps can use, from a 2xx answer. Raises RejectedError if a 2xx reports a refusal."""
        raise NotImplementedError

    def read_back(self, api: ApiClient, inputs: Any, output: dict[str, Any]) -> dict[str, Any]:
        """The output with what can only be read after the write, as the stock after a receipt; by default as it is.

        Reads only. The write has happened by then, so an error raised here undoes nothing: the engine goes on with the
        output as it was and puts the error's sentence into its `warning`.
        """
        return output

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        """The address of the object at the provider, for people; empty if there is none."""
        return ""

    def describe(self, output: Mapping[str, Any]) -> str:
        """The object in a few words for lists and mails, as "Invoice INV-0007, 40.00 NZD"."""
        return self.name

    def checks(self, facts: Facts, inputs: Any, found: Any) -> Iterable[Finding]:
        """What the provider would refuse of this write, and what is doubtful. `found` is what `prepare` returned, None
        where it was not called or refused. Reads only through `facts`, within `facts.tried`; repeats nothing of
        `Inputs.check`."""
        return ()

    def document(self, inputs: Any, organisation: Mapping[str, Any]) -> Document | None:
        """What would be written, for people, from the cleaned inputs and the connection's details alone; None where
        there is nothing to show beyond the inputs."""
        return None

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument | None:
        """Number, day and totals as the provider wrote them; None if it gives none."""
        return None


@dataclass(frozen=True)
class Account:
    """One organisation or account that a consent covers, as the page after the consent lists it."""

    external_id: str
    name: str
    provider_connection_id: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class Connector(ListsOwn):
    """The package for one provider. `integrations/<key>/connector.py` holds its one instance, `connector`."""

    key: ClassVar[str]
    name: ClassVar[str]
    #: What a connection represents, in one word: "organisation", "account".
    account_noun: ClassVar[str]
    client_class: ClassVar[type[ApiClient]]
    #: False if there is no provider to consent at: steps have no connection, and `client_class` is made with None.
    #: Such a client raises no ReconnectError.
    needs_connection: ClassVar[bool] = True
    operations: ClassVar[tuple[type[Operation], ...]]
    #: The provider's webhook; None if it has none.
    webhook: ClassVar[Webhook | None] = None
    #: The field of items and outputs that says, by the provider's clock, when a record last changed; "" if none does.
    changed_field: ClassVar[str] = ""
    #: Headers of the provider's answers, in lower case, that are kept with a step beside the usual ones: the id by
    #: which its support finds a call, the calls left of a limit.
    kept_headers: ClassVar[frozenset[str]] = frozenset()
    #: The records that steps hand on, by the name that `choices(record=…)` gives them.
    records: ClassVar[Mapping[str, Record]] = {}
    #: The provider's own formats of days and moments; each reads a text, and gives None for any other.
    date_forms: ClassVar[tuple[DateForm, ...]] = ()
    #: What its package's `settings.py` declares; set by the registry.
    declared: ConnectorSettings

    def closed(self) -> str:
        """Why it cannot be used in this installation now, as a sentence that says whom to ask; else empty."""
        return ""

    def oauth(self) -> OAuthEndpoints:
        """The token endpoint and this installation's app there."""
        raise NotImplementedError

    def accounts(self, access_token: str) -> list[Account]:
        """What this consent covers. Raises the five errors."""
        raise NotImplementedError

    def details(self, api: ApiClient) -> dict[str, Any]:
        """Facts of the organisation for forms and checks (currency, time zone, lock dates); JSON-able."""
        return {}

    def disconnect(self, access_token: str, connection: Connection) -> None:
        """End this connection at the provider, if it offers that."""

    def token_rejected(self, status: int, body: Mapping[str, Any]) -> bool:
        """Whether a refused refresh means that a person must consent again (Xero: `invalid_grant`)."""
        return body.get("error") == "invalid_grant"
