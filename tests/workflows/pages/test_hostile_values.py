"""Texts of other people in every name, sample and record: each is shown as text on every page, and makes nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from integrations.core.exact_json import ExactJSONField
from integrations.core.hidden_characters import shown
from integrations.framework.choices import ChoiceList
from integrations.framework.registry import connectors
from integrations.models import Connection
from pinxero.development.emptying import unprotected
from tests.addresses import furnish, path_of
from tests.base import Cast, sign_in_recently
from tests.hostile_texts import BREAKER, CALCULATION, LINKS, MARKUP, VALUES
from tests.markup import Markup
from tests.permission_table import CONNECTIONS, PAGES, RULES, TEAM_MODELS, TEAM_ROWS
from tests.world import World, make_world
from workflows.models import (
    Condition,
    Decision,
    LookupRow,
    LookupTable,
    LookupVersion,
    Mapping,
    Step,
    Workflow,
)

#: Columns that hold somebody's text, in whichever table.
_FREE = {
    "above", "description", "down_reason", "error", "first_name", "freeze_reason", "group", "label",
    "last_error", "last_name", "link", "mail_problem", "message", "name", "note", "pause_reason", "provider_id",
    "reason", "reference", "response_body", "result", "text", "title", "whom",
}  # fmt: skip
#: Columns with data whose texts are somebody's.
_DATA = {
    "attempts", "columns", "data", "findings", "looked_in", "notes", "outcome", "output", "predicted", "problems",
    "response_headers", "rows",
}  # fmt: skip
#: Rows that the database holds fast, or that are no texts of the team.
_HELD = {
    "AuditEntry",
    "AuditOrigin",
    "Beat",
    "Decision",
    "Group",
    "LookupRow",
    "LookupVersion",
    "Permission",
    "WorkflowVersion",
}
_ALL = " | ".join(VALUES)
#: Pages that show every one of the texts somewhere: as a name, an example, an offer or a record.
_HAVE_ALL = [
    "backtest", "connection", "connections", "copy_step", "delete_step", "disconnect", "draft", "edit_sample",
    "lookup_table_settings", "new_step", "place_step", "preview", "recipe", "run", "run_turn", "runs", "start_rows",
    "step", "way_out", "workflow", "workflow_samples", "workflow_settings", "workflow_trigger",
]  # fmt: skip
#: What pages take from their address.
_ASKED = [
    ("runs", "q status workflow connection since until before"), ("recipes", "q app"), ("workflows", "q status team"),
    ("backtest", "show outcome group what currency sort page"), ("backtest", "group"), ("compare_versions", "old new"),
    ("new_step", "operation kind q parent before"), ("place_step", "parent before"), ("bulk", "q status workflow"),
    ("workflow_trigger", "operation change q"), ("lookup_tables", "q"), ("workflow", "step open"),
]  # fmt: skip


@dataclass(frozen=True)
class Spoilt:
    """The team's rows, and where the pages of each address are."""

    world: World
    paths: dict[str, str]


@pytest.fixture
def spoilt(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Spoilt:
    """One of everything, with a hostile text wherever somebody's text goes; and as many as there are of each thing that
    has a name."""
    choices = ChoiceList(choices=[(value, value) for value in VALUES])
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: choices)
    monkeypatch.setattr("integrations.transport.token_refresh.access_token", lambda *args, **kwargs: "a token")
    for each in connectors():
        monkeypatch.setattr(type(each), "accounts", lambda *args: [])
    made = make_world(cast)
    furnish(made, cast)
    paths = {name: path_of(name, made) for name in _shown_to_builders()}
    with unprotected():
        _spoil_rows()
    _name_many(made, cast)
    return Spoilt(made, paths)


def _shown_to_builders() -> list[str]:
    areas = (*PAGES, *CONNECTIONS, *(f"admin:{model}_{page}" for model in TEAM_MODELS for page in TEAM_ROWS))
    return [name for name in areas if RULES[name][0].startswith("shown") and name not in ("guide", "guide_page")]


def _spoil_rows() -> None:
    texts = _Texts()
    for model in apps.get_models():
        if model._meta.app_label not in ("workflows", "integrations", "auth") or model.__name__ in _HELD:
            continue
        free = [f for f in model._meta.concrete_fields if f.name in _FREE and not f.choices]
        data = [f for f in model._meta.concrete_fields if f.name in _DATA and isinstance(f, ExactJSONField)]
        for row in model._default_manager.all():
            values = {f.name: texts.take(f.max_length) if f.max_length else _ALL for f in free}
            values |= {f.name: texts.instead_of(getattr(row, f.name)) for f in data if getattr(row, f.name)}
            if "link" in values:
                values["link"] = next(texts.links)
            if values:
                model._default_manager.filter(pk=row.pk).update(**values)


