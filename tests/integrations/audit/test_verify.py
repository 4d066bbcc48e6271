"""`manage.py audit verify`: whatever was done to the record behind Pinxero's back is found, at the right entry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.chain import Content, entry_hash
from integrations.audit.origin import Origin, coming_from
from integrations.audit.record import About, record
from integrations.audit.verify import Anchor, anchors, read_anchors, verify
from integrations.models import AuditEntry, AuditHead, AuditOrigin
from pinxero.development.emptying import unprotected
from tests.base import Cast

pytestmark = pytest.mark.django_db

MANY = 10_000


def fill(chain: int, count: int) -> None:
    """A chain as `record` would write it, stored at once."""
    entries, previous = [], ""
    for number in range(1, count + 1):
        content = Content(
            chain, number, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number), 1, "builder", "",
            "run.retry", "run", str(number), f"Run {number}", "Once more", {"Run": "Failed"}, {}, previous,
        )  # fmt: skip
        previous = entry_hash(content)
        entries.append(AuditEntry(**content._asdict(), hash=previous))
    AuditEntry.objects.bulk_create(entries, batch_size=500)
    AuditHead.objects.create(chain=chain, number=count, hash=previous)


def content_of(entry: AuditEntry) -> Content:
    return Content(**{name: getattr(entry, name) for name in Content._fields})


def at(number: int) -> Any:
    return AuditEntry.objects.filter(chain=7, number=number)


def change(number: int = 6000) -> None:
    at(number).update(reason="Something else")


def change_with_a_new_hash() -> None:
    change()
    at(6000).update(hash=entry_hash(content_of(at(6000).get())))


def change_the_time() -> None:
    at(6000).update(at=datetime(2026, 6, 1, tzinfo=UTC))


def change_the_link() -> None:
    at(6000).update(previous_hash="0" * 64)


def delete() -> None:
    at(6000).delete()


def delete_the_first() -> None:
    at(1).delete()


def delete_and_close_the_gap() -> None:
    at(6000).delete()
    for entry in AuditEntry.objects.filter(chain=7, number__gt=6000).order_by("number")[:50]:
        AuditEntry.objects.filter(pk=entry.pk).update(number=entry.number - 1)


def put_in() -> None:
    for entry in AuditEntry.objects.filter(chain=7, number__gte=6000).order_by("-number"):
        AuditEntry.objects.filter(pk=entry.pk).update(number=entry.number + 1)
    before = at(5999).get()
    content = content_of(before)._replace(number=6000, previous_hash=before.hash, reason="Never said")
    AuditEntry.objects.create(**content._asdict(), hash=entry_hash(content))


def put_in_at_the_end() -> None:
    last = at(MANY).get()
    content = content_of(last)._replace(number=MANY + 1, previous_hash=last.hash)
    AuditEntry.objects.create(**content._asdict(), hash=entry_hash(content))


def swap() -> None:
    one, other = at(6000).get(), at(7000).get()
    at(6000).update(number=MANY + 5)
    at(7000).update(number=6000)
    at(MANY + 5).update(number=7000)
    assert (at(6000).get().pk, at(7000).get().pk) == (other.pk, one.pk)


def cut_off_the_end() -> None:
    AuditEntry.objects.filter(chain=7, number__gte=6000).delete()


def change_the_last_with_a_new_hash() -> None:
    change(MANY)
    at(MANY).update(hash=entry_hash(content_of(at(MANY).get())))


TAMPERING: list[tuple[Callable[[], None], int, str]] = [
    (change, 6000, "was changed"),
    (change_with_a_new_hash, 6000, "was changed"),
    (change_the_time, 6000, "was changed"),
    (change_the_link, 6000, "was changed"),
    (delete, 6000, "is missing"),
    (delete_the_first, 1, "is missing"),
    (delete_and_close_the_gap, 6000, "was taken out"),
    (put_in, 6000, "was put in"),
    (put_in_at_the_end, MANY + 1, "was put in"),
    (swap, 6000, "was changed"),
    (cut_off_the_end, 6000, "is missing"),
    (change_the_last_with_a_new_hash, MANY, "was changed"),
]


def test_each_tampering_with_one_of_ten_thousand_is_found_at_its_entry(db: None) -> None:
    fill(7, MANY)
    assert verify(7).wrong is None
    assert verify(7).count == MANY
    found = []
    for tamper, _, _ in TAMPERING:
        # The triggers are put back before the rest is taken back.
        with transaction.atomic():
            with unprotected():
                tamper()
            wrong = verify(7).wrong
            transaction.set_rollback(True)
        found.append((tamper.__name__, wrong.number if wrong else 0, wrong.text if wrong else ""))
    wanted = [(tamper.__name__, number) for tamper, number, _ in TAMPERING]
    assert [(name, number) for name, number, _ in found] == wanted
    assert [text for _, _, text in found if text] != []
    for (_, _, text), (_, _, said) in zip(found, TAMPERING, strict=True):
        assert said in text


def test_an_end_cut_off_together_with_the_head_is_found_by_an_anchor(db: None) -> None:
    fill(7, 100)
    kept = anchors()
    with unprotected():
        AuditEntry.objects.filter(number__gt=60).delete()
        AuditHead.objects.update(number=60, hash=at(60).get().hash)
    assert verify(7).wrong is None
    wrong = verify(7, kept).wrong
    assert wrong is not None
    assert (wrong.number, wrong.text) == (61, "is missing, with all after it: an anchor names entry 100")


def test_a_chain_written_anew_is_found_by_an_anchor(db: None) -> None:
    fill(7, 100)
    kept = [Anchor(7, 50, at(50).get().hash), *anchors()]
    with unprotected():
        AuditEntry.objects.filter(chain=7).delete()
        AuditHead.objects.all().delete()
        fill(7, 30)
        AuditEntry.objects.all().delete()
        AuditHead.objects.all().delete()
        fill(7, 101)
        at(20).update(reason="Rewritten")
        previous = at(19).get().hash
        for entry in AuditEntry.objects.filter(number__gte=20).order_by("number"):
            content = content_of(entry)._replace(previous_hash=previous)
            previous = entry_hash(content)
            AuditEntry.objects.filter(pk=entry.pk).update(previous_hash=content.previous_hash, hash=previous)
        AuditHead.objects.update(hash=previous)
    assert verify(7).wrong is None
    wrong = verify(7, kept).wrong
    assert wrong is not None
    assert (wrong.number, "written anew" in wrong.text) == (50, True)


def test_an_address_may_be_erased_and_may_not_be_changed(cast: Cast) -> None:
    with coming_from(Origin("203.0.113.9", lambda: None)):
        entry = record(Audited.SIGNED_IN, team_id=cast.team.pk, about=cast.builder, by=cast.builder)
    assert verify(entry.chain).wrong is None
    AuditOrigin.objects.update(address="203.0.113.10")
    wrong = verify(entry.chain).wrong
    assert wrong is not None
    assert wrong.number == 1
    AuditOrigin.objects.all().delete()
    assert verify(entry.chain).wrong is None


def test_the_command_says_per_chain_what_is_wrong_and_ends_with_one(cast: Cast, capsys: Any) -> None:
    for number in range(3):
        record(Audited.WORKFLOW_ON, team_id=cast.team.pk, about=About("workflow", number, "W"), by=cast.builder)
    record(Audited.TEAM_CREATED, team_id=cast.other_team.pk, about=cast.other_team, by=None)
    record(Audited.TEAM_DELETED, team_id=None, about=cast.other_team, by=None)
    call_command("audit", "verify")
    said = capsys.readouterr().out
    assert "Acme Finance: 3 entries, as they were written." in said
    assert "Other Company: 1 entry, as it was written." in said
    assert "The installation: 1 entry, as it was written." in said
    with unprotected():
        AuditEntry.objects.filter(chain=cast.team.pk, number=2).update(reason="Another")
    with pytest.raises(SystemExit) as ended:
        call_command("audit", "verify")
    assert ended.value.code == 1
    assert "Acme Finance: entry 2 was changed: its content does not give its hash." in capsys.readouterr().err
    call_command("audit", "verify", team="Other Company")
    with pytest.raises(CommandError, match="no team called Nobody"):
        call_command("audit", "verify", team="Nobody")


def test_anchors_go_to_a_file_and_back(cast: Cast, tmp_path: Path, capsys: Any) -> None:
    record(Audited.TEAM_CHANGED, team_id=cast.team.pk, about=cast.team, by=None)
    call_command("audit", "anchor")
    file = tmp_path / "anchors.jsonl"
    file.write_text(capsys.readouterr().out + "\n")
    assert read_anchors(file.read_text().splitlines()) == anchors()
    call_command("audit", "verify", anchors=file)
    with unprotected():
        AuditEntry.objects.all().delete()
        AuditHead.objects.all().delete()
    with pytest.raises(SystemExit):
        call_command("audit", "verify", anchors=file)
    file.write_text("not an anchor")
    with pytest.raises(CommandError, match="Line 1 is no anchor"):
        call_command("audit", "verify", anchors=file)
