"""Pages of starts: the form of a schedule, what is asked for, and what a workflow's page says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.base import Cast
from tests.workflows.conftest import Make
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, started_by
from workflows.definitions import export_import, validation
from workflows.models import InboundHook, Schedule, Workflow


@pytest.fixture(autouse=True)
def _with_starts(provider: scripted.Provider) -> Iterator[None]:
    with override_settings(CONNECTORS=CONNECTORS):
        yield


@pytest.fixture
def builder(cast: Cast, client: Client) -> Client:
    client.force_login(cast.builder)
    return client


def new(builder: Client, operation: str) -> Workflow:
    answer: Any = builder.post("/workflows/new/", {"name": "Month end", "trigger": operation})
    workflow = Workflow.objects.get()
    assert answer.url == f"/workflows/{workflow.pk}/trigger/"
    return workflow


def text(client: Client, address: str, data: dict[str, str] | None = None) -> str:
    answer = client.get(address) if data is None else client.post(address, data)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_schedule_asks_only_for_what_its_kind_needs_and_shows_the_next_times(builder: Client) -> None:
    workflow = new(builder, "start.schedule")
    address = f"/workflows/{workflow.pk}/trigger/"
    page = text(builder, address)
    assert 'name="in.at"' in page
    assert 'name="in.cron"' not in page
    assert 'value="09:00"' in page
    assert page.split('id="panel"')[1].count("(UTC)</li>") == 5
    page = text(builder, address, {"_reload": "1", "in.how": "monthly", "in.timezone": "Pacific/Auckland"})
    assert 'name="in.month_day"' in page
    assert 'name="in.day"' in page
    assert 'value="Pacific/Auckland" selected' in page
    page = text(builder, address, {"_reload": "1", "in.how": "monthly", "in.month_day": "last", "in.at": "10:00"})
    assert 'name="in.day"' not in page
    assert ", 10:00 (UTC)</li>" in page
    assert Workflow.objects.get().trigger_inputs == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"how": "daily", "at": "9 o'clock"}, "Write times of day as 09:00"),
        ({"how": "daily", "at": "25:00"}, "Write times of day as 09:00"),
        ({"how": "minutes", "every": ""}, "Say every how many minutes, between 1 and 1440."),
        ({"how": "hours", "every": "25"}, "Say every how many hours, between 1 and 24."),
        ({"how": "weekly", "at": "09:00"}, "Choose at least one day."),
        ({"how": "monthly", "month_day": "day", "day": "32", "at": "09:00"}, "must be at most 31"),
        ({"how": "cron", "cron": "61 * * * *"}, "no cron expression that can be read"),
        ({"how": "cron", "cron": "* * * * * *"}, "five parts"),
        ({"how": "cron", "cron": "0 0 30 2 *"}, "no cron expression that can be read"),
        ({"how": "daily", "at": "09:00", "timezone": "Mars/Olympus"}, "There is no time zone called"),
    ],
)
def test_a_schedule_that_says_no_time_is_not_saved(values: dict[str, str], words: str, builder: Client) -> None:
    workflow = new(builder, "start.schedule")
    posted = {f"in.{name}": value for name, value in values.items()}
    page = text(builder, f"/workflows/{workflow.pk}/trigger/", posted)
    assert words in page.replace("&#x27;", "'")
    assert "Not saved yet" in page
    assert Workflow.objects.get().trigger_inputs == {}


def test_a_saved_schedule_keeps_what_it_needs_and_the_page_says_it_in_words(builder: Client) -> None:
    workflow = new(builder, "start.schedule")
    posted = {
        "in.how": "weekly", "in.days": ["mon", "thu"], "in.at": "09:00, 17:00", "in.timezone": "Europe/Berlin",
        "in.cron": "* * * * *", "in.missed": "skip",
    }  # fmt: skip
    answer = builder.post(f"/workflows/{workflow.pk}/trigger/", posted)
    assert answer.status_code == 302
    workflow.refresh_from_db()
    assert workflow.trigger_inputs == {
        "how": "weekly", "days": "mon,thu", "at": "09:00, 17:00", "timezone": "Europe/Berlin", "missed": "skip",
    }  # fmt: skip
    page = text(builder, f"/workflows/{workflow.pk}/")
    assert "It starts every Monday and Thursday at 09:00 and 17:00 (Europe/Berlin)." in page
    assert page.count("09:00 (CET)</li>") + page.count("09:00 (CEST)</li>") >= 2
    assert "Checks every" not in page
    assert "Check now" not in page


def test_switching_on_says_when_it_starts_next_and_plans_it(cast: Cast, make_workflow: Make, builder: Client) -> None:
    workflow = started_by(
        cast, make_workflow, "start.schedule", {"how": "daily"}, value="{{ trigger.date }}", is_active=False
    )
    page = text(builder, f"/workflows/{workflow.pk}/activate/")
    assert "It starts every day at 09:00" in page
    assert "Start from" not in page
    answer = builder.post(f"/workflows/{workflow.pk}/activate/", follow=True).content.decode()
    assert "is active. It starts next on" in answer
    assert Schedule.objects.get().next_at is not None


def test_values_are_declared_in_rows_and_offered_to_the_steps(builder: Client) -> None:
    workflow = new(builder, "start.manual")
    address = f"/workflows/{workflow.pk}/trigger/"
    row = {"in.fields_asked~row": "0", "in.fields_asked.0.label": "Amount due", "in.fields_asked.0.holds": "number"}
    page = text(builder, address, {**row, "_add_row": "fields_asked"})
    assert 'value="Amount due"' in page
    assert "in.fields_asked.1.label" in page
    assert builder.post(address, row).status_code == 302
    page = text(builder, f"/workflows/{workflow.pk}/")
    assert "Amount due" in page
    assert "A builder starts a run by hand." in page
    assert {p.message for p in validation.problems(Workflow.objects.get())} == {
        "The workflow does nothing yet: add a step with an action."
    }


def test_an_address_is_made_with_the_trigger(builder: Client) -> None:
    workflow = new(builder, "start.webhook")
    address = f"/workflows/{workflow.pk}/trigger/"
    text(builder, address)
    builder.post(address, {"in.dedupe": "order.id"})
    page = text(builder, address)
    assert f"/hooks/in/{InboundHook.objects.get().token}/" in page
    assert "Not required" in page
    assert "Write names with single points" in text(builder, address, {"in.dedupe": "order..id"})


def test_the_published_version_says_it_in_words(cast: Cast, make_workflow: Make) -> None:
    workflow = started_by(cast, make_workflow, "start.schedule", {"how": "weekdays"}, value="{{ trigger.date }}")
    assert workflow.published is not None
    assert workflow.published.summary.startswith("It starts Monday to Friday at 09:00")


def test_pausing_says_what_it_means_for_a_start(cast: Cast, make_workflow: Make, builder: Client) -> None:
    workflow = started_by(cast, make_workflow, "start.manual")
    assert "Nothing starts it while it is paused." in text(builder, f"/workflows/{workflow.pk}/pause/")


def test_a_start_survives_export_and_import(cast: Cast, make_workflow: Make) -> None:
    workflow = started_by(cast, make_workflow, "start.manual")
    file = export_import.read(export_import.export(workflow))
    mine = {key: workflow.steps.get().connection for key in file.connections}
    answers = export_import.Answers(connections=mine, workflows={}, values={})
    made = export_import.make(file, answers, team=cast.team, name="Again", by=cast.builder)
    assert (made.trigger_operation, made.trigger_connection) == ("start.manual", None)
    assert made.trigger_inputs == workflow.trigger_inputs
    assert validation.problems(made) == []
