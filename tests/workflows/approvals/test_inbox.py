"""The inbox: who finds what waits for them, decides on exactly what they were shown, and hears of it by mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import Membership, Role
from pinxero.development.emptying import unprotected
from tests.base import Cast, sign_in_recently
from tests.workflows.conftest import Make, drain, start, the_run, thing
from tests.workflows.scripted.connector import Provider
from workflows.approvals import inbox
from workflows.models import Approval, ApprovalDelegation, ApprovalRequest, Notice, PolicyVersion
from workflows.notifications import email, notify
from workflows.worker import monitors

from .conftest import put_in_force, the_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(provider: Provider, make_workflow: Make, policy: PolicyVersion) -> ApprovalRequest:
    start(provider, make_workflow)
    drain()
    return the_request()


def _as(user: User) -> Client:
    client = Client()
    sign_in_recently(client, user)
    return client


def _body(response: Any) -> str:
    return str(response.content.decode())


def _member(cast: Cast, name: str, role: Role) -> User:
    user = User.objects.create_user(name, f"{name}@acme.example", "x", is_staff=True)
    Membership.objects.create(team=cast.team, user=user, role=role)
    return user


def _post(client: Client, request: ApprovalRequest, do: str, **more: str) -> Any:
    return client.post(f"/approvals/{request.pk}/", {"do": do, "shown": request.fingerprint, **more}, follow=True)


def test_a_look_decides_nothing_and_the_button_sends_it_once(
    provider: Provider, waiting: ApprovalRequest, cast: Cast
) -> None:
    approver = _as(cast.approver)
    for query in ("", "?do=approve", f"?do=approve&shown={waiting.fingerprint}"):
        assert approver.get(f"/approvals/{waiting.pk}/{query}").status_code == 200
    drain()
    assert [the_request().status, provider.sent] == ["open", []]
    assert "it is being written" in _body(_post(approver, waiting, "approve"))
    drain()
    assert len(provider.sent) == 1
    assert "is decided already" in _body(_post(approver, waiting, "approve"))
    assert Approval.objects.count() == 1


def test_who_published_it_reads_why_they_may_not_and_has_no_button(waiting: ApprovalRequest, cast: Cast) -> None:
    builder = _as(cast.builder)
    page = _body(builder.get(f"/approvals/{waiting.pk}/"))
    assert "published this version" in page
    assert 'value="approve"' not in page
    assert "You may not decide on this" in _body(_post(builder, waiting, "approve"))
    assert not Approval.objects.exists()


def test_a_refusal_without_a_reason_keeps_it_waiting_and_one_with_a_reason_says_it_on_the_run(
    provider: Provider, waiting: ApprovalRequest, cast: Cast
) -> None:
    approver = _as(cast.approver)
    assert "Say why you refuse it" in _body(_post(approver, waiting, "refuse"))
    assert the_request().status == "open"
    _post(approver, waiting, "refuse", reason="The supplier is unknown")
    drain()
    run = the_run()
    assert [run.status, provider.sent] == ["failed", []]
    page = _body(approver.get(f"/runs/{run.pk}/"))
    assert "The supplier is unknown" in page
    assert f'href="/approvals/{waiting.pk}/"' in page
    assert "Exactly what would be sent" in page


def test_what_one_was_not_shown_cannot_be_approved(waiting: ApprovalRequest, cast: Cast) -> None:
    answer = _as(cast.approver).post(f"/approvals/{waiting.pk}/", {"do": "approve", "shown": "0" * 64})
    assert "This is not what you were shown" in _body(answer)
    assert the_request().status == "open"


def test_another_team_finds_nothing(waiting: ApprovalRequest, cast: Cast) -> None:
    outsider = _as(cast.outsider)
    assert outsider.get(f"/approvals/{waiting.pk}/").status_code == 404
    assert "Nothing waits for you" in _body(outsider.get("/approvals/"))
    assert f"/approvals/{waiting.pk}/" not in _body(outsider.get("/approvals/"))


def test_a_stand_in_finds_it_and_it_says_in_whose_place(waiting: ApprovalRequest, cast: Cast) -> None:
    stand_in = _member(cast, "standin", Role.AUDITOR)
    today = timezone.localdate()
    span = {"first_day": today - timedelta(days=1), "last_day": today + timedelta(days=1)}
    ApprovalDelegation.objects.create(team=cast.team, away=cast.approver, stand_in=stand_in, **span)
    client = _as(stand_in)
    assert "in the place of approver" in _body(client.get("/approvals/"))
    _post(client, waiting, "approve")
    assert [(each.by, each.on_behalf_of) for each in Approval.objects.all()] == [(stand_in, cast.approver)]


def test_several_are_approved_at_once_only_after_a_look_at_each(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    start(provider, make_workflow, *(thing(number) for number in (1, 2, 3)))
    drain()
    first, second, third = ApprovalRequest.objects.order_by("pk")
    approver = _as(cast.approver)
    chosen = {"approval": [first.pk, second.pk, third.pk]}
    assert "Choose those that you have looked at" in _body(approver.post("/approvals/several/", chosen, follow=True))
    approver.get(f"/approvals/{first.pk}/")
    approver.get(f"/approvals/{second.pk}/")
    page = _body(approver.post("/approvals/several/", chosen))
    assert "Approve 2 requests?" in page
    assert "1 of those chosen is left out" in page
    assert not Approval.objects.exists(), "nothing is decided before it is confirmed"
    shown = {f"shown_{first.pk}": first.fingerprint, f"shown_{second.pk}": "0" * 64}
    answer = approver.post("/approvals/several/", {**chosen, **shown, "confirmed": "yes"}, follow=True)
    assert "1 is approved." in _body(answer)
    assert "This is not what you were shown" in _body(answer)
    assert list(Approval.objects.values_list("request", flat=True)) == [first.pk]
    assert approver.get("/approvals/several/").status_code == 405


def test_those_asked_get_a_mail_with_a_link_and_nobody_else(
    waiting: ApprovalRequest, cast: Cast, mailoutbox: list[Any]
) -> None:
    stand_in = _member(cast, "standin", Role.AUDITOR)
    today = timezone.localdate()
    ApprovalDelegation.objects.create(
        team=cast.team, away=cast.approver, stand_in=stand_in, first_day=today, last_day=today
    )
    notice = Notice.objects.get(kind=Notice.Kind.APPROVAL)
    assert {user.username for user in notify.recipients(notice)} == {"approver", "standin"}
    email.send_due()
    told = {address for message in mailoutbox for address in message.to}
    assert told == {"approver@acme.example", "standin@acme.example"}
    assert "/approvals/" in str(mailoutbox[0].message().get_payload(decode=True))


def test_who_may_not_decide_gets_no_mail(waiting: ApprovalRequest, cast: Cast) -> None:
    Membership.objects.filter(user=cast.builder).update(role=Role.APPROVER)
    notice = Notice.objects.get(kind=Notice.Kind.APPROVAL)
    assert cast.builder not in notify.recipients(notice)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Notice.Kind.POLICY, {"approver", "administrator"}),
        (Notice.Kind.BREAK_GLASS, {"approver", "administrator", "builder", "auditor"}),
    ],
)
def test_a_change_of_policy_asks_those_who_decide_and_an_emergency_tells_everybody(
    cast: Cast, kind: Notice.Kind, expected: set[str]
) -> None:
    notify.notify(notify.Matter(cast.team.pk, kind, "Look"))
    assert {user.username for user in notify.recipients(Notice.objects.get())} == expected


def test_the_dashboard_says_what_waits_and_since_when(waiting: ApprovalRequest, cast: Cast) -> None:
    assert "1 write waits for your approval" in _body(_as(cast.approver).get("/admin/"))
    assert "1 write waits for the approval of others" in _body(_as(cast.auditor).get("/admin/"))


def test_the_list_is_searched_and_sorted(waiting: ApprovalRequest, cast: Cast) -> None:
    approver = _as(cast.approver)
    link = f'href="/approvals/{waiting.pk}/"'
    for sort in [*inbox.SORTS, "nonsense"]:
        assert link in _body(approver.get("/approvals/", {"q": "copy THINGS", "sort": sort}))
    assert link not in _body(approver.get("/approvals/", {"q": "no such text"}))
    _post(approver, waiting, "refuse", reason="No")
    assert link in _body(approver.get("/approvals/", {"show": "decided"}))
    assert link not in _body(approver.get("/approvals/"))
    assert link not in _body(approver.get("/approvals/", {"show": "decided", "from": waiting.pk}))


def test_the_list_costs_the_same_for_one_request_and_for_thirty(
    provider: Provider, make_workflow: Make, policy: PolicyVersion, cast: Cast
) -> None:
    start(provider, make_workflow)
    drain()
    approver = _as(cast.approver)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            approver.get("/approvals/")
        return len(queries)

    cost()
    one = cost()
    first = the_request()
    for number in range(30):
        first.pk, first.step_run_id, first.fingerprint = None, first.step_run_id, f"{number:064}"
        first.status = "open"
        first.step_run_id = None
        first.save(force_insert=True)
    assert cost() == one


def test_two_accounts_of_one_person_do_not_make_two_approvals(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    put_in_force(cast, {"when": {}, "then": {"do": "approval", "stages": [{"role": "approver", "count": 2}]}})
    start(provider, make_workflow)
    drain()
    twin = _member(cast, "twin", Role.APPROVER)
    User.objects.filter(pk=twin.pk).update(email="Approver+twin@acme.example")
    twin.refresh_from_db()
    _post(_as(cast.approver), the_request(), "approve")
    answer = _post(_as(twin), the_request(), "approve")
    assert "Somebody with your mail address has decided on this already." in _body(answer)
    drain()
    assert [the_request().status, provider.sent] == ["open", []]


def test_people_are_reminded_once_before_a_request_counts_as_refused(waiting: ApprovalRequest, cast: Cast) -> None:
    assert monitors.watch() == 0
    with unprotected():
        ApprovalRequest.objects.update(expires_at=timezone.now() + timedelta(hours=20))
    assert [monitors.watch(), monitors.watch()] == [1, 0]
    notice = Notice.objects.get(kind=Notice.Kind.EXPIRING)
    assert notify.recipients(notice) == [cast.approver]
    assert notify.page_of(notice) == "/approvals/"
    _post(_as(cast.approver), the_request(), "approve")
    assert monitors.watch() == 1
    notice.refresh_from_db()
    assert notice.ended_at is not None


def test_whoever_is_asked_gets_the_mail_even_if_somebody_else_has_read_the_notice(
    waiting: ApprovalRequest, cast: Cast, mailoutbox: list[Any]
) -> None:
    notify.mark_read(Notice.objects.filter(kind=Notice.Kind.APPROVAL), by=cast.builder)
    email.send_due()
    assert [message.to for message in mailoutbox] == [["approver@acme.example"]]
