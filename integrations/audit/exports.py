"""That somebody has taken data along as a file: recorded before the file is sent."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

from integrations.audit.actions import Audited
from integrations.audit.record import About, Person, record
from integrations.models import AuditEntry


def exported(
    about: About | models.Model,
    *,
    team_id: int | None,
    by: Person,
    form: str,
    chosen: Iterable[tuple[str, str]] = (),
) -> AuditEntry:
    """Record an export. `form` is what the file is, such as "CSV"; `chosen` the filter in force, as (label, value)."""
    words = {"File": form, **dict(chosen)}
    return record(Audited.EXPORTED, team_id=team_id, about=about, by=by, after=words)
