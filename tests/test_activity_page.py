"""The activity page: what the audit trail holds, in words, and found by a filter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.audit.actions import GROUPS, Audited
from integrations.audit.origin import Origin, coming_from
from integrations.audit.record import About, record
from integrations.framework import freezing
from integrations.models import AuditEntry, AuditOrigin
from tests.activity import PAGE, add
from tests.base import PASSWORD, Cast
from tests.world import World, make_world
from workflows.definitions import editing
from workflows.lookup_tables import editing as tables
from workflows.runs import decisions

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


@pytest.fixture
def auditor(client: Client, cast: Cast) -> Client:
    client.force_login(cast.auditor)
    return client


def text_of(client: Client, **query: Any) -> str:
    return client.get(PAGE, query).content.decode()


def numbers(client: Client, **query: Any) -> list[int]:
    return [row.entry.number for row in client.get(PAGE, query).context["rows"]]


def root_client() -> Client:
    """A superuser who is in no team."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@acme.example", PASSWORD))
    return client


# --- the list ---------------------------------------------------------------------------------------------------------


def test_without_entries_it_says_what_will_be_here(auditor: Client) -> None:
    assert "No activity yet" in text_of(auditor)


def test_an_entry_says_who_in_which_role_from_where_when_what_and_why(auditor: Client, cast: Cast) -> None:
    cast.builder.first_name, cast.builder.last_name = "Ana", "Ruiz"
    cast.builder.save()
    with coming_from(Origin("203.0.113.9", lambda: None)):
        entry = add(cast, reason="Month's end", before={"Status": "Paused"}, after={"Status": "Active", "Version": "4"})
    (row,) = auditor.get(PAGE).context["rows"]
    assert (row.what, row.who, row.role, row.address) == ("Workflow switched on", "Ana Ruiz", "Builder", "203.0.113.9")
    assert [(change.label, change.before, change.after) for change in row.changes] == [
        ("Status", "Paused", "Active"), ("Version", None, "4"),
    ]  # fmt: skip
    text = text_of(auditor)
    moment = timezone.localtime(entry.at)
    for part in ("Entry 1", "Workflow: Pins to invoices", "Month&#x27;s end", f"{moment:%H:%M:%S}"):
        assert part in text
    assert 'Status: Paused <span aria-label="became">→</span> Active' in text


def test_it_leads_to_what_it_is_about_while_that_exists(auditor: Client, cast: Cast, world: World) -> None:
    freezing.freeze(world.xero, by=cast.builder, reason="x")
    decisions.cancel(world.run, by=cast.builder, reason="x")
    add(cast, "Long gone")
    text = text_of(auditor)
    for name, pk in (("workflow", world.workflow.pk), ("connection", world.xero.pk), ("run", world.run.pk)):
        assert f'href="{reverse(name, args=[pk])}"' in text
    assert "Workflow: Long gone" in text
    assert reverse("workflow", args=[10**6]) not in text


def test_another_teams_object_is_no_link(auditor: Client, cast: Cast, world: World) -> None:
    other = editing.create_workflow(
        cast.other_team, name="Theirs", operation="pinterest.new_pin", connection=None, by=cast.outsider
    )
    add(cast, about=About("workflow", other.pk, "Theirs"))
    assert auditor.get(PAGE).context["rows"][0].url == ""


def test_the_differing_words_of_a_long_text_are_told_apart(auditor: Client, cast: Cast, world: World) -> None:
    editing.set_filter(world.workflow, group="all", comparisons=[])
    (change,) = auditor.get(PAGE).context["rows"][0].changes
    assert (change.label, change.is_long) == ("What it does", True)
    assert [(each.before[0][0], each.after) for each in change.changes] == [
        ('Go on only if the pin\'s title contains "oak".', [])
    ]
    assert "<details" in text_of(auditor)


def test_who_is_erased_is_said_to_be_and_so_is_an_address(auditor: Client, cast: Cast) -> None:
    gone = User.objects.create_user("gone", "gone@acme.example", PASSWORD)
    with coming_from(Origin("203.0.113.9", lambda: None)):
        add(cast, by=gone)
        add(cast, action=Audited.MEMBER_REMOVED, about=gone)
    AuditOrigin.objects.all().delete()
    gone.delete()
    removed, done = auditor.get(PAGE).context["rows"]
    assert (removed.name, done.who, done.address) == (
        "a person who has been erased", "a person who has been erased", "an address that has been erased",
    )  # fmt: skip


