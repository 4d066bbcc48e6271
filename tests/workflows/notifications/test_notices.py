"""Notices: grouped while unread, begun anew after, over when what lasts is over; and whom an e-mail goes to."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.core.errors import RejectedError
from integrations.models import Connection, Membership
from tests.base import Cast
from tests.workflows.conftest import Make, drain, settle, start, thing
from tests.workflows.scripted.connector import Provider
from workflows.engine import poison_runs
from workflows.models import Notice, Run, Safeguards, Workflow
from workflows.notifications import notify
from workflows.publishing import activation
from workflows.triggers import polling

pytestmark = pytest.mark.django_db
Kind = Notice.Kind


def refusals(many: int) -> list[Any]:
    return [RejectedError("The account code is unknown.") for _ in range(many)]


def more(provider: Provider, workflow: Workflow, *numbers: int) -> None:
    """Further items, noticed and worked off."""
    provider.items.extend(thing(number) for number in numbers)
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    drain()


def matter(workflow: Workflow, **fields: Any) -> notify.Matter:
    return notify.Matter(workflow.team_id, Kind.FAILED, title="It failed", workflow=workflow, **fields)


def test_failures_of_a_workflow_are_one_notice_with_a_count_and_the_last_run(
    provider: Provider, make_workflow: Make
) -> None:
    provider.script += refusals(3)
    start(provider, make_workflow, thing(1), thing(2), thing(3))
    settle()
    notice = Notice.objects.get()
    assert (notice.kind, notice.count, notice.title) == ("failed", 3, "Copy things: a run failed")
    assert notice.run == Run.objects.order_by("-pk").first()
    assert "The account code is unknown." in notice.text
    assert notice.first_at < notice.last_at


def test_a_run_that_ends_well_or_is_filtered_tells_nobody(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    settle()
    assert not Notice.objects.exists()


def test_what_happens_after_a_notice_was_read_begins_a_new_one(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow()
    notify.notify(matter(workflow))
    assert notify.mark_read(Notice.objects.all(), by=cast.auditor) == 1
    assert notify.mark_read(Notice.objects.all(), by=cast.builder) == 0
    notify.notify(matter(workflow))
    old, new = Notice.objects.order_by("pk")
    assert (old.count, old.read_by, new.count, new.read_at) == (1, cast.auditor, 1, None)
    assert notify.unread(cast.team, 5) == 1
    assert notify.unread(cast.other_team, 5) == 0


def test_two_workflows_and_two_kinds_are_different_matters(provider: Provider, make_workflow: Make) -> None:
    one, other = make_workflow(), make_workflow(name="Other")
    notify.notify(matter(one))
    notify.notify(matter(other))
    notify.notify(notify.Matter(one.team_id, Kind.CRASHED, title="It crashed", workflow=one))
    assert Notice.objects.count() == 3


def test_what_lasts_is_told_once_and_ends(provider: Provider, connection: Connection, cast: Cast) -> None:
    down = notify.Matter(cast.team.pk, Kind.DOWN, title="Down", connection=connection)
    assert notify.keep_lasting_notices([Kind.DOWN], [down]) == 1
    assert notify.keep_lasting_notices([Kind.DOWN], [down]) == 0
    assert Notice.objects.get().count == 1
    notify.mark_read(Notice.objects.all(), by=cast.builder)
    assert notify.keep_lasting_notices([Kind.DOWN], [down]) == 0, "who has read it is not told again while it lasts"
    assert notify.keep_lasting_notices([Kind.DOWN], []) == 1
    assert Notice.objects.get().ended_at is not None
    assert notify.keep_lasting_notices([Kind.DOWN], [down]) == 1
    assert Notice.objects.count() == 2


def test_an_unread_one_that_ended_goes_on_when_it_comes_back(
    provider: Provider, connection: Connection, cast: Cast
) -> None:
    down = notify.Matter(cast.team.pk, Kind.DOWN, title="Down", connection=connection)
    notify.keep_lasting_notices([Kind.DOWN], [down])
    notify.keep_lasting_notices([Kind.DOWN], [])
    notify.keep_lasting_notices([Kind.DOWN], [down])
    notice = Notice.objects.get()
    assert (notice.count, notice.ended_at) == (2, None)


def test_by_default_the_author_and_the_builders_are_told(
    provider: Provider, make_workflow: Make, cast: Cast, connection: Connection
) -> None:
    workflow = make_workflow()
    Workflow.objects.update(created_by=cast.approver)
    workflow.refresh_from_db()
    notify.notify(matter(workflow))
    notice = Notice.objects.get()
    assert notify.recipients(notice) == [cast.builder, cast.approver]
    Workflow.objects.update(created_by=cast.outsider)
    assert notify.recipients(Notice.objects.get()) == [cast.builder], "an author who has left the team is not"
    notify.notify(notify.Matter(cast.team.pk, Kind.DOWN, title="Down", connection=connection))
    assert notify.recipients(Notice.objects.get(kind="down")) == [cast.builder]


def test_a_workflow_may_name_the_people_or_nobody(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow()
    notify.notify(matter(workflow))
    own = Safeguards.objects.create(workflow=workflow, notify="people")
    own.people.set([cast.auditor, cast.outsider])
    assert notify.recipients(Notice.objects.get()) == [cast.auditor], "people of other teams are left out"
    Membership.objects.filter(user=cast.auditor).delete()
    assert notify.recipients(Notice.objects.get()) == []
    Safeguards.objects.update(notify="nobody")
    assert notify.recipients(Notice.objects.get()) == []


# --- the pause after failures in a row -------------------------------------------------------------------------------


def test_ten_failures_in_a_row_pause_the_workflow_and_say_why(provider: Provider, make_workflow: Make) -> None:
    provider.script += refusals(10)
    start(provider, make_workflow, *(thing(number) for number in range(9)))
    settle()
    workflow = Workflow.objects.get()
    assert workflow.status == Workflow.Status.ACTIVE
    more(provider, workflow, 20)
    workflow.refresh_from_db()
    assert workflow.status == Workflow.Status.PAUSED
    assert workflow.pause_reason == (
        "Paused by itself: 10 runs in a row did not end well. Look at them, then switch it on again."
    )
    assert workflow.listens_to is None
    notice = Notice.objects.get(kind="paused")
    assert notice.title == "Copy things was paused"
    assert "The account code is unknown." in notice.text


def test_runs_under_way_end_after_the_pause_and_pause_nothing_twice(provider: Provider, make_workflow: Make) -> None:
    provider.script += refusals(12)
    start(provider, make_workflow, *(thing(number) for number in range(15)))
    settle()
    assert Run.objects.filter(status="failed").count() == 12
    assert Run.objects.filter(status="succeeded").count() == 3
    assert Notice.objects.get(kind="paused").count == 1


def test_one_that_ends_well_in_between_begins_the_count_anew(provider: Provider, make_workflow: Make) -> None:
    provider.script += [*refusals(9), "behave", *refusals(9)]
    start(provider, make_workflow, *(thing(number) for number in range(19)))
    settle()
    assert Workflow.objects.get().status == Workflow.Status.ACTIVE


def test_how_many_is_set_per_workflow_and_nought_is_never(provider: Provider, make_workflow: Make) -> None:
    provider.script += refusals(14)
    workflow = make_workflow()
    drain()
    Safeguards.objects.create(workflow=workflow, pause_after=0)
    more(provider, workflow, *range(11))
    assert Workflow.objects.get().status == Workflow.Status.ACTIVE
    Safeguards.objects.update(pause_after=2)
    more(provider, workflow, 20)
    assert Workflow.objects.get().status == Workflow.Status.PAUSED


def test_switching_it_on_again_forgives_what_failed_before(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    provider.script += refusals(4)
    workflow = make_workflow()
    drain()
    Safeguards.objects.create(workflow=workflow, pause_after=3)
    more(provider, workflow, 1, 2, 3)
    assert Workflow.objects.get().status == Workflow.Status.PAUSED
    workflow.refresh_from_db()
    activation.activate(workflow, by=cast.builder)
    drain()
    more(provider, workflow, 4)
    assert Run.objects.filter(status="failed").count() == 4
    assert Workflow.objects.get().status == Workflow.Status.ACTIVE


def test_a_run_that_kills_its_workers_is_told_of_when_it_is_parked(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    Run.objects.update(status="running", lease_until="2020-01-01T00:00:00Z", kills=poison_runs.KILLS - 1)
    drain()
    assert Run.objects.get().status == "crashed"
    notice = Notice.objects.get()
    assert (notice.kind, notice.title, notice.text) == (
        "crashed", "Copy things: a run crashed", Run.objects.get().error,
    )  # fmt: skip


# --- text from outside ----------------------------------------------------------------------------------------------

EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7|add:7 }}'


def test_markup_in_a_notice_is_text_on_every_page_that_shows_it(
    provider: Provider, make_workflow: Make, cast: Cast, client: Client
) -> None:
    workflow = make_workflow(name=EVIL)
    notify.notify(notify.Matter(workflow.team_id, Kind.FAILED, f"{EVIL}: a run failed", EVIL, workflow))
    Notice.objects.update(mailed_count=0, mail_problem=EVIL[:300])
    client.force_login(cast.builder)
    for address in (reverse("notices"), reverse("admin:index"), reverse("workflow", args=[workflow.pk])):
        page = client.get(address).content.decode()
        assert "<img src=x" not in page, address
        assert "<script>alert" not in page, address
        assert address == reverse("admin:index") or "&lt;script&gt;alert(2)" in page, address
    shown = client.get(reverse("notices")).content.decode()
    assert shown.count("&lt;img src=x onerror=alert(1)&gt;") >= 3, "title, text and what was wrong with the mail"
    assert "{{ 7|add:7 }}" in shown
