"""Settings for mypy's Django plugin only: both processes' applications and settings at once, so that all is checked."""

from integrations.sandbox.settings import SANDBOX_CLIENTS, SANDBOX_RECORD, SANDBOX_TIME_SCALE
from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as _APPS

__all__ = ["SANDBOX_CLIENTS", "SANDBOX_RECORD", "SANDBOX_TIME_SCALE"]

INSTALLED_APPS = [*_APPS, "integrations.sandbox.apps.SandboxConfig"]
