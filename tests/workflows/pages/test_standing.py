"""What stands in the way of workflows is said where people look: on the dashboard, in the list, at *Check now*."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import CallBudget, Connection
from integrations.transport import call_budget
from tests.base import Cast
from tests.workflows.planting import begin, made, write
from tests.workflows.scripted.connector import Provider
from workflows.models import Run, TriggerState, Workflow
from workflows.publishing import activation, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow(provider: Provider, cast: Cast, connection: Connection) -> Workflow:
    workflow = made(cast, connection, write("w"), name="Oak orders")
    publish.publish(workflow, by=cast.builder)
    activation.activate(workflow, by=cast.builder)
    workflow.refresh_from_db()
    return workflow


def break_down(connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(
        status=Connection.Status.NEEDS_RECONNECT, last_error="The consent was taken back."
    )


def test_the_list_tells_of_active_workflows_whose_connection_is_dead(
    builder: Client, workflow: Workflow, connection: Connection
) -> None:
    said = f"{connection.name} needs reconnecting: nothing new is noticed"
    assert said not in builder.get(reverse("workflows")).content.decode()
    break_down(connection)
    page = builder.get(reverse("workflows")).content.decode()
    assert f'{said}. <a href="{reverse("connection", args=[connection.pk])}">Reconnect</a>' in page
    assert said in builder.get(reverse("workflow", args=[workflow.pk])).content.decode()
    Workflow.objects.update(status=Workflow.Status.PAUSED)
    assert said not in builder.get(reverse("workflows")).content.decode()


def test_the_list_tells_of_a_steps_connection_too(
    builder: Client, provider: Provider, cast: Cast, connection: Connection, workflow: Workflow
) -> None:
    other = Connection.objects.create(
        team=cast.team, grant=connection.grant, provider=connection.provider, external_id="2", name="Second books"
    )
    workflow.steps.update(connection=other)
    publish.publish(workflow, by=cast.builder, note="Other books")
    Connection.objects.filter(pk=other.pk).update(status=Connection.Status.DISCONNECTED)
    page = builder.get(reverse("workflows")).content.decode()
    assert "Second books is disconnected: its runs wait" in page
    assert "nothing new is noticed" not in page


def test_look_now_says_why_it_cannot_and_changes_nothing(
    builder: Client, workflow: Workflow, connection: Connection
) -> None:
    TriggerState.objects.update(next_due_at=None)
    break_down(connection)
    page = builder.post(reverse("look_now", args=[workflow.pk]), follow=True).content.decode()
    assert (
        f"It cannot check: {connection.name} needs reconnecting. The consent was taken back. Connect it again under "
        "Connections; then it checks by itself."
    ) in page
    assert "Checking now." not in page
    assert TriggerState.objects.get().next_due_at is None


def test_look_now_says_that_the_provider_is_down_or_takes_no_calls(workflow: Workflow, connection: Connection) -> None:
    until = timezone.now() + timedelta(hours=2)
    CallBudget.objects.update_or_create(
        connection=connection, defaults={"blocked_until": until, "blocked_reason": "The day's calls are used up."}
    )
    with pytest.raises(activation.NotAllowedNowError) as refused:
        activation.poll_now(workflow, by=None)
    assert refused.value.message.startswith(f"It cannot check just now. {connection.name} takes no calls until ")
    assert refused.value.message.endswith(": The day's calls are used up. It goes on by itself then.")
    CallBudget.objects.update(blocked_until=None)
    assert call_budget.hindrance(connection) == ""
    activation.poll_now(workflow, by=None)


# --- the dashboard ----------------------------------------------------------------------------------------------------


def dashboard(builder: Client) -> str:
    return builder.get(reverse("admin:index")).content.decode()


def test_a_workflow_that_paused_itself_needs_attention_and_that_comes_first(
    builder: Client, workflow: Workflow, cast: Cast
) -> None:
    page = dashboard(builder)
    assert "has paused itself" not in page
    assert "Nothing needs your attention." in page
    activation.pause(workflow, by=None, reason="Paused by itself: 3 runs in a row did not end well.")
    page = dashboard(builder)
    assert f'<a href="{reverse("workflow", args=[workflow.pk])}">Oak orders</a> has paused itself' in page
    assert "Paused by itself: 3 runs in a row did not end well." in page
    assert "Nothing needs your attention." not in page
    assert page.index("Needs attention</h2>") < page.index("First steps</h2>") < page.index("runs in 14 days")
    activation.activate(workflow, by=cast.builder)
    assert "has paused itself" not in dashboard(builder)
    activation.pause(workflow, by=cast.builder, reason="Holidays")
    assert "has paused itself" not in dashboard(builder)


def test_after_a_revoked_consent_nobody_is_sent_back_to_the_first_steps(
    builder: Client, workflow: Workflow, connection: Connection
) -> None:
    assert "Sign in at Scripted" not in dashboard(builder)
    break_down(connection)
    page = dashboard(builder)
    assert "Sign in at Scripted" not in page
    assert "needs reconnecting" in page


def test_figures_and_bars_lead_to_what_they_count(builder: Client, workflow: Workflow) -> None:
    page = dashboard(builder)
    today = timezone.localdate()
    first, runs = today - timedelta(days=13), reverse("runs")
    for address in (
        f"{runs}?since={first}",
        f"{runs}?status=succeeded&amp;since={first}",
        f"{reverse('workflows')}?status=active",
        *(f"{runs}?since={day}&amp;until={day}" for day in (first, today)),
    ):
        assert f'href="{address}"' in page
        assert builder.get(address.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    ("many", "reason", "said"),
    [
        (1, "delay", "1 run</a> waits for its time to come"),
        (3, "delay", "3 runs</a> wait for their time to come"),
        (2, "hold", "2 runs</a> wait for a person to release them"),
        (2, "call", "2 runs</a> wait for the workflows that they called"),
        (2, "down", "2 runs</a> wait for the provider to be back"),
    ],
)
def test_several_runs_wait_in_the_plural(
    builder: Client, workflow: Workflow, many: int, reason: str, said: str
) -> None:
    for _ in range(many):
        begin(workflow)
    Run.objects.update(status="waiting", wait_reason=reason)
    assert said in dashboard(builder)
