"""What a workflow is built with: the item chosen, the last real one, or an invented one that says so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.exact_json import dumps
from tests.base import Cast
from tests.world import World, make_event, make_run, make_step_run
from workflows.definitions import editing, samples
from workflows.definitions.samples import Found, Origin
from workflows.definitions.samples.cutting import MOST_BYTES, cut
from workflows.models import Event, FetchedOutput, Run, SampleItem, SampleReading, StepRun
from workflows.publishing import activation


def keep(world: World, *titles: str) -> list[SampleItem]:
    samples.keep_items(world.workflow, [Found({"title": title}) for title in titles])
    return samples.items_of(world.workflow)


def test_without_anything_real_the_sample_is_the_triggers_own_and_says_so(world: World) -> None:
    found = samples.sample_of(world.draft)
    assert (found.origin, found.title, found.at) == (Origin.INVENTED, "Summer furniture", None)
    assert found.data["pin_count"] == 5


def test_the_newest_event_is_real_and_is_not_filled_up_with_invented_values(world: World) -> None:
    Event.objects.filter(pk=world.event.pk).update(data={"title": "Ash chair"})
    found = samples.sample_of(world.workflow)
    assert (found.origin, found.title, found.data) == (Origin.REAL, "Ash chair", {"title": "Ash chair"})


def test_an_event_whose_body_was_removed_is_no_sample(world: World) -> None:
    Event.objects.filter(pk=world.event.pk).update(data={})
    assert samples.sample_of(world.workflow).origin is Origin.INVENTED


def test_the_first_item_read_is_used_until_another_one_is_chosen(world: World) -> None:
    newest, second = keep(world, "Newest", "Second")
    assert samples.sample_of(world.workflow).title == "Newest"
    samples.choose(world.workflow, second)
    assert samples.sample_of(world.workflow).title == "Second"
    samples.choose(world.workflow, newest)
    assert samples.sample_of(world.workflow).title == "Newest"
    assert SampleItem.objects.filter(is_chosen=True).count() == 1


def test_five_items_are_kept_and_each_reading_replaces_the_last(world: World) -> None:
    assert len(keep(world, *"abcdefg")) == 5
    assert [each.title for each in keep(world, "h")] == ["h"]


def test_the_chosen_item_stays_chosen_when_it_is_read_again(world: World) -> None:
    samples.choose(world.workflow, keep(world, "First", "Second")[1])
    keep(world, "Newer", "First", "Second")
    assert samples.sample_of(world.workflow).title == "Second"
    keep(world, "Newest")
    assert samples.sample_of(world.workflow).title == "Newest"


def test_what_was_read_for_another_board_is_not_used(world: World) -> None:
    keep(world, "Newest")
    assert samples.reading_of(world.workflow) is not None
    trigger = {"operation": "pinterest.new_pin", "connection": world.pinterest, "interval_minutes": 5}
    editing.set_trigger(world.workflow, inputs={"board_id": "1"}, **trigger)  # type: ignore[arg-type]
    assert samples.items_of(world.workflow) == []
    assert samples.reading_of(world.workflow) is None


def test_what_a_person_typed_is_used_also_after_reading_again_and_with_other_inputs(world: World) -> None:
    keep(world, "Newest")
    samples.keep_typed(world.workflow, {"title": "Typed"})
    keep(world, "Newer")
    trigger = {"operation": "pinterest.new_pin", "connection": world.pinterest, "interval_minutes": 5}
    editing.set_trigger(world.workflow, inputs={"board_id": "1"}, **trigger)  # type: ignore[arg-type]
    found = samples.sample_of(world.workflow)
    assert (found.origin, found.data) == (Origin.TYPED, {"title": "Typed"})
    samples.drop_typed(world.workflow)
    assert samples.sample_of(world.workflow).title == "Oak table"


def test_what_was_typed_for_another_trigger_is_not_used(world: World) -> None:
    samples.keep_typed(world.workflow, {"title": "Typed"})
    editing.set_trigger(
        world.workflow, operation="pinterest.new_board", connection=world.pinterest, inputs={}, interval_minutes=5
    )
    assert samples.sample_of(world.workflow).origin is Origin.INVENTED


def test_amounts_keep_every_digit(world: World) -> None:
    samples.keep_typed(world.workflow, {"amount": Decimal("10.10")})
    assert str(samples.sample_of(world.workflow).data["amount"]) == "10.10"


def test_a_failed_reading_is_noted_and_leaves_what_is_there(world: World) -> None:
    keep(world, "Newest")
    samples.note_reading(world.workflow, "Pinterest did not answer.")
    reading = samples.reading_of(world.workflow)
    assert reading is not None
    assert reading.error == "Pinterest did not answer."
    assert SampleReading.objects.count() == 1
    assert samples.sample_of(world.workflow).title == "Newest"


def test_a_step_gives_what_it_gave_in_its_last_run(world: World) -> None:
    step = world.steps[1]
    assert samples.step_sample(step).origin is Origin.INVENTED
    ran(world, "9", output={"InvoiceNumber": "INV-1"})
    ran(world, "10", output={"InvoiceNumber": "INV-2"})
    ran(world, "11", output={"InvoiceNumber": "INV-3"}, state=StepRun.State.FAILED)
    ran(world, "12", output=None)
    found = samples.step_sample(step)
    assert (found.origin, found.output) == (Origin.REAL, {"InvoiceNumber": "INV-2"})


def ran(world: World, key: str, **fields: Any) -> StepRun:
    run = make_run(world.workflow, world.version, make_event(world.state, key), world.xero)
    step_run = make_step_run(run, **fields)
    StepRun.objects.filter(pk=step_run.pk).update(step=world.steps[1].key)
    return step_run


def test_a_new_step_gives_what_the_same_action_gave_elsewhere_in_the_team(world: World) -> None:
    ran(world, "9", output={"InvoiceNumber": "INV-1"})
    draft = editing.StepDraft("Another", "xero.create_invoice", world.xero, {})
    step = editing.save_step(world.draft, None, draft)
    assert samples.step_sample(step).output == {"InvoiceNumber": "INV-1"}
    step.connection = world.pinterest
    assert samples.step_sample(step).origin is Origin.INVENTED


def test_what_another_team_wrote_is_never_a_sample(world: World, cast: Cast) -> None:
    ran(world, "9", output={"InvoiceNumber": "INV-1"})
    theirs = editing.create_workflow(
        cast.other_team, name="Theirs", operation="start.manual", connection=None, by=cast.outsider
    )
    step = editing.save_step(theirs, None, editing.StepDraft("Write", "xero.create_invoice", world.xero, {}))
    assert samples.step_sample(step).origin is Origin.INVENTED


def test_what_was_fetched_comes_first_while_the_step_does_the_same(world: World) -> None:
    step = world.steps[1]
    ran(world, "9", output={"InvoiceNumber": "INV-1"})
    samples.keep_fetched(step, {"InvoiceNumber": "INV-7"})
    assert samples.step_sample(step).output == {"InvoiceNumber": "INV-7"}
    samples.note_not_fetched(step, "Xero did not answer.")
    assert samples.step_sample(step).output == {"InvoiceNumber": "INV-7"}
    step.operation = "xero.create_quote"
    assert samples.step_sample(step).origin is Origin.INVENTED
    assert samples.fetched_of(step) is None


def test_the_number_of_queries_does_not_grow_with_the_steps(world: World) -> None:
    ran(world, "9", output={"InvoiceNumber": "INV-1"})
    steps = list(world.workflow.steps.prefetch_related("mappings"))
    with CaptureQueriesContext(connection) as few:
        samples.step_samples(world.workflow, steps)
    for number in range(6):
        draft = editing.StepDraft(f"Another {number}", "xero.create_quote", world.xero, {})
        editing.save_step(world.workflow, None, draft)
    steps = list(world.workflow.steps.prefetch_related("mappings"))
    with CaptureQueriesContext(connection) as many:
        samples.step_samples(world.workflow, steps)
    assert len(many) == len(few) <= 5


def test_deleting_the_workflow_removes_its_samples(world: World) -> None:
    samples.keep_typed(world.draft, {"title": "Typed"})
    world.draft.delete()
    assert not SampleItem.objects.exists()


def test_hiding_a_published_workflow_removes_its_samples(world: World) -> None:
    samples.keep_typed(world.workflow, {"title": "Typed"})
    samples.keep_fetched(world.steps[0], {"Name": "Private"})
    Run.objects.update(status=Run.Status.SUCCEEDED)
    activation.pause(world.workflow, by=world.decision.by)
    editing.delete_workflow(world.workflow)
    assert not SampleItem.objects.exists()
    assert not FetchedOutput.objects.exists()


def test_small_data_are_kept_as_they_are() -> None:
    assert cut({"a": [1] * 500}) == ({"a": [1] * 500}, False)


def test_ten_megabytes_are_cut_and_every_name_stays() -> None:
    data = {"title": "Oak", "text": "x" * 10_000_000, "rows": [{"n": "y" * 1000}] * 1000}
    made, is_cut = cut(data)
    assert is_cut
    assert list(made) == ["title", "text", "rows"]
    assert made["title"] == "Oak"
    assert made["rows"][0]["n"].startswith("yyy")
    assert len(dumps(made)) <= MOST_BYTES


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), _JSON, max_size=5), st.integers(0, 20_000))
def test_whatever_is_cut_fits(data: dict[str, Any], times: int) -> None:
    made, _ = cut({"inner": [data] * times})
    assert len(dumps(made).encode(errors="replace")) <= MOST_BYTES
