"""Tokens made before they hung on a membership."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

_BEFORE, _COLUMN = "0016_run_turns", "0017_tokens_end_with_their_membership"
_AFTER = "0018_todays_tokens_hang_on_their_membership"


@pytest.mark.django_db(transaction=True)
def test_todays_tokens_go_on_and_those_of_people_who_left_have_ended() -> None:
    executor = MigrationExecutor(connection)
    # The two alone are taken back: no later one has touched the table, and taking back all would take long.
    for name, before in ((_AFTER, _COLUMN), (_COLUMN, _BEFORE)):
        state = executor.loader.project_state([("workflows", before), ("integrations", "0004_turns")])
        executor.unapply_migration(state, executor.loader.get_migration("workflows", name))
    executor.loader.build_graph()
    apps = executor.loader.project_state([("workflows", _BEFORE), ("integrations", "0004_turns")]).apps
    team = apps.get_model("integrations", "Team").objects.create(name="Acme Finance")
    users = [apps.get_model("auth", "User").objects.create(username=name) for name in ("stayed", "left")]
    mine = apps.get_model("integrations", "Membership").objects.create(team=team, user=users[0], role="builder")
    for user in users:
        token = apps.get_model("workflows", "ApiToken")(team=team, user=user, name=user.username)
        token.token_hash = user.username
        token.save()
    executor = MigrationExecutor(connection)
    executor.migrate([("workflows", _AFTER)])
    table = executor.loader.project_state([("workflows", _AFTER)]).apps.get_model("workflows", "ApiToken")
    assert list(table.objects.order_by("id").values_list("name", "membership_id")) == [
        ("stayed", mine.pk),
        ("left", None),
    ]
