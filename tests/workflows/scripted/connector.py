"""The scripted provider: a book of what was written, a script of what it does with the next calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from integrations.core.errors import IntegrationError
from integrations.core.exact_json import dumps
from integrations.framework.base import Account, Action, Connector, Effect, Item, OAuthEndpoints, Poll, Trigger, Writing
from integrations.schema.documents import Document, DocumentLine, Named, Totals, WrittenDocument
from integrations.schema.schema import Schema
from integrations.schema.schema import field as input_field
from integrations.transport.call_budget import Limits
from integrations.transport.http import ApiClient, Request, Response


@dataclass
class Provider:
    """What the provider holds and will do. `script` entries are taken one per write; none left means "behave"."""

    books: list[dict[str, Any]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    script: list[str | IntegrationError | Callable[[], Response]] = field(default_factory=list)
    lookups: list[IntegrationError | None] = field(default_factory=list)
    reads: list[IntegrationError | None] = field(default_factory=list)
    polls: list[IntegrationError | None] = field(default_factory=list)
    sent: list[tuple[bytes, str]] = field(default_factory=list)
    #: Of each write, whether the one before was refused its access token.
    had_401: list[bool] = field(default_factory=list)
    keys: dict[str, Response] = field(default_factory=dict)
    hidden: int = 0
    thorough: list[bool] = field(default_factory=list)
    #: Whether the list is told with a mark after each item, and the marks from which polls went on.
    marks: bool = False
    resumed: list[str] = field(default_factory=list)
    per_day: int = 0
    calls: int = 0

    def write(self, request: Request, key: str) -> Response:
        """Book it, once per key, unless the script says otherwise."""
        self.sent.append((request.body, key))
        line = self.script.pop(0) if self.script else "behave"
        if key in self.keys and line == "behave":
            return self.keys[key]
        if isinstance(line, IntegrationError):
            raise line
        if callable(line):
            return line()
        thing = {**Response(200, body=request.body).json(), "id": f"T{len(self.books) + 1}"}
        self.books.append(thing)
        answer = Response(200, {"content-type": "application/json"}, dumps(thing).encode())
        if key:
            self.keys[key] = answer
        if line == "behave":
            return answer
        from integrations.core.errors import OutcomeUnknownError

        raise OutcomeUnknownError("The scripted provider wrote it and said nothing.")


provider = Provider()


class ScriptedClient(ApiClient):
    """Calls to the scripted provider, without a wire."""

    provider_name = "Scripted"

    def base(self, path: str) -> str:
        return "https://scripted.example"

    def limits(self) -> Limits:
        return Limits(per_minute=0, at_once=0, per_day=provider.per_day)

    def write(self, request: Request, *, idempotency_key: str = "", had_401: bool = False) -> Response:
        provider.had_401.append(had_401)
        return provider.write(request, idempotency_key)


class WriteThing(Action):
    """Write a thing."""

    key = "write_thing"
    name = "Write thing"
    effect = Effect.CREATES
    key_window: ClassVar[float] = 300
    lookup_reliable: ClassVar[bool] = True
    sample: ClassVar[Mapping[str, Any]] = {"id": "T1", "name": "A thing", "marker": "PX-1"}

    class Inputs(Schema):
        name: str = input_field("Name", max_length=50)
        day: date | None = input_field("Day", default=None)

    def request(self, inputs: Any, writing: Writing) -> Request:
        thing = {"name": inputs.name, "marker": writing.marker}
        if inputs.day is not None:
            thing["day"] = inputs.day.isoformat()
        return Request.of_json("PUT", "/things", thing)

    def output(self, response: Response) -> dict[str, Any]:
        thing = response.json()
        return {"id": thing["id"], "name": thing["name"], "marker": thing["marker"]}

    def find(self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        line = provider.lookups.pop(0) if provider.lookups else None
        if line is not None:
            raise line
        if provider.hidden:
            provider.hidden -= 1
            return []
        return [thing for thing in provider.books if thing["marker"] == marker]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["id"])

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Thing {output['id']}"


class WriteBill(WriteThing):
    """Write a supplier's bill."""

    key = "write_bill"
    name = "Write bill"
    bill_number, posted_on = "number", "day"
    sample: ClassVar[Mapping[str, Any]] = {"id": "T1", "name": "S-1", "marker": "PX-1", "number": "7"}

    class Inputs(Schema):
        name: str = input_field("Supplier", max_length=50)
        number: str | None = input_field("Number", default=None)
        amount: Decimal | None = input_field("Amount", default=None)
        currency: str | None = input_field("Currency", default=None)
        day: date | None = input_field("Day", default=None)
        status: str | None = input_field("Status", default=None)

    def request(self, inputs: Any, writing: Writing) -> Request:
        told = {f.name: getattr(inputs, f.name) for f in inputs.fields()}
        told["day"] = inputs.day.isoformat() if inputs.day else None
        return Request.of_json("PUT", "/bills", {**told, "marker": writing.marker})

    def output(self, response: Response) -> dict[str, Any]:
        bill = response.json()
        return {**super().output(response), "number": bill["number"] or ""}

    def document(self, inputs: Any, organisation: Mapping[str, Any]) -> Document:
        total = inputs.amount
        return Document(
            what="Bill",
            whom=Named(inputs.name),
            dates=(("Day", inputs.day),),
            currency=inputs.currency or "",
            lines=(DocumentLine(description="Work", amount=total),),
            totals=None if total is None else Totals(total, Decimal(0), total),
            status=inputs.status or "",
        )

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return WrittenDocument(number=str(output["number"]))


