"""The Makefile on machines that are not as they should be: it says what is wrong and what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="There is no make on this machine.")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone as far as make sees it, in a folder that needs quoting."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    mine = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON"}  # of the make that may be running these tests
    return subprocess.run(
        ["make", *words],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in mine},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def script(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_an_environment_whose_python_has_gone_is_installed_anew(clone: Path) -> None:
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").symlink_to("/nowhere/python3")  # as after an upgrade of the system's Python
    (clone / ".venv/installed").touch()
    planned = make(clone, "-n", "run", f"PYTHON={sys.executable}").stdout
    assert "-m venv --clear .venv" in planned
    assert "pip --disable-pip-version-check install -r requirements.txt" in planned


def test_an_installed_environment_is_used_as_it_is(clone: Path) -> None:
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").symlink_to(sys.executable)
    (clone / ".venv/installed").touch()
    assert make(clone, "-n", "run").stdout == "exec .venv/bin/python manage.py dev\n"


def test_a_python_that_is_not_there_is_named(clone: Path) -> None:
    outcome = make(clone, "run", "PYTHON=/nowhere/my python")
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("/nowhere/my python cannot be run. Say where Python 3.11 or newer is: ")


def test_a_python_that_is_too_old_is_named_with_its_version(clone: Path, tmp_path: Path) -> None:
    old = script(tmp_path / "my tools/python3.9", 'test "$1" = --version && echo Python 3.9.2', "exit 1")
    outcome = make(clone, "run", f"PYTHON={old}")
    assert outcome.returncode == 2
    assert outcome.stderr.startswith(f"{old} is Python 3.9.2; Pinxero needs Python 3.11 or newer.\n")
    assert not (clone / ".venv").exists()


def test_no_python_at_all_says_what_to_install(clone: Path) -> None:
    outcome = make(clone, "run", "PYTHON=")
    assert outcome.stderr.startswith("Pinxero needs Python 3.11 or newer, and none was found. Install one, ")


def test_packages_that_cannot_be_had_leave_a_sentence_and_are_tried_again(clone: Path) -> None:
    script(clone / ".venv/bin/python", "echo 'No matching distribution found' >&2; exit 1")
    for _ in range(2):
        outcome = make(clone, "run")
        assert outcome.returncode == 2
        assert "The packages could not be installed; pip says why above." in outcome.stderr
    assert not (clone / ".venv/installed").exists()
