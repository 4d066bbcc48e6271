"""What goes on where the keys of TOKEN_KEYS are lost: every page, for none of them shows a token; only calls wait."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from integrations.core.encryption import UndecryptableError
from integrations.models import Connection, Grant
from tests.addresses import path_of
from tests.base import Cast, make_connection
from tests.permission_table import CONNECTIONS, PAGES, RULES
from tests.test_permissions import _Browsers, _said, _undone, world
from tests.world import World

__all__ = ["world"]

#: What has a connection behind it; the other tables of the admin have none.
_TABLES = ("integrations_connection", "integrations_grant", "workflows_run", "workflows_triggerstate")
NAMES = [
    *PAGES,
    *CONNECTIONS,
    *(name for table in _TABLES for name in RULES if name.startswith(f"admin:{table}_")),
]


def lose_keys(settings: Any) -> None:
    """From now on no key opens what is stored."""
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]


def test_every_page_answers_a_builder_as_if_no_key_were_lost(cast: Cast, world: World, settings: Any) -> None:
    lose_keys(settings)
    browsers, complaints = _Browsers(cast), []
    for name in NAMES:
        path = path_of(name, world)
        for how, data, rule in zip(("get", "post"), ({}, {"reason": ""}), RULES[name], strict=True):
            with _undone():
                got = _said(getattr(browsers.new("builder"), how)(path, data))
            if got != rule.split()[0]:
                complaints.append(f"{how} {path}: {got}, not {rule.split()[0]}")
    assert not complaints, "\n".join(complaints)


@pytest.mark.django_db
def test_a_row_is_read_and_stored_without_opening_what_it_hides(cast: Cast, settings: Any) -> None:
    make_connection(cast.team, "xero")
    right = settings.TOKEN_KEYS
    lose_keys(settings)
    grant = Connection.objects.select_related("grant").get().grant
    grant.label = "the books"
    grant.save()
    with pytest.raises(UndecryptableError):
        assert grant.access_token
    settings.TOKEN_KEYS = right
    stored = Grant.objects.get()
    assert (stored.label, stored.access_token, stored.refresh_token) == (
        "the books", "stored-access-token", "stored-refresh-token",
    )  # fmt: skip


@pytest.mark.django_db
def test_what_is_stored_unopened_is_stored_under_the_first_key(cast: Cast, settings: Any) -> None:
    make_connection(cast.team, "xero")
    [old] = settings.TOKEN_KEYS
    grant = Grant.objects.get()
    new = Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [new, old]
    grant.save()
    settings.TOKEN_KEYS = [new]
    assert Grant.objects.get().refresh_token == "stored-refresh-token"


@pytest.mark.django_db
def test_what_is_sealed_says_nothing_of_itself(cast: Cast) -> None:
    make_connection(cast.team, "xero")
    [sealed] = Grant.objects.values_list("access_token", flat=True)
    assert (str(sealed), repr(sealed)) == ("(sealed)", "(sealed)")
    assert sealed.open() == "stored-access-token"
