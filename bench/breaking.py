"""Settings that break one thing on purpose, in the web server and in the worker.

A proof's control runs Pinxero's processes with `DJANGO_SETTINGS_MODULE=bench.breaking`; Pinxero itself has no switch
for any of it.
"""

import os

from django.apps import AppConfig

from pinxero.settings import *  # noqa: F403
from pinxero.settings import INSTALLED_APPS as _USUAL

#: `case:control`.
VARIABLE = "PINXERO_PROVE_BREAKS"


class Breaking(AppConfig):
    """Let the case break what its control names once everything else is loaded."""

    name = "bench"

    def ready(self) -> None:
        from bench import cases

        case, _, control = os.environ[VARIABLE].partition(":")
        cases.get(case).break_on_purpose(control)


INSTALLED_APPS = [*_USUAL, "bench.breaking.Breaking"]
