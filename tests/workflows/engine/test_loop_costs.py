"""What many turns cost: the thousandth is as cheap as the first, and going on reads no turn that is done."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.core.errors import TemporaryError
from tests.workflows.conftest import drain, settle
from tests.workflows.planting import MakeTree, begin, keep_if, loop, over, state_of, write
from tests.workflows.scripted.connector import Provider
from workflows.models import Run

pytestmark = pytest.mark.django_db

NUMBERS = "{{ trigger.numbers }}"


def queries_of(make_tree: MakeTree, count: int) -> int:
    run = begin(make_tree(loop("each", NUMBERS, keep_if("f", over("{{ item }}", 1)), write("w", "{{ item }}"))))
    event = run.event
    event.data = {**event.data, "numbers": list(range(1, count + 1))}
    event.save()
    with CaptureQueriesContext(database) as seen:
        settle(60)
    assert state_of(run) == "succeeded"
    return len(seen)


def test_a_turn_costs_the_same_however_many_there_are(provider: Provider, make_tree: MakeTree) -> None:
    few, some, more = (queries_of(make_tree, count) for count in (10, 20, 60))
    assert (more - some) / 40 <= (some - few) / 10 + 1
    # One transaction a turn: begin, the run, the rows of the turn before and of this one, the answer before, its
    # posting, commit.
    assert (more - some) / 40 <= 6.1


def test_going_on_in_a_late_turn_reads_no_turn_before_it(provider: Provider, make_tree: MakeTree) -> None:
    run = begin(make_tree(loop("each", NUMBERS, write("w", "{{ item }}"))), numbers=list(range(1, 41)))
    provider.script = [*["behave"] * 38, TemporaryError("Later.", retry_after=6000)]
    drain()
    assert state_of(run) == "waiting"
    Run.objects.update(wake_at="2020-01-01T00:00:00Z")
    provider.script = [TemporaryError("Later.", retry_after=6000)]
    with CaptureQueriesContext(database) as seen:
        drain()
    outputs = [query["sql"] for query in seen if '"workflows_steprun"."output"' in query["sql"]]
    # The loop's own row, and the row of the turn that was under way.
    assert sum(sql.startswith("SELECT") for sql in outputs) == 3