class WriteUnsurely(WriteThing):
    """Write a thing where a lookup proves nothing and no keys are kept."""

    key = "write_unsurely"
    name = "Write thing unsurely"
    key_window: ClassVar[float] = 0
    lookup_reliable: ClassVar[bool] = False


class ReadThing(Action):
    """Read a thing."""

    key = "read_thing"
    name = "Read thing"
    effect = Effect.READS
    sample: ClassVar[Mapping[str, Any]] = {"id": "T0", "price": 12}

    class Inputs(Schema):
        name: str | None = input_field("Name", default=None)

    def run(self, api: ApiClient, inputs: Any) -> dict[str, Any]:
        line = provider.reads.pop(0) if provider.reads else None
        if line is not None:
            raise line
        return {"id": "T0", "price": 12}


class NewThing(Trigger):
    """Notices a new thing."""

    key = "new_thing"
    name = "New thing"
    noun = "thing"
    dated_by = "when the thing was made"
    sample: ClassVar[Mapping[str, Any]] = {
        "id": "1",
        "title": "A thing",
        "price": 10,
        "lines": [{"name": "A line", "price": 1}],
        "words": ["oak"],
        "numbers": [1],
    }

    class Inputs(Schema):
        shelf: str | None = input_field("Shelf", default=None)

    def poll(self, poll: Poll) -> Iterator[Item]:
        line = provider.polls.pop(0) if provider.polls else None
        provider.thorough.append(poll.is_thorough)
        provider.resumed.append(poll.resume)
        for _ in range(provider.calls):
            assert poll.api.before_call is not None
            poll.api.before_call()
        for number, item in enumerate(list(provider.items), start=1):
            if provider.marks and number <= int(poll.resume or 0):
                continue
            if line is not None and item is provider.items[-1]:
                raise line
            yield item
            if provider.marks:
                yield Item.mark(resume=str(number))


class ScriptedConnector(Connector):
    """The scripted provider as a connector."""

    key = "scripted"
    name = "Scripted"
    account_noun = "account"
    client_class = ScriptedClient
    operations = (NewThing, ReadThing, WriteThing, WriteBill, WriteUnsurely)

    def oauth(self) -> OAuthEndpoints:
        return OAuthEndpoints(token_url="http://127.0.0.1:9/token", client_id="id", client_secret="secret")

    def accounts(self, access_token: str) -> list[Account]:
        return [Account(external_id="1", name="Scripted account")]


connector = ScriptedConnector()
__all__ = ["connector", "provider"]
