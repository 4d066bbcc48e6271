"""Reconnecting, disconnecting and reading again; who may do it; and what the pages say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.connections import service
from integrations.connections.service import Usage
from integrations.core.errors import Reach
from integrations.models import CallBudget, Connection, Grant
from tests.base import Cast, make_connection
from tests.integrations.consenting import connect, give, signed_in, world
from tests.provider import DEMO, NORTHWIND, Sandbox
from workflows.models import Workflow

__all__ = ["world"]

pytestmark = pytest.mark.django_db

PINTEREST_USER = "783612114631173151"


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def users() -> Iterator[list[Usage]]:
    """What another app says of every connection."""
    told: list[Usage] = []
    service.USERS.append(lambda connection: told)
    yield told
    service.USERS.pop()


# --- reconnecting ---------------------------------------------------------------------------------------------------


def test_a_second_consent_of_the_same_person_revives_the_same_rows_at_once(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = connect(client, "xero", [DEMO, NORTHWIND], [DEMO, NORTHWIND])
    ids = set(Connection.objects.values_list("pk", flat=True))
    Grant.objects.update(
        status="needs_reconnect", last_error="gone", lease_holder="somebody", lease_until=timezone.now()
    )
    Connection.objects.update(status="needs_reconnect", last_error="gone")
    world.revoke(tenant=NORTHWIND)
    again = give(client, "xero", [DEMO])
    assert again.pk == grant.pk
    assert again.refresh_token != grant.refresh_token
    assert (again.status, again.last_error, again.lease_holder, again.lease_until) == ("active", "", "", None)
    assert set(Connection.objects.values_list("pk", flat=True)) == ids
    assert dict(Connection.objects.values_list("external_id", "status")) == {
        DEMO: "connected",
        NORTHWIND: "needs_reconnect",  # the consent does not reach it any more
    }
    page = client.get(reverse("choose_accounts", args=[again.pk]))
    assert "Connected already; its access was renewed by this consent." in text(page)


def test_a_disconnected_organisation_comes_back_as_the_same_connection(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    connect(client, "xero", [DEMO])
    first = Connection.objects.get()
    client.post(reverse("disconnect", args=[first.pk]))
    grant = give(client, "xero", [DEMO])
    first.refresh_from_db()
    assert first.status == "disconnected"  # only a person's pick brings it back
    response = client.post(reverse("choose_accounts", args=[grant.pk]), {"account": [DEMO]}, follow=True)
    assert "Demo Company (NZ) is connected again. What waited for it goes on by itself." in text(response)
    first.refresh_from_db()
    assert (Connection.objects.count(), first.status) == (1, "connected")


def test_another_persons_consent_takes_a_connection_over_with_a_notice(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = connect(client, "xero", [DEMO])
    mine = Connection.objects.get()
    Grant.objects.filter(pk=grant.pk).update(external_user_id="somebody who left", label="Kim Gone")
    newer = give(client, "xero", [DEMO])
    assert newer.pk != grant.pk
    page = text(client.get(reverse("choose_accounts", args=[newer.pk])))
    assert "Known here through the consent of Kim Gone. Tick it to use this consent in its place" in page
    response = client.post(reverse("choose_accounts", args=[newer.pk]), {"account": [DEMO]}, follow=True)
    assert "Demo Company (NZ) is connected through this consent now." in text(response)
    mine.refresh_from_db()
    assert (Connection.objects.count(), mine.grant_id, mine.status) == (1, newer.pk, "connected")
    grant.refresh_from_db()
    assert (grant.status, grant.access_token, grant.refresh_token) == ("revoked", "", "")
    assert world.ledger(path="/connect/revocation") == []
    service.refresh_details(mine)  # the new consent works


# --- disconnecting --------------------------------------------------------------------------------------------------


def test_the_page_before_disconnecting_names_what_stops_and_changes_nothing(
    cast: Cast, world: Sandbox, users: list[Usage]
) -> None:
    users += [Usage("Old one", "/workflows/2/", False), Usage("Pins to <b>invoices</b>", "/workflows/1/", True)]
    client = signed_in(cast.builder)
    connect(client, "xero", [DEMO])
    mine = Connection.objects.get()
    page = text(client.get(reverse("disconnect", args=[mine.pk])))
    assert "These workflows work with it, and stop:" in page
    assert page.index("Pins to &lt;b&gt;invoices&lt;/b&gt;") < page.index("Old one")
    assert 'href="/workflows/1/"' in page
    mine.refresh_from_db()
    assert mine.status == "connected"
    assert world.ledger(method="DELETE") == []


def test_disconnecting_one_of_two_tells_the_provider_and_keeps_the_consent(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = connect(client, "xero", [DEMO, NORTHWIND], [DEMO, NORTHWIND])
    mine = Connection.objects.get(external_id=DEMO)
    response = client.post(reverse("disconnect", args=[mine.pk]), follow=True)
    assert "Demo Company (NZ) is disconnected." in text(response)
    assert [row["path"] for row in world.ledger(method="DELETE")] == [f"/connections/{mine.provider_connection_id}"]
    assert world.ledger(path="/connect/revocation") == []
    grant.refresh_from_db()
    assert grant.status == "active"
    assert grant.refresh_token != ""
    assert dict(Connection.objects.values_list("external_id", "status")) == {
        DEMO: "disconnected",
        NORTHWIND: "connected",
    }


def test_disconnecting_the_last_one_revokes_the_consent_and_destroys_the_tokens(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = connect(client, "xero", [DEMO])
    client.post(reverse("disconnect", args=[Connection.objects.get().pk]))
    assert [row["outcome"] for row in world.ledger(path="/connect/revocation")] == ["revoked the grant"]
    grant.refresh_from_db()
    assert (grant.status, grant.access_token, grant.refresh_token, grant.expires_at) == ("revoked", "", "", None)


def test_what_another_team_uses_is_not_taken_from_it(cast: Cast, world: Sandbox) -> None:
    connect(signed_in(cast.outsider), "xero", [DEMO])
    client = signed_in(cast.builder)
    grant = connect(client, "xero", [DEMO])
    client.post(reverse("disconnect", args=[Connection.objects.get(team=cast.team).pk]))
    assert world.ledger(method="DELETE") == []
    assert world.ledger(path="/connect/revocation") == []
    grant.refresh_from_db()
    assert (grant.status, grant.refresh_token) == ("revoked", "")
    theirs = Connection.objects.get(team=cast.other_team)
    service.refresh_details(theirs)
    assert theirs.status == "connected"


def test_a_provider_that_is_down_does_not_keep_anybody_from_disconnecting(
    cast: Cast, world: Sandbox, settings: Any
) -> None:
    client = signed_in(cast.builder)
    grant = connect(client, "xero", [DEMO])
    settings.XERO_API_BASE = settings.XERO_IDENTITY_BASE = "http://127.0.0.1:1"
    response = client.post(reverse("disconnect", args=[Connection.objects.get().pk]), follow=True)
    assert "Xero could not be told, so Pinxero may still be listed there" in text(response)
    grant.refresh_from_db()
    assert (grant.status, grant.refresh_token, Connection.objects.get().status) == ("revoked", "", "disconnected")


def test_where_a_provider_cannot_be_told_the_person_is(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    connect(client, "pinterest", [PINTEREST_USER])
    mine = Connection.objects.get()
    assert "Pinterest cannot be told: remove Pinxero" in text(client.get(reverse("disconnect", args=[mine.pk])))
    response = client.post(reverse("disconnect", args=[mine.pk]), follow=True)
    assert "Pinterest cannot be told: remove Pinxero in your settings at Pinterest as well." in text(response)
    assert Grant.objects.get().refresh_token == ""


def test_disconnecting_works_even_where_no_key_opens_the_tokens(cast: Cast, world: Sandbox, settings: Any) -> None:
    client = signed_in(cast.builder)
    connect(client, "xero", [DEMO])
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    assert client.get(reverse("connections")).status_code == 200
    mine = Connection.objects.get()
    assert client.get(reverse("connection", args=[mine.pk])).status_code == 200
    response = client.post(reverse("disconnect", args=[mine.pk]), follow=True)
    assert "Xero could not be told" in text(response)
    assert Grant.objects.get().refresh_token == ""


def test_a_consent_in_use_cannot_be_withdrawn_behind_its_connections(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    grant = connect(client, "xero", [DEMO])
    response = client.post(reverse("withdraw_grant", args=[grant.pk]), follow=True)
    assert "is in use" in text(response)
    assert Grant.objects.get().status == "active"


def test_consents_that_nobody_picked_from_are_withdrawn_after_a_day(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    used = connect(client, "xero", [DEMO])
    left = give(client, "pinterest")
    assert "is not used yet" in text(client.get(reverse("connections")))
    assert service.forget_abandoned_grants() == 0
    Grant.objects.update(refreshed_at=timezone.now() - timedelta(hours=25))
    assert service.forget_abandoned_grants() == 1
    left.refresh_from_db()
    used.refresh_from_db()
    assert (left.status, left.refresh_token) == ("revoked", "")
    assert used.status == "active"
    assert service.forget_abandoned_grants() == 0


# --- flags ----------------------------------------------------------------------------------------------------------


def test_a_refused_organisation_is_flagged_alone_and_a_dead_consent_with_all_it_serves(cast: Cast) -> None:
    one, two = make_connection(cast.team, "xero"), make_connection(cast.team, "xero")
    over = make_connection(cast.team, "xero")
    Connection.objects.filter(pk=over.pk).update(status="disconnected")
    other = make_connection(cast.other_team, "xero")
    service.mark_needs_reconnect(one, "This organisation left.")
    assert dict(Connection.objects.values_list("pk", "status")) == {
        one.pk: "needs_reconnect", two.pk: "connected", over.pk: "disconnected", other.pk: "connected"
    }  # fmt: skip
    service.mark_needs_reconnect(two, "The consent is gone.", reach=Reach.GRANT)
    assert dict(Connection.objects.values_list("pk", "status")) == {
        one.pk: "needs_reconnect", two.pk: "needs_reconnect", over.pk: "disconnected", other.pk: "connected"
    }  # fmt: skip
    assert Grant.objects.get(pk=one.grant_id).status == "needs_reconnect"
    assert Grant.objects.get(pk=other.grant_id).status == "active"


def test_what_needs_reconnecting_stands_first_and_says_why(cast: Cast) -> None:
    make_connection(cast.team, "pinterest", name="Fine one")
    broken = make_connection(cast.team, "xero", name="Broken one")
    service.mark_needs_reconnect(broken, "Xero does not accept the stored consent any more. Reconnect.")
    page = text(signed_in(cast.builder).get(reverse("connections")))
    assert page.index("Broken one") < page.index("Fine one")
    assert "Xero does not accept the stored consent any more. Reconnect." in page


# --- reading again --------------------------------------------------------------------------------------------------


def test_the_details_are_read_again_on_request(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    connect(client, "xero", [DEMO])
    Connection.objects.update(details={"currency": "XXX"}, name="Old name", details_at=None)
    response = client.post(reverse("refresh_connection", args=[Connection.objects.get().pk]), follow=True)
    assert "The details of Demo Company (NZ) are as Xero has them now." in text(response)
    mine = Connection.objects.get()
    assert (mine.details["currency"], mine.name) == ("NZD", "Demo Company (NZ)")
    assert mine.details_at is not None


def test_details_that_cannot_be_read_leave_what_is_known(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    connect(client, "xero", [DEMO])
    before = Connection.objects.get()
    world.faults(p_html_503=1)
    response = client.post(reverse("refresh_connection", args=[before.pk]), follow=True)
    assert "The details of Demo Company (NZ) could not be read" in text(response)
    world.faults(p_html_503=0)
    world.revoke(tenant=DEMO)
    response = client.post(reverse("refresh_connection", args=[before.pk]), follow=True)
    after = Connection.objects.get()
    assert (after.details, after.status) == (before.details, "needs_reconnect")
    assert Grant.objects.get().status == "active"  # the consent itself still is


def test_last_use_is_the_last_call_that_the_budget_counted(cast: Cast) -> None:
    mine = make_connection(cast.team, "xero")
    assert service.last_used(mine) is None
    CallBudget.objects.create(connection=mine, recent=[1_795_412_000, 1_795_413_138.5])
    mine = Connection.objects.select_related("budget").get()
    assert service.last_used(mine).isoformat() == "2026-11-23T05:52:18.500000+00:00"  # type: ignore[union-attr]


# --- who may --------------------------------------------------------------------------------------------------------

PAGES = ["connections", "connection"]
BUILDING = [
    ("post", "connect", "provider"),
    ("get", "choose_accounts", "grant"),
    ("post", "choose_accounts", "grant"),
    ("post", "withdraw_grant", "grant"),
    ("post", "refresh_connection", "connection"),
    ("get", "disconnect", "connection"),
    ("post", "disconnect", "connection"),
]


def _address(name: str, kind: str, connection: Connection) -> str:
    args: dict[str, list[Any]] = {
        "provider": ["xero"], "grant": [connection.grant_id], "connection": [connection.pk], "": []
    }  # fmt: skip
    return reverse(name, args=args[kind])


@pytest.mark.parametrize(("method", "name", "kind"), BUILDING)
def test_only_a_builder_may_change_connections(cast: Cast, world: Sandbox, method: str, name: str, kind: str) -> None:
    mine = make_connection(cast.team, "xero")
    address = _address(name, kind, mine)
    for person in (cast.approver, cast.auditor):
        assert getattr(signed_in(person), method)(address).status_code == 403
    response = getattr(Client(), method)(address)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={address}")
    if kind != "provider":
        assert getattr(signed_in(cast.outsider), method)(address).status_code == 404
    mine.refresh_from_db()
    assert (mine.status, Grant.objects.get().status) == ("connected", "active")
    assert world.ledger() == []


def test_everybody_in_the_team_may_look_and_nobody_else(cast: Cast) -> None:
    mine = make_connection(cast.team, "xero", name="Acme books")
    for person in (cast.builder, cast.approver, cast.auditor):
        client = signed_in(person)
        page = text(client.get(reverse("connections")))
        assert "Acme books" in page
        assert ("Disconnect" in page) == (person == cast.builder)
        assert client.get(reverse("connection", args=[mine.pk])).status_code == 200
    outsider = signed_in(cast.outsider)
    assert "Acme books" not in text(outsider.get(reverse("connections")))
    assert outsider.get(reverse("connection", args=[mine.pk])).status_code == 404
    assert Client().get(reverse("connections"))["Location"] == "/accounts/login/?next=/connections/"


def test_with_everything_connected_and_no_workflow_the_list_leads_to_a_new_one(cast: Cast) -> None:
    client = signed_in(cast.builder)
    address = reverse("connections")
    lead = f'href="{reverse("new_workflow")}"'
    make_connection(cast.team, "xero")
    assert lead not in text(client.get(address))
    pinterest = make_connection(cast.team, "pinterest")
    assert lead in text(client.get(address))
    assert lead not in text(signed_in(cast.auditor).get(address))
    Connection.objects.filter(pk=pinterest.pk).update(status="needs_reconnect")
    assert lead not in text(client.get(address))
    Connection.objects.filter(pk=pinterest.pk).update(status="connected")
    Workflow.objects.create(team=cast.team, name="Pins", trigger_operation="pinterest.new_pin", created_by=cast.builder)
    assert lead not in text(client.get(address))


def test_a_provider_that_is_connected_already_is_offered_once_more_but_not_pressed_on_anybody(cast: Cast) -> None:
    client = signed_in(cast.builder)
    mine = make_connection(cast.team, "xero")
    first = '<button class="px-button px-button--primary">Connect Xero</button>'
    again = '<button class="px-button">Connect another Xero organisation</button>'
    page = text(client.get(reverse("connections")))
    assert again in page
    assert first not in page
    assert '<button class="px-button px-button--primary">Connect Pinterest</button>' in page
    Connection.objects.filter(pk=mine.pk).update(status="disconnected")
    page = text(client.get(reverse("connections")))
    assert first in page
    assert again not in page


def test_the_callback_is_for_builders_only(cast: Cast, world: Sandbox) -> None:
    assert signed_in(cast.auditor).get(reverse("xero_callback")).status_code == 403


def test_nothing_is_changed_by_a_get_or_without_the_forms_token(cast: Cast, world: Sandbox) -> None:
    mine = make_connection(cast.team, "xero")
    client = signed_in(cast.builder)
    for name, kind in (("connect", "provider"), ("withdraw_grant", "grant"), ("refresh_connection", "connection")):
        assert client.get(_address(name, kind, mine)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.builder)
    for method, name, kind in BUILDING:
        if method == "post":
            assert strict.post(_address(name, kind, mine)).status_code == 403
    assert world.ledger() == []


def test_a_list_of_many_connections_takes_as_many_queries_as_a_short_one(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(cast.builder)
    for number in range(12):
        make_connection(cast.team, "xero", name=f"Company {number}")
    with django_assert_max_num_queries(12):
        client.get(reverse("connections"))
