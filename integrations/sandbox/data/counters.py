"""Numbers that are used only once, even if the record that had one is deleted."""

from django.db import connection

_TAKE = (
    "INSERT INTO sandbox_setting (name, value) VALUES (%s, %s) "
    "ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + excluded.value RETURNING value"
)


def take(name: str, count: int = 1) -> int:
    """The first of the next `count` numbers, from 1. Call it inside a writing transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [name, str(count)])
        return int(cursor.fetchone()[0]) - count + 1
