"""Signed anchors: what was changed, cut or written anew before the last one is found, whoever owns the database."""

from __future__ import annotations

import json
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.audit import signing
from integrations.audit.actions import Audited
from integrations.audit.chain import entry_hash
from integrations.audit.verify import _entries
from integrations.models import AuditEntry, AuditHead
from pinxero.development.emptying import unprotected
from tests.base import Cast

from .test_verify import fill

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 30)


@pytest.fixture
def there(tmp_path: Path, settings: Any) -> Path:
    settings.ANCHOR_DIR = str(tmp_path / "anchors")
    settings.ANCHOR_KEY_FILE = str(tmp_path / "elsewhere" / "key.pem")
    return tmp_path / "anchors"


def _key(capsys: pytest.CaptureFixture[str]) -> str:
    call_command("audit", "public-key")
    return capsys.readouterr().out.strip()


def _file(there: Path) -> Path:
    return there / f"anchors-{TODAY}.jsonl"


def test_without_a_directory_nothing_is_made(settings: Any) -> None:
    assert [settings.ANCHOR_DIR, signing.daily(), signing.last()] == ["", 0, None]
    with pytest.raises(CommandError, match="PINXERO_ANCHOR_DIR"):
        call_command("audit", "public-key")


def test_each_chain_is_signed_once_a_day(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(7, 3)
    assert signing.daily(TODAY) == 2, "the team's, and the installation's, which holds that the key was made"
    before = _file(there).read_text()
    fill(8, 3)
    assert [signing.daily(TODAY), _file(there).read_text()] == [0, before]
    assert signing.last() == (TODAY, 2)
    key = _key(capsys)
    assert [signing.problem_of(line, key) for line in before.splitlines()] == ["", ""]
    call_command("audit", "verify", key=key)


def test_the_key_is_made_once_read_by_nobody_else_and_recorded(there: Path) -> None:
    first, second = signing.private_key(), signing.private_key()
    assert signing.public_hex(first) == signing.public_hex(second)
    path = signing.key_file()
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    entry = AuditEntry.objects.get(action=Audited.SIGNING_KEY_MADE)
    assert entry.after == {"Public key": signing.public_hex(first)}
    assert list(path.parent.iterdir()) == [path], "nothing half-written stays"


def test_a_tail_that_was_cut_with_a_new_head_is_found(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(7, 20)
    signing.daily(TODAY)
    with unprotected():
        AuditEntry.objects.filter(chain=7, number__gt=15).delete()
    last = AuditEntry.objects.get(chain=7, number=15)
    AuditHead.objects.filter(chain=7).update(number=15, hash=last.hash)
    with pytest.raises(SystemExit):
        call_command("audit", "verify")
    assert "entry 16 is missing, with all after it: an anchor names entry 20" in capsys.readouterr().err


def test_an_end_that_was_written_anew_is_found(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(7, 20)
    signing.daily(TODAY)
    with unprotected():
        AuditEntry.objects.filter(chain=7).delete()
        AuditHead.objects.filter(chain=7).delete()
    fill(7, 25)
    with unprotected():
        AuditEntry.objects.filter(chain=7).delete()
        AuditHead.objects.filter(chain=7).delete()
    _other(7, 25)
    with pytest.raises(SystemExit):
        call_command("audit", "verify")
    assert "was written anew" in capsys.readouterr().err


def _other(chain: int, count: int) -> None:
    """A chain that is whole in itself, with another past."""
    fill(99, count)
    previous = ""
    rows = []
    for content, _, _ in _entries(99):
        now = content._replace(chain=chain, reason="Nobody", previous_hash=previous)
        previous = entry_hash(now)
        rows.append(AuditEntry(**now._asdict(), hash=previous))
    AuditEntry.objects.bulk_create(rows)
    AuditHead.objects.create(chain=chain, number=count, hash=previous)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": 2}, "was changed: its signature does not fit"),
        ({"hash": "0" * 64}, "was changed: its signature does not fit"),
        ({"key": "0" * 64}, "was signed with another key"),
        ({"signature": "00"}, "was changed: its signature does not fit"),
        ({"signature": None}, "has no signature"),
    ],
)
def test_a_line_that_was_changed_is_named(
    there: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], words: str
) -> None:
    fill(7, 3)
    signing.daily(TODAY)
    lines = _file(there).read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | change)
    _file(there).write_text("\n".join(lines))
    with pytest.raises(CommandError, match=rf"Line 2 of .*{words}"):
        call_command("audit", "verify", key=_key(capsys))


def test_a_file_that_is_no_anchors_is_named(there: Path) -> None:
    there.mkdir()
    (there / "anchors-2026-11-01.jsonl").write_text("<html>")
    with pytest.raises(CommandError, match=r"anchors-2026-11-01.jsonl could not be read: Line 1 is no anchor"):
        call_command("audit", "verify")


def test_they_are_mailed_once_and_again_until_that_works(
    there: Path, settings: Any, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ANCHOR_MAIL = ["auditor@example.com"]
    fill(7, 3)

    def broken() -> Any:
        raise ConnectionRefusedError("no mail server")

    with monkeypatch.context() as patched:
        patched.setattr("integrations.audit.signing.mail.get_connection", broken)
        signing.daily(TODAY)
    assert mailoutbox == []
    for _ in range(2):
        signing.daily(TODAY)
    assert [message.to for message in mailoutbox] == [["auditor@example.com"]]
    text = mailoutbox[0].message().get_payload(decode=True).decode()
    assert _file(there).read_text().splitlines()[0][:40] in text


def test_the_page_of_activity_says_when_it_was_signed_last(there: Path, cast: Cast, client: Any) -> None:
    client.force_login(cast.auditor)
    assert "was last signed" not in client.get("/activity/").content.decode()
    signing.daily(TODAY)
    assert "on 30 Nov 2026" in client.get("/activity/").content.decode()
