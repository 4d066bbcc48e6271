"""The editor's tree: adding anywhere, moving, copying, deleting, and what the page costs."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.framework.choices import ChoiceList
from tests.base import Cast
from tests.workflows.building import LINES, new_path, page_text, step_path
from tests.world import CONTACT, World, invoice_sources, make_world
from workflows.definitions import editing, validation
from workflows.definitions.tree import Place
from workflows.models import Step
from workflows.publishing import publish


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, "Bayside Club")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


def _keys(world: World) -> list[str]:
    return [f"{s.parent.key if s.parent else ''}/{s.key}" for s in world.workflow.steps.select_related("parent")]


@pytest.fixture
def branch(world: World) -> Step:
    """With a path whose conditions are still to be given, and one for the rest."""
    return editing.add_branch(world.workflow, name="How large?", paths=1, has_otherwise=True)


# --- choosing --------------------------------------------------------------------------------------------------------


def test_the_chooser_says_what_each_kind_is_for_and_carries_the_place(builder: Client, world: World) -> None:
    second = world.steps[1]
    text = builder.get(new_path(world, before=second.pk)).content.decode()
    assert "Before “Write it”, in the workflow itself" in text
    for kind in ("filter", "branch", "loop", "format", "lookup", "delay", "call", "stop"):
        assert f'href="?kind={kind}&amp;before={second.pk}"' in text
    assert f'href="?operation=xero.create_invoice&amp;before={second.pk}"' in text
    assert "Do the same for each item of a list" in text


def test_a_place_of_another_workflow_or_where_nothing_stands_is_not_found(builder: Client, world: World) -> None:
    foreign = editing.save_kind(world.draft, None, kind="stop", name="Stop", settings={}, sources={})
    for query in ({"parent": foreign.pk}, {"before": foreign.pk}, {"before": "x"}, {"parent": 9**30}):
        assert builder.get(new_path(world, **query)).status_code == 404
    inside, outside = world.steps
    assert builder.get(new_path(world, parent=inside.pk, before=outside.pk)).status_code == 404


def test_an_action_is_added_where_it_was_asked_for(builder: Client, world: World) -> None:
    first, second = world.steps
    typed = {"name": "Again", "connection": world.xero.pk, "on_error": "stop", "max_attempts": "5", "in.name": "Jane"}
    typed["in.email"] = "jane@acme.example"
    answer = builder.post(new_path(world, operation="xero.create_or_update_contact", before=second.pk), typed)
    made = world.workflow.steps.get(name="Again")
    assert answer["Location"].endswith(f"#step-{made.pk}")
    assert [step.key for step in world.workflow.steps.all()] == ["filter", first.key, made.key, second.key]


# --- where steps stand -----------------------------------------------------------------------------------------------


def test_a_step_moves_into_a_path_and_out_again(builder: Client, world: World, branch: Step) -> None:
    first, second = world.steps
    inside = branch.children.order_by("position")[0]
    path = reverse("place_step", args=[world.workflow.pk, second.pk])
    text = builder.get(path).content.decode()
    assert "In the path “Path 1”" in text
    assert f'value="0-{second.pk}"' not in text
    assert f'value="0-{branch.pk}"' not in text  # there it stands already
    builder.post(path, {"place": f"{inside.pk}-0"})
    assert f"{inside.key}/{second.key}" in _keys(world)
    builder.post(path, {"place": f"0-{first.pk}"})
    assert f"/{second.key}" in _keys(world)
    answer = builder.post(path, {"place": f"{second.pk}-0"})
    assert "Choose a place." in answer.content.decode()


def test_a_path_can_be_moved_to_branches_only(builder: Client, world: World, branch: Step) -> None:
    inside = branch.children.order_by("position")[0]
    holders = builder.get(reverse("place_step", args=[world.workflow.pk, inside.pk])).context["holders"]
    assert [(holder.label, [spot.label for spot in holder.spots]) for holder in holders] == [
        ("as a path of “How large?”", ["At the end"])
    ]


def test_deleting_names_what_goes_with_it_and_who_uses_it(builder: Client, world: World, branch: Step) -> None:
    inside = branch.children.order_by("position")[0]
    draft = editing.StepDraft("Inner", "xero.create_invoice", world.xero, invoice_sources())
    inner = editing.save_step(world.workflow, None, draft, place=Place(inside))
    sources: editing.Sources = {"x": f"{{{{ steps.{inner.key}.Total }}}}"}
    editing.save_kind(world.workflow, None, kind="format", name="Values", settings={}, sources=sources)
    path = reverse("delete_step", args=[world.workflow.pk, branch.pk])
    answer = builder.get(path)
    assert [step.name for step in answer.context["inside"]] == ["Path 1", "Inner", "Otherwise"]
    assert [step.name for step in answer.context["users"]] == ["Values"]
    assert "You can undo it for an hour." in answer.content.decode()
    assert world.workflow.steps.count() == 8
    builder.post(path)
    assert world.workflow.steps.count() == 4


def test_a_copy_stands_right_after(builder: Client, world: World) -> None:
    first, second = world.steps
    answer = builder.post(reverse("duplicate_step", args=[world.workflow.pk, first.pk]))
    keys = [step.key for step in world.workflow.steps.all()]
    assert keys == ["filter", first.key, f"{first.key}_2", second.key]
    copy = world.workflow.steps.get(key=f"{first.key}_2")
    assert answer["Location"].endswith(f"#step-{copy.pk}")


def test_an_error_path_is_shown_where_it_is_taken_and_named_where_not(builder: Client, world: World) -> None:
    invoice = world.steps[1]
    typed = {"name": "Write it", "connection": world.xero.pk, "on_error": "error_path", "max_attempts": "3"}
    rows = {"in.lines~row": ["0"], "in.lines.0.description": "Oak", "in.lines.0.unit_amount": "1"}
    builder.post(step_path(invoice), {**typed, **rows, "in.contact_id": CONTACT})
    said = page_text(builder, world)
    assert (
        "If it fails, its error path runs, and then the next step. A temporary failure is tried at most 3 times."
        in said
    )
    assert "The error path is empty" in said
    stop = editing.save_kind(
        world.workflow, None, kind="stop", name="Give up", settings={"as": "failed"}, place=Place(invoice),
        sources={"message": "{{ error.message }}"},
    )  # fmt: skip
    said = page_text(builder, world)
    assert "Ends the run here, as failed: What went wrong (The failure of Write it)" in said
    assert validation.problems(world.workflow) == []
    builder.post(step_path(invoice), {**typed, **rows, "in.contact_id": CONTACT, "on_error": "go_on"})
    assert "These steps are an error path that is not taken" in page_text(builder, world)
    assert world.workflow.steps.filter(pk=stop.pk).exists()


def test_rows_per_item_are_added_typed_and_stored(builder: Client, world: World) -> None:
    path = new_path(world, operation="xero.create_invoice")
    typed = {"name": "Bill", "connection": world.xero.pk, "on_error": "stop", "max_attempts": "5"}
    typed |= {"in.contact_id": CONTACT, "_add_each": "lines"}
    table = next(c for c in builder.post(path, typed).context["controls"] if c.path == "lines")
    assert table.rows[0].each is not None
    assert LINES in dict(table.rows[0].each.options)
    del typed["_add_each"]
    typed |= {"in.lines~row": ["0", "1"], "in.lines.0.~each": LINES, "in.lines.0.description": "{{ item.Description }}"}
    typed |= {"in.lines.1.description": "Delivery", "in.lines.1.unit_amount": "20"}
    tried = builder.post(path, {**typed, "_reload": "1"})
    assert tried.context["groups"][0].label == "Each item of Line items (Write it)"
    builder.post(path, typed)
    made = world.workflow.steps.get(name="Bill")
    lines = editing.sources_of(list(made.mappings.all()))["lines"]
    assert lines == [
        {"~each": LINES, "description": "{{ item.Description }}"},
        {"description": "Delivery", "unit_amount": "20"},
    ]
    assert "For each item of: Line items (Write it), Description: Description (its item)" in page_text(builder, world)
    refused = builder.post(path, {**typed, "in.lines.0.~each": ""}).content.decode()
    assert "The list is needed." in refused
    fixed = builder.post(path, {**typed, "in.lines.0.~each~text": "oak"}).content.decode()
    assert "Pick a list of values; this is a fixed text." in fixed


# --- what it costs ---------------------------------------------------------------------------------------------------


def _grow(world: World, count: int) -> None:
    for number in range(count // 4):
        branch = editing.add_branch(world.workflow, name=f"Branch {number}", paths=1, has_otherwise=True)
        first = branch.children.order_by("position")[0]
        item = {"left": "{{ trigger.title }}", "type": "text", "operator": "contains", "right": str(number)}
        editing.save_conditions(world.workflow, first, {"group": "all", "items": [item]}, name="If")
        draft = editing.StepDraft(f"Write {number}", "xero.create_invoice", world.xero, invoice_sources())
        editing.save_step(world.workflow, None, draft, place=Place(first))


def test_a_tree_of_forty_steps_costs_the_queries_of_four(builder: Client, world: World) -> None:
    _grow(world, 4)
    paths = [
        reverse("workflow", args=[world.workflow.pk]),
        step_path(world.steps[1]),
        new_path(world, kind="loop"),
        reverse("place_step", args=[world.workflow.pk, world.steps[0].pk]),
        reverse("delete_step", args=[world.workflow.pk, world.steps[0].pk]),
    ]

    def costs() -> list[int]:
        counts = []
        for path in paths:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert builder.get(path).status_code == 200
            counts.append(len(queries))
        return counts

    costs()
    few = costs()
    _grow(world, 40)
    assert world.workflow.steps.count() == 3 + 4 * 11
    assert costs() == few
    assert max(few) <= 52


def test_an_auditor_sees_the_tree_and_nothing_that_changes_it(
    client: Client, world: World, cast: Cast, branch: Step
) -> None:
    client.force_login(cast.auditor)
    text = client.get(reverse("workflow", args=[world.workflow.pk])).content.decode()
    assert "How large?" in text
    for name in ("place_step", "duplicate_step", "add_path", "delete_step", "move_step"):
        assert reverse(name, args=[world.workflow.pk, branch.pk]) not in text
    assert reverse("new_step", args=[world.workflow.pk]) not in text


def test_a_version_shows_the_tree_as_it_was_published(builder: Client, world: World, branch: Step) -> None:
    first = branch.children.order_by("position")[0]
    item = {"left": "{{ trigger.title }}", "type": "text", "operator": "contains", "right": "large"}
    editing.save_conditions(world.workflow, first, {"group": "all", "items": [item]}, name="Large")
    loop = editing.save_kind(
        world.workflow, None, kind="loop", name="Lines", settings={"items": LINES}, sources={}, place=Place(first)
    )
    sources: editing.Sources = {"said": "{{ item.Description }}"}
    editing.save_kind(world.workflow, None, kind="format", name="V", settings={}, sources=sources, place=Place(loop))
    publish.publish(world.workflow, by=None)
    text = builder.get(reverse("workflow_version", args=[world.workflow.pk, 2])).content.decode()
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))
    assert "For each item of Line items (Write it), at most 100." in said
    assert "said Description (Item of Lines)" in said
    assert "For everything that no other path takes. Nothing happens here." in said
    assert reverse("new_step", args=[world.workflow.pk]) not in text


def test_names_are_text_on_every_page_of_the_tree(builder: Client, world: World) -> None:
    name = '"><script>alert(1)</script>'
    branch = editing.add_branch(world.workflow, name=name, paths=1, has_otherwise=True)
    path = branch.children.order_by("position")[0]
    editing.save_conditions(world.workflow, path, None, name=name)
    inner = editing.save_kind(
        world.workflow, None, kind="format", name=name, settings={}, sources={"x": name}, place=Place(path)
    )
    pages = [reverse("workflow", args=[world.workflow.pk]), step_path(branch), step_path(path), step_path(inner)]
    pages += [reverse(page, args=[world.workflow.pk, inner.pk]) for page in ("place_step", "delete_step")]
    pages += [
        new_path(world, parent=path.pk, before=inner.pk),
        reverse("delete_step", args=[world.workflow.pk, branch.pk]),
    ]
    for page in pages:
        text = builder.get(page).content.decode()
        assert "&lt;script&gt;alert(1)" in text, page
        assert "<script>alert(1)" not in text, page


def test_publishing_leads_to_where_each_problem_is_mended(builder: Client, world: World) -> None:
    loop = editing.save_kind(world.workflow, None, kind="loop", name="Lines", settings={"items": LINES}, sources={})
    wrong = {"left": "{{ trigger.nothing }}", "type": "text", "operator": "contains", "right": "x"}
    tree = {"group": "all", "items": [wrong]}
    inner = editing.save_conditions(world.workflow, None, tree, name="Filter", place=Place(loop))
    wait = editing.save_kind(world.workflow, None, kind="delay", name="Wait", settings={"how": "for"}, sources={})
    empty = editing.save_kind(world.workflow, None, kind="loop", name="Empty", settings={"items": LINES}, sources={})
    text = builder.get(reverse("publish_workflow", args=[world.workflow.pk])).content.decode()
    page = reverse("workflow", args=[world.workflow.pk])
    for address in (step_path(inner), f"{step_path(wait)}#id_in-amount", f"{page}#step-{empty.pk}"):
        assert f'href="{address}"' in text
