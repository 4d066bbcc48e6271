"""The pages of samples: reading, choosing, editing by hand, fetching, and what is marked as invented."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.core.errors import TemporaryError
from integrations.framework.base import Item, Poll
from integrations.framework.choices import ChoiceList
from integrations.framework.registry import action, trigger
from tests.base import Cast
from tests.world import CONTACT, World, make_world
from workflows.definitions import editing, samples
from workflows.definitions.samples import Found, Origin
from workflows.models import Event, InboundHook, Run, SampleItem, SeenItem, Step, TriggerState
from workflows.triggers import inbound_webhooks

HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}\u202e'


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, "Bayside Club"), ("GBP", "Pound")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


def path(world: World, name: str = "workflow_samples", *args: Any) -> str:
    return reverse(name, args=[world.draft.pk, *args])


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.fixture
def boards(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the trigger of new boards finds; an error in it is raised."""
    found: list[Any] = []

    def poll(poll: Poll) -> Iterator[Item]:
        assert poll.newest == samples.MOST_ITEMS
        for each in found:
            if isinstance(each, Exception):
                raise each
            yield Item(each, {"id": each, "name": each})

    monkeypatch.setattr(trigger("pinterest.new_board"), "poll", poll)
    return found


def test_the_sample_is_read_at_once_after_the_trigger_is_saved(builder: Client, world: World) -> None:
    address = reverse("workflow_trigger", args=[world.draft.pk])
    posted = {"connection": world.pinterest.pk, "in.privacy": "ALL", "interval_minutes": "5"}
    response = builder.post(address, posted, follow=True)
    shown = response.content.decode()
    assert f'hx-post="{path(world)}" hx-trigger="load"' in shown
    shown = text(builder, path(world))
    assert 'hx-trigger="load, submit"' in shown
    assert "Reading the newest boards…" in shown
    assert "Invented" in shown


def test_reading_shows_the_items_and_starts_nothing(builder: Client, world: World, boards: list[Any]) -> None:
    before = [table.objects.count() for table in (Run, Event, SeenItem, TriggerState)]  # type: ignore[attr-defined]
    boards += ["One", "Two"]
    shown = builder.post(path(world), follow=True).content.decode()
    assert "load, submit" not in shown
    assert ">Real</span>" in shown
    assert "Two" in shown
    assert [table.objects.count() for table in (Run, Event, SeenItem, TriggerState)] == before  # type: ignore[attr-defined]
    assert samples.sample_of(world.draft).data == {"id": "One", "name": "One"}


def test_another_item_is_chosen(builder: Client, world: World, boards: list[Any]) -> None:
    boards += ["One", "Two"]
    builder.post(path(world))
    second = SampleItem.objects.get(title="Two")
    builder.post(path(world, "choose_sample", second.pk))
    assert samples.sample_of(world.draft).title == "Two"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TemporaryError("Pinterest answered 503."), "Pinterest answered 503."),
        (KeyError("odd"), "The answer of Pinterest was not understood."),
    ],
)
def test_a_reading_that_fails_says_why(
    builder: Client, world: World, boards: list[Any], error: Exception, words: str
) -> None:
    boards.append(error)
    shown = builder.post(path(world), follow=True).content.decode()
    assert words in shown
    assert ">Invented</span>" in shown
    assert samples.sample_of(world.draft).origin is Origin.INVENTED


def test_without_items_the_page_says_so(builder: Client, world: World, boards: list[Any]) -> None:
    shown = builder.post(path(world), follow=True).content.decode()
    assert "Pinterest has no board that fits yet." in shown


