"""The editor's one page: the whole of it, the panel alone, the steps alone; and two people with the same form."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from integrations.framework.choices import ChoiceList
from integrations.models import Membership, Role
from tests.base import Cast
from tests.world import BOARD, CONTACT, World, make_world
from workflows.models import Step

PANEL = {"HX-Request": "true", "HX-Target": "panel"}
FORM = {"HX-Request": "true", "HX-Target": "px-form"}
STEPS = {"HX-Request": "true", "HX-Target": "flow"}


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    choices = [(CONTACT, "Bayside Club"), ("GBP", "Pound")]
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(choices=choices))
    return make_world(cast)


def _invoice(world: World) -> Step:
    return world.workflow.steps.get(operation="xero.create_invoice")


def _text(response: Any) -> str:
    return str(response.content.decode())


# --- one page -------------------------------------------------------------------------------------------------------


def test_without_scripts_a_steps_address_is_the_whole_page_with_steps_and_form(builder: Client, world: World) -> None:
    step = _invoice(world)
    text = _text(builder.get(reverse("step", args=[world.workflow.pk, step.pk])))
    assert text.count("<html") == 1
    assert text.count('id="flow"') == text.count('id="panel"') == text.count('id="px-form"') == 1
    assert "hx-swap-oob" not in text
    assert text.index('id="flow"') < text.index('id="panel"') < text.index('id="px-form"')
    marked = text[: text.index('aria-current="true"')].rpartition("id=")[2]
    assert marked.startswith(f'"edit-{step.pk}"')


def test_a_browser_that_fills_the_panel_gets_it_with_the_steps_and_what_was_said(builder: Client, world: World) -> None:
    text = _text(builder.get(reverse("step", args=[world.workflow.pk, _invoice(world).pk]), headers=PANEL))
    assert "<html" not in text
    assert text.count('id="panel"') == text.count('id="px-form"') == 1
    for part in ("flow", "px-state", "px-said"):
        [tag] = [each for each in text.split("<") if f'id="{part}"' in each]
        assert 'hx-swap-oob="morph"' in tag
    assert "<title>Write it · " in text or "<title>Create invoice · " in text


def test_a_form_brought_up_to_date_comes_without_the_steps(builder: Client, world: World) -> None:
    address = reverse("step", args=[world.workflow.pk, _invoice(world).pk])
    answer = builder.post(address, {"name": "Know", "_reload": "1"}, headers=FORM)
    assert 'id="px-form"' in _text(answer)
    assert 'id="flow"' not in _text(answer)
    assert answer["HX-Push-Url"] == "false"


def test_a_moved_step_is_answered_with_the_steps_and_the_open_card_stays_marked(builder: Client, world: World) -> None:
    step = _invoice(world)
    address = reverse("step", args=[world.workflow.pk, step.pk])
    move = reverse("move_step", args=[world.workflow.pk, step.pk])
    headers = {**STEPS, "HX-Current-URL": f"http://testserver{address}"}
    text = _text(builder.post(move, {"direction": "up"}, headers=headers, follow=True))
    assert 'id="panel"' not in text
    assert f"{step.name} was moved." in text
    marked = text[: text.index('aria-current="true"')].rpartition("id=")[2]
    assert marked.startswith(f'"edit-{step.pk}"')


def test_whoever_may_only_read_has_the_steps_and_no_forms(cast: Cast, client: Client, world: World) -> None:
    client.force_login(cast.auditor)
    text = _text(client.get(reverse("workflow", args=[world.workflow.pk]), headers=PANEL))
    assert "Create invoice" in text
    assert "<form" not in text
    assert "data-px-open" not in text
    assert client.get(reverse("step", args=[world.workflow.pk, _invoice(world).pk]), headers=PANEL).status_code == 403


def test_a_fresh_form_and_one_brought_up_to_date_hint_and_do_not_complain(builder: Client, world: World) -> None:
    address = reverse("new_step", args=[world.draft.pk]) + "?operation=xero.create_invoice"
    fresh = builder.get(address)
    reloaded = builder.post(address, {"name": "", "max_attempts": "", "connection": "", "_reload": "1"}, headers=FORM)
    for answer in (fresh, reloaded):
        assert 'aria-invalid="true"' not in _text(answer)
        assert "px-errors" not in _text(answer)
        assert 'class="px-required"' in _text(answer)
    saved = builder.post(address, {"name": "", "max_attempts": "", "connection": ""})
    assert "Give the step a name." in _text(saved)


# --- two people -----------------------------------------------------------------------------------------------------


_WAIT = {"name": "Wait", "in.how": "for", "in.amount": "3", "in.unit": "days", "on_error": "stop"}


def _delay(world: World, builder: Client) -> str:
    builder.post(
        reverse("new_step", args=[world.draft.pk]) + "?kind=delay",
        _WAIT,
    )
    return reverse("step", args=[world.draft.pk, world.draft.steps.get(kind="delay").pk])


def _posted(revision: int, **values: str) -> dict[str, str]:
    return {**_WAIT, "_revision": str(revision), **values}


def test_the_second_to_save_a_step_is_told_who_was_first_and_overwrites_nothing(
    builder: Client, cast: Cast, world: World
) -> None:
    address = _delay(world, builder)
    seen = builder.get(address).context["revision"]
    builder.post(address, _posted(seen, **{"in.amount": "5"}))
    answer = _second_builder(cast).post(address, _posted(seen, name="Wait longer", **{"in.amount": "9"}))
    conflict = answer.context["conflict"]
    assert conflict.by == cast.builder
    assert conflict.rows == [("How many", "5", "9"), ("Name", "Wait", "Wait longer")]
    text = _text(answer)
    assert "builder saved this" in text
    assert 'value="9"' in text, "what was typed is still there"
    assert _stored(address) == ("Wait", "5")


def test_mine_anyway_overwrites_what_was_shown_and_only_that(builder: Client, cast: Cast, world: World) -> None:
    address = _delay(world, builder)
    seen = builder.get(address).context["revision"]
    builder.post(address, _posted(seen, **{"in.amount": "5"}))
    second = _second_builder(cast)
    shown = second.post(address, _posted(seen, **{"in.amount": "9"})).context["conflict"].revision
    builder.post(address, _posted(shown, **{"in.amount": "6"}))
    answer = second.post(address, {**_posted(seen, **{"in.amount": "9"}), "_mine": str(shown)})
    assert answer.context["conflict"].rows == [("How many", "6", "9")], "it was saved once more"
    again = answer.context["conflict"].revision
    second.post(address, {**_posted(seen, **{"in.amount": "9"}), "_mine": str(again)})
    assert _stored(address) == ("Wait", "9")


def test_theirs_shows_what_is_stored(builder: Client, world: World) -> None:
    address = _delay(world, builder)
    answer = builder.post(address, {**_posted(1, name="Mine"), "_theirs": "1"}, follow=True)
    assert answer.redirect_chain == [(address, 302)]
    assert _stored(address) == ("Wait", "3")


def test_conditions_and_the_trigger_are_guarded_too(builder: Client, cast: Cast, world: World) -> None:
    path = reverse("workflow_filter", args=[world.workflow.pk])
    row = {"row": "0", "parent.0": "", "operator.0": "text.contains", "left.0": "{{ trigger.title }}", "name": "Filter"}
    seen = builder.get(path).context["revision"]
    builder.post(path, {**row, "right.0": "tart", "_revision": seen})
    answer = _second_builder(cast).post(path, {**row, "right.0": "cake", "_revision": seen})
    assert answer.context["conflict"].rows == [
        ("Conditions", 'title contains "tart"', 'title contains "cake"'),
    ]
    address = reverse("workflow_trigger", args=[world.workflow.pk])
    form = {"connection": world.workflow.trigger_connection_id, "in.board_id": BOARD, "interval_minutes": "5"}
    seen = builder.get(address).context["revision"]
    assert builder.post(address, {**form, "_revision": seen}).status_code == 302
    answer = _second_builder(cast).post(address, {**form, "interval_minutes": "9", "_revision": seen})
    assert answer.context["conflict"].rows == [("Check every (minutes)", "5", "9")]


def _second_builder(cast: Cast) -> Client:
    user = User.objects.get_or_create(username="second")[0]
    Membership.objects.get_or_create(team=cast.team, user=user, role=Role.BUILDER)
    client = Client()
    client.force_login(user)
    return client


def _stored(address: str) -> tuple[str, str]:
    step = Step.objects.get(pk=int(address.rstrip("/").rpartition("/")[2]))
    return step.name, step.settings["amount"]


def test_two_who_change_a_line_see_it_named_as_the_form_does(builder: Client, cast: Cast, world: World) -> None:
    step = _invoice(world)
    address = reverse("step", args=[world.workflow.pk, step.pk])
    seen = builder.get(address).context["revision"]
    typed = {
        "name": step.name,
        "connection": str(world.xero.pk),
        "on_error": "stop",
        "max_attempts": "5",
        "in.contact_id": "0b4ba3c5-1c12-4c6f-9e6e-000000000001",
        "in.lines~row": ["0"],
        "in.lines.0.description": "Oak",
        "in.lines.0.account_code": "200",
        "_revision": str(seen),
    }
    assert builder.post(address, typed).status_code == 302
    answer = _second_builder(cast).post(address, {**typed, "in.lines.0.description": "Ash"})
    assert answer.context["conflict"].rows == [("Line 1, description", "Oak", "Ash")]
