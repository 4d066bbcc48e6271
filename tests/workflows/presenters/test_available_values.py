"""What can be used at a place: values with examples, lists, and what may not be there."""

from __future__ import annotations

from typing import Any

from tests.base import Cast
from tests.world import World
from workflows.definitions import editing
from workflows.definitions.tree import Place
from workflows.forms.control_values import Evaluation
from workflows.language import mapping
from workflows.lookup_tables.editing import create
from workflows.models import Event, Step
from workflows.presenters.editor.available_values import AvailableValues, available_values, token_groups

LINES = "{{ steps.create_invoice.LineItems }}"


def add(world: World, kind: str, name: str, place: Place | None = None, **given: Any) -> Step:
    kept = {"settings": given.get("settings", {}), "sources": given.get("sources", {})}
    return editing.save_kind(world.workflow, None, kind=kind, name=name, place=place or Place(), **kept)


def look(world: World, place: Place | None = None) -> AvailableValues:
    return available_values(
        world.workflow, list(world.workflow.steps.prefetch_related("mappings", "conditions")), place or Place()
    )


def found(seen: AvailableValues, path: str) -> Any:
    return next((token for group in seen.groups for token in group.tokens if token.path == path), None)


def test_a_place_sees_the_trigger_and_the_steps_before_it(world: World) -> None:
    first, second = world.steps
    seen = look(world, Place(None, second))
    assert [group.key for group in seen.groups] == ["trigger", first.key, "run"]
    assert found(seen, "trigger.title").example == "Oak table"
    assert [group.key for group in look(world).groups] == ["trigger", first.key, second.key, "run"]


def test_named_values_are_worked_out_from_the_examples(world: World) -> None:
    add(world, "format", "Values", sources={"loud": "{{ trigger.title | upper }}", "odd": "{{ trigger.nothing }}"})
    seen = look(world)
    assert found(seen, "steps.format.loud").example == "OAK TABLE"
    assert found(seen, "steps.format.odd").example == "empty"
    assert Evaluation(seen).given("{{ steps.format.loud | length }}").value == "9"
    assert "There is no" in Evaluation(seen).given("{{ trigger.nothing }}").error


def test_inside_a_loop_there_are_the_item_and_the_turn(world: World) -> None:
    loop = add(world, "loop", "Lines", settings={"items": LINES})
    inner = add(world, "format", "Inner", Place(loop), sources={"said": "{{ item.Description }}"})
    inside = look(world, Place(loop))
    assert inside.groups[0].label == "Item of Lines"
    assert found(inside, "item.Description").source == "{{ item.Description }}"
    assert found(inside, "loop.index").label == "Number of the iteration"
    assert found(inside, f"steps.{inner.key}.said").example == found(inside, "item.Description").example
    after = look(world)
    assert found(after, "item.Description") is None
    assert found(after, f"steps.{inner.key}.said") is None
    assert found(after, "steps.loop.done").example == "1"
    assert found(after, f"steps.loop.items[0].{inner.key}.said") is not None


def test_an_error_path_knows_the_failure_and_not_the_step_that_failed(world: World) -> None:
    invoice = world.steps[1]
    draft = editing.StepDraft("Write it", invoice.operation, world.xero, {}, on_error="error_path")
    editing.save_step(world.workflow, invoice, draft)
    tell = add(world, "format", "Tell", Place(invoice), sources={"said": "{{ error.message }}"})
    inside = look(world, Place(invoice))
    assert inside.groups[0].label == "The failure of Write it"
    assert "archived" in found(inside, "error.message").example
    assert found(inside, "steps.create_invoice.Total") is None
    after = look(world)
    assert found(after, "error.message") is None
    assert found(after, f"steps.{tell.key}.said").source == f'{{{{ steps.{tell.key}.said | default("") }}}}'


def test_what_only_one_path_does_is_offered_with_what_to_use_otherwise(world: World) -> None:
    branch = editing.add_branch(world.workflow, name="How large?", paths=1, has_otherwise=True)
    first = branch.children.get(position=1)
    made = add(world, "format", "Values", Place(first), sources={"x": "1"})
    assert found(look(world, Place(first)), f"steps.{made.key}.x").is_unsure is False
    after = look(world)
    assert found(after, f"steps.{made.key}.x").source == f'{{{{ steps.{made.key}.x | default("") }}}}'
    assert "it only runs in the path “Path 1”" in next(g.note for g in after.groups if g.key == made.key)


