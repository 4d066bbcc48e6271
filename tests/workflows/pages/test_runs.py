"""The list of runs, the audit page, the decisions, the dashboard."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.framework.registry import operation
from integrations.models import ChoiceCache, Connection, Membership
from tests.base import Cast
from tests.world import CONTACT, World, make_event, make_run, make_step_run, make_world
from workflows.models import Beat, Decision, Run, StepRun, TriggerState
from workflows.presenters.presentation import MASK, masked, pretty
from workflows.templatetags.px import web_link

#: The section of the dashboard; the link to the guide says "First steps" too.
FIRST_STEPS = ">First steps</h2>"
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'{{ 7*7 }}"


def _more_runs(world: World, many: int, **fields: Any) -> list[Run]:
    made = []
    for number in range(many):
        event = make_event(world.state, f"more {Run.objects.count()} {number}")
        made.append(make_run(world.workflow, world.version, event, world.xero, **fields))
    return made


def _counted(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in captured]


def test_the_list_costs_the_same_for_one_run_and_for_thirty_and_never_counts(builder: Client, world: World) -> None:
    before = _counted(builder, reverse("runs"))
    _more_runs(world, 30)
    after = _counted(builder, reverse("runs"))
    assert len(after) == len(before)
    assert not [sql for sql in after if "COUNT(" in sql.upper()]


def test_the_run_page_costs_the_same_for_one_attempt_and_for_many_steps(builder: Client, world: World) -> None:
    path = reverse("run", args=[world.run.pk])
    before = _counted(builder, path)
    for number in range(30):
        StepRun.objects.create(
            run=world.run, step="create_or_update_contact", iteration=str(number), position=2, kind="action",
            name="Know", operation="xero.create_or_update_contact", connection=world.xero, state="succeeded",
        )  # fmt: skip
    assert len(_counted(builder, path)) == len(before)


def test_the_dashboard_costs_the_same_for_one_run_and_for_thirty(builder: Client, world: World) -> None:
    before = _counted(builder, reverse("admin:index"))
    _more_runs(world, 30, status=Run.Status.FAILED, error="Refused.")
    assert len(_counted(builder, reverse("admin:index"))) == len(before)


def test_pages_of_runs_follow_each_other_by_id_in_both_directions(builder: Client, world: World) -> None:
    _more_runs(world, 119)
    everything = list(Run.objects.order_by("-pk").values_list("pk", flat=True))

    def shown(query: str) -> tuple[list[int], Any, Any]:
        context = builder.get(reverse("runs") + query).context
        return [run.pk for run in context["runs"]], context["newer"], context["older"]

    first, newer, older = shown("")
    assert (first, newer, older) == (everything[:50], None, first[-1])
    second, newer, older = shown(f"?before={older}")
    assert (second, newer, older) == (everything[50:100], second[0], second[-1])
    third, newer, older = shown(f"?before={older}")
    assert (third, newer, older) == (everything[100:], third[0], None)
    again, newer, _ = shown(f"?after={newer}")
    assert (again, newer) == (second, second[0])


def test_runs_are_found_by_status_workflow_connection_and_words(builder: Client, world: World) -> None:
    (failed,) = _more_runs(world, 1, status=Run.Status.FAILED, title="Walnut bench", error="No.")
    (done,) = _more_runs(world, 1, title="Ash chair", result="Invoice INV-0007, 40.00 GBP")

    def found(query: str) -> set[int]:
        return {run.pk for run in builder.get(reverse("runs") + query).context["runs"]}

    assert found("?status=failed") == {failed.pk}
    assert found("?status=attention") == {failed.pk, world.run.pk}
    assert found("?q=walnut") == {failed.pk}
    assert found("?q=INV-0007") == {done.pk}
    assert found(f"?q={done.pk}") == {done.pk}
    assert found(f"?workflow={world.workflow.pk}&connection={world.xero.pk}") == {failed.pk, done.pk, world.run.pk}
    assert found(f"?workflow={world.draft.pk}") == set()
    assert found("?workflow=nonsense") == set()
    assert found("?before=nonsense&status=nonsense&q=%00") >= {failed.pk, done.pk}


def test_a_run_that_went_on_although_a_step_failed_says_so_wherever_it_is_shown(builder: Client, world: World) -> None:
    (run, fine) = _more_runs(world, 2, title="Elm shelf")
    Run.objects.filter(pk=run.pk).update(error="Write it failed and was passed over. ")
    pages = [reverse("runs"), reverse("run", args=[run.pk]), reverse("workflow", args=[world.workflow.pk]), "/admin/"]
    for address in pages:
        assert "Succeeded with errors" in builder.get(address).content.decode(), address
    assert "Succeeded with errors" not in builder.get(reverse("run", args=[fine.pk])).content.decode()
    listed = builder.get(reverse("runs"), {"status": "errors"})
    assert [each.pk for each in listed.context["runs"]] == [run.pk]
    assert 'px-badge--warn">Succeeded with errors' in listed.content.decode()


def test_the_run_page_shows_the_whole_story(builder: Client, world: World) -> None:
    text = builder.get(reverse("run", args=[world.run.pk])).content.decode()
    for said in (
        "Needs a person", "so that nothing is written twice", "Nobody knows.", world.event.key, "Acme pins",
        "title contains &quot;oak&quot;: yes", "PUT",
        "/api.xro/2.0/Invoices?unitdp=4", "&quot;UnitAmount&quot;: 120.50",
        world.step_run.request_sha256, world.step_run.idempotency_key, world.step_run.marker, "no clear answer",
        "30 ms",
        "Try once more", "version 1", "Not reached",
    ):  # fmt: skip
        assert said in text, said


def test_secrets_in_headers_are_masked_and_the_token_is_never_shown(builder: Client, world: World) -> None:
    headers = {"content-type": "application/json", "Set-Cookie": "session=abc", "X-Api-Token": "t0ken"}
    StepRun.objects.filter(pk=world.step_run.pk).update(response_status=200, response_headers=headers)
    text = builder.get(reverse("run", args=[world.run.pk])).content.decode()
    assert MASK in text
    for secret in ("session=abc", "t0ken", "stored-access-token", "Bearer"):
        assert secret not in text
    assert masked({"Authorization": "Bearer x", "Idempotency-Key": "k"}) == [
        ("Authorization", MASK),
        ("Idempotency-Key", "k"),
    ]


def test_provider_text_is_never_markup(builder: Client, world: World) -> None:
    event = make_event(world.state, HOSTILE, title=HOSTILE, link="javascript:alert(1)", description=HOSTILE)
    Connection.objects.filter(pk=world.xero.pk).update(name=HOSTILE)
    run = make_run(
        world.workflow, world.version, event, world.xero, status="failed", title=HOSTILE, result=HOSTILE, error=HOSTILE
    )
    make_step_run(
        run, state="failed", link="javascript:alert(1)", error=HOSTILE, problems=[HOSTILE],
        inputs={"contact_id": HOSTILE},
        output={HOSTILE: HOSTILE}, response_status=400, response_headers={HOSTILE: HOSTILE}, response_body=HOSTILE,
        attempts=[{"at": HOSTILE, "what": HOSTILE, "outcome": HOSTILE, "message": HOSTILE, "took": HOSTILE}],
    )  # fmt: skip
    Decision.objects.create(run=run, what="retry", reason=HOSTILE)
    TriggerState.objects.filter(pk=world.state.pk).update(failures=3, last_error=HOSTILE)
    paths = [
        reverse("run", args=[run.pk]), reverse("runs"), reverse("admin:index"), reverse("workflows"),
        reverse("workflow", args=[world.workflow.pk]), reverse("workflow_version", args=[world.workflow.pk, 1]),
        reverse("way_out", args=[run.pk, "cancel"]), reverse("publish_workflow", args=[world.workflow.pk]),
        reverse("step", args=[world.workflow.pk, world.steps[0].pk]),
        reverse("workflow_filter", args=[world.workflow.pk]),
    ]  # fmt: skip
    for path in paths:
        text = builder.get(path).content.decode()
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert 'href="javascript:' not in text, path
        assert "{{ 7*7 }}" in text or HOSTILE[:8] not in text, path
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in builder.get(paths[0]).content.decode()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://go.xero.com/a", "https://go.xero.com/a"),
        ("http://127.0.0.1/x", "http://127.0.0.1/x"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt://x/%0aalert(1)", ""),
        ("data:text/html,x", ""),
        ("//evil.example/", ""),
        ("https://[", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_only_web_addresses_become_links(address: str | None, shown: str) -> None:
    assert web_link(address) == shown


def test_a_link_to_the_document_tells_the_provider_nothing(builder: Client, world: World) -> None:
    StepRun.objects.filter(pk=world.step_run.pk).update(link="https://go.xero.com/invoice/1")
    text = builder.get(reverse("run", args=[world.run.pk])).content.decode()
    assert 'href="https://go.xero.com/invoice/1" target="_blank" rel="noopener noreferrer nofollow"' in text
    assert "Open in Xero" in text


def test_a_readable_body_keeps_every_digit_and_the_order() -> None:
    assert pretty('{"b":1.10,"a":[100000000000000000.01]}') == (
        '{\n  "b": 1.10,\n  "a": [\n    100000000000000000.01\n  ]\n}'
    )
    assert pretty("<html>") == "<html>"


def test_an_id_is_shown_beside_its_name_unless_the_name_begins_with_it(builder: Client, world: World) -> None:
    fields = {f.name: f for f in operation("xero.create_invoice").Inputs.fields()}
    line = {f.name: f for f in fields["lines"].columns}
    for declared, choices in (
        (fields["contact_id"], [[CONTACT, "Bayside <i>Club</i>"]]),
        (line["account_code"], [["200", "200 - Sales"], ["20", "200 - Sales"]]),
    ):
        key = declared.dynamic_choices.key if declared.dynamic_choices else ""
        ChoiceCache.objects.create(
            connection=world.xero, key=key, inputs_hash=key, choices=choices, fetched_at=timezone.now()
        )
    lines = [{"account_code": "200", "description": ""}, {"account_code": "20", "unit_amount": None}]
    StepRun.objects.filter(pk=world.step_run.pk).update(inputs={"contact_id": CONTACT, "lines": lines})
    text = builder.get(reverse("run", args=[world.run.pk])).content.decode()
    assert f'<td>Bayside &lt;i&gt;Club&lt;/i&gt; <span class="px-code">{CONTACT}</span></td>' in text
    assert "<td>200 - Sales</td>" in text
    assert '<td>200 - Sales <span class="px-code">20</span></td>' in text


def test_empty_values_are_folded_away_with_their_names(builder: Client, world: World) -> None:
    StepRun.objects.filter(pk=world.step_run.pk).update(
        inputs={"contact_id": CONTACT, "reference": "", "due_date": None}, output={}
    )
    page = builder.get(reverse("run", args=[world.run.pk])).content.decode()
    text = page[page.index('aria-label="Write it"') :]
    assert ">2 empty values</summary>" in text
    assert re.search(r'<p class="px-muted px-small">Reference, Due date</p>', text)
    assert '<th scope="row">Reference</th>' not in text
    assert '<th scope="row">Contact</th>' in text


def test_the_link_written_into_a_document_leads_to_its_run(builder: Client, world: World) -> None:
    response = builder.get(reverse("run_by_marker", args=[world.step_run.marker]))
    assert response["Location"] == reverse("run", args=[world.run.pk])
    assert builder.get(reverse("run_by_marker", args=["PX-none"])).status_code == 404


def test_a_decision_is_asked_for_and_needs_its_reason(builder: Client, world: World, cast: Cast) -> None:
    path = reverse("way_out", args=[world.run.pk, "mark_done"])
    text = builder.get(path).content.decode()
    assert "after you have seen the document" in text
    assert world.step_run.marker in text
    assert "Say why; it is kept with the run." in builder.post(path, {"provider_id": "INV-1"}).content.decode()
    world.run.refresh_from_db()
    assert world.run.status == Run.Status.NEEDS_REVIEW
    response = builder.post(path, {"reason": "Seen in Xero", "provider_id": "INV-0042"})
    assert response["Location"] == reverse("run", args=[world.run.pk])
    made = Decision.objects.get(run=world.run, what="mark_done")
    assert (made.by, made.reason) == (cast.builder, "Seen in Xero")
    world.step_run.refresh_from_db()
    assert (world.step_run.state, world.step_run.provider_id) == ("succeeded", "INV-0042")


def test_a_decision_that_is_not_possible_now_changes_nothing(builder: Client, world: World) -> None:
    response = builder.post(reverse("way_out", args=[world.run.pk, "retry"]), {"reason": "x"}, follow=True)
    assert "so this is not possible" in response.content.decode()
    assert builder.get(reverse("way_out", args=[world.run.pk, "explode"])).status_code == 404
    assert Decision.objects.filter(run=world.run).count() == 1


def test_a_replay_leads_to_the_new_run(builder: Client, world: World) -> None:
    (done,) = _more_runs(world, 1)
    response = builder.post(reverse("way_out", args=[done.pk, "replay"]), {"reason": "The customer asked"})
    again = Run.objects.get(event=done.event, replay=1)
    assert response["Location"] == reverse("run", args=[again.pk])


def test_who_may_only_look_sees_no_way_out(client: Client, world: World, cast: Cast) -> None:
    client.force_login(cast.auditor)
    text = client.get(reverse("run", args=[world.run.pk])).content.decode()
    assert "Needs a person" in text
    assert reverse("way_out", args=[world.run.pk, "cancel"]) not in text


def test_the_dashboard_warns_while_no_worker_is_alive(builder: Client, world: World) -> None:
    assert "No worker is running" in builder.get(reverse("admin:index")).content.decode()
    Beat.objects.create(name="worker@here", at=timezone.now() - timedelta(minutes=10))
    assert "No worker is running" in builder.get(reverse("admin:index")).content.decode()
    Beat.objects.create(name="worker@there", at=timezone.now())
    assert "No worker is running" not in builder.get(reverse("admin:index")).content.decode()


def test_the_dashboard_tells_what_needs_a_person(builder: Client, world: World) -> None:
    Connection.objects.filter(pk=world.xero.pk).update(status="needs_reconnect", last_error="Xero said invalid_grant.")
    waiting = {"status": "waiting", "wait_reason": "connection", "waits_for": world.xero, "title": "Ash chair"}
    _more_runs(world, 1, **waiting)
    TriggerState.objects.filter(pk=world.state.pk).update(failures=4, last_error="Pinterest answered 503.")
    text = builder.get(reverse("admin:index")).content.decode()
    for said in (
        "Xero said invalid_grant.",
        "failed 4 times in a row",
        "Nobody knows.",
        "Ash chair",
        "for Acme Ltd to be",
    ):
        assert said in text, said


def test_the_first_steps_of_an_empty_team_are_listed_until_they_are_done(client: Client, cast: Cast) -> None:
    client.force_login(cast.outsider)
    text = client.get(reverse("admin:index")).content.decode()
    for said in (FIRST_STEPS, "Connect Pinterest", "Connect Xero", "Create a workflow", "See the first run"):
        assert said in text
    client.force_login(cast.builder)
    make_world(cast)
    assert FIRST_STEPS not in client.get(reverse("admin:index")).content.decode()


def test_the_bars_of_the_dashboard_count_each_day_by_outcome(builder: Client, world: World) -> None:
    for run in _more_runs(world, 3):
        Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(days=2))
    days = builder.get(reverse("admin:index")).context["days"]
    assert len(days) == 14
    assert [day.total for day in days[-3:]] == [3, 0, 1]
    assert days[-3].bars == [("ok", 0.0, 100.0)]
    assert days[-1].counts["warn"] == 1


def test_the_team_switcher_appears_for_who_is_in_several_teams(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.builder)
    assert 'name="team"' not in client.get(reverse("runs")).content.decode()
    Membership.objects.create(team=cast.other_team, user=cast.builder, role="auditor")
    assert 'name="team"' in client.get(reverse("runs")).content.decode()
    client.post(reverse("choose_team"), {"team": cast.other_team.pk})
    assert client.get(reverse("run", args=[world.run.pk])).status_code == 404
    assert client.get(reverse("new_workflow")).status_code == 403


def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(builder: Client, world: World) -> None:
    for path in (reverse("admin:index"), reverse("runs"), reverse("workflow", args=[world.workflow.pk])):
        text = builder.get(path).content.decode()
        for tag in text.split("<script")[1:]:
            assert "src=" in tag.split(">")[0], tag[:80]
        assert " onclick=" not in text
        assert "//cdn" not in text


def test_a_page_that_is_not_there_is_told_in_the_layout(builder: Client, world: World, client: Client) -> None:
    response = builder.get("/nowhere/")
    assert response.status_code == 404
    assert "it belongs to a team that you are not in" in response.content.decode()
    assert "Dashboard" in response.content.decode()
    stranger = Client().get("/nowhere/")
    assert stranger.status_code == 404
    assert "Dashboard" not in stranger.content.decode()
