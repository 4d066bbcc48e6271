"""What comes from a write that was not made is marked as predicted, however far it is carried."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.planting import branch, delay, keep_if, loop, named, over, path, read, write
from tests.workflows.preview.test_walk import DATA, build, shown, step
from tests.workflows.scripted.connector import Provider, ReadThing
from workflows.language.table_rows import EACH
from workflows.models import Preview
from workflows.preview.predictions.predicted import Predicted
from workflows.preview.service import walk

__all__ = ["build"]

pytestmark = pytest.mark.django_db


def marked(found: Preview) -> dict[str, list[str]]:
    """The inputs of each step that are marked as predicted."""
    return {row.step: row.predicted["inputs"] for row in found.steps.exclude(kind="turn").order_by("-number")}


def test_a_value_stays_predicted_through_named_values_and_functions(build: Any) -> None:
    found = shown(
        build(
            write("a"),
            named("words", told="{{ steps.a.id | upper }}", own="{{ trigger.title }}"),
            write("b", "{{ steps.words.told | replace('T', 'X') }}"),
            write("c", "{{ steps.words.own }}"),
        )
    )
    assert marked(found) == {"a": [], "words": ["told"], "b": ["name"], "c": []}
    assert [step(found, key).is_predicted for key in ("a", "words", "b", "c")] == [True, True, True, True]


def test_a_filter_and_a_branch_that_decide_on_a_prediction_say_so(build: Any) -> None:
    paths = path("is", {"left": "{{ steps.a.name }}", "type": "text", "operator": "contains", "right": "O"}, write("b"))
    found = shown(build(write("a"), keep_if("dear", over("{{ trigger.price }}", 1)), branch("which", paths)))
    assert marked(found)["dear"] == []
    assert marked(found)["which"] == ["conditions"]
    assert (step(found, "dear").is_predicted, step(found, "which").is_predicted) == (False, True)


def test_what_a_loop_collects_of_writes_is_predicted_and_its_count_is_not(build: Any) -> None:
    inner = loop("each", "{{ trigger.lines }}", write("a", "{{ item.name }}"))
    found = shown(build(inner, write("b", "{{ steps.each.count }}"), write("c", "{{ steps.each['items'][0].a.id }}")))
    assert marked(found) == {"each": [], "a": [], "b": [], "c": ["name"]}


def test_the_items_of_a_predicted_list_are_predicted_inside_its_loop_alone(build: Any) -> None:
    inner = loop("each", "{{ [steps.a.id] }}", write("b", "{{ item }}"))
    plain = loop("more", "{{ trigger.lines }}", write("c", "{{ item.name }}"))
    found = marked(shown(build(write("a"), inner, plain)))
    assert (found["each"], found["b"], found["more"], found["c"]) == (["items"], ["name"], [], [])


def test_a_delay_of_a_predicted_length_is_marked(build: Any) -> None:
    found = shown(build(write("a"), delay("pause", how="for", amount="{{ steps.a.id | length }}", unit="days")))
    assert marked(found)["pause"] == ["amount"]


def test_a_read_that_asks_for_what_is_not_written_yet_is_not_made(
    build: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(ReadThing, "run", lambda self, api, inputs: asked.append(inputs) or {"id": "T0", "price": 3})
    workflow = build(write("a"), read("b"), read("c"), write("d", "{{ steps.c.price }}"))
    workflow.steps.get(key="c").mappings.update(value="{{ steps.a.id }}")
    found = shown(workflow)
    assert [each.name for each in asked] == ["x"]
    assert (step(found, "b").state, step(found, "c").state) == ("succeeded", "passed")
    assert step(found, "c").output == {"id": "T0", "price": 12}
    assert "Not read" in step(found, "c").note
    assert marked(found)["d"] == ["name"]


def test_the_words_of_a_failure_that_was_only_taken_are_predicted(build: Any) -> None:
    workflow = build(write("a", on_error="error_path", error=[write("tell", "{{ error.message }}")]), write("b"))
    assert marked(shown(workflow, fail_step="a")) == {"a": [], "tell": ["name"], "b": []}


def test_the_number_of_the_run_is_predicted_and_its_day_is_not(build: Any) -> None:
    found = shown(build(write("a", "{{ run.id }}"), write("b", "{{ run.date }}"), write("c", "{{ workflow.name }}")))
    assert marked(found) == {"a": ["name"], "b": [], "c": []}


def test_the_columns_of_rows_are_marked_one_by_one_and_items_of_a_predicted_list() -> None:
    predicted = Predicted({"steps.a"})
    rows = [{"text": "{{ steps.a.x }}", "price": "1"}, {EACH: "{{ trigger.lines }}", "text": "{{ item.name }}"}]
    plan = {"kind": "action", "key": "b", "inputs": {"lines": rows, "name": "x"}}
    assert predicted.inputs_of(plan) == ["lines.text"]
    each = [{EACH: "{{ steps.a.lines }}", "text": "{{ item.name }}", "price": "2"}]
    assert predicted.inputs_of({**plan, "inputs": {"lines": each}}) == ["lines", "lines.text"]


def test_a_path_counts_with_what_is_above_and_below_it_and_nothing_beside_it() -> None:
    predicted = Predicted({"steps.a.lines"})
    paths = ("steps.a.lines[0].x", "steps.a", "steps.a.line", "steps.ab")
    assert [predicted.reads(f"{{{{ {each} }}}}") for each in paths] == [True, True, False, False]
    assert not predicted.reads("{{ not a mapping")


_SOURCES = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["{}", "{} | upper", "({} ~ 'x')"])), max_size=3)
_STEPS = st.lists(st.tuples(st.sampled_from(["write", "format"]), _SOURCES), min_size=1, max_size=7)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_exactly_what_hangs_on_a_write_is_predicted_in_any_chain(
    build: Any, steps: list[tuple[str, list[tuple[int, str]]]]
) -> None:
    """The reference is the closure over what each step reads."""
    workflow = build(write("unused"))
    hangs: list[bool] = []
    plan_steps: list[dict[str, Any]] = []
    wanted: dict[str, list[str]] = {}
    for number, (kind, sources) in enumerate(steps):
        known = [(each, shape) for each, shape in sources if each < number]
        parts = ["{{ " + shape.format(f"steps.s{each}.name") + " }}" for each, shape in known]
        source = "".join(["x", *parts])[:200]
        is_predicted = any(hangs[each] for each, _ in known)
        wanted[f"s{number}"] = ["name"] if is_predicted else []
        hangs.append(is_predicted or kind == "write")
        common = {"key": f"s{number}", "name": f"S {number}", "on_error": "go_on"}
        if kind == "write":
            connection = workflow.trigger_connection_id
            action = {"kind": "action", "operation": "scripted.write_thing", "connection": connection}
            plan_steps.append({**common, **action, "inputs": {"name": source}})
        else:
            plan_steps.append({**common, "kind": "format", "values": {"name": source}})
    trigger = {"operation": "scripted.new_thing", "connection": workflow.trigger_connection_id, "inputs": {}}
    walked = walk(workflow, {"format": 1, "trigger": trigger, "steps": plan_steps}, DATA)
    assert {row.step_run.step: row.predicted_inputs for row in walked.rows} == wanted
