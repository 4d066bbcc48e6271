"""Branches and conditions: paths, groups within groups, filters anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.framework.choices import ChoiceList
from tests.base import Cast
from tests.workflows.building import LINES, new_path, page_text, step_path
from tests.world import CONTACT, World, make_world
from workflows.definitions import editing
from workflows.models import Step


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, "Bayside Club")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


def _conditions(**changes: Any) -> dict[str, Any]:
    """All of: title contains oak; any of (board is A, none of (board is B))."""
    typed: dict[str, Any] = {"name": "Large", "group": "all", "row": ["0", "1", "2", "3", "4"]}
    for number, (parent, words) in enumerate((("", "oak"), ("", None), ("1", "A"), ("1", None), ("3", "B"))):
        typed[f"parent.{number}"] = parent
        if words is None:
            typed[f"group.{number}"] = "not" if number == 3 else "any"
        else:
            typed |= {f"left.{number}": "{{ trigger.title }}", f"operator.{number}": "text.contains"}
            typed[f"right.{number}"] = words
    return {**typed, **changes}


@pytest.fixture
def branch(world: World) -> Step:
    """With a path whose conditions are still to be given, and one for the rest."""
    return editing.add_branch(world.workflow, name="How large?", paths=1, has_otherwise=True)


def test_a_branch_begins_with_its_paths_and_asks_for_the_first_ones_conditions(builder: Client, world: World) -> None:
    typed = {"name": "How large?", "paths": "2", "has_otherwise": "on"}
    answer = builder.post(new_path(world, kind="branch"), typed)
    made = world.workflow.steps.get(kind="branch")
    paths = list(made.children.order_by("position"))
    assert [path.name for path in paths] == ["Path 1", "Path 2", "Otherwise"]
    assert answer["Location"] == step_path(paths[0])
    assert "Only the last path may be without conditions" in page_text(builder, world)
    builder.post(step_path(made), {"name": "Large or small?"})
    assert Step.objects.get(pk=made.pk).name == "Large or small?"


def test_groups_within_groups_are_stored_and_said_in_words(builder: Client, world: World, branch: Step) -> None:
    path = branch.children.order_by("position")[0]
    answer = builder.post(step_path(path), _conditions())
    assert answer["Location"].endswith(f"#step-{path.pk}")
    rows = list(path.conditions.order_by("pk"))
    places: dict[int | None, int | None] = {None: None, **{row.pk: place for place, row in enumerate(rows)}}
    assert [(row.kind, places[row.parent_id], row.right) for row in rows] == [
        ("all", None, ""), ("comparison", 0, "oak"), ("any", 0, ""), ("comparison", 2, "A"), ("not", 2, ""),
        ("comparison", 4, "B"),
    ]  # fmt: skip
    text = builder.get(step_path(path)).content.decode()
    words = "title contains &quot;oak&quot; and (title contains &quot;A&quot; or not (title contains &quot;B&quot;))"
    assert words in text
    said = page_text(builder, world)
    assert "If all of these are true:Title (New pin) contains oak at least one of these is true:Title (New pin)" in said
    assert "none of these is true:Title (New pin) contains B" in said


def test_conditions_and_groups_are_added_and_removed_where_they_stand(
    builder: Client, world: World, branch: Step
) -> None:
    path = step_path(branch.children.order_by("position")[0])

    def shape(**pressed: str) -> Any:
        group = builder.post(path, _conditions(**pressed)).context["group"]
        return told(group)

    def told(group: Any) -> Any:
        return [told(item) if item.is_group else item.right for item in group.items]

    assert shape(_reload="1") == ["oak", ["A", ["B"]]]
    assert shape(_add_row="root") == ["oak", ["A", ["B"]], ""]
    assert shape(_add_row="3") == ["oak", ["A", ["B", ""]]]
    assert shape(_add_group="1") == ["oak", ["A", ["B"], [""]]]
    assert shape(_remove_row="3") == ["oak", ["A"]]
    assert shape(_remove_row="0") == [["A", ["B"]]]
    assert not world.workflow.steps.get(pk=branch.children.order_by("position")[0].pk).conditions.exists()


def test_what_is_wrong_inside_a_group_is_said_there(builder: Client, world: World, branch: Step) -> None:
    path = branch.children.order_by("position")[0]
    answer = builder.post(step_path(path), _conditions(**{"left.4": "{{ broken"}))
    inner = answer.context["group"].items[1].items[1].items[0]
    assert inner.errors["left"]
    assert "{{ broken" in answer.content.decode()
    assert not path.conditions.exists()


def test_only_the_last_path_may_take_everything_else(builder: Client, world: World, branch: Step) -> None:
    first, last = branch.children.order_by("position")
    empty = {"name": "Renamed", "group": "all", "row": []}
    assert (
        "only the last path can be the one for everything else"
        in builder.post(step_path(first), empty).content.decode()
    )
    builder.post(step_path(last), empty)
    assert [path.name for path in branch.children.order_by("position")] == ["Path 1", "Renamed"]
    assert "For everything that no other path takes." in page_text(builder, world)


def test_a_path_is_added_before_the_last_one(builder: Client, world: World, branch: Step) -> None:
    answer = builder.post(reverse("add_path", args=[world.workflow.pk, branch.pk]))
    names = [path.name for path in branch.children.order_by("position")]
    assert names == ["Path 1", "Path 2", "Otherwise"]
    assert answer["Location"] == step_path(branch.children.get(name="Path 2"))


def test_a_filter_stands_anywhere(builder: Client, world: World) -> None:
    loop = editing.save_kind(world.workflow, None, kind="loop", name="Lines", settings={"items": LINES}, sources={})
    path = new_path(world, kind="filter", parent=loop.pk)
    assert "this iteration of the loop ends" in builder.get(path).content.decode()
    typed = {"name": "Filter", "group": "all", "row": ["0"], "left.0": "{{ item.Description }}"}
    builder.post(path, {**typed, "operator.0": "text.contains", "right.0": "oak"})
    made = loop.children.get()
    assert (made.kind, made.conditions.count()) == ("filter", 2)
    assert "Go on only if this is true" in page_text(builder, world).split("For each item")[-1]
    assert "Description (Item of Lines) contains oak" in page_text(builder, world)
    builder.post(step_path(made), {"name": "Filter", "group": "all", "row": []})
    assert not loop.children.exists()
