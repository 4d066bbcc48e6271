"""Notices that nobody needs any more are dropped; unread ones never are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.base import Cast
from tests.workflows.conftest import Make
from tests.workflows.scripted.connector import Provider
from workflows.models import Notice
from workflows.notifications import notify

pytestmark = pytest.mark.django_db


def test_notices_that_were_read_long_ago_are_dropped_and_unread_ones_never(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow()
    for read_long_ago in (True, False):
        title = f"{workflow.name}: a run failed"
        notify.notify(notify.Matter(workflow.team_id, Notice.Kind.FAILED, title, "Unknown account.", workflow))
        if read_long_ago:
            notify.mark_read(Notice.objects.all(), by=cast.builder)
    Notice.objects.exclude(read_at=None).update(read_at=timezone.now() - timedelta(days=401))
    Notice.objects.filter(read_at=None).update(last_at=timezone.now() - timedelta(days=900))
    assert notify.forget_old() == 1
    assert Notice.objects.get().read_at is None
