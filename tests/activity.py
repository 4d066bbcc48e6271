"""Entries of the audit trail for tests of the activity page."""

from __future__ import annotations

from typing import Any

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.models import AuditEntry
from tests.base import Cast

PAGE = "/activity/"


def add(cast: Cast, name: str = "Pins to invoices", action: Audited = Audited.WORKFLOW_ON, **more: Any) -> AuditEntry:
    """An entry of the cast's team, about a workflow that is not there unless told."""
    about = more.pop("about", None) or About("workflow", 10**6, name)
    return record(action, **{"team_id": cast.team.pk, "about": about, "by": cast.builder, **more})
