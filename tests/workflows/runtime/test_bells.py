"""The bell: as many unread_messages as there are workers, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from django_q.models import OrmQ

from workflows.runtime.broker import unread_messages, wake_worker

pytestmark = pytest.mark.django_db


def test_nobody_rings_while_every_workers_bell_is_unheard(settings: Any) -> None:
    settings.WORKERS = 3
    OrmQ.objects.all().delete()
    for _ in range(20):
        wake_worker()
    assert [OrmQ.objects.count(), unread_messages()] == [3, 3]
    wake_worker(5)
    assert OrmQ.objects.count() == 3
    OrmQ.objects.first().delete()
    wake_worker()
    assert OrmQ.objects.count() == 3
