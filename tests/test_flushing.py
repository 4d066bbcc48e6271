"""Emptying PostgreSQL after a transactional test, which deletes rows where Django would truncate tables."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import IntegrityError, connection

from integrations.models import Membership
from pinxero.development.emptying import unprotected
from tests import flushing
from tests.base import make_cast

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
_NAMES = ("content_type__app_label", "content_type__model", "codename")


def flush() -> None:
    with unprotected():
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


def statements() -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return connection.ops.sql_flush(no_style(), tables)


def test_nothing_is_left_but_what_migrating_makes() -> None:
    permissions = set(Permission.objects.values_list(*_NAMES))
    make_cast()
    flush()
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        held = {name: cursor.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}
    left = {"django_content_type": ContentType.objects.count(), "auth_permission": len(permissions)}
    assert {name: count for name, count in held.items() if count and name != "django_migrations"} == left
    assert set(Permission.objects.values_list(*_NAMES)) == permissions


def test_only_tables_with_rows_are_touched() -> None:
    make_cast()
    touched = " ".join(statements())
    assert Membership._meta.db_table in touched
    assert "django_session" not in touched
    assert "TRUNCATE" not in touched


def test_what_holds_much_is_truncated(monkeypatch: pytest.MonkeyPatch) -> None:
    make_cast()
    monkeypatch.setattr(flushing, "LARGE", 1)
    assert [statement.split()[0] for statement in statements()] == ["TRUNCATE"]


def test_the_database_keeps_its_rules_afterwards() -> None:
    flush()
    with pytest.raises(IntegrityError):
        Membership.objects.create(team_id=0, user_id=0, role="builder")
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)
