"""Inviting somebody: a link that works once, for one address, and does nothing when it is only opened."""

from __future__ import annotations

import logging
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.models import AuditEntry, Invitation, Membership, Role
from integrations.people import invitations
from integrations.people.members import end_of
from pinxero.requests.logs import HideSecretAddresses
from tests.base import PASSWORD, Cast, sign_in_recently
from tests.integrations.people.asking import administrating

NEW = {"username": "nora", "password": "a quite different sentence", "again": "a quite different sentence"}
FORM = {"email": "nora@audit.example", "role": "auditor", "until": "2099-03-31", "reason": "The year's audit"}


def invited(cast: Cast, **changed: str) -> str:
    """The address of the page behind a mailed link."""
    page = administrating(cast).post(reverse("invite_person"), {**FORM, **changed}, follow=True)
    assert "is invited; the link in the mail works for a week." in page.content.decode()
    return link()


def link() -> str:
    found = re.search(r"http://\S+(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def is_member(cast: Cast, email: str) -> bool:
    return Membership.objects.filter(team=cast.team, user__email=email).exists()


def test_the_mail_says_who_invites_to_what_and_until_when(cast: Cast) -> None:
    invited(cast)
    [sent] = mail.outbox
    assert sent.to == ["nora@audit.example"]
    assert sent.subject == "Pinxero: Invitation to Acme Finance"
    assert "administrator invites you to the team Acme Finance in Pinxero, as auditor until 31 March 2099." in sent.body


def test_opening_the_link_accepts_nothing(cast: Cast, client: Client) -> None:
    path = invited(cast)
    for _ in range(2):
        page = client.get(path)
        assert (page.status_code, "Make the account and join" in page.content.decode()) == (200, True)
    client.head(path)
    assert not User.objects.filter(email="nora@audit.example").exists()
    assert Invitation.objects.get().accepted_at is None


def test_somebody_new_makes_an_account_signs_in_and_is_what_the_invitation_says(cast: Cast, client: Client) -> None:
    path = invited(cast)
    page = client.post(path, NEW, follow=True)
    assert "Your account is made. Sign in with it." in page.content.decode()
    made = Membership.objects.get(user__username="nora")
    assert (made.team, made.role, made.ends_at) == (cast.team, Role.AUDITOR, end_of(date(2099, 3, 31)))
    assert made.user.email == "nora@audit.example"
    assert not made.user.is_superuser
    client.post(reverse("account_login"), {"login": "nora", "password": NEW["password"]})
    assert client.get(reverse("runs")).status_code == 200
    assert client.get(reverse("new_workflow")).status_code == 403
    entry = AuditEntry.objects.filter(action=Audited.MEMBER_ADDED).latest("pk")
    assert (entry.person, entry.after["Role"], entry.after["Last day"]) == (made.user.pk, "Auditor", "31 March 2099")


def test_the_link_works_once(cast: Cast, client: Client) -> None:
    path = invited(cast)
    client.post(path, NEW)
    again = Client().post(path, {**NEW, "username": "other"})
    assert again.status_code == 404
    assert "This link does not work any more" in again.content.decode()
    assert not User.objects.filter(username="other").exists()


def test_somebody_with_an_account_joins_with_it_after_signing_in(cast: Cast, client: Client) -> None:
    path = invited(cast, email="Outsider@acme.example")
    page = client.get(path).content.decode()
    assert "Sign in to accept" in page
    assert 'name="password"' not in page
    assert client.post(path, NEW).status_code == 200
    assert not User.objects.filter(username="nora").exists()
    client.post(f"{reverse('account_login')}", {"login": "outsider", "password": PASSWORD, "next": path})
    assert "Join as outsider" in client.get(path).content.decode()
    assert not is_member(cast, "outsider@acme.example")
    page = client.post(path, follow=True).content.decode()
    assert "You belong to Acme Finance now." in page
    assert Membership.objects.get(team=cast.team, user=cast.outsider).role == Role.AUDITOR


def test_another_account_cannot_take_the_invitation(cast: Cast, client: Client) -> None:
    path = invited(cast)
    sign_in_recently(client, cast.outsider)
    assert "whose address is another one" in client.get(path).content.decode()
    client.post(path)
    assert not is_member(cast, "outsider@acme.example")
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.parametrize("way", ["expired", "withdrawn", "renewed", "inviter left", "day over", "guessed"])
def test_a_link_that_is_over_opens_nothing(cast: Cast, client: Client, way: str) -> None:
    path = invited(cast)
    made, administrator = Invitation.objects.get(), administrating(cast)
    if way == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif way == "withdrawn":
        administrator.post(reverse("withdraw_invitation", args=[made.pk]))
    elif way == "renewed":
        administrator.post(reverse("renew_invitation", args=[made.pk]))
        assert client.get(link()).status_code == 200
    elif way == "inviter left":
        Membership.objects.filter(user=cast.administrator).update(role=Role.AUDITOR)
    elif way == "day over":
        Invitation.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    else:
        path = reverse("invitation", args=["x" * 43])
    assert client.get(path).status_code == 404
    assert client.post(path, NEW).status_code == 404
    assert not User.objects.filter(username="nora").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"username": "builder"}, "This name is taken"),
        ({"username": "BUILDER"}, "This name is taken"),
        ({"username": "builder@acme.example"}, "This name is taken"),
        ({"again": "something else entirely"}, "The two passwords differ"),
        ({"password": "short", "again": "short"}, "too short"),
    ],
)
def test_an_account_that_would_not_do_is_not_made(
    cast: Cast, client: Client, changed: dict[str, str], said: str
) -> None:
    path, before = invited(cast), User.objects.count()
    assert said in client.post(path, {**NEW, **changed}).content.decode()
    assert User.objects.count() == before
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("email", ["Builder@acme.example", "nora@audit.example"])
def test_nobody_is_invited_twice(cast: Cast, email: str) -> None:
    invited(cast)
    page = administrating(cast).post(reverse("invite_person"), {**FORM, "email": email})
    assert "already" in page.content.decode()
    assert (Invitation.objects.count(), len(mail.outbox)) == (1, 1)


def test_the_link_is_stored_and_logged_nowhere(cast: Cast) -> None:
    path = invited(cast)
    text = path.split("/")[2]
    row = str(Invitation.objects.values().get())
    assert text not in row
    assert text not in str(list(AuditEntry.objects.values()))
    assert "nora@" not in str(list(AuditEntry.objects.values()))
    for address in (path, f"/accounts/login/?next={path.replace('/', '%2F')}"):
        line = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (address,), None)
        HideSecretAddresses().filter(line)
        assert text not in line.getMessage()


def test_a_mail_that_cannot_be_sent_is_said_and_can_be_sent_again(cast: Cast, monkeypatch: Any) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionRefusedError("Connection refused")

    client = administrating(cast)
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        page = client.post(reverse("invite_person"), FORM, follow=True).content.decode()
    assert "could not be sent: Connection refused" in page
    client.post(reverse("renew_invitation", args=[Invitation.objects.get().pk]))
    assert client.get(reverse("people")).status_code == 200
    assert Client().get(link()).status_code == 200


def test_only_open_invitations_are_listed(cast: Cast) -> None:
    invited(cast)
    client = administrating(cast)
    assert "nora@audit.example" in client.get(reverse("people")).content.decode()
    assert list(invitations.unanswered(cast.other_team)) == []
    client.post(reverse("withdraw_invitation", args=[Invitation.objects.get().pk]))
    page = client.get(reverse("people")).content.decode()
    assert "is withdrawn" in page
    assert "nora@audit.example" not in client.get(reverse("people")).content.decode()
