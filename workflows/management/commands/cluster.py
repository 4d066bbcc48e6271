"""`manage.py cluster`: the django-q2 cluster that `manage.py worker` supervises. Not started by hand."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from workflows.runtime import heartbeats
from workflows.runtime.broker import when_acknowledged

_PR_SET_PDEATHSIG = 1


class Command(BaseCommand):
    help = "The cluster below a worker; `manage.py worker` starts it."

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent(signal.SIGTERM)
        # Children of a killed sentinel would go on executing unseen.
        os.register_at_fork(after_in_child=lambda: die_with_parent(signal.SIGKILL))
        # Else each question is preceded by another, whether the database is there. Where it is lost, a task ends with
        # an error and the next one connects anew: the rows are the truth, and workers are woken again.
        for each in connections.all():
            each.settings_dict["CONN_HEALTH_CHECKS"] = False
        when_acknowledged(lambda: heartbeats.note(heartbeats.MONITOR))
        call_command("qcluster")


def die_with_parent(number: signal.Signals) -> None:
    """On Linux, let this process get a signal when its parent is gone, however the parent went."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
