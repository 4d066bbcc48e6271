"""A plan in plain English: complete, nested as its steps are, one sentence a line whatever people typed."""

from __future__ import annotations

import pytest

from integrations.framework.registry import triggers
from tests.world import World
from workflows.definitions import compiler, editing
from workflows.definitions.description import Sentence, describe, outline
from workflows.definitions.tree import Place
from workflows.models import Step, Workflow


@pytest.fixture
def draft(world: World) -> Workflow:
    """A branch with a condition on a step, in it a loop and an action with an error path; an empty last path."""
    workflow = world.draft
    editing.save_kind(workflow, None, kind="format", name="Sums", settings={}, sources={"total": "1"})
    branch = editing.add_branch(workflow, name="How large?", paths=1, has_otherwise=True)
    path = branch.children.get(position=1)
    rows = [
        {"left": "{{ steps.format.total }}", "type": "number", "operator": "at_least", "right": "{{ trigger.title }}"},
        {"left": "{{ trigger.title | upper }}", "type": "text", "operator": "contains", "right": "oak"},
    ]
    editing.save_conditions(workflow, path, {"group": "any", "items": rows}, name="Large")
    draft = editing.StepDraft("Know them", "xero.create_contact", world.xero, {"name": "Ada"}, on_error="error_path")
    action = editing.save_step(workflow, None, draft, place=Place(path))
    stop = {"as": "failed"}
    editing.save_kind(workflow, None, kind="stop", name="Give up", settings=stop, sources={}, place=Place(action))
    return workflow


def _texts(sentences: list[Sentence]) -> list[object]:
    return [[each.text, *([_texts(each.inside)] if each.inside else [])] for each in sentences]


def test_branches_and_error_paths_are_nested_and_conditions_have_their_words(draft: Workflow) -> None:
    sentences = outline(describe(compiler.compile_plan(draft)))
    [branch] = [each for each in sentences if each.text == "How large?:"]
    large, otherwise = branch.inside
    assert large.text == (
        "If total of “Sums” is at least the board's title or the board's title, upper case contains \"oak\" (Large):"
    )
    assert _texts(otherwise.inside) == [["Do nothing."]]
    [action] = large.inside
    assert action.text.endswith("If it fails:")
    assert len(action.inside) == 1
    assert action.inside[0].text.startswith("Stop")


def test_a_quote_is_accepted_and_not_new() -> None:
    said = {each.full_key: each.happening for each in triggers()}
    assert said["xero.quote_accepted"] == "a quote is accepted"
    for key, happening in said.items():
        is_new = key.partition(".")[2].startswith("new_") and "updated" not in key
        assert bool(happening) is not (is_new or key.startswith("start.")), key


@pytest.mark.parametrize(
    "name", ["<b>bold</b>", "{{ trigger }}", "First\nSecond", "  Indented", "a\u2028b", "a\x0bb", "\n  \n"]
)
def test_no_name_and_no_value_makes_a_sentence_of_its_own(draft: Workflow, name: str) -> None:
    before = _shape(outline(describe(compiler.compile_plan(draft))))
    Step.objects.filter(workflow=draft).update(name=name[:120])
    for step in draft.steps.all():
        step.mappings.update(value=name)
    assert _shape(outline(describe(compiler.compile_plan(draft)))) == before


def _shape(sentences: list[Sentence]) -> list[object]:
    return [_shape(each.inside) for each in sentences]


def test_an_outline_keeps_every_line_at_its_depth() -> None:
    assert _texts(outline("a\nb\n  c\n    d\n  e\nf")) == [
        ["a"], ["b", [["c", [["d"]]], ["e"]]], ["f"],
    ]  # fmt: skip
    assert _texts(outline("a\n      deep")) == [["a", [["deep"]]]]
    assert outline("") == []
