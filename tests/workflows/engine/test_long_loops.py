"""A loop of ten thousand items: it is done in slices, shown in pages, and ends when a person cancels it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.core.exact_json import dumps
from integrations.transport.http import Response
from tests.base import Cast
from tests.workflows.conftest import drain, settle
from tests.workflows.planting import MakeTree, begin, loop, named, state_of, step, write
from tests.workflows.scripted.connector import Provider
from workflows.engine.kinds import loop as loops
from workflows.models import Run, StepRun
from workflows.runs import decisions

pytestmark = pytest.mark.django_db

NUMBERS = "{{ trigger.numbers }}"
MANY: list[Any] = list(range(1, 10_001))


def test_ten_thousand_items_with_fields_are_all_done(provider: Provider, make_tree: MakeTree) -> None:
    one = {f"field_{number}": "x" * 20 for number in range(18)}
    many = [{"number": number, **one} for number in MANY]
    each = loop("each", "{{ trigger.lines }}", named("n", v="{{ item.number }}"), limit=10_000)
    run = begin(make_tree(each, write("w", "{{ steps.each.done }}, {{ steps.each['items'][9999].n.v }}")), lines=many)
    settle(200)
    run.refresh_from_db()
    assert [run.status, run.error] == ["succeeded", ""]
    assert [book["name"] for book in provider.books] == ["10000, 10000"]
    assert turns_done(run) == 10_000


def turns_done(run: Run) -> int:
    return StepRun.objects.filter(run=run, kind="turn", state="succeeded").count()


def test_a_loop_of_ten_thousand_that_writes_ends_before_its_next_write_when_it_is_cancelled(
    provider: Provider, make_tree: MakeTree, cast: Cast
) -> None:
    run = begin(make_tree(loop("each", NUMBERS, write("w", "{{ item }}"), limit=10_000)), numbers=MANY)

    def press() -> Response:
        decisions.cancel(run, by=cast.builder, reason="Wrong list")
        thing = {"id": "T3", "name": "3", "marker": StepRun.objects.get(state="sent").marker}
        provider.books.append(thing)
        return Response(200, {"content-type": "application/json"}, dumps(thing).encode())

    provider.script = ["behave", "behave", press]
    settle()
    assert state_of(run) == "cancelled"
    assert [book["name"] for book in provider.books] == ["1", "2", "3"]
    assert step(run, "each").outcome["count"] == 10_000


def test_a_loop_that_writes_nothing_ends_at_the_end_of_its_slice_when_it_is_cancelled(
    provider: Provider, make_tree: MakeTree, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(make_tree(loop("each", NUMBERS, named("n", v="{{ item }}"), limit=10_000), write("w")), numbers=MANY)
    monkeypatch.setattr(loops, "SLICE_SECONDS", 0.0)
    turn, asked = loops._iterate, []

    def press(context: Any, *given: Any, **more: Any) -> None:
        turn(context, *given, **more)
        if len(asked) < 1:
            asked.append(1)
            decisions.cancel(Run.objects.get(pk=run.pk), by=cast.builder, reason="Wrong list")

    monkeypatch.setattr(loops, "_iterate", press)
    drain()
    settle()
    assert state_of(run) == "cancelled"
    assert turns_done(run) == 1
    assert provider.books == []


def test_its_iterations_are_shown_by_pages(
    provider: Provider, make_tree: MakeTree, client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(cast.builder)
    run = begin(
        make_tree(loop("each", NUMBERS, named("n", v="{{ item }}"), limit=10_000), write("w")), numbers=MANY[:120]
    )
    settle()
    assert state_of(run) == "succeeded"
    assert turns_done(run) == 120
    address = reverse("run_turns", args=[run.pk, "each"])
    seen, begins = [], ""
    while begins is not None:
        context = client.get(f"{address}?from={begins}").context
        seen.append(len(context["iterations"]))
        begins = context["next"]
    assert seen == [50, 50, 20]
