"""Where steps stand: adding, moving, duplicating and deleting in the tree."""

from __future__ import annotations

import pytest

from tests.world import World, invoice_sources
from workflows.definitions import editing, kinds, ordering
from workflows.definitions import tree as outline
from workflows.definitions.editing import EditError
from workflows.definitions.tree import Place
from workflows.models import Condition, Step, Workflow

TITLE = {"left": "{{ trigger.title }}", "type": "text", "operator": "contains", "right": "oak"}


@pytest.fixture
def tree(world: World) -> dict[str, Step]:
    """A draft: values, a branch whose first path writes and loops, and a stop at the end. By key."""
    workflow = world.draft
    editing.save_kind(workflow, None, kind="format", name="Values", settings={}, sources={"total": "1"})
    branch = editing.add_branch(workflow, name="How large?", paths=1, has_otherwise=True)
    first = branch.children.get(position=1)
    save_conditions(workflow, first)
    draft = editing.StepDraft("Write it", "xero.create_invoice", world.xero, invoice_sources(), on_error="error_path")
    action = editing.save_step(workflow, None, draft, place=Place(first))
    settings = {"items": "{{ steps.create_invoice.LineItems }}", "limit": 10, "on_item_error": "stop"}
    loop = editing.save_kind(
        workflow, None, kind="loop", name="Lines", settings=settings, sources={}, place=Place(first)
    )
    sources: editing.Sources = {"line": "{{ item.Description }}", "of": "{{ steps.format.total }}"}
    editing.save_kind(workflow, None, kind="format", name="Line", settings={}, sources=sources, place=Place(loop))
    message: editing.Sources = {"message": "{{ error.message }}"}
    editing.save_kind(
        workflow, None, kind="stop", name="Give up", settings={"as": "failed"}, sources=message, place=Place(action)
    )
    editing.save_kind(workflow, None, kind="stop", name="Done", settings={"as": "succeeded"}, sources={})
    return {step.key: step for step in workflow.steps.all()}


def save_conditions(workflow: Workflow, path: Step) -> None:
    tree = {
        "group": "all",
        "items": [TITLE, {"group": "not", "items": [{**TITLE, "right": "{{ steps.format.total }}"}]}],
    }
    editing.save_conditions(workflow, path, tree, name="Large")


def keys(workflow: Workflow) -> list[str]:
    """The tree as "holder/key" in reading order."""
    nodes = outline.build_tree(workflow.steps.all())
    return [f"{each.parent.step.key if each.parent else ''}/{each.step.key}" for each in outline.walk(nodes)]


def test_steps_are_a_tree_in_reading_order(world: World, tree: dict[str, Step]) -> None:
    assert keys(world.draft) == [
        "/format", "/branch", "branch/path", "path/create_invoice", "create_invoice/stop", "path/loop",
        "loop/format_2", "branch/path_2", "/stop_2",
    ]  # fmt: skip
    assert [step.position for step in world.draft.steps.filter(parent=None)] == [1, 2, 3]


def test_a_step_is_added_before_another_one(world: World, tree: dict[str, Step]) -> None:
    place = Place(tree["path"], tree["loop"])
    made = editing.save_kind(world.draft, None, kind="stop", name="Here", settings={}, sources={}, place=place)
    assert made.key == "stop_3"
    assert [step.key for step in ordering.siblings_of(made)] == ["create_invoice", "stop_3", "loop"]


def test_a_step_moves_into_a_path_with_all_that_stands_in_it(world: World, tree: dict[str, Step]) -> None:
    ordering.place_step(tree["loop"], Place(tree["path_2"]))
    assert keys(world.draft)[-4:] == ["branch/path_2", "path_2/loop", "loop/format_2", "/stop_2"]
    ordering.place_step(tree["loop"], Place(None, tree["format"]))
    assert keys(world.draft)[:3] == ["/loop", "loop/format_2", "/format"]
    assert [step.position for step in world.draft.steps.filter(parent=None)] == [1, 2, 3, 4]


def test_a_step_cannot_stand_in_itself_nor_where_its_kind_has_no_place(world: World, tree: dict[str, Step]) -> None:
    before = keys(world.draft)
    for key, parent in (("branch", "path"), ("loop", "loop"), ("stop_2", "branch"), ("path", None), ("stop_2", "stop")):
        with pytest.raises(EditError, match=r"cannot (stand there|be moved into itself)"):
            ordering.place_step(tree[key], Place(tree[parent] if parent else None))
    assert keys(world.draft) == before


