"""What stops a tree from being published: references that are not there on every way, and steps in wrong places."""

from __future__ import annotations

import pytest

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import settle
from tests.workflows.planting import (
    MakeTree,
    Spec,
    begin,
    branch,
    call,
    delay,
    keep_if,
    lookup,
    loop,
    made,
    named,
    over,
    path,
    plant,
    read,
    state_of,
    step,
    stop,
    told,
    write,
)
from tests.workflows.scripted.connector import Provider
from workflows.definitions import compiler, plans
from workflows.definitions.description import describe
from workflows.lookup_tables import editing
from workflows.models import Step
from workflows.publishing import publish

pytestmark = pytest.mark.django_db

PRICE = "{{ trigger.price }}"
LINES = "{{ trigger.lines }}"


def said(cast: Cast, connection: Connection, *specs: Spec) -> list[str]:
    """What stops these steps from being published, with the step."""
    return [f"{step}: {message}" for step, _, message in told(made(cast, connection, *specs))]


def sized(*, large: Spec, rest: Spec | None = None, has_else: bool = True) -> Spec:
    paths = [path("large", over(PRICE, 100), large)]
    if has_else:
        paths.append(path("rest", None, *([rest] if rest else [])))
    return branch("size", *paths)


def test_a_step_of_a_path_needs_a_default_after_the_branch(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    tree = sized(large=read("r"))
    [message] = said(cast, connection, tree, write("w", "{{ steps.r.id }}"))
    assert message.startswith("w: steps.r.id is not always there: it only runs in the path “Large”.")
    assert said(cast, connection, tree, write("w", "{{ steps.r.id | default('none') }}")) == []
    inside = path("large", over(PRICE, 1), read("r"), write("w", "{{ steps.r.id }}"))
    assert said(cast, connection, branch("size", inside)) == []


def test_asking_whether_a_value_is_there_needs_no_default(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    exists = {"left": "{{ steps.r.id }}", "type": "existence", "operator": "exists"}
    assert said(cast, connection, sized(large=read("r")), keep_if("f", exists), write("w")) == []
    equals = {"left": "{{ steps.r.id }}", "type": "text", "operator": "equals", "right": "T0"}
    assert len(said(cast, connection, sized(large=read("r")), keep_if("f", equals), write("w"))) == 1


def test_where_every_other_path_stops_a_step_is_certain_afterwards(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    last = write("w", "{{ steps.r.id }}")
    assert said(cast, connection, sized(large=read("r"), rest=stop("s")), last) == []
    # Without an else there is a way past the branch.
    assert len(said(cast, connection, sized(large=read("r"), has_else=False), last)) == 1


def test_what_comes_after_a_stop_on_every_way_is_told(provider: Provider, connection: Connection, cast: Cast) -> None:
    [message] = said(cast, connection, sized(large=stop("a"), rest=stop("b")), write("w"))
    assert message == "w: No run reaches this place: it comes after a stop. Move it, or take the stop away."


def test_a_step_of_a_loop_is_only_there_in_its_turn(provider: Provider, connection: Connection, cast: Cast) -> None:
    each = loop("each", LINES, read("r"), write("w", "{{ steps.r.id }} {{ item }} {{ loop.index }}"))
    assert said(cast, connection, each, write("last", "{{ steps.each.count }}")) == []
    [message] = said(cast, connection, each, write("last", "{{ steps.r.id }}"))
    assert (
        message == "last: steps.r.id is inside a loop. After it, the values of all iterations are in steps.each.items."
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{{ item }}", "item is only there inside a loop."),
        ("{{ loop.index }}", "loop is only there inside a loop."),
        ("{{ error.message }}", "error is only there in an error path."),
        ("{{ nothing.there }}", "There is no value called nothing.there. Pick one from the list."),
    ],
)
def test_values_of_other_places_are_told(
    provider: Provider, connection: Connection, cast: Cast, value: str, words: str
) -> None:
    assert said(cast, connection, write("w", value)) == [f"w: {words}"]


def test_a_step_that_may_fail_is_not_certain_afterwards(provider: Provider, connection: Connection, cast: Cast) -> None:
    for policy in ("go_on", "error_path"):
        error = [write("tell")] if policy == "error_path" else []
        first = write("first", on_error=policy, error=error)
        [message] = said(cast, connection, first, write("w", "{{ steps.first.id }}"))
        assert "the run goes on where “First” fails" in message
        assert said(cast, connection, first, write("w", "{{ steps.first.id | default('x') }}")) == []
    halted = write("first", on_error="error_path", error=[stop("s", "failed")])
    assert said(cast, connection, halted, write("w", "{{ steps.first.id }}")) == []


def test_a_failed_step_is_not_there_in_its_own_error_path(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    error = [write("tell", "{{ steps.first.id }} {{ error.message }}")]
    [message] = said(cast, connection, write("first", on_error="error_path", error=error))
    assert message == "tell: steps.first.id refers to a step that does not come before this one."


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (branch("b"), "The branch has no paths yet: add one."),
        (branch("b", path("p", None, read("r")), path("q", over(PRICE, 1))), "Only the last path may be without"),
        (loop("l", LINES), "The loop does nothing yet: add a step to it."),
        (loop("l", "", read("r")), "List is needed, but nothing was given."),
        (loop("l", LINES, read("r"), limit=50_000), "Maximum items takes 1 to 10,000; this is 50,000."),
        (named("n"), "It names no values yet: add one."),
        (delay("d", how="for", unit="days"), "How many is needed, but nothing was given."),
        (delay("d", how="until_working_day", at="9 o'clock"), "takes a time of day such as 09:00"),
        (lookup("k", "Nowhere", PRICE), 'There is no lookup table called "Nowhere".'),
        (write("e", on_error="error_path"), "The error path is empty"),
    ],
)
def test_a_step_that_says_too_little_is_told(
    provider: Provider, connection: Connection, cast: Cast, spec: Spec, words: str
) -> None:
    [message] = said(cast, connection, spec, write("last"))
    assert words in message


def test_a_path_stands_in_a_branch_and_nowhere_else(provider: Provider, connection: Connection, cast: Cast) -> None:
    workflow = made(cast, connection, write("w"))
    plant(workflow, [path("p", None, read("r"))], connection)
    assert [message for _, _, message in told(workflow)] == [
        "Paths stand in a branch, and a branch holds nothing but paths."
    ]


def test_a_flat_workflow_keeps_the_plan_it_always_had(provider: Provider, make_tree: MakeTree, cast: Cast) -> None:
    flat = make_tree(keep_if("f", over(PRICE, 1)), write("w"))
    assert flat.published.plan["format"] == 1
    assert list(flat.published.plan["steps"][1]) == [
        "key", "name", "kind", "operation", "connection", "inputs", "on_error", "max_attempts",
    ]  # fmt: skip
    assert not publish.has_unpublished_changes(flat)
    tree = make_tree(loop("each", LINES, write("w")))
    assert tree.published.plan["format"] == 2
    assert not publish.has_unpublished_changes(tree)
    Step.objects.filter(workflow=tree, key="each").update(settings={"items": LINES, "limit": 7})
    assert publish.has_unpublished_changes(tree)


def test_a_plan_says_its_tree_in_indented_sentences(
    provider: Provider, make_tree: MakeTree, connection: Connection, cast: Cast
) -> None:
    below = make_tree(write("x"), name="The other one")
    failing = write("w", "Large", on_error="error_path", error=[stop("s", "failed", "No")])
    workflow = made(
        cast,
        connection,
        keep_if("f", over(PRICE, 1)),
        branch(
            "how_large",
            path("large", over(PRICE, 100), failing),
            path("rest", None),
        ),
        loop("each", LINES, named("v", total="{{ item.price }}"), on_item_error="go_on", limit=50),
        delay("d", how="for", amount="3", unit="working_days"),
        call("c", below, title=PRICE),
    )
    assert describe(compiler.compile_plan(workflow)).splitlines()[1:] == [
        "Go on only if the thing's price is at least 1.",
        "How large:",
        "  If the thing's price is at least 100 (Large):",
        '    Write thing in Scripted account (Scripted), with Name = "Large". If it fails:',
        '      Stop here as failed, saying "No".',
        "  Otherwise (Rest):",
        "    Do nothing.",
        "For each item of the thing's lines, at most 50. If one fails, go on with the next:",
        "  Name values: total = the item's price.",
        "Wait for 3 working days.",
        "Call the workflow “The other one”, with title = the thing's price, and wait until it has ended.",
    ]


def test_each_step_of_a_plan_is_found_with_its_depth(provider: Provider, make_tree: MakeTree) -> None:
    inner = loop("inner", "{{ item }}", read("r"))
    error = [write("tell")]
    workflow = make_tree(
        branch("b", path("p", None, loop("outer", LINES, inner))), write("e", on_error="error_path", error=error)
    )
    plan = workflow.published.plan
    assert [(each["key"], depth) for each, depth in plans.each_step(plan)] == [
        ("b", 0), ("p", 1), ("outer", 2), ("inner", 3), ("r", 4), ("e", 0), ("tell", 1),
    ]  # fmt: skip
    assert plans.loops_around(plan, "r") == ["outer", "inner"]
    assert plans.loops_around(plan, "tell") == []
    assert plans.passed_over(plan) == {"e"}


# --- lookup tables --------------------------------------------------------------------------------------------------


def test_a_lookup_gives_the_row_and_its_value_to_later_steps(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    rows = [{"Board": "Oak", "Account": "200", "Rate": "20%"}]
    editing.create(
        cast.team, name="Boards", description="", columns=["Board", "Account", "Rate"], rows=rows, by=cast.builder
    )
    workflow = make_tree(
        lookup("k", "Boards", "{{ trigger.title }}"), write("w", "{{ steps.k.value }} at {{ steps.k.Rate }}")
    )
    run = begin(workflow, title="oak")
    settle()
    assert [book["name"] for book in provider.books] == ["200 at 20%"]
    assert step(run, "k").outcome == {"version": 1}
    missing = begin(workflow, title="Beech")
    settle()
    missing.refresh_from_db()
    assert [missing.status, missing.error] == [
        "failed",
        'K: "Beech" is not in the lookup table “Boards”. Add it there, then try again.',
    ]
    with_default = make_tree(
        lookup("k", "Boards", "{{ trigger.title }}", default="{{ trigger.price }}"),
        write("w", "{{ steps.k.value }}, {{ steps.k.found }}"),
    )
    other = begin(with_default, title="Beech")
    settle()
    assert state_of(other) == "succeeded"
    assert provider.books[-1]["name"] == "10, false"
