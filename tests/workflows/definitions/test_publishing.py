"""Publishing: what stops it, what it freezes, how it says itself."""

from __future__ import annotations

import hashlib

import pytest

from integrations.core.exact_json import dumps
from integrations.models import Connection
from tests.base import Cast, make_connection
from tests.workflows.conftest import Make
from tests.workflows.scripted.connector import Provider
from workflows.definitions import compiler, validation
from workflows.models import Condition, Mapping, Step, Workflow
from workflows.publishing import publish

pytestmark = pytest.mark.django_db


def told(workflow: Workflow) -> list[tuple[str | None, str | None, str]]:
    return [(each.step, each.input, each.message) for each in validation.problems(workflow)]


@pytest.fixture
def workflow(make_workflow: Make, provider: Provider) -> Workflow:
    """A published, inactive workflow with one write."""
    return make_workflow(is_active=False)


@pytest.fixture
def write(workflow: Workflow) -> Step:
    return workflow.steps.get(kind="action")


def put(step: Step, name: str, value: str) -> None:
    Mapping.objects.update_or_create(step=step, input=name, defaults={"value": value})


def test_a_complete_workflow_has_no_problems(workflow: Workflow) -> None:
    assert validation.problems(workflow) == []


def test_an_empty_workflow_says_everything_that_is_missing_at_once(cast: Cast, provider: Provider) -> None:
    draft = Workflow.objects.create(team=cast.team, name="Draft")
    assert told(draft) == [
        ("trigger", None, "Choose what starts the workflow."),
        (None, None, "The workflow does nothing yet: add a step with an action."),
    ]
    with pytest.raises(publish.PublishError) as caught:
        publish.publish(draft, by=cast.builder)
    assert len(caught.value.problems) == 2
    assert draft.versions.count() == 0


def test_a_needed_input_that_is_empty_is_named(workflow: Workflow, write: Step) -> None:
    write.mappings.all().delete()
    assert told(workflow) == [(write.key, "name", "Name is needed, but nothing was given.")]


def test_a_constant_is_checked_when_publishing_and_mapped_data_only_in_the_run(workflow: Workflow, write: Step) -> None:
    put(write, "name", "x" * 51)
    assert told(workflow) == [(write.key, "name", "Name takes at most 50 characters; this has 51.")]
    put(write, "name", "{{ trigger.title }}" + "x" * 51)
    assert told(workflow) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{{ trigger.titel }}", "The trigger brings no value called titel"),
        ("{{ steps.nothing.id }}", "refers to a step that does not come before this one"),
        ("{{ secrets.token }}", "There is no value called secrets.token"),
        ("{{ trigger.title", "a value opened with {{ is not closed"),
        ("{{ trigger.title | shout }}", "shout"),
    ],
)
def test_a_mapping_that_can_never_work_stops_publishing(
    workflow: Workflow, write: Step, value: str, words: str
) -> None:
    put(write, "name", value)
    [(step, name, message)] = told(workflow)
    assert [step, name] == [write.key, "name"]
    assert words in message


def test_a_step_may_use_earlier_steps_but_not_later_ones(make_workflow: Make, provider: Provider) -> None:
    workflow = make_workflow(actions=("read_thing", "write_thing"), inputs={"name": "x"}, is_active=False)
    first, second = workflow.steps.order_by("position")
    put(second, "name", f"{{{{ steps.{first.key}.price }}}}")
    assert told(workflow) == []
    put(first, "name", f"{{{{ steps.{second.key}.id }}}}")
    assert [problem[0] for problem in told(workflow)] == [first.key]


def test_a_condition_that_cannot_be_compared_stops_publishing(make_workflow: Make, provider: Provider) -> None:
    condition = {"left": "{{ trigger.price }}", "type": "number", "operator": "at_least", "right": "10"}
    workflow = make_workflow(condition=condition, is_active=False)
    Condition.objects.update(right="ten")
    [(step, _, message)] = told(workflow)
    assert step == "filter"
    assert "ten" in message


def test_another_teams_connection_is_as_good_as_none(workflow: Workflow, write: Step, cast: Cast) -> None:
    theirs = make_connection(cast.other_team, "scripted", name="Theirs")
    Step.objects.filter(pk=write.pk).update(connection=theirs)
    assert told(workflow) == [(write.key, "connection", "Choose the Scripted account to use.")]


def test_a_disconnected_connection_is_named(workflow: Workflow) -> None:
    Connection.objects.update(status=Connection.Status.DISCONNECTED)
    messages = {message for _, _, message in told(workflow)}
    assert messages == {"Scripted account is disconnected. Connect it again or choose another one."}


def test_the_plan_is_frozen_with_its_hash_and_says_itself(workflow: Workflow, cast: Cast) -> None:
    version = workflow.versions.get()
    assert version.number == 1
    assert version.published_by == cast.builder
    assert version.plan_sha256 == hashlib.sha256(dumps(version.plan).encode()).hexdigest()
    assert version.summary.splitlines() == [
        "When there is a new thing in Scripted account (Scripted):",
        "Write thing in Scripted account (Scripted), with Name = the thing's title.",
    ]


def test_editing_shows_as_a_change_until_it_is_published(workflow: Workflow, write: Step, cast: Cast) -> None:
    assert not publish.has_unpublished_changes(workflow)
    put(write, "name", "Another name")
    assert publish.has_unpublished_changes(workflow)
    second = publish.publish(workflow, by=cast.builder, note="Another name")
    assert second.number == 2
    assert not publish.has_unpublished_changes(workflow)
    assert workflow.versions.get(number=1).plan["steps"][0]["inputs"] == {"name": "{{ trigger.title }}"}


def test_a_plan_says_names_and_words_instead_of_ids_and_syntax(make_workflow: Make, provider: Provider) -> None:
    workflow = make_workflow(actions=("read_thing", "write_thing"), inputs={"name": "x"}, is_active=False)
    read, write = workflow.steps.order_by("position")
    put(write, "name", f"{{{{ steps.{read.key}.price | round(2) }}}} of {{{{ trigger.title | upper }}}}")
    sentence = publish.describe(compiler.compile_plan(workflow)).splitlines()[-1]
    assert sentence == (
        "Write thing in Scripted account (Scripted), "
        'with Name = "price of “Read thing”, round 2 of the thing\'s title, upper case".'
    )
