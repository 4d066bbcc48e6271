"""The audit trail: numbers without gaps, hashes that hang together, rows that the database keeps as they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from integrations.audit.actions import Audited
from integrations.audit.chain import Content, canonical, entry_hash, origin_seal
from integrations.audit.origin import Origin, coming_from
from integrations.audit.record import INSTALLATION, About, record, record_difference
from integrations.models import AuditEntry, AuditHead, AuditOrigin, Membership, Role, Team
from tests.base import Cast

pytestmark = pytest.mark.django_db

VECTOR = Content(
    chain=7,
    number=2,
    at=datetime(2026, 11, 30, 9, 15, 0, 250000, tzinfo=UTC),
    person=3,
    role="builder",
    origin_seal="",
    action="workflow.published",
    object_type="workflow",
    object_id="12",
    object_name="Köln: pins",
    reason="Month's end",
    before={},
    after={"Version": "4", "An amount": "1.10"},
    previous_hash="ab" * 32,
)


def add(cast: Cast, name: str = "Pins to invoices", **more: Any) -> AuditEntry:
    return record(Audited.WORKFLOW_ON, team_id=cast.team.pk, about=About("workflow", 1, name), by=cast.builder, **more)


def stored(entry: AuditEntry) -> AuditEntry:
    return AuditEntry.objects.get(pk=entry.pk)


def content_of(entry: AuditEntry) -> Content:
    return Content(**{name: getattr(entry, name) for name in Content._fields})


def test_the_bytes_that_are_hashed_are_these() -> None:
    assert canonical(VECTOR) == (
        b'{"action":"workflow.published","after":{"An amount":"1.10","Version":"4"},'
        b'"at":"2026-11-30T09:15:00.250000Z","before":{},"chain":7,"number":2,"object_id":"12",'
        b'"object_name":"K\xc3\xb6ln: pins","object_type":"workflow","origin_seal":"","person":3,'
        b'"previous_hash":"' + b"ab" * 32 + b'","reason":"Month\'s end","role":"builder","version":1}'
    )
    assert entry_hash(VECTOR) == "20d94fe00edcef970224119189742738cbe340b2f08e6799b6ed63b96e4c13a8"


def test_an_entry_says_who_in_which_role_from_where_when_what_and_why(cast: Cast) -> None:
    with coming_from(Origin("203.0.113.9", lambda: None)):
        entry = stored(add(cast, reason="Month's end", before={"Status": "Paused"}, after={"Status": "Active"}))
    assert (entry.chain, entry.number, entry.person, entry.role) == (cast.team.pk, 1, cast.builder.pk, "builder")
    assert (entry.action, entry.object_type, entry.object_id) == ("workflow.on", "workflow", "1")
    assert (entry.object_name, entry.reason) == ("Pins to invoices", "Month's end")
    assert (entry.before, entry.after) == ({"Status": "Paused"}, {"Status": "Active"})
    came = AuditOrigin.objects.get(pk=entry.origin)
    assert (came.person, came.address) == (cast.builder.pk, "203.0.113.9")
    assert entry.origin_seal == origin_seal(came.person, came.address, came.salt)


def test_each_entry_holds_its_own_hash_and_the_one_before(cast: Cast) -> None:
    first, second = stored(add(cast)), stored(add(cast, "Another"))
    assert (first.number, first.previous_hash, second.number) == (1, "", 2)
    assert second.previous_hash == first.hash == entry_hash(content_of(first))
    assert second.hash == entry_hash(content_of(second))
    head = AuditHead.objects.get(chain=cast.team.pk)
    assert (head.number, head.hash) == (2, second.hash)


def test_teams_have_chains_of_their_own_and_so_has_the_installation(cast: Cast) -> None:
    add(cast)
    other = record(Audited.TEAM_CREATED, team_id=cast.other_team.pk, about=cast.other_team, by=cast.outsider)
    nobodys = record(Audited.TEAM_DELETED, team_id=None, about=cast.team, by=cast.outsider)
    assert (other.chain, other.number, other.role) == (cast.other_team.pk, 1, "builder")
    assert (nobodys.chain, nobodys.number, nobodys.role) == (INSTALLATION, 1, "")


def test_what_is_rolled_back_leaves_no_entry_and_no_gap(cast: Cast) -> None:
    add(cast)
    with transaction.atomic():
        add(cast, "Never happened")
        transaction.set_rollback(True)
    assert stored(add(cast, "Happened")).number == 2
    assert list(AuditEntry.objects.values_list("object_name", flat=True)) == ["Pins to invoices", "Happened"]


def test_the_role_is_the_one_the_person_had_then(cast: Cast) -> None:
    entry = add(cast)
    Membership.objects.filter(user=cast.builder).update(role=Role.AUDITOR)
    assert (stored(entry).role, add(cast).role) == ("builder", "auditor")
    cast.approver.is_superuser = True
    Membership.objects.filter(user=cast.approver).delete()
    by = record(Audited.TEAM_CHANGED, team_id=cast.team.pk, about=cast.team, by=cast.approver)
    assert by.role == "superuser"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE integrations_auditentry SET reason = 'another'",
        "UPDATE integrations_auditentry SET hash = hash",
        "DELETE FROM integrations_auditentry",
        "DELETE FROM integrations_auditentry WHERE number = 1",
        "REPLACE INTO integrations_auditentry SELECT * FROM integrations_auditentry",
        "TRUNCATE integrations_auditentry",
    ],
)
def test_the_database_refuses_to_change_and_to_delete(cast: Cast, statement: str) -> None:
    only_of = {"REPLACE": "sqlite", "TRUNCATE": "postgresql"}.get(statement.split()[0], connection.vendor)
    if connection.vendor != only_of:
        pytest.skip(f"Only {only_of} has this statement.")
    add(cast)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEntry.objects.get().object_name == "Pins to invoices"


def test_a_team_can_be_deleted_and_its_record_stays(cast: Cast, client: Client) -> None:
    add(cast)
    chain = cast.team.pk
    Team.objects.get(pk=chain).delete()
    assert AuditEntry.objects.filter(chain=chain).count() == 1


def test_erasing_a_person_keeps_the_chain(cast: Cast) -> None:
    with coming_from(Origin("203.0.113.9", lambda: None)):
        entry = add(cast)
    person = cast.builder.pk
    AuditOrigin.objects.filter(person=person).delete()
    cast.builder.delete()
    left = stored(entry)
    assert left.person == person
    assert left.hash == entry_hash(content_of(left))
    assert "builder@" not in canonical(content_of(left)).decode()
    assert "203.0.113.9" not in canonical(content_of(left)).decode()


def test_what_a_database_cannot_store_is_replaced_before_it_is_hashed(cast: Cast) -> None:
    entry = stored(add(cast, "a\x00b", reason="half \ud83d", after={"x": "\x00"}))
    assert (entry.object_name, entry.reason, entry.after) == ("a\ufffdb", "half \ufffd", {"x": "\ufffd"})
    assert entry.hash == entry_hash(content_of(entry))


def test_a_request_is_recorded_with_the_address_it_came_from(cast: Cast, client: Client) -> None:
    client.post(reverse("account_login"), {"login": "builder", "password": "wrong one"}, REMOTE_ADDR="203.0.113.77")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.person, entry.object_id) == ("sign_in.failed", None, str(cast.builder.pk))
    assert AuditOrigin.objects.get(pk=entry.origin).address == "203.0.113.77"


def test_of_a_difference_only_the_words_that_differ_are_kept(cast: Cast) -> None:
    before = {"Name": "Pins", "State": "In use", "Gone": "x"}
    after = {"Name": "Pins", "State": "Archived", "New": "y"}
    about = About("table", 1, "Pins")
    entry = record_difference(
        Audited.TABLE_CHANGED, team_id=cast.team.pk, about=about, by=cast.builder, before=before, after=after
    )
    assert entry is not None
    assert (entry.before, entry.after) == ({"State": "In use", "Gone": "x"}, {"State": "Archived", "New": "y"})


def test_without_a_difference_nothing_is_recorded(cast: Cast) -> None:
    words = {"Name": "Pins"}
    about = About("table", 1, "Pins")
    assert (
        record_difference(
            Audited.TABLE_CHANGED, team_id=cast.team.pk, about=about, by=cast.builder, before=words, after=dict(words)
        )
        is None
    )
    assert not AuditEntry.objects.filter(chain=cast.team.pk).exists()
