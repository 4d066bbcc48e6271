"""The contract of every operation: a new one is tested here before its author writes a test."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from jsonschema import Draft202012Validator

from integrations.core.exact_json import dumps, loads
from integrations.framework import registry
from integrations.framework.base import Action, Connector, Effect, Item, Operation, Poll, Trigger, Writing
from integrations.schema.schema import Field, Kind
from tests.integrations.examples import (
    BACK_LINK,
    MARKER,
    NEED_NO_MARKER,
    READ_AFTER,
    USE_NO_KEY,
    example,
    finished,
    request_of,
)
from tests.integrations.wire import Wire, demo, northwind, pinterest, sandbox_hosts, wire
from tests.provider import Sandbox
from tests.walk.recipes import has_provider, noticed

__all__ = ["demo", "northwind", "pinterest", "sandbox_hosts", "wire"]

OPERATIONS = registry.operations()
#: What works with a connection, and so can be tried on the sandbox; the others have tests of their own.
ACTIONS = list(filter(has_provider, registry.actions()))
WRITES = [action for action in ACTIONS if action.effect is not Effect.READS]
TRIGGERS = list(filter(has_provider, registry.triggers()))
WEB = {"xero": "https://go.xero.com/", "pinterest": "https://www.pinterest.com/"}


def name_of(operation: Operation) -> str:
    return operation.full_key


def paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Every path in a record; of a list the first element stands for all."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"{prefix}{name}"
            yield from paths(inner, f"{prefix}{name}.")
    elif isinstance(value, list) and value:
        yield from paths(value[0], f"{prefix}0.")


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def all_fields(fields: tuple[Field, ...]) -> Iterator[Field]:
    for declared in fields:
        yield declared
        yield from all_fields(declared.columns)


# --- declarations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
class TestEveryOperation:
    def test_it_says_what_it_does(self, operation: Operation) -> None:
        assert operation.__doc__
        assert operation.summary.endswith(".")
        assert len(operation.summary) <= 80
        assert operation.name
        assert operation.name[0].isupper()
        assert not operation.name.endswith(".")

    def test_its_key_can_stand_in_rows_for_ever(self, operation: Operation) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", operation.key)
        assert operation.full_key == f"{operation.connector.key}.{operation.key}"
        assert registry.operation(operation.full_key) is operation

    def test_it_is_a_trigger_or_an_action(self, operation: Operation) -> None:
        assert isinstance(operation, Trigger) != isinstance(operation, Action)
        assert operation in (registry.triggers() if isinstance(operation, Trigger) else registry.actions())

    def test_its_sample_is_json_without_floats(self, operation: Operation) -> None:
        assert operation.sample
        assert loads(dumps(operation.sample)) == operation.sample
        assert not any(isinstance(leaf, float | date | datetime) for leaf in leaves(operation.sample))

    def test_its_inputs_are_labelled_in_plain_words(self, operation: Operation) -> None:
        for declared in all_fields(operation.Inputs.fields()):
            assert re.fullmatch(r"[a-z][a-z0-9_]*", declared.name)
            assert declared.label
            assert declared.label[0].isupper()
            assert "_" not in declared.label
            assert not declared.help or declared.help.endswith(".")
            assert "!" not in declared.help
            if declared.kind is Kind.CHOICE:
                assert bool(declared.fixed_choices) != bool(declared.dynamic_choices)

    def test_its_inputs_are_a_valid_json_schema(self, operation: Operation) -> None:
        schema = json.loads(dumps(operation.Inputs.json_schema()))
        Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False

    def test_its_scopes_are_among_those_asked_for(self, operation: Operation, settings: Any) -> None:
        if not operation.connector.needs_connection:
            assert operation.scopes == ()
            return
        asked = getattr(settings, f"{operation.connector.key.upper()}_SCOPES")
        assert operation.missing_scopes(asked) == []
        assert operation.missing_scopes([]) == list(operation.scopes) != []


@pytest.mark.parametrize("action", registry.actions(), ids=name_of)
def test_an_action_reads_with_run_or_writes_with_request_output_and_find(action: Action) -> None:
    own = type(action)
    if action.effect is Effect.READS:
        assert own.run is not Action.run
        assert own.request is Action.request
        assert (action.key_window, action.lookup_reliable) == (0, False)
    else:
        assert own.run is Action.run
        looked_up = ["find"] if action.has_lookup else []
        assert action.has_lookup or not action.lookup_reliable
        for method in ["request", "output", "identify", "describe", *looked_up]:
            assert getattr(own, method) is not getattr(Action, method), method


@pytest.mark.parametrize("trigger", TRIGGERS, ids=name_of)
def test_a_trigger_names_what_it_notices(trigger: Trigger) -> None:
    assert type(trigger).poll is not Trigger.poll
    assert trigger.noun in trigger.name.lower()


@pytest.mark.parametrize("connector", registry.connectors(), ids=lambda each: each.key)
def test_a_connector_declares_its_settings_under_its_own_key(connector: Connector) -> None:
    assert connector.declared.key == connector.key
    assert bool(connector.declared.hosts) is bool(connector.declared.needed) is connector.needs_connection
    assert connector.kept_headers == {name.lower() for name in connector.kept_headers}
    if connector.needs_connection:
        prefix = f"{connector.key.upper()}_"
        assert [each.name for each in connector.declared.all if not each.name.startswith(prefix)] == []
        assert [each.name for each in connector.declared.needed] == [f"{prefix}CLIENT_ID", f"{prefix}CLIENT_SECRET"]


def test_unknown_operations_are_told_by_name() -> None:
    with pytest.raises(registry.UnknownOperationError, match=r"'xero\.fly'"):
        registry.operation("xero.fly")
    with pytest.raises(registry.UnknownOperationError, match="is not a trigger"):
        registry.trigger("xero.create_invoice")
    with pytest.raises(registry.UnknownOperationError, match="is not an action"):
        registry.action("pinterest.new_pin")
    with pytest.raises(registry.UnknownOperationError, match="no connector called 'slack'"):
        registry.connector("slack")


# --- for real, against the sandbox ------------------------------------------------------------------------------------


@pytest.fixture
def clients(demo: Any, pinterest: Any) -> dict[str, Any]:
    """A client per connector."""
    return {"xero": demo, "pinterest": pinterest}


@pytest.mark.parametrize("trigger", TRIGGERS, ids=name_of)
def test_a_trigger_gives_what_its_sample_promises(
    trigger: Trigger, pinterest: Any, demo: Any, sandbox: Sandbox, wire: Wire
) -> None:
    api = {"pinterest": pinterest, "xero": demo}[trigger.connector.key]
    recipe = noticed(trigger)
    made = recipe.cause(sandbox, recipe.before(sandbox))
    wire.clear()
    poll = Poll(api, trigger.Inputs.clean({}), None, lambda keys: set(), is_baseline=True)
    noted = [item for item in trigger.poll(poll) if item.key]
    assert len({item.key for item in noted}) == len(noted)
    items = [item for item in noted if item.is_event]
    assert items
    for item in items:
        assert isinstance(item, Item)
        assert loads(dumps(item.data)) == item.data
        assert set(trigger.sample) <= set(item.data)
        if trigger.connector.key == "pinterest":
            assert set(paths(trigger.sample)) == set(paths(item.data))
        elif item.key.startswith(made):
            assert set(paths(trigger.sample)) <= set(paths(item.data))
            assert (item.happened is not None) == (trigger.dated_by != "")
    assert any(item.key.startswith(made) for item in items) or trigger.noun == "board"
    assert {one.method for one in wire.exchanges} == {"GET"}


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_an_action_gives_what_its_sample_promises(
    action: Action, clients: dict[str, Any], sandbox: Sandbox, wire: Wire
) -> None:
    api = clients[action.connector.key]
    inputs = example(action, api, sandbox)
    if action.effect is Effect.READS:
        if action.full_key in READ_AFTER:
            saving = registry.action(READ_AFTER[action.full_key])
            api.write(request_of(saving, api, example(saving, api, sandbox)))
        wire.clear()
        output = action.run(api, inputs)
        assert {one.method for one in wire.exchanges} == {"GET"}
    else:
        wire.clear()
        found = action.prepare(api, inputs)
        request = request_of(action, api, inputs)
        output = finished(action, api, inputs, api.write(request, idempotency_key="k"), found)
        assert [one.method for one in wire.exchanges if one.method != "GET"] == [request.method]
    assert set(paths(action.sample)) - set(paths(output)) == set()
    assert loads(dumps(output)) == output
    assert not any(isinstance(leaf, float) for leaf in leaves(output))
    if type(action).identify is not Action.identify:
        assert action.identify(output)
    if type(action).link is not Action.link:
        assert action.link(output, api.connection.details).startswith(WEB[action.connector.key])
    assert action.describe(output) != action.name


@pytest.mark.parametrize("action", WRITES, ids=name_of)
def test_the_request_is_pure_and_carries_the_marker(
    action: Action, clients: dict[str, Any], sandbox: Sandbox, wire: Wire
) -> None:
    api = clients[action.connector.key]
    inputs = example(action, api, sandbox)
    found = action.prepare(api, inputs)
    asked, told = len(wire.exchanges), len(sandbox.ledger())
    writing = Writing(marker=MARKER, back_link=BACK_LINK, organisation=api.connection.details, found=found)
    stored = loads(dumps(found))
    first, second = action.request(inputs, writing), action.request(inputs, writing)
    assert first == second
    assert first.body == second.body
    assert loads(dumps(found)) == stored, "request() changed what prepare() found"
    assert len(wire.exchanges) == asked, "request() asked the provider"
    assert (MARKER.encode() in first.path.encode() + first.body) != (action.full_key in NEED_NO_MARKER)
    assert len(sandbox.ledger()) == told


@pytest.mark.parametrize("action", WRITES, ids=name_of)
def test_a_write_is_found_by_its_marker_and_nothing_else_is(
    action: Action, clients: dict[str, Any], sandbox: Sandbox
) -> None:
    api = clients[action.connector.key]
    inputs = example(action, api, sandbox)
    assert action.find(api, inputs, MARKER) == []
    found = action.prepare(api, inputs)
    output = finished(action, api, inputs, api.write(request_of(action, api, inputs)), found)
    hits = action.find(api, inputs, MARKER)
    assert [action.identify(hit) for hit in hits] == [action.identify(output)]
    assert set(action.sample) <= set(hits[0] | action.remember(found))
    assert all(row["method"] == "GET" for row in sandbox.ledger()[-1:])


@pytest.mark.parametrize("action", WRITES, ids=name_of)
def test_the_same_bytes_under_the_same_key_write_once(
    action: Action, clients: dict[str, Any], sandbox: Sandbox
) -> None:
    api = clients[action.connector.key]
    assert (action.key_window > 0) != (action.full_key in USE_NO_KEY)
    if not action.key_window:
        return
    request = request_of(action, api, example(action, api, sandbox))
    first = api.write(request, idempotency_key="key-1")
    second = api.write(request, idempotency_key="key-1")
    assert action.output(first) == action.output(second)
    before = sandbox.state()
    api.write(request, idempotency_key="key-1")
    assert len(sandbox.invoices()) <= 1
    assert [books["contacts"] for books in before["organisations"]] == [
        books["contacts"] for books in sandbox.state()["organisations"]
    ]


# --- manage.py operations ---------------------------------------------------------------------------------------------


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("operations", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_lists_every_operation_for_people() -> None:
    text = told()
    for operation in OPERATIONS:
        assert f"{operation.full_key}  {operation.name} (" in text
        assert operation.summary in text
    assert "- contact_id: Contact (choice, required, fetched choices)" in text
    assert "    - lines: Line items (rows, required)\n        - item_code: Item (choice, fetched choices)" in text
    assert "xero.create_invoice  Create invoice (action, creates)" in text


def test_the_command_lists_every_operation_as_json() -> None:
    listed = json.loads(told("--json"), parse_float=Decimal)
    assert [each["key"] for each in listed] == [operation.full_key for operation in OPERATIONS]
    invoice = next(each for each in listed if each["key"] == "xero.create_invoice")
    assert (invoice["kind"], invoice["effect"], invoice["scopes"]) == ("action", "creates", ["accounting.invoices"])
    inputs = {each["name"]: each for each in invoice["inputs"]}
    assert inputs["contact_id"] == {
        "name": "contact_id",
        "label": "Contact",
        "type": "choice",
        "required": True,
        "choices": "fetched",
    }
    assert inputs["status"]["choices"] == "fixed"
    assert inputs["due_date"]["type"] == "date"
    assert inputs["due_date"]["choices"] is None
    assert [column["name"] for column in inputs["lines"]["columns"]][:2] == ["item_code", "description"]
    pin = next(each for each in listed if each["key"] == "pinterest.new_pin")
    assert (pin["kind"], pin["effect"], pin["cadence"]) == ("trigger", None, "polled")
    contact = next(each for each in listed if each["key"] == "xero.new_contact")
    assert (contact["kind"], contact["cadence"], invoice["cadence"]) == ("trigger", "instant", None)
