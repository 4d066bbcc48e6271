"""A contact in a step's form: picked, from an earlier step, or found or created by a step of its own; and what becomes
of picked values when the organisation changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.framework.choices import ChoiceList
from integrations.models import Connection
from tests.base import Cast, make_connection
from tests.world import CONTACT, World, make_world
from workflows.models import Mapping, Step

LISTS = {
    "Acme Ltd": [(CONTACT, "Bayside Club"), ("200", "200 - Sales"), ("OUTPUT2", "15% GST")],
    "Boom Ltd": [("9f5b9d5c-0000-4d63-a6ec-0e1d6b3a0f31", "Boom FM"), ("400", "400 - Fees"), ("OUTPUT2", "15% GST")],
}
FIND = {"in.contact_id": "~find", "in.contact_id~find.name": "{{ trigger.name }}"}
EMAIL = {"in.contact_id~find.email": "{{ trigger.owner }}@acme.example"}
THE_CONTACT = "{{ steps.find_or_create_contact.ContactID }}"


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    def choices(chosen: Connection, *args: Any, **kwargs: Any) -> ChoiceList:
        return ChoiceList(choices=LISTS[chosen.name], fetched_at=timezone.now())

    monkeypatch.setattr("workflows.views.common.choices_for", choices)
    return make_world(cast)


@pytest.fixture
def other(world: World, cast: Cast) -> Connection:
    return make_connection(cast.team, "xero", name="Boom Ltd")


def _path(world: World, operation: str = "xero.create_invoice", *, published: bool = False) -> str:
    workflow = world.workflow if published else world.draft
    return reverse("new_step", args=[workflow.pk]) + f"?operation={operation}"


def _typed(world: World, **changes: str) -> dict[str, Any]:
    return {
        "name": "New one",
        "connection": str(world.xero.pk),
        "on_error": "stop",
        "max_attempts": "5",
        "in.contact_id": CONTACT,
        "in.lines~row": ["0"],
        "in.lines.0.description": "Oak",
        "in.lines.0.account_code": "200",
        "in.lines.0.tax_type": "OUTPUT2",
        **changes,
    }


def _control(answer: Any, path: str = "contact_id") -> Any:
    return next(each for each in answer.context["controls"] if each.path == path)


def test_a_step_that_gives_a_contact_is_offered_by_its_name_and_what_it_gave(builder: Client, world: World) -> None:
    contact = _control(builder.get(_path(world, published=True)))
    sources = [source for source, _ in contact.offer.earlier]
    assert sources[0] == "{{ steps.create_invoice.Contact.ContactID }}", "the nearest first"
    assert "{{ steps.create_or_update_contact.ContactID }}" in sources
    labels = dict(contact.offer.earlier)
    assert labels["{{ steps.create_or_update_contact.ContactID }}"].startswith("The contact of Know the customer (")


def test_a_contact_of_another_organisation_is_not_offered(builder: Client, world: World, other: Connection) -> None:
    answer = builder.post(_path(world, published=True), _typed(world, connection=str(other.pk), _reload="1"))
    assert _control(answer).offer.earlier == []


def test_a_contact_from_an_earlier_step_stays_chosen_in_the_list(builder: Client, world: World) -> None:
    source = "{{ steps.create_or_update_contact.ContactID }}"
    builder.post(_path(world, published=True), _typed(world, **{"in.contact_id": source}))
    step = world.workflow.steps.get(name="New one")
    assert step.mappings.get(input="contact_id").value == source
    contact = _control(builder.get(reverse("step", args=[world.workflow.pk, step.pk])))
    assert (contact.value, contact.text) == (source, "")


def test_the_id_of_a_contact_is_called_the_contact_among_the_values(builder: Client, world: World) -> None:
    groups = {each.key: each for each in builder.get(_path(world, published=True)).context["groups"]}
    labels = {token.path: token.label for token in groups["create_or_update_contact"].tokens}
    assert labels["steps.create_or_update_contact.ContactID"] == "The contact"


def test_finding_or_creating_a_contact_asks_for_what_it_needs_only_when_chosen(builder: Client, world: World) -> None:
    assert _control(builder.post(_path(world), _typed(world, _reload="1"))).finding == []
    found = _control(builder.post(_path(world), _typed(world, **FIND, _reload="1")))
    assert [(each.label, each.value) for each in found.finding] == [("Name", "{{ trigger.name }}"), ("E-mail", "")]
    assert found.offer.find_label == "Find or create the contact by name and e-mail"
    assert not world.draft.steps.exists()


def test_saving_puts_one_step_before_this_one_and_takes_the_contact_from_it(builder: Client, world: World) -> None:
    builder.post(_path(world), _typed(world, **FIND, **EMAIL))
    first, second = world.draft.steps.order_by("position")
    assert (first.operation, first.connection) == ("xero.find_or_create_contact", world.xero)
    assert second.operation == "xero.create_invoice"
    given = {row.input: row.value for row in first.mappings.all()}
    assert given["name"] == "{{ trigger.name }}"
    assert given["email"] == "{{ trigger.owner }}@acme.example"
    assert given["look_by"] == "email", "a name alone never decides"
    assert given["if_name_taken"] == "stop"
    assert second.mappings.get(input="contact_id").value == THE_CONTACT


def test_for_a_step_that_is_there_it_is_put_right_before_it_and_in_the_same_place(
    builder: Client, world: World
) -> None:
    builder.post(_path(world), _typed(world))
    loop = Step.objects.create(workflow=world.draft, key="each", name="Each", kind="loop", position=9)
    there = world.draft.steps.get(name="New one")
    Step.objects.filter(pk=there.pk).update(parent=loop)
    builder.post(reverse("step", args=[world.draft.pk, there.pk]), _typed(world, **FIND, **EMAIL))
    inside = list(loop.children.order_by("position"))
    assert [each.key for each in inside] == ["find_or_create_contact", there.key]


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ({**FIND}, "contact_id~find.email"),
        ({**FIND, "in.contact_id~find.email": "{{ trigger.name"}, "contact_id~find.email"),
        ({**EMAIL, "in.contact_id": "~find", "in.contact_id~find.name": " "}, "contact_id~find.name"),
    ],
)
def test_without_a_name_and_an_email_nothing_is_saved(
    builder: Client, world: World, typed: dict[str, str], path: str
) -> None:
    answer = builder.post(_path(world), _typed(world, **typed))
    wrong = {each.path: each.errors for each in _control(answer).finding if each.errors}
    assert list(wrong) == [path]
    assert not world.draft.steps.exists()


def test_the_action_that_finds_contacts_offers_no_finding_before_it(builder: Client, world: World) -> None:
    controls = builder.get(_path(world, "xero.find_or_create_contact")).context["controls"]
    assert all(each.offer is None for each in controls)


def test_a_new_step_takes_over_the_organisation_of_the_nearest_step(
    builder: Client, world: World, other: Connection
) -> None:
    assert builder.get(_path(world)).context["connection"] is None, "two organisations, and none used so far"
    builder.post(_path(world), _typed(world))
    builder.post(_path(world), _typed(world, name="Second", connection=str(other.pk), **{"in.contact_id": "{{ a }}"}))
    builder.post(_path(world), _typed(world, name="Third", connection=str(other.pk), keep_values="on"))
    assert builder.get(_path(world)).context["connection"] == other
    first, *_ = world.draft.steps.order_by("position")
    last = world.draft.steps.order_by("position").last()
    at_second = f"{_path(world)}&before={last.pk}"
    Step.objects.filter(workflow=world.draft, name="Second").update(connection=world.xero)
    assert builder.get(at_second).context["connection"] == world.xero
    assert builder.get(f"{_path(world)}&before={first.pk}").context["connection"] == first.connection


def test_the_trigger_gives_its_organisation_to_the_first_step(builder: Client, world: World, other: Connection) -> None:
    world.draft.trigger_operation, world.draft.trigger_connection = "xero.new_invoice", other
    world.draft.save()
    answer = builder.get(_path(world))
    assert answer.context["connection"] == other
    assert [source for source, _ in _control(answer).offer.earlier] == ["{{ trigger.Contact.ContactID }}"]


def test_changing_the_organisation_lists_every_value_that_is_not_there_and_keeps_them_all(
    builder: Client, world: World, other: Connection
) -> None:
    typed = _typed(world, connection=str(other.pk), connection_before=str(world.xero.pk))
    for changes in ({"_reload": "1"}, {}):
        answer = builder.post(_path(world), {**typed, **changes})
        assert [each.place for each in answer.context["foreign_values"]] == ["Contact", "Line 1, account"]
        assert answer.context["connection_before"] == world.xero
        text = answer.content.decode()
        assert "Boom Ltd does not have these values of Acme Ltd." in text
        assert f'<option value="{CONTACT}" selected>' in text
        assert "(not in Boom Ltd)" in text
        assert '<a href="#id_in-lines-0-account_code">' in text
    assert not world.draft.steps.exists(), "it is asked before anything is stored"


def test_values_that_are_not_there_are_kept_if_somebody_says_so_or_picked_anew(
    builder: Client, world: World, other: Connection
) -> None:
    typed = _typed(world, connection=str(other.pk), connection_before=str(world.xero.pk))
    builder.post(_path(world), {**typed, "keep_values": "on"})
    assert Mapping.objects.get(step__name="New one", column="account_code").value == "200"
    anew = {"in.contact_id": LISTS["Boom Ltd"][0][0], "in.lines.0.account_code": "400", "name": "Anew"}
    builder.post(_path(world), {**typed, **anew})
    assert Mapping.objects.get(step__name="Anew", column="account_code").value == "400"


def test_a_value_from_an_earlier_step_is_no_value_of_an_organisation(
    builder: Client, world: World, other: Connection
) -> None:
    mapped = {"in.contact_id": "", "in.contact_id~text": "{{ trigger.name }}", "in.lines.0.account_code": ""}
    typed = _typed(world, connection=str(other.pk), connection_before=str(world.xero.pk), **mapped)
    assert builder.post(_path(world), {**typed, "_reload": "1"}).context["foreign_values"] == []


def test_an_organisation_of_another_team_cannot_be_named_as_the_one_before(
    builder: Client, world: World, other: Connection, cast: Cast
) -> None:
    theirs = make_connection(cast.other_team, "xero", name="Theirs")
    typed = _typed(world, connection=str(other.pk), connection_before=str(theirs.pk), _reload="1")
    answer = builder.post(_path(world), typed)
    assert answer.context["foreign_values"] == []
    assert "Theirs" not in answer.content.decode()


def test_changing_the_organisation_costs_the_same_for_one_row_and_for_twenty(
    builder: Client, world: World, other: Connection
) -> None:
    def queries(count: int) -> int:
        typed = _typed(world, connection=str(other.pk), connection_before=str(world.xero.pk), _reload="1")
        typed["in.lines~row"] = [str(n) for n in range(count)]
        typed |= {f"in.lines.{n}.account_code": "200" for n in range(count)}
        with CaptureQueriesContext(connection) as found:
            assert len(builder.post(_path(world), typed).context["foreign_values"]) == count + 1
        return len(found)

    queries(1)
    assert queries(20) == queries(1)
