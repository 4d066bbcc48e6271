"""Every trigger's samples, read from the sandbox as for a person who builds, and held against the invented ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Trigger
from integrations.models import CallBudget, Connection
from tests.integrations.framework.test_registry import name_of, paths
from tests.walk.recipes import REFUSED_FOR_NO_REASON, Noticed, has_provider, noticed
from tests.walk.stage import Stage
from workflows.definitions import editing, samples
from workflows.definitions.samples import Origin, TriggerSample
from workflows.models import Event, Run, SeenItem, TriggerState, Workflow
from workflows.triggers import sample_reading

pytestmark = pytest.mark.parametrize("trigger", list(filter(has_provider, registry.triggers())), ids=name_of)


def draft(stage: Stage, trigger: Trigger) -> tuple[Workflow, str]:
    """A draft with the trigger, and the id of what a person has just made in the provider."""
    recipe: Noticed = noticed(trigger)
    connection = stage.connections[trigger.connector.key]
    workflow = editing.create_workflow(
        stage.cast.team, name="A draft", operation=trigger.full_key, connection=connection, by=stage.cast.builder
    )
    editing.set_trigger(
        workflow,
        operation=trigger.full_key,
        connection=connection,
        inputs=dict(recipe.inputs),
        interval_minutes=5,
    )
    return workflow, recipe.cause(stage.sandbox, recipe.before(stage.sandbox))


def read(workflow: Workflow) -> TriggerSample:
    """What is read now; the test fails if nothing is."""
    sample_reading.read_newest(workflow)
    reading = samples.reading_of(workflow)
    assert reading is not None
    assert reading.error == ""
    return samples.sample_of(workflow)


def test_the_newest_item_is_read_and_nothing_is_noted_or_started(trigger: Trigger, stage: Stage) -> None:
    workflow, key = draft(stage, trigger)
    found = read(workflow)
    assert found.origin is Origin.REAL
    assert any(key in each.data.values() for each in samples.items_of(workflow))
    assert 1 <= len(samples.items_of(workflow)) <= samples.MOST_ITEMS
    for table in (TriggerState, SeenItem, Event, Run):
        assert not table.objects.exists()


def test_the_reading_counts_in_the_budget(trigger: Trigger, stage: Stage) -> None:
    workflow, _ = draft(stage, trigger)
    calls = len(stage.sandbox.ledger())
    read(workflow)
    made = len(stage.sandbox.ledger()) - calls
    assert 1 <= made <= 3
    assert CallBudget.objects.get(connection=stage.connections[trigger.connector.key]).day_used == made


@pytest.mark.parametrize(
    ("fault", "words"), [("400", REFUSED_FOR_NO_REASON), ("500", "answered 500"), ("html_200", "not JSON"), ("429", "")]
)
def test_a_reading_that_fails_says_why_and_leaves_the_invented_sample(
    trigger: Trigger, stage: Stage, fault: str, words: str
) -> None:
    workflow, _ = draft(stage, trigger)
    stage.sandbox.faults(next=[fault], only_provider=trigger.connector.key, only_path=_API[trigger.connector.key])
    sample_reading.read_newest(workflow)
    reading = samples.reading_of(workflow)
    assert reading is not None
    assert reading.error
    assert words in reading.error
    assert samples.sample_of(workflow).origin is Origin.INVENTED


_API = {"pinterest": "/v5/", "xero": ".xro/"}


def test_a_refused_access_flags_the_connection(trigger: Trigger, stage: Stage) -> None:
    workflow, _ = draft(stage, trigger)
    stage.sandbox.revoke(provider=trigger.connector.key)
    sample_reading.read_newest(workflow)
    assert stage.connection(trigger).status == Connection.Status.NEEDS_RECONNECT
    workflow.refresh_from_db()
    sample_reading.read_newest(workflow)
    assert "Reconnect it" in samples.reading_of(workflow).error  # type: ignore[union-attr]


#: Names that real items have and samples leave out: they say nothing about the item, or are empty in all of them.
TECHNICAL = frozenset(
    {"HasErrors", "HasValidationErrors", "HasAttachments", "HasAccount", "StatusAttributeString", "IsDiscounted"}
    | {"Contact.ContactPersons", "Contact.ContactGroups", "Contact.BankAccountDetails"}
)
#: The names whose values say what has happened.
SENSE = frozenset({"Status", "ContactStatus", "Type", "PaymentType", "status", "privacy"})


def test_the_invented_sample_is_like_a_real_item(trigger: Trigger, stage: Stage) -> None:
    workflow, key = draft(stage, trigger)
    read(workflow)
    real = next(each.data for each in samples.items_of(workflow) if key in each.data.values())
    invented = samples.invented(workflow).data
    assert set(paths(invented)) - set(paths(real)) == set()
    assert {path for path in set(paths(real)) - set(paths(invented)) if not is_technical(path)} == set()
    assert sense_of(invented) == sense_of(real)
    if "days_overdue" in real:
        insist_overdue(invented)


def is_technical(path: str) -> bool:
    return path in TECHNICAL or path.rpartition(".")[2] in TECHNICAL


def sense_of(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in SENSE}


def insist_overdue(data: dict[str, Any]) -> None:
    due, noticed_on = date.fromisoformat(data["DueDate"]), date.fromisoformat(data["overdue_on"])
    assert (noticed_on - due).days == data["days_overdue"] >= 1
    assert noticed_on < date.today()
    assert data["AmountDue"] > 0
