"""The page on which a person takes back what a run wrote, and what the other pages say of it afterwards."""

from __future__ import annotations

from html import escape
from typing import Any

from django.test import Client
from django.urls import reverse

from integrations.audit.actions import Audited
from integrations.framework import registry
from integrations.models import AuditEntry
from tests.walk.stage import Stage
from tests.walk.test_undo import written
from workflows.models import Decision, Posting, Run, Undo

INVOICE = "xero.create_invoice"


def page_of(run: Run, **query: Any) -> str:
    address: str = reverse("undo_run", args=[run.pk], query=query or None)
    return address


def as_(stage: Stage, who: str) -> Client:
    stage.client.force_login(getattr(stage.cast, who))
    return stage.client


def post(client: Client, run: Run, *postings: Posting, **more: str) -> Any:
    """Confirmed as the page shows it."""
    cards = {card.row.posting.pk: card for card in client.get(page_of(run)).context["cards"]}
    told = {f"changed-{pk}": card.digest for pk, card in cards.items()}
    return client.post(page_of(run), {"take": [each.pk for each in postings], "reason": "Wrong", **told, **more})


def test_it_shows_the_exact_request_and_sends_nothing(stage: Stage) -> None:
    run, posting = written(stage, registry.action(INVOICE))
    mark = stage.mark()
    text = as_(stage, "builder").get(page_of(run)).content.decode()
    assert registry.action(INVOICE).undo_words in text
    assert "/api.xro/2.0/Invoices?summarizeErrors=true" in text
    assert escape('"Status": "DELETED"') in text
    assert f'name="take" value="{posting.pk}" checked' in text
    assert (stage.written(mark), Undo.objects.count()) == ([], 0)


def test_confirmed_it_is_taken_back_and_all_pages_say_by_which_run(stage: Stage) -> None:
    run, posting = written(stage, registry.action(INVOICE))
    client = as_(stage, "approver")
    answer = post(client, run, posting)
    undo = Undo.objects.get().run
    assert answer.url == reverse("run", args=[undo.pk])
    mark = stage.mark()
    stage.settle(undo)
    assert (undo.status, undo.error, len(stage.written(mark))) == ("succeeded", "", 1)
    here = f'<a href="{reverse("run", args=[undo.pk])}">run {undo.pk}</a>'
    assert here in client.get(reverse("run", args=[run.pk])).content.decode()
    assert here in client.get(reverse("documents")).content.decode()
    assert f'<a href="{reverse("run", args=[run.pk])}">run {run.pk}</a>' in stage.page(undo)
    assert "Exactly what was sent" in stage.page(undo)
    assert stage.client.get(reverse("run_evidence", args=[undo.pk])).status_code == 200
    card = as_(stage, "approver").get(page_of(run)).context["cards"][0]
    assert (card.undo.run_id, card.request) == (undo.pk, None)
    decision = Decision.objects.get()
    assert (decision.run, decision.what, decision.by, decision.reason) == (run, "undo", stage.cast.approver, "Wrong")
    entry = AuditEntry.objects.get(action=Audited.RUN_UNDO)
    assert (entry.reason, entry.object_id) == ("Wrong", str(run.pk))


def test_a_second_time_is_refused_while_the_first_is_under_way_and_afterwards(stage: Stage) -> None:
    run, posting = written(stage, registry.action(INVOICE))
    client = as_(stage, "builder")
    form = {"take": posting.pk, f"changed-{posting.pk}": "", "reason": "Wrong"}
    assert client.post(page_of(run), form).status_code == 302
    undo = Undo.objects.get().run
    assert f"is being taken back by run {undo.pk}" in client.post(page_of(run), form).content.decode()
    stage.settle(undo)
    assert f"has been taken back by run {undo.pk}" in client.post(page_of(run), form).content.decode()
    assert Run.objects.count() == 2


def test_a_changed_document_is_not_ticked_and_tells_what_differs(stage: Stage) -> None:
    run, posting = written(stage, registry.action(INVOICE))
    stage.sandbox.change("invoice", posting.provider_id, Reference="Mine")
    client = as_(stage, "builder")
    text = client.get(page_of(run)).content.decode()
    assert "It is no longer as it was written." in text
    assert f'name="take" value="{posting.pk}">' in text
    mark = stage.mark()
    post(client, run, posting)
    stage.settle(Undo.objects.get().run)
    assert len(stage.written(mark)) == 1


def test_without_a_reason_or_a_document_nothing_begins(stage: Stage) -> None:
    run, posting = written(stage, registry.action(INVOICE))
    client = as_(stage, "builder")
    assert "Say why" in post(client, run, posting, reason=" ").content.decode()
    assert "Choose at least one document" in post(client, run).content.decode()
    assert "It is not there" in client.post(page_of(run), {"take": 987654, "reason": "Wrong"}).content.decode()
    assert Undo.objects.count() == 0


def test_what_has_no_undo_shows_the_reason_and_no_button(stage: Stage) -> None:
    action = registry.action("xero.add_note_to_invoice")
    run, _ = written(stage, action)
    text = as_(stage, "builder").get(page_of(run)).content.decode()
    assert escape(action.no_undo) in text
    assert "Take back what is ticked" not in text


def test_a_provider_that_does_not_answer_is_said_and_the_page_opens(stage: Stage) -> None:
    run, _ = written(stage, registry.action(INVOICE))
    stage.sandbox.faults(next=["500"] * 5, only_provider="xero")
    text = as_(stage, "builder").get(page_of(run)).content.decode()
    assert "It cannot be looked at now" in text


def test_auditors_see_no_link_and_may_not_open_it(stage: Stage) -> None:
    run, _ = written(stage, registry.action(INVOICE))
    client = as_(stage, "auditor")
    assert page_of(run) not in client.get(reverse("run", args=[run.pk])).content.decode()
    assert page_of(run) not in client.get(reverse("documents")).content.decode()
    assert client.get(page_of(run)).status_code == 403
    assert page_of(run) in as_(stage, "approver").get(reverse("run", args=[run.pk])).content.decode()


def test_what_took_something_back_is_neither_taken_back_nor_run_again(stage: Stage) -> None:
    run, posting = written(stage, registry.action(INVOICE))
    client = as_(stage, "builder")
    post(client, run, posting)
    undo = stage.settle(Undo.objects.get().run)
    assert "does not come back by itself" in client.get(page_of(undo)).content.decode()
    page = client.get(reverse("run", args=[undo.pk]))
    assert [each.key for each in page.context["actions"]] == []
    assert page_of(undo) not in page.content.decode()
