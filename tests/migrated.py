"""The test database as its migrations leave it, kept between runs of the tests.

Migrating takes ten seconds of a processor, and every run of a single file would pay them. On SQLite the migrated
database is kept below .local; on PostgreSQL it is a database of the server, of which the test databases are copies.
Both are named after what they were made from; a changed migration or requirement makes another. Tests of processes
that open a SQLite database of their own begin with a copy of the kept one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper


def _digest() -> str:
    """Depends on every migration and on the requirements."""
    digest = hashlib.sha256()
    for each in sorted([*settings.BASE_DIR.glob("*/migrations/*.py"), settings.BASE_DIR / "requirements.txt"]):
        digest.update(each.relative_to(settings.BASE_DIR).as_posix().encode() + b"\0" + each.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def kept_file() -> Path:
    """Where SQLite's migrated database is kept."""
    folder: Path = settings.BASE_DIR / ".local" / "migrated"
    return folder / f"{_digest()}.db"


@contextmanager
def from_kept_file(connection: BaseDatabaseWrapper, kept: Path) -> Iterator[None]:
    """While it is open, a test database that is created begins as the kept one, so that nothing is left to migrate."""
    creation: Any = connection.creation
    create = creation._create_test_db

    def create_and_fill(*args: Any, **kwargs: Any) -> str:
        name = str(create(*args, **kwargs))
        source, target = sqlite3.connect(f"file:{kept}?mode=ro", uri=True), sqlite3.connect(name, uri=True)
        with closing(source), closing(target):
            source.backup(target)
            _hold_open(connection, name)
        return name

    creation._create_test_db = create_and_fill
    try:
        yield
    finally:
        creation._create_test_db = create


def copy_to(path: Path) -> None:
    """Begin a SQLite database there as the migrated one, which is made first where none is kept."""
    kept = kept_file()
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        being_made = kept.with_suffix(f".{os.getpid()}.made")
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "pinxero.settings",
            "DATABASE_URL": f"sqlite:///{being_made}",
        }
        for command in (["migrate", "--verbosity", "0"], ["createcachetable"]):
            subprocess.run(
                [sys.executable, "manage.py", *command], cwd=settings.BASE_DIR, env=environment, check=True, timeout=90
            )
        being_made.replace(kept)
    shutil.copyfile(kept, path)


def _hold_open(connection: BaseDatabaseWrapper, name: str) -> None:
    # A database in memory lives as long as somebody has it open, and Django opens it only after this.
    connection._kept_open = sqlite3.connect(name, uri=True, check_same_thread=False)  # type: ignore[attr-defined]


def keep(connection: BaseDatabaseWrapper, kept: Path) -> None:
    """Keep the database that has just been migrated, and remove those made from older migrations."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Several test processes may do this at once; each renames a whole file.
    being_made = kept.with_suffix(f".{os.getpid()}.part")
    connection.ensure_connection()
    with closing(sqlite3.connect(being_made)) as target:
        connection.connection.backup(target)
    being_made.replace(kept)
    for older in kept.parent.glob("*.db"):
        if older != kept:
            older.unlink(missing_ok=True)


@contextmanager
def from_template(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """While it is open, a test database that is created on PostgreSQL is a copy of a migrated one."""
    prefix = f"test_{connection.settings_dict['NAME']}_migrated_"
    template = prefix + _digest()
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        # The first of several test processes makes it; the others wait.
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [prefix])
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        found = {name for (name,) in cursor.fetchall()}
        for older in found - {template}:
            cursor.execute(f'DROP DATABASE "{older}" WITH (FORCE)')
        if template not in found:
            being_made = f"{prefix}part"
            cursor.execute(f'CREATE DATABASE "{being_made}"')
            _migrate(connection, being_made)
            cursor.execute(f'ALTER DATABASE "{being_made}" RENAME TO "{template}"')
    settings_of_tests = connection.settings_dict["TEST"]
    before = settings_of_tests.get("TEMPLATE")
    settings_of_tests["TEMPLATE"] = template
    try:
        yield
    finally:
        settings_of_tests["TEMPLATE"] = before


def _migrate(connection: BaseDatabaseWrapper, name: str) -> None:
    connection.close()
    name_before, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], name
    try:
        call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
        call_command("createcachetable", verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name_before
