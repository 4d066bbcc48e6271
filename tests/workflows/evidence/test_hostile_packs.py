"""Texts of other people in a pack: no name of a file is made of them, no PDF breaks, and secrets stay masked."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from integrations.models import Connection
from tests.base import Cast
from tests.hostile_texts import VALUES
from tests.test_canaries import canary
from tests.workflows.evidence.packs import Files, checked, json_of, pack_of_run, unpack, write_document
from tests.workflows.evidence.test_packs import drawn
from tests.world import World
from workflows.evidence.archive import Archive
from workflows.evidence.paper import MISSING, Paper
from workflows.models import Decision, Event, Posting, Run, StepRun, Workflow
from workflows.presenters.presentation import MASK
from workflows.triggers import inbound_webhooks

__all__ = ["drawn"]

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
SAFE = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*(\.[a-z0-9]+)?")


@pytest.mark.parametrize("text", [*VALUES, "W" * 5000, "\n".join("W" * 60) * 40, "{nb}", "**b** __u__", "א" * 900])
def test_no_text_breaks_the_pdf(text: str) -> None:
    paper = Paper(text, NOW)
    for level in (1, 2, 3):
        paper.heading(text, level)
    paper.text_line(text, indent=40, is_small=True)
    paper.facts([(text, text), ("Label", text)])
    paper.table(["A", "B", "C"], [[text, text, text]] * 3, (8, 80, 12), [2])
    paper.amount_line(text, text, is_bold=True)
    paper.missing_note()
    content = bytes(paper.output())
    assert content.startswith(b"%PDF-")
    assert b"/URI" not in content
    assert b"/JavaScript" not in content


def test_latin_greek_and_cyrillic_are_drawn_and_what_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = Paper("Footer", NOW)
    known = "Zürich Łódź Ελλάδα Київ Việt Nam € £ ₹ – “ ” … e\u0301"
    assert paper.clean(known) == known.replace("e\u0301", "é")
    paper.missing_note()
    assert not paper.missing
    assert paper.clean("אב\u202e {nb}") == f"{MISSING * 3} {{nb}}"
    noted: list[str] = []
    monkeypatch.setattr(paper, "text_line", lambda text, **style: noted.append(text))
    paper.missing_note()
    assert "U+05D0, U+05D1, U+202E" in noted[0]
    assert not paper.missing


@pytest.mark.parametrize("name", ["../x", "/x", "a/../b", "a//b", "C:\\x", "a\\b", "", "a/", "A", "x\u202e", "a b"])
def test_an_archive_takes_no_name_that_leads_elsewhere(name: str) -> None:
    with pytest.raises(ValueError, match="no name for a file"):
        list(Archive(NOW).add(name, [b""]))


def test_an_archive_takes_each_name_once() -> None:
    archive = Archive(NOW)
    list(archive.add("a/b.txt", [b"1"]))
    with pytest.raises(ValueError, match="no name for a file"):
        list(archive.add("a/b.txt", [b"2"]))


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["../../etc/passwd%00.png", "\u202eetirw\x01\x08", "C:\\x\r\n/../{nb}", "=1+1"])
def test_hostile_titles_stay_texts(builder: Client, world: World, text: str, tmp_path: Path) -> None:
    write_document(world)
    Run.objects.filter(pk=world.run.pk).update(title=text, error=text, result=text)
    Workflow.objects.filter(pk=world.workflow.pk).update(name=text)
    Event.objects.filter(pk=world.event.pk).update(key=text, data={text: VALUES, "nested": {text: [text]}})
    StepRun.objects.filter(run=world.run).update(name=text, error=text, problems=[text])
    Posting.objects.update(number=text, contact=text, organisation=text, status=text, noun=text, described=text)
    Connection.objects.filter(pk=world.xero.pk).update(name=text)
    Decision.objects.create(run=world.run, what=Decision.What.CANCEL, reason="\n".join(VALUES))
    files = pack_of_run(builder, world.run.pk)
    assert [name for name in files if not SAFE.fullmatch(name)] == []
    run = json_of(files, f"run-{world.run.pk}/run.json")
    assert (run["title"], run["came_in"]["data"]["nested"]) == (text, {text: [text]})
    unpack(files, tmp_path / "pack")
    assert checked(tmp_path / "pack")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


@pytest.mark.django_db
def test_no_secret_is_in_any_file(builder: Client, world: World, cast: Cast, settings: Any, drawn: list[str]) -> None:
    write_document(world)
    known = {name: canary(name) for name in ("access", "refresh", "bearer", "api-key", "cookie", "answered")}
    grant = world.xero.grant
    grant.access_token, grant.refresh_token = known["access"], known["refresh"]
    grant.save()
    hook = inbound_webhooks.hook_of(world.workflow)
    known["hook"] = hook.token
    headers = [["Authorization", f"Bearer {known['bearer']}"], ["X-API-Key", known["api-key"]], ["X-Plain", "plain"]]
    StepRun.objects.filter(pk=world.step_run.pk).update(
        request={**world.step_run.request, "headers": headers},
        response_headers={"Set-Cookie": known["cookie"], "x-auth-token": known["answered"], "x-trace": "traced"},
    )
    files: Files = pack_of_run(builder, world.run.pk)
    everything = {**{name: content.decode("latin-1") for name, content in files.items()}, "drawn": "\n".join(drawn)}
    secrets = [*known.values(), *settings.TOKEN_KEYS, settings.XERO_CLIENT_SECRET]
    assert [f"{name}: {each[:14]}" for name, text in everything.items() for each in secrets if each in text] == []
    call = json_of(files, f"run-{world.run.pk}/calls/00001-call.json")
    assert ["X-API-Key", MASK] in call["request"]["headers"]
    assert ["X-Plain", "plain"] in call["request"]["headers"]
    assert ["x-trace", "traced"] in call["answer"]["headers"]
