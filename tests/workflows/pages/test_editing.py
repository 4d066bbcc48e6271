"""What the editor folds away, and what it tells of changes that are not published."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from integrations.audit.word_changes import Change, changes
from integrations.framework.choices import ChoiceList
from integrations.schema.schema import Field
from tests.base import Cast
from tests.world import CONTACT, World, invoice_sources, make_world
from workflows.definitions import editing
from workflows.models import Step, Workflow
from workflows.publishing import publish as publishing


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, "Bayside Club"), ("GBP", "Pound")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


def _invoice(world: World) -> Step:
    return world.workflow.steps.get(operation="xero.create_invoice")


def _save(world: World, **inputs: str) -> Step:
    sources = {**invoice_sources(), **inputs}
    return editing.save_step(
        world.workflow, _invoice(world), editing.StepDraft("Write it", "xero.create_invoice", world.xero, sources)
    )


# --- more inputs ----------------------------------------------------------------------------------------------------


def test_what_may_stay_empty_beyond_the_first_eight_inputs_is_folded(builder: Client, world: World) -> None:
    response = builder.get(reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_invoice")
    assert [each.path for each in response.context["controls"]] == [
        "contact_id", "lines", "line_amount_types", "invoice_date", "due_date", "status", "invoice_number", "reference",
    ]  # fmt: skip
    assert [each.path for each in response.context["more_controls"]] == [
        "currency", "currency_rate", "branding_theme_id", "expected_payment_date", "is_sent",
    ]  # fmt: skip
    text = response.content.decode()
    assert '<details class="px-details" id="px-more">' in text
    assert "More inputs (5)" in text
    assert text.index("More inputs") < text.index('name="in.currency"')


def test_a_folded_input_with_a_value_or_an_error_is_open(builder: Client, world: World) -> None:
    step = reverse("step", args=[world.workflow.pk, _invoice(world).pk])
    assert builder.get(step).context["is_more_open"] is False
    _save(world, currency="GBP")
    assert '<details class="px-details" id="px-more" open>' in builder.get(step).content.decode()
    _save(world, currency="{{ trigger.currency }}")
    assert builder.get(step).context["is_more_open"] is True
    new = reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_contact"
    posted = {"name": "Know", "connection": world.xero.pk, "on_error": "stop", "max_attempts": "5", "in.name": "A"}
    refused = builder.post(new, {**posted, "in.city": "{{ broken"})
    assert refused.context["is_more_open"] is True
    assert refused.context["has_errors"] is True


def test_fetching_a_list_again_keeps_the_folded_inputs_open(builder: Client, world: World) -> None:
    new = reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_invoice"
    posted = {"name": "Write", "connection": world.xero.pk, "on_error": "stop", "max_attempts": "5"}
    assert builder.post(new, {**posted, "_refresh": "contact_id"}).context["is_more_open"] is False
    assert builder.post(new, {**posted, "_refresh": "currency"}).context["is_more_open"] is True


def test_a_step_without_unusual_inputs_has_nothing_folded(builder: Client, world: World) -> None:
    text = builder.get(reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_payment").content.decode()
    assert "More inputs" not in text


# --- choices that depend on each other in a row -----------------------------------------------------------------------


def test_a_rows_tax_rates_are_asked_for_with_the_account_of_that_row(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None, bool]] = []

    def offered(connection: object, field: Field, inputs: dict[str, str], **more: object) -> ChoiceList:
        asked.append((field.name, inputs.get("account_code"), bool(more.get("refresh"))))
        return ChoiceList(choices=[("200", "200 - Sales"), ("Region: North", "Region: North")])

    monkeypatch.setattr("workflows.views.common.choices_for", offered)
    new = reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_invoice"
    posted = {"name": "Write", "connection": world.xero.pk, "on_error": "stop", "max_attempts": "5"}
    rows: dict[str, object] = {"in.lines~row": ["0", "1", "2"]}
    for index, account in enumerate(("200", "260", "{{ trigger.id }}")):
        rows[f"in.lines.{index}.account_code"] = account
    page = builder.post(new, {**posted, **rows, "_refresh": "tracking_2"})
    assert {account for name, account, _ in asked if name == "tax_type"} == {"200", "260", None}
    assert [(name, is_new) for name, _, is_new in asked if name.startswith("tracking")] == [
        ("tracking_1", False),
        ("tracking_2", True),
    ]
    text = page.content.decode()
    account = text.index('name="in.lines.0.account_code"')
    assert 'hx-trigger="change"' in text[account : text.index(">", account)]
    tax = text.index('name="in.lines.0.tax_type"')
    assert "hx-trigger" not in text[tax : text.index(">", tax)]


# --- changes that are not published ---------------------------------------------------------------------------------


def test_the_editor_says_plainly_that_the_published_version_still_runs(builder: Client, world: World) -> None:
    path, publish = (reverse(name, args=[world.workflow.pk]) for name in ("workflow", "publish_workflow"))
    assert "Changes not published yet" not in builder.get(path).content.decode()
    _save(world, reference="Pin")
    text = builder.get(path).content.decode()
    assert "<strong>Changes not published yet:</strong> version 1 still runs." in text
    assert text.count(f'href="{publish}"') == 1
    Workflow.objects.filter(pk=world.workflow.pk).update(status="paused")
    assert "version 1 is still the one that would run." in builder.get(path).content.decode()
    publishing.publish(world.workflow, by=None, note="")
    assert "Changes not published yet" not in builder.get(path).content.decode()


def test_who_may_only_look_is_told_of_changes_without_the_button(client: Client, world: World, cast: Cast) -> None:
    _save(world, reference="Pin")
    client.force_login(cast.auditor)
    text = client.get(reverse("workflow", args=[world.workflow.pk])).content.decode()
    assert "version 1 still runs." in text
    assert reverse("publish_workflow", args=[world.workflow.pk]) not in text


def test_a_draft_that_was_never_published_has_no_version_that_still_runs(builder: Client, world: World) -> None:
    text = builder.get(reverse("workflow", args=[world.draft.pk])).content.decode()
    assert "Changes not published yet" not in text
    assert reverse("publish_workflow", args=[world.draft.pk]) in text


def test_publishing_shows_in_words_what_changes(builder: Client, world: World) -> None:
    path = reverse("publish_workflow", args=[world.workflow.pk])
    assert "What changes compared with" not in builder.get(path).content.decode()
    _save(world, reference="Order <b>7</b>")
    response = builder.get(path)
    text = response.content.decode()
    assert "What changes compared with version 1" in text
    assert "Order &lt;b&gt;7&lt;/b&gt;" in text
    [change] = response.context["changes"]
    assert [words for words, is_changed in change.before if is_changed] == ['"Pin the pin\'s id".']
    assert [words for words, is_changed in change.after if is_changed] == ['"Order <b>7</b>".']


def test_a_change_that_the_description_does_not_tell_is_named_as_such(builder: Client, world: World) -> None:
    Step.objects.filter(pk=_invoice(world).pk).update(name="Bill it")
    response = builder.get(reverse("publish_workflow", args=[world.workflow.pk]))
    assert response.context["changes"] == []
    assert "It does the same with the same values." in response.content.decode()


def test_sentences_are_compared_word_by_word() -> None:
    before = "When a pin is new:\nCreate an invoice with Price = 10.\nAdd a note."
    after = "When a pin is new:\nGo on only if title contains oak.\nCreate an invoice with Price = 12.\nAdd a note."
    same = ("Create an invoice with Price =", False)
    assert changes(before, after) == [
        Change([], [("Go on only if title contains oak.", True)]),
        Change([same, ("10.", True)], [same, ("12.", True)]),
    ]
    assert changes(before, before) == []
    assert changes("One.\nTwo.", "One.") == [Change([("Two.", True)], [])]
    assert changes("One.", "One.\nTwo.") == [Change([], [("Two.", True)])]
