"""The database's clock as it is stored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.backends.sqlite3.base import DatabaseWrapper

from integrations.core.clock import DatabaseNow


@pytest.mark.parametrize("thousandths", [0, 1, 120, 999])
def test_sqlite_writes_its_moment_as_django_writes_one_of_python(thousandths: int) -> None:
    """Texts are compared: what is read and compared with what is stored must be equal, also at a whole second."""
    moment = datetime(2026, 11, 23, 12, 0, 7, thousandths * 1000, tzinfo=UTC)
    on: Any = SimpleNamespace(timezone=UTC)
    on.ops = DatabaseWrapper.ops_class(on)
    template, parameters = DatabaseNow().as_sqlite(None, on)
    assert parameters == []
    query = (template % ()).replace("'NOW'", "?")
    with closing(sqlite3.connect(":memory:")) as database:
        ((written,),) = database.execute(f"SELECT {query}", [f"{moment:%Y-%m-%d %H:%M:%S}.{thousandths:03}"]).fetchall()
    assert written == on.ops.adapt_datetimefield_value(moment)
