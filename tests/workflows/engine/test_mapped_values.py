"""What is mapped is known in a run only: nothing that depends on it keeps a workflow from being published."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Action
from tests.integrations.examples import EXAMPLES
from workflows.definitions.checks.operation_checks import value_problems

TOKEN = "{{ trigger.value }}"
URL = "https://api.example.com/items"
ALONE: dict[str, dict[str, Any]] = {
    "web.http_read": {"url": URL, "query": [{"name": "a", "value": "1"}], "headers": [{"name": "X-A", "value": "1"}]},
    "web.http_send": {
        "url": URL,
        "query": [{"name": "a", "value": "1"}],
        "headers": [{"name": "X-A", "value": "1"}],
        "body_fields": [
            {"name": "title", "value": "Oak", "kind": "text"},
            {"name": "total", "value": "1250.50", "kind": "number"},
            {"name": "price.net", "value": "3", "kind": "number"},
            {"name": "paid", "value": "yes", "kind": "yes_no"},
            {"name": "tags", "value": "[1]", "kind": "json"},
        ],
    },
    "mail.send_email": {"to": "jane@example.com", "subject": "New", "text": "Text", "reply_to": "joe@example.com"},
}


def sources_of(action: Action) -> dict[str, Any]:
    """A step of this action with everything that its example gives typed in, and the rest that it needs mapped."""
    given = {**EXAMPLES.get(action.full_key, {}), **ALONE.get(action.full_key, {})}
    sources = {name: _typed(value) for name, value in given.items()}
    for each in action.Inputs.fields():
        if each.is_required and each.name not in sources:
            sources[each.name] = TOKEN
    return sources


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return [{name: _typed(cell) for name, cell in row.items()} if isinstance(row, dict) else row for row in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | Decimal) else value


def with_one_mapped(sources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same with one value after another taken from the run."""
    for name, value in sources.items():
        if isinstance(value, list):
            for index, row in enumerate(value):
                for column in row if isinstance(row, dict) else ():
                    rows = [*value[:index], {**row, column: TOKEN}, *value[index + 1 :]]
                    yield f"{name}.{index}.{column}", {**sources, name: rows}
        else:
            yield name, {**sources, name: TOKEN}


@pytest.mark.parametrize("action", registry.actions(), ids=lambda action: action.full_key)
def test_any_one_value_may_come_from_the_run(action: Action, settings: Any) -> None:
    settings.HTTP_REQUEST_HOSTS = ["api.example.com"]
    sources = sources_of(action)
    before = value_problems(action, sources, {})
    for path, mapped in with_one_mapped(sources):
        assert {
            place: said for place, said in value_problems(action, mapped, {}).items() if place not in before
        } == {}, f"with {path} mapped"


@pytest.mark.parametrize("kind", ["number", "yes_no", "json", "text"])
def test_a_field_of_a_body_may_be_mapped_however_it_is_written(kind: str, settings: Any) -> None:
    settings.HTTP_REQUEST_HOSTS = ["api.example.com"]
    rows = [{"name": "total", "value": TOKEN, "kind": kind}]
    action = registry.action("web.http_send")
    assert value_problems(action, {"url": URL, "body_fields": rows}, {}) == {}


def test_a_constant_beside_a_mapped_one_is_still_held_against_its_kind(settings: Any) -> None:
    settings.HTTP_REQUEST_HOSTS = ["api.example.com"]
    rows = [
        {"name": "total", "value": TOKEN, "kind": "number"},
        {"name": "net", "value": "twelve", "kind": "number"},
        {"name": "net", "value": "1", "kind": "number"},
        {"name": "paid", "value": "maybe", "kind": "yes_no"},
    ]
    action = registry.action("web.http_send")
    assert value_problems(action, {"url": URL, "body_fields": rows}, {}) == {
        "body_fields.1.value": "net takes a number such as 1250.50.",
        "body_fields.2.name": "net is there twice.",
        "body_fields.3.value": "paid takes yes or no.",
    }