class _Texts:
    """The hostile texts in turn."""

    def __init__(self) -> None:
        self._values = cycle(VALUES)
        self.links = cycle(LINKS)

    def take(self, length: int) -> str:
        """As many as fit into this many characters, after what breaks out of an element and out of an attribute."""
        taken = BREAKER
        while len(taken) < length - 20:
            taken = f"{taken} {next(self._values)}"
        return taken[:length]

    def instead_of(self, value: Any) -> Any:
        """The same shape with other texts; a record has one more of each, by its name and as a value."""
        if isinstance(value, str):
            return self.take(100)
        if isinstance(value, list):
            return [self.instead_of(each) for each in value]
        if isinstance(value, dict):
            return {name: self.instead_of(each) for name, each in value.items()} | {each: each for each in VALUES}
        return value


def _name_many(world: World, cast: Cast) -> None:
    Decision.objects.create(run=world.run, what="retry", by=cast.builder, reason=_ALL)
    Workflow.objects.bulk_create(
        Workflow(
            team=world.team, name=name, trigger_operation="pinterest.new_pin", trigger_connection=world.pinterest,
            created_by=cast.builder,
        ) for name in _cut(120)
    )  # fmt: skip
    Connection.objects.bulk_create(
        Connection(team=world.team, grant=world.xero.grant, provider="xero", external_id=f"many {number}", name=name)
        for number, name in enumerate(_cut(200))
    )
    tables = LookupTable.objects.bulk_create(LookupTable(team=world.team, name=name, version=1) for name in _cut(120))
    columns = [value[:100] for value in VALUES[:12]]
    facts = {"number": 1, "columns": columns, "key_column": columns[0], "row_count": 1, "added": 1, "note": _ALL}
    LookupVersion.objects.bulk_create(LookupVersion(table=each, changed=0, removed=0, **facts) for each in tables)
    cells = dict(zip(columns, VALUES[20:], strict=False))
    LookupRow.objects.bulk_create(
        LookupRow(table=each, key="1", cells=cells, position=1, added_in=1) for each in tables
    )
    steps = Step.objects.bulk_create(
        Step(workflow=world.draft, key=f"many_{number}", name=name, kind="format", position=number)
        for number, name in enumerate(_cut(120))
    )
    Mapping.objects.bulk_create(
        Mapping(step=step, input=f"value_{number}", value=_source(value))
        for number, (step, value) in enumerate(zip(steps, VALUES, strict=True))
    )
    filter_ = world.workflow.steps.get(kind="filter")
    Condition.objects.bulk_create(
        Condition(step=filter_, position=100 + number, left=source, type="text", operator="contains", right=source)
        for number, source in enumerate(map(_source, VALUES[::6]))
    )


def _source(value: str) -> str:
    """The text as it can be stored in a field that takes values: what the language would refuse stands in quotes."""
    return f"{{{{ {_quoted(value)} }}}}" if "{" in value else value


def _quoted(value: str) -> str:
    """As a text in the language."""
    return json.dumps(value, ensure_ascii=False)


def _cut(length: int) -> list[str]:
    return list(dict.fromkeys(value[:length] for value in VALUES))


@pytest.mark.parametrize("text", [text for text in MARKUP if not text.startswith("&")])
def test_the_reader_of_these_tests_finds_what_was_not_escaped(text: str) -> None:
    places = ("<p>{}</p>", '<p title="{}">', "<p title='{}'>", "<textarea>{}</textarea>", "<style>{}</style>")
    assert [each for place in places for each in Markup(place.format(text)).foreign]
    assert Markup(f'<p title="{escape(text)}">{escape(text)}</p>').foreign == []


@pytest.mark.parametrize("address", LINKS)
def test_the_reader_of_these_tests_finds_what_must_not_be_followed(address: str) -> None:
    assert Markup(f'<a href="{address}">').foreign
    assert Markup(f'<a href="https://go.example/?to=1">{escape(address)}</a>').foreign == []


