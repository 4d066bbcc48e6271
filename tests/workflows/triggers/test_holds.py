"""Too much at once, and circles: stored, held, told; nothing of it is written before a person lets it go."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.framework.base import Item
from tests.base import Cast
from tests.workflows.conftest import Make, do_poll, drain, settle, thing
from tests.workflows.scripted.connector import Provider
from workflows.models import Event, Notice, Run, Safeguards, Workflow
from workflows.runs import available_actions, decisions
from workflows.triggers import holds, intake, polling

pytestmark = pytest.mark.django_db
ABOVE_10 = {"left": "{{ trigger.price }}", "type": "number", "operator": "greater_than", "right": "10"}


def ready(make_workflow: Make, **options: Any) -> Workflow:
    """Active, and past its baseline."""
    limits = {name: options.pop(name) for name in ("hold_above", "most_per_hour") if name in options}
    workflow = make_workflow(**options)
    drain()
    if limits:
        Safeguards.objects.create(workflow=workflow, **limits)
    workflow.refresh_from_db()
    return workflow


def look(provider: Provider, workflow: Workflow, *items: Item) -> None:
    provider.items.extend(items)
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    assert do_poll()


def things(first: int, last: int, **data: Any) -> list[Item]:
    return [thing(number, **data) for number in range(first, last + 1)]


def held() -> int:
    return Run.objects.filter(status="waiting", wait_reason="hold").count()


def test_fifty_of_one_look_run_and_fifty_one_are_all_held(provider: Provider, make_workflow: Make) -> None:
    workflow = ready(make_workflow)
    look(provider, workflow, *things(1, 50))
    assert held() == 0
    settle()
    look(provider, workflow, *things(101, 151))
    assert held() == 51
    settle_held()
    assert len(provider.books) == 50, "of those that are held nothing is written"
    run = Run.objects.filter(wait_reason="hold").first()
    assert run is not None
    assert run.waiting_since is not None
    assert run.error == (
        "One check of Scripted account found more than 50 new items for which this workflow would write. "
        "Held until a person releases it."
    )
    notice = Notice.objects.get()
    assert (notice.kind, notice.count, notice.title) == ("held", 1, "Copy things: runs are held")


def settle_held() -> None:
    drain()
    assert set(Run.objects.values_list("status", flat=True)) <= {"waiting", "succeeded", "filtered"}


def test_what_the_filter_keeps_out_does_not_count_and_is_not_held(provider: Provider, make_workflow: Make) -> None:
    workflow = ready(make_workflow, condition=ABOVE_10)
    look(provider, workflow, *things(1, 90), *things(91, 99, price=20))
    assert held() == 0
    settle()
    look(provider, workflow, *things(101, 160, price=20), *things(161, 165))
    assert held() == 60
    drain()
    assert Run.objects.filter(status="filtered").count() == 90 + 5
    assert len(provider.books) == 9


def test_a_workflow_that_only_reads_is_never_held(provider: Provider, make_workflow: Make) -> None:
    workflow = ready(make_workflow, actions=("read_thing",))
    look(provider, workflow, *things(1, 80))
    assert held() == 0


def test_what_an_earlier_page_of_the_same_look_started_is_held_too_unless_it_runs_already(
    provider: Provider, make_workflow: Make
) -> None:
    provider.marks = True  # each item comes, and is stored, on its own
    workflow = ready(make_workflow, hold_above=3)
    Run.objects.all().delete()
    look(provider, workflow, *things(1, 5))
    assert held() == 5
    assert Notice.objects.get().count == 1, "one look is one matter, however many pages it has"


def test_the_next_look_is_judged_on_its_own(provider: Provider, make_workflow: Make) -> None:
    workflow = ready(make_workflow, hold_above=3)
    look(provider, workflow, *things(1, 4))
    assert held() == 4
    look(provider, workflow, *things(5, 6))
    assert held() == 4
    look(provider, workflow, *things(7, 10))
    assert held() == 8
    assert Notice.objects.get().count == 2


def test_each_workflow_has_its_own_limit_and_nought_is_none(provider: Provider, make_workflow: Make) -> None:
    strict = ready(make_workflow, hold_above=1)
    free = ready(make_workflow, name="Free", hold_above=0, most_per_hour=0)
    look(provider, strict, *things(1, 60))
    assert Run.objects.filter(workflow=strict, wait_reason="hold").count() == 60
    assert not Run.objects.filter(workflow=free, wait_reason="hold").exists()


def test_more_than_so_many_within_an_hour_are_held_over_several_looks(
    provider: Provider, make_workflow: Make, settings: Any
) -> None:
    settings.TIME_SCALE = 1
    workflow = ready(make_workflow, most_per_hour=5)
    look(provider, workflow, *things(1, 3))
    look(provider, workflow, *things(4, 5))
    assert held() == 0
    look(provider, workflow, *things(6, 7))
    assert held() == 2
    assert "More than 5 runs of this workflow" in Run.objects.filter(wait_reason="hold")[0].error
    drain()
    assert len(provider.books) == 5


def test_a_person_lets_one_go_and_cancels_another(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = ready(make_workflow, hold_above=1)
    look(provider, workflow, *things(1, 2))
    one, other = Run.objects.order_by("pk")
    assert [way.key for way in available_actions.available_actions(one)] == ["release", "cancel"]
    decisions.release(one, by=cast.builder, reason="It is meant.")
    decisions.cancel(other, by=cast.builder, reason="It is not.")
    settle()
    assert list(Run.objects.order_by("pk").values_list("status", flat=True)) == ["succeeded", "cancelled"]
    assert one.decisions.get().what == "release"
    assert len(provider.books) == 1


# --- circles ---------------------------------------------------------------------------------------------------------


def written(provider: Provider, *, after: int) -> list[Item]:
    """What was written, as the provider's list of things shows it."""
    return [
        Item(key=each["id"], data={"id": each["id"], "title": each["name"], "price": 1})
        for each in provider.books[after:]
    ]


