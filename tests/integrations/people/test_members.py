"""Who belongs to a team: roles, ends and removal, with the rules that hold whoever asks."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.models import AuditEntry, Membership, Role
from integrations.people import members
from integrations.people.members import NotAllowedError
from tests.base import Cast, sign_in_recently
from tests.integrations.people.asking import administrating
from tests.world import make_world
from workflows.api import tokens
from workflows.models import ApiToken

WHY = "She moves to the other department"


def membership(user: User) -> Membership:
    return Membership.objects.select_related("team", "user").get(user=user)


def newest(action: Audited) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("pk")


def opens(client: Client) -> bool:
    return client.get(reverse("runs")).status_code == 200


def test_the_page_says_of_each_what_they_are_and_what_they_hold(cast: Cast, client: Client) -> None:
    TOTP.activate(cast.approver, "JBSWY3DPEHPK3PXP")
    tokens.make(cast.team, cast.builder, name="Shop", scope="read", days=None)
    sign_in_recently(Client(), cast.builder)
    sign_in_recently(client, cast.auditor)
    Membership.objects.filter(user=cast.auditor).update(ends_at=members.end_of(date(2099, 3, 31)))
    found = {each.user.username: each for each in members.members(cast.team)}
    assert list(found) == ["administrator", "approver", "auditor", "builder"]
    assert [each.has_second_factor for each in found.values()] == [False, True, False, False]
    assert [len(each.sessions) for each in found.values()] == [0, 0, 1, 1]
    assert [one.name for one in found["builder"].holdings] == ["Shop"]
    text = client.get(reverse("people")).content.decode()
    assert "31 Mar 2099" in text
    assert "builder@acme.example" in text
    assert "outsider" not in text
    assert "Invite somebody" not in text


def test_an_auditor_sees_that_a_token_is_there_and_can_end_nothing(cast: Cast, client: Client) -> None:
    tokens.make(cast.team, cast.builder, name="Shop", scope="start", days=None)
    sign_in_recently(client, cast.auditor)
    text = client.get(reverse("person", args=[membership(cast.builder).pk])).content.decode()
    assert "Shop" in text
    assert "End it" not in text
    assert "Remove from the team" not in text


def test_a_role_changes_at_once_with_before_after_and_reason(cast: Cast) -> None:
    theirs = Client()
    sign_in_recently(theirs, cast.builder)
    assert theirs.get(reverse("new_workflow")).status_code == 200
    page = administrating(cast).post(
        reverse("change_person", args=[membership(cast.builder).pk]),
        {"role": "auditor", "until": "2099-01-31", "reason": WHY},
        follow=True,
    )
    assert "builder is changed." in page.content.decode()
    assert theirs.get(reverse("new_workflow")).status_code == 403
    entry = newest(Audited.MEMBER_CHANGED)
    assert entry.before == {"Role": "Builder", "Last day": "None"}
    assert entry.after == {"Role": "Auditor", "Last day": "31 January 2099"}
    assert (entry.reason, entry.person, entry.role) == (WHY, cast.administrator.pk, "administrator")


def test_the_last_day_is_whole_and_the_next_one_begins_without_access(cast: Cast) -> None:
    today = timezone.localdate()
    members.change(membership(cast.auditor), role="auditor", until=today, by=cast.administrator, reason=WHY)
    found = membership(cast.auditor)
    assert members.last_day(found.ends_at) == today
    assert found.ends_at is not None
    assert timedelta() < found.ends_at - timezone.now() <= timedelta(days=1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"role": "auditor", "until": "", "reason": ""}, "Say why"),
        ({"role": "auditor", "until": "2001-01-01", "reason": WHY}, "This day is over"),
        ({"role": "owner", "until": "", "reason": WHY}, "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_changes_nothing(cast: Cast, given: dict[str, str], said: str) -> None:
    page = administrating(cast).post(reverse("change_person", args=[membership(cast.builder).pk]), given)
    assert said in page.content.decode()
    assert membership(cast.builder).role == Role.BUILDER


def test_nobody_changes_their_own_role(cast: Cast) -> None:
    other = User.objects.create_user("second", "second@acme.example", "x")
    Membership.objects.create(team=cast.team, user=other, role=Role.ADMINISTRATOR)
    mine = membership(cast.administrator)
    with pytest.raises(NotAllowedError, match="own role"):
        members.change(mine, role="approver", until=None, by=cast.administrator, reason=WHY)
    assert membership(cast.administrator).role == Role.ADMINISTRATOR
    assert members.change(mine, role="approver", until=None, by=other, reason=WHY)


@pytest.mark.parametrize("way", ["remove", "demote", "end"])
def test_the_last_administrator_stays(cast: Cast, way: str) -> None:
    # Another one with an end, and one whose account is switched off, do not count.
    other = User.objects.create_user("second", "second@acme.example", "x")
    gone = User.objects.create_user("gone", "gone@acme.example", "x", is_active=False)
    until = timezone.now() + timedelta(days=9)
    Membership.objects.create(team=cast.team, user=other, role=Role.ADMINISTRATOR, ends_at=until)
    Membership.objects.create(team=cast.team, user=gone, role=Role.ADMINISTRATOR)
    mine, entries = membership(cast.administrator), AuditEntry.objects.count()
    act = {
        "remove": lambda: members.remove(mine, by=cast.administrator, reason=WHY),
        "demote": lambda: members.change(mine, role="auditor", until=None, by=other, reason=WHY),
        "end": lambda: members.change(mine, role="administrator", until=date(2099, 1, 1), by=other, reason=WHY),
    }[way]
    with pytest.raises(NotAllowedError, match="last administrator"):
        act()
    now = membership(cast.administrator)
    assert (now.role, now.ends_at, AuditEntry.objects.count()) == (Role.ADMINISTRATOR, None, entries)


def test_who_is_removed_is_out_everywhere_at_once_and_no_token_revives(cast: Cast) -> None:
    _, text = tokens.make(cast.team, cast.builder, name="Shop", scope="read", days=None)
    theirs = Client()
    sign_in_recently(theirs, cast.builder)
    path = reverse("remove_person", args=[membership(cast.builder).pk])
    client = administrating(cast)
    assert "Remove builder from the team?" in client.get(path).content.decode()
    assert opens(theirs)
    assert "does not belong to the team any more" in client.post(path, {"reason": WHY}, follow=True).content.decode()
    assert not opens(theirs)
    entry = newest(Audited.MEMBER_REMOVED)
    assert (entry.before["Role"], entry.reason) == ("Builder", WHY)
    Membership.objects.create(team=cast.team, user=cast.builder, role=Role.BUILDER)
    assert tokens.bearer(text) is None


def test_a_worker_removes_what_has_ended_once_and_leaves_the_rest(cast: Cast) -> None:
    theirs = Client()
    sign_in_recently(theirs, cast.auditor)
    Membership.objects.filter(user=cast.auditor).update(ends_at=timezone.now() - timedelta(seconds=1))
    Membership.objects.filter(user=cast.builder).update(ends_at=timezone.now() + timedelta(days=1))
    assert (members.remove_ended(), members.remove_ended()) == (1, 0)
    assert not Membership.objects.filter(user=cast.auditor).exists()
    assert Membership.objects.filter(user=cast.builder).exists()
    assert theirs.get(reverse("runs"))["Location"].startswith("/accounts/login/")
    entry = newest(Audited.MEMBER_REMOVED)
    assert (entry.person, entry.reason) == (None, "The end of the membership had come.")


def test_one_session_ends_or_all_of_them(cast: Cast) -> None:
    browsers = [Client() for _ in range(3)]
    for each in browsers:
        sign_in_recently(each, cast.builder)
    path = reverse("sign_person_out", args=[membership(cast.builder).pk])
    shown = members.member(membership(cast.builder)).sessions
    client = administrating(cast)
    page = client.post(f"{path}?session={shown[0].name}", follow=True).content.decode()
    assert "1 session was ended." in page
    assert sum(opens(each) for each in browsers) == 2
    keys = [each.session.session_key for each in browsers]
    assert not [key for key in keys if key and key in page]
    assert "2 sessions were ended." in client.post(path, follow=True).content.decode()
    assert sum(opens(each) for each in browsers) == 0
    assert opens(client)
    assert newest(Audited.SESSIONS_ENDED).after == {"Sessions ended": "2"}


def test_a_token_ends_on_the_page_and_one_of_another_team_does_not(cast: Cast) -> None:
    mine, _ = tokens.make(cast.team, cast.builder, name="Shop", scope="read", days=None)
    theirs, _ = tokens.make(cast.other_team, cast.outsider, name="Theirs", scope="read", days=None)
    client, pk = administrating(cast), membership(cast.builder).pk
    assert client.post(reverse("end_holding", args=[pk, tokens.KIND, theirs.pk])).status_code == 404
    assert client.post(reverse("end_holding", args=[pk, tokens.KIND, mine.pk])).status_code == 302
    ended = ApiToken.objects.exclude(revoked_at=None)
    assert [(each.name, each.revoked_by) for each in ended] == [("Shop", cast.administrator)]


def test_people_of_another_team_are_not_there(cast: Cast) -> None:
    client, other = administrating(cast), membership(cast.outsider)
    for name in ("person", "change_person", "remove_person", "sign_person_out"):
        assert client.get(reverse(name, args=[other.pk])).status_code == 404
    assert client.post(reverse("remove_person", args=[other.pk]), {"reason": WHY}).status_code == 404
    assert Membership.objects.filter(pk=other.pk).exists()


def test_an_auditor_reads_the_safeguards_and_saves_none(cast: Cast, client: Client) -> None:
    workflow = make_world(cast).workflow
    path = reverse("workflow_safeguards", args=[workflow.pk])
    sign_in_recently(client, cast.auditor)
    assert f'href="{path}"' in client.get(reverse("workflow", args=[workflow.pk])).content.decode()
    page = client.get(path).content.decode()
    assert "Builders of the team change them." in page
    assert '<fieldset class="px-form" disabled>' in page
    assert ">Save</button>" not in page
    assert client.post(path, {"hold_above": "1"}).status_code == 403
