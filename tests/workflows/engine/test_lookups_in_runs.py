"""Lookup tables in real runs: what a step writes, what a filter lets pass."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from integrations.transport.http import Request, Response
from tests.base import Cast
from tests.workflows.conftest import Make, settle, start, the_run, the_write, thing
from tests.workflows.scripted.connector import Provider
from workflows.lookup_tables import editing
from workflows.lookup_tables.lookup import Content
from workflows.models import LookupTable, Run


@pytest.fixture
def names(cast: Cast) -> LookupTable:
    rows = [{"Title": "Thing 1", "Name": "The first thing"}]
    return editing.create(
        cast.team, name="Names", description="", columns=["Title", "Name"], rows=rows, by=cast.builder
    )


def test_a_step_writes_what_the_table_says(provider: Provider, make_workflow: Make, names: LookupTable) -> None:
    start(provider, make_workflow, inputs={"name": '{{ trigger.title | lookup("Names", "Name") }}'})
    settle()
    assert the_run().status == Run.Status.SUCCEEDED
    assert the_write().inputs["name"] == "The first thing"
    assert the_write().looked_in == {"Names": 1}


def test_a_value_that_is_in_no_row_fails_the_step_before_anything_is_sent(
    provider: Provider, make_workflow: Make, names: LookupTable
) -> None:
    inputs = {"name": '{{ trigger.title | lookup("Names", "Name") }}'}
    start(provider, make_workflow, thing(7), inputs=inputs)
    settle()
    assert the_run().status == Run.Status.FAILED
    assert '"Thing 7" is not in the lookup table "Names"' in str(the_write().problems)
    assert provider.books == []


@pytest.mark.parametrize(("operator", "status"), [("in_table", "succeeded"), ("not_in_table", "filtered")])
def test_a_filter_asks_whether_a_value_is_in_a_table(
    provider: Provider, make_workflow: Make, names: LookupTable, operator: str, status: str
) -> None:
    condition = {"left": "{{ trigger.title }}", "type": "lookup", "operator": operator, "right": "Names"}
    start(provider, make_workflow, condition=condition)
    settle()
    assert the_run().status == status
    outcome = the_run().step_runs.get(kind="filter").outcome
    assert 'the lookup table "Names"' in outcome["explanation"]
    assert "version 1" in outcome["explanation"]
    assert the_run().step_runs.get(kind="filter").looked_in == {"Names": 1}


def test_all_steps_of_a_run_read_a_table_in_one_version(
    provider: Provider, make_workflow: Make, names: LookupTable, cast: Cast
) -> None:
    def rename() -> Response:
        rows = ({"Title": "Thing 1", "Name": "Another name"},)
        editing.replace(
            names, lambda before: Content(before.columns, before.key_column, rows), by=cast.builder, note=""
        )
        provider.script.append("behave")
        return provider.write(Request("POST", "/things", body=provider.sent[-1][0]), provider.sent[-1][1])

    inputs = {"name": '{{ trigger.title | lookup("Names", "Name") }}'}
    provider.script.append(rename)
    start(provider, make_workflow, actions=("write_thing", "write_thing"), inputs=inputs)
    settle()
    assert the_run().status == Run.Status.SUCCEEDED
    assert LookupTable.objects.get().version == 2
    written = the_run().step_runs.filter(kind="action").order_by("position")
    assert [(each.inputs["name"], each.looked_in) for each in written] == [("The first thing", {"Names": 1})] * 2


def test_the_page_of_a_run_says_in_which_version_it_looked(
    provider: Provider, make_workflow: Make, names: LookupTable, cast: Cast, client: Client
) -> None:
    start(provider, make_workflow, inputs={"name": '{{ trigger.title | lookup("Names", "Name") }}'})
    settle()
    client.force_login(cast.auditor)
    shown = client.get(reverse("run", args=[the_run().pk])).content.decode()
    assert 'Looked up in <a href="/lookup-tables/?q=Names">Names</a> (version 1)' in shown