def test_what_nobody_did_is_pinxeros_or_a_strangers(auditor: Client, cast: Cast) -> None:
    add(cast, by=None)
    with coming_from(Origin("203.0.113.9", lambda: None)):
        add(cast, by=None)
    assert [row.who for row in auditor.get(PAGE).context["rows"]] == ["Somebody who was not signed in", "Pinxero"]


HOSTILE = ["<script>alert(1)</script>", "{{ 7|add:7 }}", '" onmouseover="x', "'); DROP TABLE x; --", "\u202eevil"]


def test_hostile_values_are_shown_as_text(auditor: Client, cast: Cast) -> None:
    for value in HOSTILE:
        words = {value: value, "long": value * 40}
        add(cast, value, reason=value, before=words, after={**words, "long": value * 41})
    text = text_of(auditor)
    assert ("<script>alert" in text, ' onmouseover="x' in text) == (False, False)
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
    assert "{{ 7|add:7 }}" in text


def test_every_role_of_the_team_reads_it_and_another_team_sees_none_of_it(client: Client, cast: Cast) -> None:
    entry = add(cast, "Their secret")
    for person, finds in ((cast.builder, True), (cast.approver, True), (cast.auditor, True), (cast.outsider, False)):
        client.force_login(person)
        for path in (PAGE, f"{PAGE}activity.csv", f"{PAGE}?about=workflow-{10**6}", f"{PAGE}?from={entry.number + 1}"):
            response = client.get(path)
            body = b"".join(response.streaming_content) if response.streaming else response.content
            assert (b"Their secret" in body) == finds


