"""The pages of notices and safeguards."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.base import Cast
from tests.world import World
from workflows.models import Notice, Run, Safeguards
from workflows.notifications import notify

Kind = Notice.Kind
HOSTILE = "<script>alert('x')</script>"


def tell(world: World, kind: Notice.Kind = Kind.FAILED, **fields: Any) -> Notice:
    values = {"title": "It failed", "text": "Refused.", "workflow": world.workflow, **fields}
    notify.notify(notify.Matter(world.team.pk, kind, **values))
    return Notice.objects.get(kind=kind, subject__contains=":", read_at=None)


def test_unread_ones_come_first_with_a_badge_and_move_below_when_read(builder: Client, world: World) -> None:
    notice = tell(world, run=world.run)
    text = builder.get(reverse("notices")).content.decode()
    assert "It failed" in text
    assert reverse("run", args=[world.run.pk]) in text
    badges = [
        item.get("badge")
        for group in builder.get(reverse("notices")).context["sidebar_navigation"]
        for item in group["items"]
        if str(item["title"]) == "Notices"
    ]
    assert badges == ["1"]
    builder.post(reverse("read_notice", args=[notice.pk]))
    context = builder.get(reverse("notices")).context
    assert (context["unread"], [each.pk for each, _ in context["read"]]) == ([], [notice.pk])
    assert "read by builder" in builder.get(reverse("notices")).content.decode()


def test_all_that_was_shown_is_marked_as_read_and_nothing_that_came_since(builder: Client, world: World) -> None:
    first = tell(world)
    later = tell(world, Kind.CRASHED)
    builder.post(reverse("read_all_notices"), {"shown": [first.pk, "nonsense"]})
    assert list(Notice.objects.filter(read_at=None)) == [later]


def test_each_kind_leads_to_what_it_is_about(builder: Client, world: World) -> None:
    workflow = world.workflow.pk
    runs = reverse("runs")
    single = tell(world, run=world.run)
    assert notify.page_of(single) == reverse("run", args=[world.run.pk])
    many = tell(world, run=world.run)
    assert notify.page_of(many) == f"{runs}?status=failed&workflow={workflow}"
    assert notify.page_of(tell(world, Kind.HELD)) == f"{runs}?status=waiting&wait=hold&workflow={workflow}"
    assert notify.page_of(tell(world, Kind.PAUSED)) == reverse("workflow", args=[workflow])
    down = tell(world, Kind.DOWN, workflow=None, connection=world.xero)
    assert notify.page_of(down) == reverse("connection", args=[world.xero.pk])
    for notice in Notice.objects.all():
        assert builder.get(notify.page_of(notice)).status_code == 200


def test_a_hostile_text_is_shown_as_text(builder: Client, world: World) -> None:
    tell(world, title=HOSTILE, text=HOSTILE)
    text = builder.get(reverse("notices")).content.decode()
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


def test_an_auditor_reads_them_and_has_no_buttons(client: Client, cast: Cast, world: World) -> None:
    notice = tell(world)
    client.force_login(cast.auditor)
    assert "Mark as read" not in client.get(reverse("notices")).content.decode()
    assert client.post(reverse("read_notice", args=[notice.pk])).status_code == 403


def test_many_notices_cost_as_many_queries_as_one(builder: Client, world: World) -> None:
    tell(world)
    with CaptureQueriesContext(connection) as one:
        builder.get(reverse("notices"))
    for number in range(60):
        now = timezone.now()
        Notice.objects.create(
            team=world.team, kind="failed", subject=f"x:{number}", title="Old", workflow=world.workflow, run=world.run,
            first_at=now, last_at=now, read_at=now if number % 2 else None,
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        assert "Older" not in builder.get(reverse("notices")).content.decode()
    assert len(many) == len(one)


# --- safeguards ------------------------------------------------------------------------------------------------------

FORM = {
    "pause_after": "3", "hold_above": "0", "most_per_hour": "70", "notify": "default", "expected": "",
    "expected_weekday": "0", "expected_day": "1", "expected_at": "", "expected_zone": "", "expected_within": "24",
}  # fmt: skip


def save(builder: Client, world: World, **changes: Any) -> Any:
    return builder.post(reverse("workflow_safeguards", args=[world.workflow.pk]), {**FORM, **changes})


def test_the_defaults_are_shown_and_what_is_saved_holds(builder: Client, world: World) -> None:
    path = reverse("workflow_safeguards", args=[world.workflow.pk])
    text = builder.get(path).content.decode()
    assert 'value="10"' in text
    assert 'value="50"' in text
    assert not Safeguards.objects.exists(), "looking stores nothing"
    assert save(builder, world).status_code == 302
    own = Safeguards.objects.get()
    assert (own.pause_after, own.hold_above, own.most_per_hour, own.notify) == (3, 0, 70, "default")
    assert 'value="70"' in builder.get(path).content.decode()


def test_an_expected_run_needs_a_time_and_is_not_looked_for_in_the_past(builder: Client, world: World) -> None:
    text = save(builder, world, expected="monthly").content.decode()
    assert "Give the time by which the run is expected." in text
    save(builder, world, expected="monthly", expected_at="10:00", expected_zone="Pacific/Auckland", expected_day="31")
    own = Safeguards.objects.get()
    assert (own.expected, own.expected_at, own.expected_zone, own.expected_day) == (
        "monthly", time(10), "Pacific/Auckland", 31,
    )  # fmt: skip
    began = own.expected_checked
    assert began is not None
    assert (
        "The next one is expected by"
        in builder.get(reverse("workflow_safeguards", args=[world.workflow.pk])).content.decode()
    )
    save(
        builder, world, expected="monthly", expected_at="10:00", expected_zone="Pacific/Auckland", expected_day="31",
        pause_after="5",
    )  # fmt: skip
    own.refresh_from_db()
    assert (own.expected_checked, own.pause_after) == (began, 5), "another setting does not forgive a missing run"


def test_people_are_chosen_from_the_team(builder: Client, world: World, cast: Cast) -> None:
    assert "Choose at least one" in save(builder, world, notify="people").content.decode()
    answer = save(builder, world, notify="people", people=[cast.outsider.pk])
    assert "is not in the team any more" in answer.content.decode()
    save(builder, world, notify="people", people=[cast.auditor.pk])
    assert list(Safeguards.objects.get().people.all()) == [cast.auditor]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("pause_after", "", "Give a number; 0 switches it off."),
        ("hold_above", "-1", "greater than or equal to 0"),
        ("expected_zone", "Mars/Olympus", "There is no time zone called Mars/Olympus."),
        ("expected_at", "late", "Give a time such as 10:00."),
        ("expected_within", "0", "greater than or equal to 1"),
        ("notify", "everybody", "Select a valid choice"),
    ],
)
def test_bad_values_are_refused_with_a_sentence(
    builder: Client, world: World, name: str, value: str, said: str
) -> None:
    assert said in save(builder, world, **{name: value}).content.decode()
    assert not Safeguards.objects.exists()


def test_the_workflow_leads_to_its_safeguards(builder: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = reverse("workflow_safeguards", args=[world.workflow.pk])
    assert path in builder.get(reverse("workflow", args=[world.workflow.pk])).content.decode()


def test_the_dashboard_counts_what_waits_by_reason(builder: Client, world: World) -> None:
    Run.objects.update(status="waiting", wait_reason="hold", waiting_since=timezone.now())
    tell(world)
    text = builder.get(reverse("admin:index")).content.decode()
    assert "1 run</a> waits for a person to let it go" in text
    assert f"{reverse('runs')}?status=waiting&amp;wait=hold" in text
    assert "1 notice nobody has read yet." in text