def test_a_list_that_may_not_be_there_is_an_empty_one_then(world: World) -> None:
    branch = editing.add_branch(world.workflow, name="How large?", paths=1, has_otherwise=True)
    place = Place(branch.children.get(position=1))
    draft = editing.StepDraft("Inner", "xero.create_invoice", world.xero, {})
    made = editing.save_step(world.workflow, None, draft, place=place)
    source = f"{{{{ steps.{made.key}.LineItems | default([]) }}}}"
    seen = look(world)
    assert source in dict(seen.lists)
    group = seen.items_of(source)
    assert group is not None
    assert "item.Description" in [token.path for token in group.tokens]
    assert mapping.evaluate(source, {"steps": {}}) == []


def test_nothing_comes_after_a_stop(world: World) -> None:
    add(world, "stop", "Stop")
    [group] = look(world).groups
    assert (group.key, group.note) == ("run", "No run reaches this place: it comes after a stop.")


def test_a_lookup_gives_the_columns_of_its_table(world: World, cast: Cast) -> None:
    rows = [{"Board": "Oak", "Account": "200", "Tax": "OUTPUT2"}]
    create(world.team, name="Accounts", description="", columns=("Board", "Account", "Tax"), by=cast.builder, rows=rows)
    add(world, "lookup", "Account", settings={"table": "Accounts"}, sources={"value": "{{ trigger.board_name }}"})
    seen = look(world)
    assert [(name, found(seen, f"steps.lookup.{name}").example) for name in ("value", "found", "Tax")] == [
        ("value", "200"), ("found", "yes"), ("Tax", "OUTPUT2"),
    ]  # fmt: skip


def test_lists_can_be_repeated_over_and_their_items_used(world: World) -> None:
    seen = look(world)
    assert LINES in dict(seen.lists)
    assert "{{ trigger.title }}" not in dict(seen.lists)
    group = seen.items_of(LINES)
    assert group is not None
    assert group.label == "Each item of Line items (Write it)"
    assert "item.Description" in [token.path for token in group.tokens]
    words = seen.items_of('{{ trigger.title | split(" ") }}')
    assert words is not None
    assert [(token.path, token.example) for token in words.tokens] == [("item", "Oak")]
    assert seen.items_of("{{ trigger.title }}") is None


def test_the_newest_event_gives_the_examples(world: World) -> None:
    Event.objects.filter(pk=world.event.pk).update(data={**world.event.data, "title": "Ash chair"})
    assert found(look(world), "trigger.title").example == "Ash chair"


def test_every_value_has_a_label_for_reading_and_a_loops_own_stand_apart(world: World) -> None:
    loop = add(world, "loop", "Lines", settings={"items": LINES})
    groups, own = token_groups(world.workflow, list(world.workflow.steps.prefetch_related("mappings")))
    assert [group.key for group in groups] == ["trigger", "create_or_update_contact", "create_invoice", "loop", "run"]
    assert [group.label for group in own[loop.key]] == ["Item of Lines"]


def test_examples_know_the_organisation_and_the_lookup_tables(cast: Cast, world: World) -> None:
    rows = [{"Title": "Oak table", "Account": "200"}]
    create(cast.team, name="Titles", description="", columns=["Title", "Account"], rows=rows, by=cast.builder)
    world.xero.details = {"currency": "KWD", "financial_year_end": "06-30"}
    world.xero.save()
    sources = {"account": '{{ trigger.title | lookup("Titles", "Account") }}', "third": "{{ 1 | allocate(3) | first }}"}
    add(world, "format", "Values", sources=sources)
    seen = look(world)
    assert found(seen, "steps.format.account").example == "200"
    assert found(seen, "steps.format.third").example == "0.334"
    assert Evaluation(seen).given('{{ "2026-11-23" | end_of_financial_year }}').value == "2027-06-30"
    assert "is not in the lookup table" in Evaluation(seen).given('{{ "x" | lookup("Titles") }}').error
