"""Lookup tables in real runs: what a step writes, what a filter lets pass."""

from __future__ import annotations

import pytest

from tests.base import Cast
from tests.workflows.conftest import Make, settle, start, the_run, the_write, thing
from tests.workflows.scripted.connector import Provider
from workflows import lookup_editing
from workflows.models import LookupTable, Run


@pytest.fixture
def names(cast: Cast) -> LookupTable:
    rows = [{"Title": "Thing 1", "Name": "The first thing"}]
    return lookup_editing.create(
        cast.team, name="Names", description="", columns=["Title", "Name"], rows=rows, by=cast.builder
    )


def test_a_step_writes_what_the_table_says(provider: Provider, make_workflow: Make, names: LookupTable) -> None:
    start(provider, make_workflow, inputs={"name": '{{ trigger.title | lookup("Names", "Name") }}'})
    settle()
    assert the_run().status == Run.Status.SUCCEEDED
    assert the_write().inputs["name"] == "The first thing"


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
