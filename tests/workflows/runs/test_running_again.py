"""A failed run is run again on a newer version: once, in its place, and nothing is written twice without a yes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.core.errors import RejectedError
from tests.base import Cast
from tests.workflows.conftest import Make, drain, settle, start, the_run, thing
from tests.workflows.scripted.connector import Provider
from workflows.models import Batch, Decision, Run, Safeguards, Step, StepRun, Workflow
from workflows.publishing import publish
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import available_actions, bulk_actions, decisions, running_again
from workflows.runs.search import Filter
from workflows.triggers import polling

pytestmark = pytest.mark.django_db


def failed(provider: Provider, make_workflow: Make, **options: Any) -> Run:
    """A run whose last write was refused."""
    start(provider, make_workflow, **options)
    written = len(options.get("actions", ("write_thing",))) - 1
    provider.script = [*["behave"] * written, RejectedError("The account code is unknown.")]
    settle()
    run = the_run()
    assert run.status == "failed"
    return run


def publish_again(workflow: Workflow, cast: Cast) -> None:
    """Version 2, with another name of its last step."""
    last = workflow.steps.order_by("position").last()
    assert last is not None
    Step.objects.filter(pk=last.pk).update(name=f"{last.name}, mended")
    publish.publish(Workflow.objects.get(pk=workflow.pk), by=cast.builder, note="Mended")


def keys(run: Run) -> list[str]:
    return [each.key for each in available_actions.available_actions(Run.objects.get(pk=run.pk))]


def test_it_is_offered_once_a_newer_version_is_published(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    run = failed(provider, make_workflow)
    assert keys(run) == ["retry", "skip", "mark_done", "replay", "cancel"]
    publish_again(run.workflow, cast)
    offered = available_actions.available_actions(Run.objects.get(pk=run.pk))
    assert [(each.key, each.label) for each in offered[:2]] == [
        ("run_again", "Run again with version 2"),
        ("retry", "Try again as it was"),
    ]


def test_the_new_run_takes_the_place_of_the_failed_one(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    run = failed(provider, make_workflow)
    publish_again(run.workflow, cast)
    again = decisions.run_again(Run.objects.get(pk=run.pk), by=cast.builder, reason="Mended")
    settle()
    again.refresh_from_db()
    run.refresh_from_db()
    assert [again.status, again.version.number, again.event_id, again.again_of_id] == [
        "succeeded", 2, run.event_id, run.pk,
    ]  # fmt: skip
    assert [run.status, run.error] == ["cancelled", "Write thing: The account code is unknown."]
    decision = Decision.objects.get(run=run)
    assert [decision.what, decision.by, decision.reason] == ["run_again", cast.builder, "Mended"]
    with pytest.raises(NotAllowedNowError, match="cancelled by now"):
        decisions.retry(run, by=cast.builder)
    assert [each["name"] for each in provider.books] == ["Thing 1"]


def test_asked_for_twice_it_gives_the_same_run(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    run = failed(provider, make_workflow)
    publish_again(run.workflow, cast)
    stale = Run.objects.get(pk=run.pk)
    first = decisions.run_again(Run.objects.get(pk=run.pk), by=cast.builder)
    assert decisions.run_again(stale, by=cast.builder).pk == first.pk
    assert Run.objects.count() == 2
    assert Decision.objects.filter(what="run_again").count() == 1


def test_what_was_written_is_not_written_again_without_a_yes(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    run = failed(provider, make_workflow, actions=("write_thing", "write_unsurely"))
    publish_again(run.workflow, cast)
    run = Run.objects.get(pk=run.pk)
    assert [each.name for each in running_again.written(run)] == ["Write thing"]
    with pytest.raises(NotAllowedNowError, match=r"has written 1 document\. Confirm"):
        decisions.run_again(run, by=cast.builder)
    assert [Run.objects.count(), Run.objects.get().status] == [1, "failed"]
    decisions.run_again(run, by=cast.builder, writes_twice=True)
    settle()
    assert len(provider.books) == 3


def test_a_write_without_a_clear_outcome_is_found_out_first(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    run = failed(provider, make_workflow)
    publish_again(run.workflow, cast)
    StepRun.objects.filter(kind="action").update(state="sent")
    Run.objects.update(status="crashed")
    with pytest.raises(NotAllowedNowError, match="no clear outcome"):
        decisions.run_again(Run.objects.get(pk=run.pk), by=cast.builder)
    assert not running_again.fitting(Run.objects.all()).exists()


def test_a_version_that_starts_with_something_else_does_not_take_the_event(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    run = failed(provider, make_workflow)
    publish_again(run.workflow, cast)
    assert list(running_again.fitting(Run.objects.all())) == [run]
    type(run.event).objects.update(operation="scripted.other")
    assert "run_again" not in keys(run)
    assert not running_again.fitting(Run.objects.all()).exists()


# --- many ------------------------------------------------------------------------------------------------------------


def many_failed(provider: Provider, make_workflow: Make, cast: Cast) -> Workflow:
    """Three failed runs of version 1, one of which has written; version 2 is published."""
    start(provider, make_workflow, *(thing(number) for number in (1, 2, 3)), actions=("write_thing", "write_unsurely"))
    provider.script = ["behave", RejectedError("No."), RejectedError("No."), RejectedError("No.")]
    settle()
    workflow = Workflow.objects.get()
    publish_again(workflow, cast)
    return workflow


def begin(cast: Cast, *, writes_twice: bool) -> Batch:
    what, chosen = Batch.What.RUN_AGAIN, Filter(status="failed")
    found = bulk_actions.fitting(cast.team, what, chosen, writes_twice=writes_twice)
    return bulk_actions.begin(
        cast.team,
        what,
        chosen,
        up_to=bulk_actions.newest(found),
        counted=found.count(),
        by=cast.builder,
        reason="",
        writes_twice=writes_twice,
    )


def test_many_are_run_again_without_those_that_have_written(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    many_failed(provider, make_workflow, cast)
    batch = begin(cast, writes_twice=False)
    assert batch.counted == 2
    bulk_actions.work()
    assert bulk_actions.outcomes(batch) == {"queued": 2}
    provider.script = ["behave", "behave", RejectedError("Still no.")]
    settle()
    assert bulk_actions.outcomes(batch) == {"succeeded": 1, "failed": 1}
    assert Run.objects.filter(status="failed", again_of__isnull=True).count() == 1, "the one that has written is left"
    again = Filter(batch=str(batch.pk)).find(cast.team)
    assert sorted(again.values_list("version__number", "replay")) == [(2, 1), (2, 1)]


def test_many_are_written_twice_only_when_said_so(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    many_failed(provider, make_workflow, cast)
    assert len(provider.books) == 1
    begin(cast, writes_twice=True)
    bulk_actions.work()
    settle()
    assert Run.objects.filter(version__number=2, status="succeeded").count() == 3
    assert len(provider.books) == 7


def test_failures_of_an_older_version_do_not_pause_a_newer_one(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    start(provider, make_workflow, *(thing(number) for number in range(1, 5)))
    workflow = Workflow.objects.get()
    Safeguards.objects.create(workflow=workflow, pause_after=3)
    publish_again(workflow, cast)
    provider.script = [RejectedError("No.")] * 4
    settle()
    assert Run.objects.filter(status="failed", version__number=1).count() == 4
    assert Workflow.objects.get().status == Workflow.Status.ACTIVE
    provider.script = [RejectedError("No.")] * 2
    _more(provider, 5, 6)
    assert Workflow.objects.get().status == Workflow.Status.ACTIVE, "four old failures and two new ones"
    provider.script = [RejectedError("No.")]
    _more(provider, 7)
    assert Workflow.objects.get().status == Workflow.Status.PAUSED


def _more(provider: Provider, *numbers: int) -> None:
    provider.items.extend(thing(number) for number in numbers)
    state = Workflow.objects.get().listens_to
    assert state is not None
    polling.poll_now(state)
    drain()
    settle()


# --- pages -----------------------------------------------------------------------------------------------------------


def text_of(client: Client, name: str, pk: int) -> str:
    return client.get(reverse(name, args=[pk])).content.decode()


def test_a_failed_run_leads_to_the_field_and_then_to_the_new_run(
    provider: Provider, make_workflow: Make, cast: Cast, builder: Client
) -> None:
    start(provider, make_workflow, thing(1, title="x" * 51))
    settle()
    run = the_run()
    step = run.workflow.steps.get()
    text = text_of(builder, "run", run.pk)
    field = reverse("step", args=[run.workflow_id, step.pk]) + "#id_in-name"
    assert text.count(f'href="{field}"') == 2, "the button and the field's own link"
    assert "Fix in the editor" in text
    publish_again(run.workflow, cast)
    assert "Run again with version 2…" in text_of(builder, "run", run.pk)
    path = reverse("way_out", args=[run.pk, "run_again"])
    for _ in range(2):
        answer = builder.post(path, {"reason": ""}, follow=True)
        assert answer.redirect_chain[-1][0] == reverse("run", args=[Run.objects.get(again_of=run).pk])
    assert f'href="{reverse("run", args=[run.pk])}">run {run.pk}</a> with version 1' in answer.content.decode()
    again = Run.objects.get(again_of=run)
    assert f"run {again.pk} with version 2 took its place" in text_of(builder, "run", run.pk)


def test_the_page_shows_what_would_be_written_twice_and_asks(
    provider: Provider, make_workflow: Make, cast: Cast, builder: Client
) -> None:
    run = failed(provider, make_workflow, actions=("write_thing", "write_unsurely"))
    publish_again(run.workflow, cast)
    path = reverse("way_out", args=[run.pk, "run_again"])
    text = builder.get(path).content.decode()
    assert "This run has written 1 document already." in text
    assert "Confirm that it is to be written a second time" in builder.post(path, {"reason": ""}).content.decode()
    assert Run.objects.count() == 1
    builder.post(path, {"reason": "", "writes_twice": "on"})
    assert Run.objects.filter(again_of=run).count() == 1


def test_somebody_who_only_reads_is_not_led_to_the_editor(
    provider: Provider, make_workflow: Make, cast: Cast, client: Client
) -> None:
    run = failed(provider, make_workflow)
    client.force_login(cast.auditor)
    assert "Fix in the editor" not in text_of(client, "run", run.pk)


def test_the_page_of_many_offers_both_ways_with_their_numbers(
    provider: Provider, make_workflow: Make, cast: Cast, builder: Client
) -> None:
    many_failed(provider, make_workflow, cast)
    text = builder.get(reverse("bulk", args=["retry"]) + "?status=failed").content.decode()
    assert "As they were: 3 runs" in text
    assert "On today’s version: 3 runs" in text
    path = reverse("bulk", args=["run_again"]) + "?status=failed"
    page = builder.get(path)
    assert "1 of them has written something already." in page.content.decode()
    assert "What a run of Copy things does (version 2)" in page.content.decode()
    assert "Run all 3 again and write 1 of them twice" in page.content.decode()
    builder.post(path, {"up_to": page.context["up_to"], "counted": page.context["begins_with"], "reason": ""})
    batch = Batch.objects.get()
    assert [batch.counted, batch.writes_twice] == [2, False]
    bulk_actions.work()
    settle()
    text = text_of(builder, "batch", batch.pk)
    assert f'href="{reverse("runs")}?batch={batch.pk}&amp;status=succeeded">2 runs</a>' in text
    builder.post(path, {"up_to": page.context["up_to"], "counted": "0", "writes_twice": "1", "reason": ""})
    assert [Batch.objects.latest("pk").counted, Batch.objects.latest("pk").writes_twice] == [1, True]