def test_no_page_makes_anything_of_a_text_and_shows_it_as_it_is(client: Client, cast: Cast, spoilt: Spoilt) -> None:
    sign_in_recently(client, cast.builder)
    found: list[str] = []
    gone: dict[str, list[str]] = {}
    for name, path in {**spoilt.paths, "draft": reverse("workflow", args=[spoilt.world.draft.pk])}.items():
        answer = client.get(path)
        if answer["Content-Type"].startswith("text/csv"):
            found += [f"{name}: a formula {cell}" for cell in _formulas(answer)]
        elif answer["Content-Type"].startswith("text/html"):
            page = Markup(answer.content.decode())
            found += [f"{name}: {each}" for each in page.foreign]
            gone[name] = _missing(page)
    assert found == []
    assert {name: gone[name] for name in _HAVE_ALL if gone[name]} == {}


def test_what_is_asked_for_in_an_address_stays_text(client: Client, cast: Cast, spoilt: Spoilt) -> None:
    client.force_login(cast.builder)
    found = []
    for place, query in _ASKED:
        for some in (VALUES[::2], VALUES[1::2]):
            answer = client.get(spoilt.paths[place], dict.fromkeys(query.split(), " ".join(some)))
            found += [f"{place} {query}: {each}" for each in _foreign(answer)]
    assert found == []


def test_what_forms_answer_while_they_are_filled_in_stays_text(client: Client, cast: Cast, spoilt: Spoilt) -> None:
    client.force_login(cast.builder)
    new_step = spoilt.paths["new_step"] + "?operation=xero.create_invoice"
    some = list(enumerate(VALUES[1::5]))
    step = {"name": _ALL[:120], "in.lines~row": [str(n) for n, _ in some], "in.reference": _ALL}
    step |= {f"in.lines.{n}.{name}": value for n, value in some for name in ("description", "unit_amount")}
    compared = list(enumerate(value for value in VALUES if CALCULATION not in value))
    conditions: dict[str, Any] = {"name": _ALL[:120], "group": "all", "row": [str(n) for n, _ in compared]}
    conditions |= {f"operator.{n}": "text.contains" for n, _ in compared}
    conditions |= {f"{side}.{n}": value for n, value in compared for side in ("left", "right")}
    for button in ("", "_totals"):
        assert _foreign(client.post(new_step, {**step, **({button: "1"} if button else {})})) == []
    for button, rows in (("_trial", compared), ("_reload", compared[::6]), ("", compared[1::6])):
        posted = {**conditions, "row": [str(n) for n, _ in rows], **({button: "1"} if button else {})}
        assert _foreign(client.post(spoilt.paths["workflow_filter"], posted)) == []


def test_the_result_of_a_function_is_the_text_itself(client: Client, cast: Cast, spoilt: Spoilt) -> None:
    client.force_login(cast.builder)
    short = [value for value in VALUES if len(value) < 100]
    for some in (short[:40], short[40:]):
        sources = [f"{{{{ {_quoted(value)} | default('') }}}}" for value in some]
        answer = client.post(reverse("evaluate_values", args=[spoilt.world.workflow.pk]), {"source": sources})
        assert answer["Content-Type"] == "application/json"
        given = [(each["value"], each["error"]) for each in answer.json()["given"]]
        assert given == [(value, "") for value in some]


def test_a_preview_of_hostile_values_and_what_keeps_them_from_being_published_stay_text(
    client: Client, cast: Cast, spoilt: Spoilt
) -> None:
    client.force_login(cast.builder)
    draft = spoilt.world.draft
    previewed = Markup(client.post(reverse("preview_workflow", args=[draft.pk]), follow=True).content.decode())
    assert (previewed.foreign, _missing(previewed)) == ([], [])
    for mapping, value in zip(Mapping.objects.filter(step__workflow=draft), VALUES, strict=False):
        mapping.value = f"{{{{ trigger.gone ~ {_quoted(value)} }}}}"
        mapping.save()
    refused = Markup(client.post(reverse("publish_workflow", args=[draft.pk]), {"note": _ALL}).content.decode())
    assert (refused.foreign, _missing(refused)) == ([], [])


def _missing(page: Markup) -> list[str]:
    """The hostile texts that the page does not have, letter by letter; those that turn the text by their numbers."""
    text = page.text
    return [each for each in (value[:100] for value in VALUES) if each not in text and shown(each) not in text]


def _foreign(answer: Any) -> list[str]:
    assert answer.status_code in (200, 404)
    return Markup(answer.content.decode()).foreign


def _formulas(answer: Any) -> list[str]:
    """The cells that a spreadsheet would work out; a negative number is one of its own."""
    rows = csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"), newline=""))
    return [cell for row in rows for cell in row if re.match(r"[=+@\t\r]|-(?![\d.]+$)", cell)]
