"""Evidence packs for tests: a run with a document, packs downloaded and unpacked, their script run as people run it."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from django.test import Client
from django.urls import reverse

from integrations.core.exact_json import loads
from tests.workflows.pages.test_documents import DETAILS, ROWS, write
from tests.world import World
from workflows.books import postings
from workflows.models import Run, StepRun

Files = Mapping[str, bytes]


def write_document(world: World) -> None:
    """The world's run has written its invoice, and the run ended well."""
    world.xero.details = {**world.xero.details, **DETAILS}
    world.xero.save()
    write(world, ROWS)
    StepRun.objects.filter(pk=world.step_run.pk).update(
        response_status=200,
        response_headers={"content-type": "application/json"},
        response_body='{"Invoices":[{"Total":87.740}]}',
    )
    postings.record([StepRun.objects.select_related("run__version").get(pk=world.step_run.pk)])
    Run.objects.filter(pk=world.run.pk).update(status=Run.Status.SUCCEEDED, error="")


def unzipped(response: Any) -> dict[str, bytes]:
    """The files of a pack, by name, in their order."""
    assert response.status_code == 200
    with ZipFile(io.BytesIO(b"".join(response.streaming_content))) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def pack_of_run(client: Client, run: int) -> dict[str, bytes]:
    return unzipped(client.get(reverse("run_evidence", args=[run])))


def pack_of_documents(client: Client, **chosen: str) -> dict[str, bytes]:
    return unzipped(client.get(reverse("documents_evidence"), chosen))


def json_of(files: Files, name: str) -> Any:
    """A file's JSON, its numbers exact."""
    return loads(files[name])


def unpack(files: Files, folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def checked(folder: Path) -> tuple[int, list[str]]:
    """What the pack's own script says: its exit code and its lines. It sees nothing of Pinxero."""
    outcome = subprocess.run(
        [sys.executable, "-I", "-S", "check.py"], cwd=folder, capture_output=True, text=True, check=False, env={}
    )
    assert outcome.stderr == ""
    return outcome.returncode, outcome.stdout.splitlines()
