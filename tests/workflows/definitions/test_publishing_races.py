"""Two people at one workflow: what is published is what was read, each version once, whoever is first."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import settle
from tests.workflows.planting import begin, made, write
from tests.workflows.scripted.connector import Provider
from workflows.models import Decision, Run, Workflow, WorkflowVersion
from workflows.publishing import activation, publish
from workflows.runs import decisions


@pytest.fixture
def workflow(provider: Provider, cast: Cast, connection: Connection) -> Workflow:
    return made(cast, connection, write("w", "As it was read"), name="Oak orders")


def rename(workflow: Workflow, name: str) -> None:
    workflow.steps.get().mappings.update(value=name)


@pytest.mark.django_db
def test_what_somebody_has_changed_since_it_was_read_is_not_published(
    client: Client, cast: Cast, workflow: Workflow
) -> None:
    client.force_login(cast.builder)
    address = reverse("publish_workflow", args=[workflow.pk])
    shown = client.get(address).context["shown"]
    rename(workflow, "As nobody has read it")
    page = client.post(address, {"note": "My note", "shown": shown, "unpreviewed": "on"})
    assert page.status_code == 200
    text = page.content.decode()
    assert "Somebody has changed the workflow since this page was shown to you." in text
    assert "As nobody has read it" in text
    assert "My note" in text
    assert not WorkflowVersion.objects.exists()
    again = client.post(address, {"note": "My note", "shown": page.context["shown"], "unpreviewed": "on"})
    assert again.status_code == 302
    (version,) = WorkflowVersion.objects.all()
    assert version.plan["steps"][0]["inputs"] == {"name": "As nobody has read it"}


@pytest.mark.django_db
def test_a_stale_workflow_in_hand_publishes_what_stands_there_now(cast: Cast, workflow: Workflow) -> None:
    in_hand = Workflow.objects.prefetch_related("steps__mappings").get(pk=workflow.pk)
    rename(workflow, "Later")
    version = publish.publish(in_hand, by=cast.builder)
    assert version.plan["steps"][0]["inputs"] == {"name": "Later"}


def at_once(times: int, do: Callable[[], object]) -> list[object]:
    """What each of so many threads got or raised, that began together."""

    def one(_: int) -> object:
        try:
            return do()
        except Exception as error:
            return error
        finally:
            database.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_many_who_publish_at_once_make_a_version_each_and_the_last_one_counts(cast: Cast, workflow: Workflow) -> None:
    found = at_once(6, lambda: publish.publish(Workflow.objects.get(pk=workflow.pk), by=cast.builder))
    assert sorted(version.number for version in found) == [1, 2, 3, 4, 5, 6]  # type: ignore[attr-defined]
    workflow.refresh_from_db()
    assert workflow.published is not None
    assert workflow.published.number == 6


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_held_run_that_many_let_go_at_once_is_let_go_once(cast: Cast, workflow: Workflow, provider: Provider) -> None:
    publish.publish(workflow, by=cast.builder)
    run = begin(workflow)
    Run.objects.update(status="waiting", wait_reason="hold")
    found = at_once(6, lambda: decisions.release(Run.objects.get(pk=run.pk), by=cast.builder))
    assert sum(each is None for each in found) == 1
    assert sum(isinstance(each, decisions.NotAllowedNowError) for each in found) == 5
    assert Decision.objects.count() == 1
    settle()
    assert [book["name"] for book in provider.books] == ["As it was read"]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_workflow_that_one_pauses_while_another_publishes_ends_paused(cast: Cast, workflow: Workflow) -> None:
    publish.publish(workflow, by=cast.builder)
    activation.activate(workflow, by=cast.builder)

    def both(number: int) -> None:
        mine = Workflow.objects.get(pk=workflow.pk)
        if number % 2:
            publish.publish(mine, by=cast.builder)
        elif mine.status == Workflow.Status.ACTIVE:
            activation.pause(mine, by=cast.builder, reason="Holidays")

    numbers = iter(range(6))
    at_once(6, lambda: both(next(numbers)))
    workflow.refresh_from_db()
    assert (workflow.status, workflow.listens_to) == ("paused", None)