# --- the filter -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"what": "workflow.on"}, [1]),
        ({"what": "workflow"}, [2, 1]),
        ({"what": "run"}, [3]),
        ({"what": "no.such"}, []),
        ({"what": "work%"}, []),
        ({"about": "workflow-7"}, [2]),
        ({"about": "workflow"}, [2, 1]),
        ({"about": "api token-7"}, [4]),
        ({"about": "-"}, [5, 4, 3, 2, 1]),
        ({"person": "nobody"}, [5]),
        ({"person": "x"}, []),
        ({"person": "x", "what": "workflow"}, []),
        ({"since": "2026-01-02", "until": "2026-01-03"}, [3, 2]),
        ({"until": "2026-01-01"}, [1]),
    ],
)
def test_the_filter_finds(
    auditor: Client, cast: Cast, query: dict[str, str], found: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [
        (Audited.WORKFLOW_ON, About("workflow", 1, "One"), cast.builder),
        (Audited.WORKFLOW_OFF, About("workflow", 7, "Seven"), cast.builder),
        (Audited.RUN_SKIP, About("run", 7, "Run 7"), cast.builder),
        (Audited.TOKEN_MADE, About("api token", 7, "Shop"), cast.builder),
        (Audited.RUNS_DECIDED, About("batch", 1, "Cancel"), None),
    ]
    for day, (action, about, by) in enumerate(entries, start=1):
        moment = datetime(2026, 1, day, 12, tzinfo=UTC)
        monkeypatch.setattr("integrations.audit.record.timezone.now", lambda moment=moment: moment)
        add(cast, action=action, about=about, by=by)
    monkeypatch.undo()
    assert numbers(auditor, **query) == found


def test_it_is_filtered_by_a_person_who_is_offered_by_name(auditor: Client, cast: Cast) -> None:
    add(cast)
    add(cast, by=cast.approver)
    response = auditor.get(PAGE, {"person": cast.approver.pk})
    assert [row.entry.number for row in response.context["rows"]] == [2]
    assert [name for _, name in response.context["people"]][:2] == ["approver", "builder"]
    assert "<dt>Who</dt><dd>approver</dd>" in response.content.decode()


def test_a_person_and_an_object_that_the_filter_does_not_list_stay_chosen(auditor: Client, cast: Cast) -> None:
    add(cast, about=About("run", 3, "Run 3 of Acme"))
    text = text_of(auditor, person=cast.outsider.pk, about="run-3")
    assert f'<option value="{cast.outsider.pk}" selected>outsider</option>' in text
    assert '<option value="run-3" selected>Run 3 of Acme</option>' in text


def test_workflows_and_connections_of_the_team_are_offered(auditor: Client, cast: Cast, world: World) -> None:
    groups = dict(auditor.get(PAGE).context["things"])
    assert {plural: [name for _, name in rows] for plural, rows in groups.items()} == {
        "Connections": ["Acme Ltd", "Acme pins"],
        "Workflows": ["A draft of Acme", "Acme's own workflow"],
    }


def test_every_action_is_offered_once_in_a_group() -> None:
    assert [action for action in Audited if action.partition(".")[0] not in GROUPS] == []


@pytest.mark.parametrize("name", ["since", "until"])
def test_what_is_no_day_is_said_and_kept(auditor: Client, cast: Cast, name: str) -> None:
    add(cast)
    response = auditor.get(PAGE, {name: "tomorrow"})
    text = response.content.decode()
    assert "“tomorrow” is not a day." in text
    assert ('value="tomorrow"' in text, response.context["rows"]) == (True, [])


@pytest.mark.parametrize("value", ["9" * 30, "-1", "NaN", "%", "workflow-", "a" * 300, "\x00", "workflow-²"])
@pytest.mark.parametrize("name", ["person", "what", "about", "from", "of"])
def test_nothing_that_is_typed_into_the_address_breaks_the_page(
    auditor: Client, cast: Cast, name: str, value: str
) -> None:
    add(cast)
    assert auditor.get(PAGE, {name: value}).status_code == 200


def test_its_pages_hold_every_entry_once_in_order(auditor: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.views.activity.PER_PAGE", 2)
    for _ in range(5):
        add(cast)
    seen, mark = [], ""
    for _ in range(3):
        response = auditor.get(PAGE, {"what": "workflow", "from": mark})
        seen += [row.entry.number for row in response.context["rows"]]
        mark = response.context["next"]
    assert (seen, mark) == ([5, 4, 3, 2, 1], "")


def test_the_page_costs_the_same_queries_for_few_and_for_many_and_counts_nothing(
    auditor: Client, cast: Cast, world: World
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            assert auditor.get(PAGE, {"person": cast.builder.pk}).status_code == 200
        assert not [each["sql"] for each in seen if "COUNT(" in each["sql"] and "auditentry" in each["sql"]]
        return len(seen)

    with coming_from(Origin("203.0.113.9", lambda: None)):
        add(cast, about=world.workflow)
        queries()
        few = queries()
        for number in range(30):
            add(cast, about=world.workflow)
            add(cast, about=About("workflow", 10**6 + number, "x"))
    assert queries() == few


@pytest.mark.parametrize(("page", "about"), [("workflow", "workflow"), ("workflow_versions", "workflow")])
def test_a_workflow_leads_to_its_own_activity(auditor: Client, cast: Cast, world: World, page: str, about: str) -> None:
    pk = world.workflow.pk
    assert f'href="{PAGE}?about={about}-{pk}"' in auditor.get(reverse(page, args=[pk])).content.decode()
    add(cast, "Another")
    assert {row.entry.object_id for row in auditor.get(PAGE, {"about": f"{about}-{pk}"}).context["rows"]} == {str(pk)}


def test_connections_lookup_tables_and_the_decisions_of_a_run_lead_to_theirs(
    auditor: Client, cast: Cast, world: World
) -> None:
    table = tables.create(cast.team, name="x", description="", columns=["A"], rows=[{"A": "b"}], by=cast.builder)
    pages = [("connection", "connection", world.xero.pk), ("run", "run", world.run.pk)]
    for name, kind, pk in [*pages, ("lookup_table", "lookuptable", table.pk)]:
        text = auditor.get(reverse(name, args=[pk])).content.decode()
        assert f'href="{PAGE}?about={kind}-{pk}"' in text


# --- what belongs to no team ------------------------------------------------------------------------------------------


def test_what_belongs_to_no_team_is_for_superusers_only(client: Client, cast: Cast) -> None:
    record(Audited.TEAM_DELETED, team_id=None, about=About("team", 99, "Old team"), by=None)
    pages = [(PAGE, "get"), (f"{PAGE}activity.csv", "get"), (f"{PAGE}activity.xlsx", "get"), (f"{PAGE}check/", "post")]
    for person in (cast.builder, cast.approver, cast.auditor, cast.outsider):
        client.force_login(person)
        for path, method in pages:
            response = getattr(client, method)(f"{path}?of=installation")
            assert (response.status_code, b"Old team" in response.content) == (403, False)
    assert Client().get(f"{PAGE}?of=installation").status_code == 302
    root = root_client()
    assert "Old team" in root.get(f"{PAGE}?of=installation").content.decode()
    assert "1 entry from" in root.post(f"{PAGE}check/?of=installation").content.decode()
    assert b"Old team" in b"".join(root.get(f"{PAGE}activity.csv?of=installation").streaming_content)
    assert root.get(PAGE).status_code == 403
    newest = AuditEntry.objects.get(action=Audited.EXPORTED)
    assert (newest.chain, newest.object_name) == (0, "Activity")
