"""A pack is checked by its own script, alone: what differs, is missing or was added is found and named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from django.test import Client

from integrations.audit.actions import Audited
from integrations.models import AuditEntry
from tests.base import Cast
from tests.workflows.evidence.packs import checked, pack_of_documents, pack_of_run, unpack, write_document
from tests.world import World
from workflows.evidence import pack

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(builder: Client, world: World, tmp_path: Path) -> Path:
    """An unpacked pack of the world's run."""
    write_document(world)
    unpack(pack_of_run(builder, world.run.pk), tmp_path)
    return tmp_path


def manifest_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def test_a_pack_as_it_was_made_checks_itself(folder: Path) -> None:
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(listed) == there - {"manifest.json"}
    code, lines = checked(folder)
    assert (code, lines[0]) == (0, f"SHA-256 of manifest.json: {manifest_hash(folder)}")
    assert lines[-1] == f"All {len(listed)} files are as they were made."
    assert checked(folder)[0] == 0  # it has left nothing behind


def test_the_audit_trail_holds_the_hash_of_the_manifest(folder: Path, world: World, cast: Cast) -> None:
    begun, complete = AuditEntry.objects.filter(action=Audited.EXPORTED).order_by("number")
    assert begun.after == {"File": "Evidence pack"}
    assert complete.after == {"File": "Evidence pack, complete", pack.MANIFEST_HASH: manifest_hash(folder)}
    for entry in (begun, complete):
        assert (entry.chain, entry.person) == (cast.team.pk, cast.builder.pk)
        assert (entry.object_type, entry.object_id) == ("run", str(world.run.pk))
        assert entry.origin_seal


def test_a_download_that_breaks_off_is_in_the_trail_without_a_hash(world: World, cast: Cast) -> None:
    parts = pack.of_run(world.run, by=cast.builder).begin()
    assert next(parts)
    parts.close()  # type: ignore[attr-defined]
    (entry,) = AuditEntry.objects.filter(action=Audited.EXPORTED)
    assert entry.after == {"File": "Evidence pack"}


@pytest.mark.parametrize(
    "name",
    ["run.json", "document.json", "decisions.json", "version.txt", "audit.json", "calls/00001-request-body.json"],
)
def test_one_changed_byte_is_found_and_named(folder: Path, world: World, name: str) -> None:
    path = folder / f"run-{world.run.pk}" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    code, lines = checked(folder)
    assert (code, lines[0]) == (1, f"DIFFERENT: run-{world.run.pk}/{name}")
    assert lines[-1] == "NOT as it was made: 1 problem."


def test_a_missing_and_an_added_file_are_found_and_named(folder: Path) -> None:
    (folder / "summary.pdf").rename(folder / "summary (2).pdf")
    code, lines = checked(folder)
    assert (code, lines[:2]) == (1, ["MISSING: summary.pdf", "EXTRA: summary (2).pdf is not in the manifest"])


def test_an_added_name_that_no_terminal_shows_is_named_too(folder: Path) -> None:
    (folder / "ad\u202eded").write_text("x")
    assert checked(folder)[1][0] == r"EXTRA: ad\u202eded is not in the manifest"


def test_an_entry_changed_together_with_the_manifest_does_not_give_its_hash(folder: Path, world: World) -> None:
    name = f"workflow-{world.workflow.pk}/audit.json"
    content = (folder / name).read_bytes().replace(b'"role": "builder"', b'"role": "auditor"', 1)
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    first = AuditEntry.objects.filter(object_type="workflow", object_id=str(world.workflow.pk)).order_by("number")[0]
    code, lines = checked(folder)
    assert (code, lines[0]) == (1, f"AUDIT ENTRY {first.number} in {name} does not give its hash")


def test_a_damaged_manifest_is_no_pack(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"files": []}')
    code, lines = checked(folder)
    assert code == 1
    assert lines[0].startswith("manifest.json cannot be read: ")


def test_an_empty_period_is_a_pack_too(builder: Client, world: World, tmp_path: Path) -> None:
    files = pack_of_documents(builder, since="2001-01-01", until="2001-01-31")
    assert list(files) == ["read-me.txt", "check.py", "documents.csv", "summary.pdf", "manifest.json"]
    unpack(files, tmp_path)
    assert checked(tmp_path)[0] == 0
