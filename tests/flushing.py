"""How a transactional test empties PostgreSQL at its end.

TRUNCATE makes a new file for each of a hundred tables and their indexes. A test leaves rows in few of them, and few
rows, so that deleting these takes a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

#: Bytes of a table from which on it is truncated after all.
LARGE = 8_000_000

_truncate = DatabaseOperations.sql_flush


def delete_rows(
    self: DatabaseOperations,
    style: Any,
    tables: Sequence[str],
    *,
    reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:
    """Stands in for `sql_flush`: the statements that delete every row, in one transaction as Django runs them."""
    if not tables or reset_sequences or allow_cascade or not _deleting_is_allowed_and_quick(self, tables):
        truncating: list[str] = _truncate(
            self, style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade
        )
        return truncating
    names = sorted(tables)
    held = ", ".join(f"EXISTS (SELECT FROM {self.quote_name(name)})" for name in names)
    with self.connection.cursor() as cursor:
        cursor.execute(f"SELECT {held}")
        with_rows = [name for name, holds in zip(names, cursor.fetchone(), strict=True) if holds]
    # Replication skips the triggers that enforce foreign keys: every table they lead to is emptied as well.
    return [
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {self.quote_name(name)}" for name in with_rows),
    ]


def _deleting_is_allowed_and_quick(operations: DatabaseOperations, tables: Sequence[str]) -> bool:
    # Only a superuser may let foreign keys rest, and what was a million rows is read by every query until a vacuum.
    sizes = "SELECT max(pg_relation_size(quote_ident(name)::regclass)) FROM unnest(%s::text[]) AS name"
    with operations.connection.cursor() as cursor:
        cursor.execute(f"SELECT rolsuper, ({sizes}) FROM pg_roles WHERE rolname = current_user", [list(tables)])
        is_superuser, bytes_of_the_largest = cursor.fetchone()
    return bool(is_superuser) and bytes_of_the_largest < LARGE
