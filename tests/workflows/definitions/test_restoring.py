"""A plan becomes rows again, and an exported workflow a draft that says the same."""

from __future__ import annotations

import json
from datetime import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.models import Connection
from tests.base import Cast, make_connection
from tests.workflows import trees
from tests.workflows.conftest import Make
from tests.workflows.scripted.connector import Provider
from workflows.definitions import compiler, export_import, restoring, validation
from workflows.models import Safeguards, Step, Workflow
from workflows.publishing import publish

pytestmark = pytest.mark.django_db


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_plan_comes_back_as_the_same_plan_from_its_rows_and_from_its_file(
    data: st.DataObject, cast: Cast, connection: Connection, provider: Provider
) -> None:
    plan = data.draw(trees.plans(connection.pk))
    workflow = Workflow.objects.create(team=cast.team, name=f"Copy {Workflow.objects.count()}")
    restoring.rows_from_plan(workflow, plan)
    compiled = compiler.compile_plan(workflow)
    assert compiled["steps"] == plan["steps"]
    assert compiled["trigger"] == plan["trigger"]
    file = export_import.read(export_import.export(workflow))
    answers = export_import.Answers({str(connection.pk): connection}, {}, {})
    made = export_import.make(file, answers, team=cast.team, name=f"Import {workflow.pk}", by=cast.builder)
    assert compiler.compile_plan(made) == compiled


def test_a_restored_draft_can_be_published_and_is_the_version_it_came_from(make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow(is_active=False)
    first = workflow.published
    assert first is not None
    workflow.steps.all().delete()
    step = Step.objects.create(workflow=workflow, key="stop", name="Stop", kind="stop", position=1)
    restoring.restore(workflow, first)
    assert not Step.objects.filter(pk=step.pk).exists()
    assert not publish.has_unpublished_changes(workflow)
    assert publish.publish(workflow, by=cast.builder).plan_sha256 == first.plan_sha256


def test_a_connection_that_is_gone_is_left_to_be_chosen(make_workflow: Make, connection: Connection) -> None:
    workflow = make_workflow(is_active=False)
    first = workflow.published
    assert first is not None
    Connection.objects.filter(pk=connection.pk).delete()
    restoring.restore(workflow, first)
    assert workflow.steps.get(kind="action").connection is None
    assert any(problem.input == "connection" for problem in validation.problems(workflow))


def test_another_teams_connection_is_never_taken_over(make_workflow: Make, cast: Cast, provider: Provider) -> None:
    workflow = make_workflow(is_active=False)
    foreign = make_connection(cast.other_team, "scripted")
    plan = json.loads(json.dumps(compiler.compile_plan(workflow)))
    plan["steps"][0]["connection"] = plan["trigger"]["connection"] = foreign.pk
    restoring.rows_from_plan(workflow, plan)
    assert workflow.trigger_connection is None
    assert workflow.steps.get(kind="action").connection is None


def test_a_file_holds_no_secret_and_names_its_accounts(make_workflow: Make, connection: Connection) -> None:
    told = json.loads(export_import.export(make_workflow(is_active=False)))
    assert told["connections"] == {str(connection.pk): {"provider": "scripted", "name": "Scripted account"}}
    assert connection.grant.access_token not in json.dumps(told)
    assert connection.grant.refresh_token not in json.dumps(told)


def test_safeguards_travel_along_without_the_people_to_tell(make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow(is_active=False)
    assert json.loads(export_import.export(workflow))["safeguards"] == {}
    stored = Safeguards.objects.create(
        workflow=workflow, hold_above=7, expected="monthly", expected_at=time(10, 0), expected_zone="Pacific/Auckland"
    )
    stored.people.add(cast.approver)
    text = export_import.export(workflow)
    assert "approver" not in text
    made = export_import.make(
        export_import.read(text), export_import.Answers({}, {}, {}), team=cast.team, name="B", by=cast.builder
    )
    again = Safeguards.objects.get(workflow=made)
    assert (again.hold_above, again.pause_after, again.expected) == (7, 10, "monthly")
    assert (again.expected_at, again.expected_zone) == (time(10, 0), "Pacific/Auckland")
    assert not again.people.exists()


@pytest.mark.parametrize(
    "safeguards", [{"pause_after": -1}, {"hold_above": "many"}, {"expected": "sometimes"}, {"expected_at": "noon"}]
)
def test_safeguards_that_cannot_be_are_refused(safeguards: dict[str, Any]) -> None:
    told = json.loads(broken()) | {"safeguards": safeguards}
    with pytest.raises(export_import.ImportFileError, match="The safeguards cannot be read"):
        export_import.read(json.dumps(told))


def test_a_name_that_is_taken_is_refused_and_nothing_is_made(make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow(is_active=False)
    file = export_import.read(export_import.export(workflow))
    with pytest.raises(export_import.ImportFileError, match="There is already a workflow called"):
        export_import.make(file, export_import.Answers({}, {}, {}), team=cast.team, name=workflow.name, by=cast.builder)
    assert Workflow.objects.count() == 1


def broken(**changes: Any) -> str:
    step = {"key": "stop_1", "name": "Stop", "kind": "stop", "as": "failed", "inputs": {}}
    content = {
        "pinxero": "workflow",
        "format": 1,
        "name": "Broken",
        "description": "",
        "interval_minutes": 5,
        "connections": {},
        "workflows": {},
        "labels": [],
        "plan": {"trigger": {"operation": "", "connection": None, "inputs": {}}, "steps": [step | changes]},
    }
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON file"),
        ("[]", "no exported workflow"),
        ("<html>", "no JSON file"),
        ('{"pinxero": "workflow", "format": 9}', "of format 9"),
        ('{"pinxero": "workflow", "format": 1}', "damaged"),
        ("[" * 100_000, "no JSON file"),
        (broken(kind="explode"), "does not know: explode"),
        (broken(key="../etc"), "The key of step 1 is none"),
        (broken(connection="7"), "does not name"),
        (broken(on_error="shrug"), "unknown to do after an error"),
        (broken(max_attempts=10**9), "between 1 and 20"),
        (broken(inputs={"message": {"a": 1}}), "no text"),
        (broken(inputs=["x"]), "cannot be read"),
        (broken(conditions={"group": "all", "items": [{"left": 1}]}), "conditions of step 1"),
        (broken(**{"as": ["failed"]}), "is not what it should be"),
        (broken(name="x" * 200), "too long"),
    ],
)
def test_a_file_that_is_no_workflow_is_refused_with_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(export_import.ImportFileError, match=words):
        export_import.read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    place=st.sampled_from(["key", "name", "kind", "inputs", "conditions", "as", "on_error", "connection"]), value=JSON
)
def test_whatever_stands_in_a_file_is_read_or_refused_and_never_an_accident(place: str, value: Any) -> None:
    text = broken(**{place: value})
    try:
        file = export_import.read(text)
    except export_import.ImportFileError:
        return
    assert len(file.plan["steps"]) == 1
