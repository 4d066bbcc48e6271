"""Emptying a database whose records the database itself protects: for tests and proofs, never for people's data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

#: The audit trail, and what people have allowed.
_PROTECTED = (
    "integrations_auditentry",
    "workflows_approvalrequest",
    "workflows_approval",
    "workflows_approvalexclusion",
)


@contextmanager
def unprotected() -> Iterator[None]:
    """Within, these tables can be changed and emptied as by somebody who owns the database."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in _PROTECTED:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                for table in _PROTECTED:
                    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return
    with connection.cursor() as cursor:
        marks = ", ".join("%s" for _ in _PROTECTED)
        cursor.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({marks})",  # noqa: S608
            list(_PROTECTED),
        )
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for _, sql in triggers:
                cursor.execute(sql)