def test_hostile_titles_stay_text(builder: Client, world: World, boards: list[Any]) -> None:
    boards.append(HOSTILE)
    pages = [
        builder.post(path(world), follow=True).content.decode(),
        text(builder, path(world, "edit_sample")),
        text(builder, reverse("workflow", args=[world.draft.pk])),
        text(builder, reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_invoice"),
    ]
    for shown in pages:
        assert "alert(1)" in shown
        assert "<script>alert" not in shown
        assert 'value=""><' not in shown


def test_a_sample_is_edited_by_hand_and_marked(builder: Client, world: World) -> None:
    address = path(world, "edit_sample")
    page = builder.get(address)
    fields = {each.name: each.value for each in page.context["fields"]}
    name = next(each.name for each in page.context["fields"] if each.label == "Name")
    builder.post(address, {**fields, name: "My board", "shape": page.context["shape"]})
    found = samples.sample_of(world.draft)
    assert (found.origin, found.data["name"], found.data["pin_count"]) == (Origin.TYPED, "My board", 5)
    assert "Edited by hand" in text(
        builder, reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_quote"
    )
    builder.post(path(world, "drop_sample"))
    assert samples.sample_of(world.draft).origin is Origin.INVENTED


def test_a_wrong_value_is_marked_at_its_field_and_nothing_is_saved(builder: Client, world: World) -> None:
    address = path(world, "edit_sample")
    page = builder.get(address)
    fields = {each.name: each.value for each in page.context["fields"]}
    name = next(each.name for each in page.context["fields"] if each.label == "Pin count")
    shown = builder.post(address, {**fields, name: "many", "shape": page.context["shape"]}).content.decode()
    assert "Pin count takes a number such as 1250.50; this is “many”." in shown
    assert 'aria-invalid="true"' in shown
    assert not SampleItem.objects.exists()


def test_a_form_of_another_sample_is_not_read(builder: Client, world: World) -> None:
    shown = builder.post(path(world, "edit_sample"), {"shape": "old", "v0": "x"}).content.decode()
    assert "The sample has changed meanwhile." in shown
    assert not SampleItem.objects.exists()


def test_an_address_waits_for_its_first_call_and_takes_the_last(builder: Client, world: World) -> None:
    editing.set_trigger(world.draft, operation="start.webhook", connection=None, inputs={}, interval_minutes=5)
    inbound_webhooks.hook_of(world.draft)
    shown = text(builder, path(world))
    assert "Waiting for the first call" in shown
    assert "every 3s" in shown
    InboundHook.objects.update(sample={"body": {"customer": "Jane"}, "query": {}, "received_at": "x"})
    shown = text(builder, path(world))
    assert "Waiting" not in shown
    assert ">Real</span>" in shown
    assert "Jane" in shown


def test_a_schedule_is_built_with_its_next_start(builder: Client, world: World) -> None:
    inputs = {"how": "daily", "at": "09:00", "timezone": "Europe/London"}
    editing.set_trigger(world.draft, operation="start.schedule", connection=None, inputs=inputs, interval_minutes=5)
    builder.post(path(world))
    found = samples.sample_of(world.draft)
    assert (found.origin, found.data["time"], found.data["timezone"]) == (Origin.REAL, "09:00", "Europe/London")
    assert set(found.data) == set(trigger("start.schedule").sample)


def reading_step(world: World) -> Step:
    sources: editing.Sources = {"search_by": "name", "value": "{{ trigger.name }}", "if_none": "empty"}
    return editing.save_step(world.draft, None, editing.StepDraft("Find", "xero.find_contact", world.xero, sources))


def test_a_reading_step_is_fetched_with_the_sample(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, asked = reading_step(world), []
    samples.keep_items(world.draft, [Found({"name": "Bayside Club"})])

    def run(api: Any, inputs: Any) -> dict[str, Any]:
        asked.append((inputs.value, api.purpose.value))
        return {"Name": "Bayside Club", "is_found": True}

    monkeypatch.setattr(action("xero.find_contact"), "run", run)
    shown = builder.post(path(world, "fetch_step", step.pk), follow=True).content.decode()
    assert asked == [("Bayside Club", "person")]
    assert ">Real</span>" in shown
    assert samples.step_sample(step).output == {"Name": "Bayside Club", "is_found": True}
    assert Run.objects.filter(workflow=world.draft).count() == 0


def test_a_fetch_that_fails_says_why_at_the_step(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = reading_step(world)

    def run(api: Any, inputs: Any) -> dict[str, Any]:
        raise TemporaryError("Xero answered 503.")

    monkeypatch.setattr(action("xero.find_contact"), "run", run)
    shown = builder.post(path(world, "fetch_step", step.pk), follow=True).content.decode()
    assert "It could not be fetched." in shown
    assert "Xero answered 503." in shown
    assert "Xero answered 503." in text(builder, reverse("step", args=[world.draft.pk, step.pk]))


def test_an_input_that_does_not_fit_keeps_it_from_being_fetched(builder: Client, world: World) -> None:
    sources: editing.Sources = {"search_by": "name", "value": "{{ trigger.nothing }}", "if_none": "empty"}
    draft = editing.StepDraft("Find", "xero.find_contact", world.xero, sources)
    step = editing.save_step(world.draft, None, draft)
    shown = builder.post(path(world, "fetch_step", step.pk), follow=True).content.decode()
    assert "With this sample some inputs do not fit" in shown
    assert "trigger.nothing" in shown


def test_a_writing_step_is_never_fetched(builder: Client, world: World) -> None:
    step = editing.save_step(
        world.draft, None, editing.StepDraft("Write", "xero.create_invoice", world.xero, {"contact_id": CONTACT})
    )
    assert "Fetch now" not in text(builder, reverse("step", args=[world.draft.pk, step.pk]))
    shown = builder.post(path(world, "fetch_step", step.pk), follow=True).content.decode()
    assert "Only steps that read can be fetched" in shown


def test_another_teams_samples_do_not_exist(client: Client, cast: Cast, world: World) -> None:
    item = samples.keep_typed(world.draft, {"title": "Acme's"})
    client.force_login(cast.outsider)
    for name, args in (
        ("workflow_samples", ()),
        ("choose_sample", (item.pk,)),
        ("edit_sample", ()),
        ("drop_sample", ()),
    ):
        assert client.post(path(world, name, *args)).status_code == 404
    other = editing.create_workflow(
        cast.other_team, name="Theirs", operation="start.manual", connection=None, by=cast.outsider
    )
    assert client.post(reverse("choose_sample", args=[other.pk, item.pk])).status_code == 404
    assert SampleItem.objects.count() == 1


def test_the_page_asks_no_more_with_more_items(builder: Client, world: World) -> None:
    samples.keep_items(world.draft, [Found({"name": "One"})])
    with CaptureQueriesContext(connection) as few:
        builder.get(path(world), headers={"HX-Request": "true", "HX-Target": "px-sample"})
    samples.keep_items(world.draft, [Found({"name": str(number)}) for number in range(5)])
    with CaptureQueriesContext(connection) as many:
        builder.get(path(world), headers={"HX-Request": "true", "HX-Target": "px-sample"})
    assert len(many) <= len(few)


def test_samples_are_in_no_export(builder: Client, world: World) -> None:
    samples.keep_typed(world.draft, {"title": "Confidential"})
    assert b"Confidential" not in builder.get(reverse("export_workflow", args=[world.draft.pk])).content


def test_triggers_are_found_by_further_words(builder: Client, world: World) -> None:
    pages = [
        text(builder, reverse("workflow_trigger", args=[world.draft.pk]) + "?change=1"),
        text(builder, reverse("new_workflow")),
    ]
    for shown in pages:
        assert 'data-px-words="supplier invoice purchase invoice payable vendor expense"' in shown
        assert "Nothing fits" in shown


CSV = b"Customer,Amount,Due\nJane Doe,1250.50,2026-12-01\nTui Timber,300,2026-12-15\n"


def test_a_file_start_takes_its_values_and_samples_from_a_files_columns(builder: Client, world: World) -> None:
    given = SimpleUploadedFile("orders.csv", CSV)
    builder.post(path(world, "take_columns"), {"trigger": "start.csv", "file": given})
    world.draft.refresh_from_db()
    asked = world.draft.trigger_inputs["fields_asked"]
    assert [(each["label"], each["holds"]) for each in asked] == [
        ("Customer", "text"), ("Amount", "number"), ("Due", "date"),
    ]  # fmt: skip
    found = samples.sample_of(world.draft)
    assert (found.origin, found.title) == (Origin.REAL, "Jane Doe")
    assert found.data == {"customer": "Jane Doe", "amount": Decimal("1250.50"), "due": "2026-12-01"}
    assert [each.title for each in samples.items_of(world.draft)] == ["Jane Doe", "Tui Timber"]
    shown = text(builder, reverse("workflow_trigger", args=[world.draft.pk]))
    assert 'value="Customer"' in shown
    assert Run.objects.filter(workflow=world.draft).count() == 0


ABROAD = b"Customer;Amount;Due;Paid\n;1.234,50;31.12.2026;yes\n=1+1;300,00;15.12.2026;no\n"


def test_samples_from_a_file_stay_when_its_trigger_is_saved_as_it_is(builder: Client, world: World) -> None:
    builder.post(path(world, "take_columns"), {"trigger": "start.csv", "file": SimpleUploadedFile("a.csv", ABROAD)})
    world.draft.refresh_from_db()
    asked = [{"options": "", **each} for each in world.draft.trigger_inputs["fields_asked"]]
    editing.set_trigger(
        world.draft, operation="start.csv", connection=None, inputs={"fields_asked": asked}, interval_minutes=5
    )
    world.draft.refresh_from_db()
    assert [each.title for each in samples.items_of(world.draft)] == ["2026-12-31", "=1+1"]


def test_what_was_needed_stays_needed_and_an_empty_column_keeps_its_kind(builder: Client, world: World) -> None:
    asked = [
        {"label": "Customer", "holds": "text", "is_required": "true"},
        {"label": "Due", "holds": "date", "is_required": "false"},
    ]
    editing.set_trigger(
        world.draft, operation="start.csv", connection=None, inputs={"fields_asked": asked}, interval_minutes=5
    )
    given = SimpleUploadedFile("a.csv", b"Customer,Due,Note\n,,first\nJane Doe,,second\n")
    builder.post(path(world, "take_columns"), {"trigger": "start.csv", "file": given})
    world.draft.refresh_from_db()
    taken = world.draft.trigger_inputs["fields_asked"]
    assert [(each["label"], each["holds"], each["is_required"]) for each in taken] == [
        ("Customer", "text", "true"), ("Due", "date", "false"), ("Note", "text", "true"),
    ]  # fmt: skip
    assert [each.title for each in samples.items_of(world.draft)] == ["Jane Doe"]


def test_examples_from_a_file_are_written_as_a_run_has_them(builder: Client, world: World) -> None:
    builder.post(path(world, "take_columns"), {"trigger": "start.csv", "file": SimpleUploadedFile("a.csv", ABROAD)})
    world.draft.refresh_from_db()
    data = samples.invented(world.draft).data
    assert data == {"customer": "=1+1", "amount": "1234.50", "due": "2026-12-31", "paid": True}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04", "spreadsheet"),
        (b"A,A!\n1,2\n", "would be the same value"),
        (",".join(f"c{n}" for n in range(61)).encode() + b"\n" + b"1," * 60 + b"1\n", "At most 60 values"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_changes_nothing(
    builder: Client, world: World, content: bytes, words: str
) -> None:
    posted = {"trigger": "start.csv", "file": SimpleUploadedFile("orders.csv", content)}
    shown = builder.post(path(world, "take_columns"), posted, follow=True).content.decode()
    assert words in shown
    world.draft.refresh_from_db()
    assert world.draft.trigger_operation == "pinterest.new_board"