def test_steps_within_steps_have_an_end(world: World, tree: dict[str, Step]) -> None:
    place, loops = Place(), []
    for _ in range(kinds.MOST_LEVELS):
        loops.append(
            editing.save_kind(world.draft, None, kind="loop", name="Loop", settings={}, sources={}, place=place)
        )
        place = Place(loops[-1])
    with pytest.raises(EditError, match="at most 8 deep"):
        editing.save_kind(world.draft, None, kind="stop", name="Deep", settings={}, sources={}, place=place)
    with pytest.raises(EditError, match="at most 8 deep"):
        ordering.place_step(tree["branch"], Place(loops[-2]))


def test_paths_change_places_and_a_new_one_comes_before_the_one_for_the_rest(
    world: World, tree: dict[str, Step]
) -> None:
    made = editing.add_path(tree["branch"])
    assert [(each.key, each.name) for each in ordering.siblings_of(made)] == [
        ("path", "Large"), ("path_3", "Path 2"), ("path_2", "Otherwise"),
    ]  # fmt: skip
    assert ordering.move_step(made, up=True)
    assert not ordering.move_step(made, up=True)
    assert [each.key for each in ordering.siblings_of(made)] == ["path_3", "path", "path_2"]


def test_a_copy_refers_to_its_own_steps_and_to_those_outside_as_before(world: World, tree: dict[str, Step]) -> None:
    copy = ordering.duplicate_step(tree["branch"])
    assert (copy.name, copy.key) == ("How large? (copy)", "branch_2")
    assert [step.key for step in world.draft.steps.filter(parent=None)] == ["format", "branch", "branch_2", "stop_2"]
    assert keys(world.draft)[8:-1] == [
        "/branch_2", "branch_2/path_3", "path_3/create_invoice_2", "create_invoice_2/stop_3", "path_3/loop_2",
        "loop_2/format_3", "branch_2/path_4",
    ]  # fmt: skip
    made = {step.key: step for step in world.draft.steps.all()}
    assert made["loop_2"].settings["items"] == "{{ steps.create_invoice_2.LineItems }}"
    assert editing.sources_of(list(made["format_3"].mappings.all())) == {
        "line": "{{ item.Description }}",
        "of": "{{ steps.format.total }}",
    }
    assert editing.sources_of(list(made["create_invoice_2"].mappings.all())) == invoice_sources()
    for key in ("path", "path_3"):
        root, title, none_of, total = made[key].conditions.order_by("pk")
        assert [root.kind, none_of.kind] == ["all", "not"]
        assert (title.parent, none_of.parent, total.parent) == (root, root, none_of)
        assert total.right == "{{ steps.format.total }}"
    assert Condition.objects.filter(step__workflow=world.draft).count() == 8


def test_deleting_takes_what_stands_in_it(world: World, tree: dict[str, Step]) -> None:
    ordering.delete_step(tree["branch"])
    assert keys(world.draft) == ["/format", "/stop_2"]
    assert [step.position for step in world.draft.steps.all()] == [1, 2]


def test_who_uses_a_step_is_known_from_mappings_conditions_and_settings(world: World, tree: dict[str, Step]) -> None:
    steps = list(world.draft.steps.prefetch_related("mappings", "conditions"))
    assert {step.key for step in ordering.uses(steps, {"format"})} == {"path", "format_2"}
    assert {step.key for step in ordering.uses(steps, {"create_invoice"})} == {"loop"}
    assert ordering.uses(steps, {"create", "total"}) == []


def test_the_first_filter_is_the_one_that_a_workflow_begins_with(world: World, tree: dict[str, Step]) -> None:
    editing.set_filter(world.draft, group="any", comparisons=[TITLE])
    assert keys(world.draft)[:2] == ["/filter", "/format"]
    editing.set_filter(world.draft, group="not", comparisons=[TITLE])
    assert world.draft.steps.filter(kind="filter").count() == 1
    editing.set_filter(world.draft, group="all", comparisons=[])
    assert keys(world.draft)[:2] == ["/format", "/branch"]
