"""What a write would give is predicted from what its operation gave last in a run, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from integrations.framework.checks import Finding, warns
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.engine.test_calls import called, provider
from tests.workflows.pages.test_previews import page_of
from tests.workflows.planting import Spec, begin, call, loop, made, write
from tests.workflows.preview.test_prediction import SAMPLE
from tests.workflows.preview.test_walk import shown, step
from tests.workflows.scripted.connector import Provider, WriteThing
from workflows.definitions.samples.cutting import MOST_BYTES
from workflows.models import Run, StepRun, Workflow
from workflows.preview.predictions.prediction import leaves, predicted_output, with_earlier
from workflows.publishing import publish

__all__ = ["provider"]


def ran(workflow: Workflow, connection: Connection, output: Any, **more: Any) -> Run:
    """A run in which a thing was written, which gave this."""
    if workflow.published is None:
        publish.publish(workflow, by=None)
        workflow.refresh_from_db()
    run = begin(workflow)
    given = {"operation": "scripted.write_thing", "state": StepRun.State.SUCCEEDED, **more}
    StepRun.objects.create(
        run=run, step="a", position=1, kind="action", name="A", connection=connection, output=output, **given
    )
    return run


@pytest.fixture
def workflow(cast: Cast, connection: Connection) -> Workflow:
    return made(cast, connection, write("a"), write("b", "For {{ steps.a.id }}"))


@pytest.mark.django_db
class TestWhichOne:
    def test_without_a_run_it_is_the_operations_sample(self, workflow: Workflow) -> None:
        row = step(shown(workflow), "a")
        assert row.output["id"] == "T1"
        assert row.predicted == {"inputs": [], "examples": ["id"], "earlier": [], "run": None}

    def test_the_newest_that_succeeded_is_taken_and_what_comes_from_it_is_predicted(
        self, workflow: Workflow, connection: Connection
    ) -> None:
        ran(workflow, connection, {"id": "T8", "name": "Older"})
        newest = ran(workflow, connection, {"id": "T9", "name": "Newer", "number": Decimal("12.50")})
        ran(workflow, connection, {"id": "T10"}, state=StepRun.State.FAILED)
        ran(workflow, connection, None)
        ran(workflow, connection, {"id": "R1"}, operation="scripted.read_thing")
        found = shown(workflow)
        row, later = step(found, "a"), step(found, "b")
        assert row.output == {"id": "T9", "name": "Oak", "marker": row.marker, "number": Decimal("12.50")}
        assert row.predicted == {"inputs": [], "examples": [], "earlier": ["id", "number"], "run": newest.pk}
        assert '"For T9"' in later.request["body"]
        assert (later.predicted["inputs"], later.is_predicted) == (["name"], True)

    def test_what_other_connections_and_other_teams_gave_since_does_not_count(
        self, workflow: Workflow, cast: Cast, connection: Connection
    ) -> None:
        other = Connection.objects.create(
            team=cast.team, grant=connection.grant, external_id="2", name="Another", status=connection.status
        )
        ran(workflow, connection, {"id": "T7"})
        ran(workflow, other, {"id": "other connection"})
        theirs = made(cast, connection, write("a"))
        run = ran(theirs, connection, {"id": "other team"})
        Run.objects.filter(pk=run.pk).update(team=cast.other_team)
        assert step(shown(workflow), "a").output["id"] == "T7"

    def test_it_costs_one_query_however_many_writes_and_calls_there_are(
        self, provider: Provider, cast: Cast, connection: Connection
    ) -> None:
        below = called(cast, connection, write("inner", "x"))
        each = loop("each", "{{ trigger.lines }}", write("c", "{{ item.name }}"))
        other = Spec("action", "b", inputs={"name": "x"}, operation="scripted.write_unsurely")
        workflow = made(cast, connection, write("a"), other, each, call("ask", below, title="x"))
        ran(workflow, connection, {"id": "T9"})
        with CaptureQueriesContext(database) as queries:
            found = shown(workflow)
        assert found.writes == 5
        assert sum("workflows_steprun" in each["sql"] for each in queries) == 1

    def test_what_it_gave_is_kept_small(self, workflow: Workflow, connection: Connection) -> None:
        ran(workflow, connection, {"id": "T9", "rows": [{"text": "x" * 1000}] * 500})
        assert len(str(step(shown(workflow), "a").output)) < 2 * MOST_BYTES


@pytest.mark.django_db
class TestAnotherRecord:
    """An id that comes from an earlier run leads to another record: nothing about that one is said of this."""

    @pytest.fixture(autouse=True)
    def has_run(self, workflow: Workflow, connection: Connection) -> None:
        ran(workflow, connection, {"id": "T9"})

    def test_that_it_is_there_already_is_not_concluded(
        self, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            WriteThing, "settled", lambda self, inputs, found: {"id": "T9"} if inputs.name == "For T9" else None
        )
        row = step(shown(workflow), "b")
        assert (row.state, row.request) == ("written", None)
        assert row.note.startswith("Its exact bytes are not known")

    def test_what_was_found_by_it_is_not_checked(self, workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
        def checks(self: Any, facts: Any, inputs: Any, found: Any) -> Iterator[Finding]:
            yield warns("found", "", f"Found {found}.")

        monkeypatch.setattr(WriteThing, "prepare", lambda self, api, inputs: {"status": "PAID"})
        monkeypatch.setattr(WriteThing, "checks", checks)
        found = shown(workflow)
        assert step(found, "a").findings[0]["message"] == "Found {'status': 'PAID'}."
        assert step(found, "b").findings[0]["message"] == "Found None."

    def test_a_loop_and_a_called_workflow_pass_it_on(
        self, provider: Provider, cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(WriteThing, "settled", lambda self, inputs, found: {"id": "T9"} if inputs.day else None)
        below = called(cast, connection, write("inner", "{{ trigger.title }}"))
        first = write("a")
        inside = loop("each", "{{ steps.a.rows }}", write("c", "{{ item.name }}"))
        workflow = made(cast, connection, first, inside, call("ask", below, title="{{ steps.a.id }}"))
        ran(workflow, connection, {"id": "T9", "rows": [{"name": "One"}]})
        for each in (workflow.steps.get(key="c"), below.steps.get(key="inner")):
            each.mappings.create(input="day", value="2026-11-22")
        publish.publish(below, by=None)
        found = shown(workflow)
        inner = step(found, "ask").called
        assert inner is not None
        assert step(found, "c", "1").note.startswith("Its exact bytes are not known")
        assert inner.steps.get().note.startswith("Its exact bytes are not known")


@pytest.mark.django_db
def test_the_page_says_which_values_were_given_last_and_where(
    builder: Client, workflow: Workflow, connection: Connection
) -> None:
    text = page_of(builder, shown(workflow))
    assert "Only the provider gives these; the values are invented examples." in text
    run = ran(workflow, connection, {"id": "T<b>9"})
    found = shown(workflow)
    text = page_of(builder, found)
    link = f'<a href="{reverse("run", args=[run.pk])}">run {run.pk}</a>'
    assert f"Only the provider gives these; the values are those that it gave last, in {link}." in text
    assert "T&lt;b&gt;9" in text
    assert "invented examples" not in text
    StepRun.objects.all().delete()
    Run.objects.filter(pk=run.pk).delete()
    assert "that it gave last, in a run that is gone." in page_of(builder, found)


def test_what_is_known_stays_and_rows_take_the_rows_of_then() -> None:
    output, examples = predicted_output(SAMPLE, inputs={"line_items": [{"Description": "One"}, {"Description": "Two"}]})
    then = {
        "InvoiceID": "then",
        "InvoiceNumber": "INV-0041",
        "Contact": None,
        "LineItems": [{"Description": "Old", "LineAmount": Decimal("3.00"), "LineItemID": "l"}],
        "DueDate": None,
        "Payments": [],
    }
    made_, still, earlier = with_earlier(output, examples, then)
    assert made_ == {
        "InvoiceID": "then",
        "InvoiceNumber": "INV-0041",
        "Contact": SAMPLE["Contact"],
        "LineItems": [
            {"Description": "One", "LineAmount": Decimal("3.00"), "LineItemID": "l"},
            {"Description": "Two", "LineAmount": Decimal("3.00"), "LineItemID": "l"},
        ],
        "Total": SAMPLE["Total"],
        "IsSent": SAMPLE["IsSent"],
        "DueDate": None,
        "Payments": [],
    }
    assert still == ["Contact.ContactID", "Contact.Name", "Total", "IsSent"]
    assert earlier[:3] == ["InvoiceID", "InvoiceNumber", "LineItems.0.LineAmount"]


_PLAIN = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=3)
_NAMES = st.sampled_from([*SAMPLE, "Name", "other"])
_DATA = st.recursive(_PLAIN, lambda each: st.lists(each, max_size=3) | st.dictionaries(_NAMES, each, max_size=4))
_OBJECTS = st.dictionaries(_NAMES, _DATA, max_size=6)


@given(inputs=_OBJECTS, then=_OBJECTS)
def test_each_value_is_known_or_an_example_or_of_then(inputs: dict[str, Any], then: dict[str, Any]) -> None:
    output, examples = predicted_output(SAMPLE, inputs=inputs)
    made_, still, earlier = with_earlier(output, examples, then)
    known = set(leaves(output)) - set(examples)
    everything = list(leaves(made_))
    assert len(everything) == len(set(everything))
    assert set(still).isdisjoint(earlier)
    assert set(everything) == known | set(still) | set(earlier)
    assert set(SAMPLE) <= set(made_)