def test_two_workflows_that_start_each_other_are_stopped_at_the_second_turn(
    provider: Provider, make_workflow: Make
) -> None:
    one, other = ready(make_workflow, name="One"), ready(make_workflow, name="Other")
    look(provider, one, thing(1))
    settle()
    assert len(provider.books) == 2
    look(provider, one, *written(provider, after=0))  # what each wrote starts the other
    settle()
    second = Run.objects.get(workflow=other, event__key="T1")
    assert (second.status, second.caused_by) == ("succeeded", Run.objects.get(workflow=one, event__key="1"))
    assert len(provider.books) == 4
    look(provider, one, *written(provider, after=2))  # and this would start the first again
    drain()
    assert held() == 2
    assert len(provider.books) == 4
    third = Run.objects.get(workflow=one, wait_reason="hold")
    assert third.caused_by == second
    assert third.error.startswith("This workflow wrote something that started “Other”, and what that wrote would start")
    assert set(Notice.objects.values_list("kind", "workflow__name")) == {("loop", "One"), ("loop", "Other")}


def test_a_chain_without_a_circle_goes_on_until_it_is_too_long(provider: Provider, make_workflow: Make) -> None:
    workflow = ready(make_workflow)
    look(provider, workflow, thing(1))
    run = Run.objects.get()
    others = [make_workflow(name=f"Other {number}", is_active=False) for number in range(12)]
    chain = [run]
    for other in others:
        last = chain[-1]
        replica = Run(
            team=run.team, workflow=other, version=other.published, event=run.event, caused_by=last, status="succeeded"
        )
        known: dict[int, Any] = {}
        if len(chain) <= holds.LONGEST_CHAIN:
            assert holds._circle(replica, known) == ""
        else:
            assert holds._circle(replica, known).startswith("More than 10 workflows in a row")
        replica.save()
        chain.append(replica)


def test_a_long_look_keeps_in_mind_only_what_counts(provider: Provider, make_workflow: Make) -> None:
    workflow = ready(make_workflow, condition=ABOVE_10, hold_above=2)
    looked = holds.PollSoFar()
    assert workflow.listens_to is not None
    for page in range(5):
        runs = [
            intake.new_run(workflow, workflow.published, Event(data=item.data))
            for item in things(1, 3, price=20 if page == 0 else 1)[: 2 if page == 0 else 3]
        ]
        holds.judge(workflow.listens_to, runs, looked)
        assert [run.status for run in runs] == ["queued"] * len(runs)
    assert len(looked.started[workflow.pk]) == 2
    free = ready(make_workflow, name="Free", hold_above=0)
    holds.judge(workflow.listens_to, [intake.new_run(free, free.published, Event(data={"price": 20}))], looked)
    assert looked.started[free.pk] == []
