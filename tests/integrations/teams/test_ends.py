"""A membership with an end: from then on it counts as none, wherever somebody asks what a person may do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.models import Membership, Role
from integrations.teams.access import Can, choose_team, may, role_may
from tests.base import Cast, sign_in_recently
from workflows.api import tokens
from workflows.models import Notice
from workflows.notifications import notify


def end(user: User, *, days: int) -> None:
    Membership.objects.filter(user=user).update(ends_at=timezone.now() + timedelta(days=days))


def test_an_auditor_reads_until_the_end_and_nothing_after_it(cast: Cast, client: Client) -> None:
    sign_in_recently(client, cast.auditor)
    end(cast.auditor, days=1)
    assert client.get(reverse("runs")).status_code == 200
    end(cast.auditor, days=-1)
    response = client.get(reverse("runs"))
    assert response.status_code == 403
    assert "You belong to no team yet" in response.content.decode()


def test_an_api_token_ends_with_the_membership(cast: Cast) -> None:
    _, text = tokens.make(cast.team, cast.builder, name="Shop", scope="start", days=None)
    end(cast.builder, days=1)
    assert tokens.bearer(text) is not None
    end(cast.builder, days=-1)
    assert tokens.bearer(text) is None
    with pytest.raises(tokens.TokenError):
        tokens.make(cast.team, cast.builder, name="Another", scope="read", days=None)


def test_mail_about_the_team_goes_to_nobody_whose_membership_has_ended(cast: Cast) -> None:
    notice = Notice(team=cast.team)
    assert cast.builder in notify.recipients(notice)
    end(cast.builder, days=-1)
    assert cast.builder not in notify.recipients(notice)
    assert cast.builder not in notify.possible_recipients(cast.team)


def test_a_builder_elsewhere_gets_no_mail_of_a_team_that_they_only_read(cast: Cast) -> None:
    Membership.objects.create(team=cast.team, user=cast.outsider, role=Role.AUDITOR)
    assert cast.outsider not in notify.recipients(Notice(team=cast.team))


def test_the_end_in_one_team_changes_nothing_in_another(cast: Cast, rf: RequestFactory) -> None:
    Membership.objects.filter(user=cast.builder).update(ends_at=timezone.now() - timedelta(seconds=1))
    Membership.objects.create(team=cast.other_team, user=cast.builder, role=Role.AUDITOR)
    request = rf.get("/")
    request.user, request.session = cast.builder, {}
    assert may(request, Can.LOOK)
    assert not may(request, Can.BUILD)
    assert choose_team(request, cast.other_team.pk)
    assert not choose_team(request, cast.team.pk)


def test_who_somebody_is_takes_one_query_a_request(cast: Cast, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user, request.session = cast.auditor, {}
    with CaptureQueriesContext(connection) as queries:
        assert may(request, Can.LOOK)
        assert not may(request, Can.ADMINISTER)
    assert len(queries) == 1


def test_a_role_that_has_ended_is_not_recorded_as_the_persons_role(cast: Cast) -> None:
    end(cast.auditor, days=-1)
    entry = record(Audited.SIGNED_IN, team_id=cast.team.pk, about=cast.auditor, by=cast.auditor)
    assert entry.role == ""


def test_an_administrator_reads_and_decides_about_people_and_neither_builds_nor_approves() -> None:
    assert {can for can in Can if role_may(Role.ADMINISTRATOR, can)} == {Can.LOOK, Can.ADMINISTER}
    assert [role for role in Role if role_may(role, Can.ADMINISTER)] == [Role.ADMINISTRATOR]
