"""The first document of a workflow in live books, where it has written to a demo company before: it is held.

A workflow is built and tried on a demo company, and then given the live organisation. Its accounts, tax rates and
contacts may mean something else there, so a person looks at what it writes first.
"""

from __future__ import annotations

from workflows.engine.writes.gates import Intent
from workflows.guards.settings import Settings
from workflows.guards.stops import Stop
from workflows.models import Posting

_CODE = "first_in_live_books"


def look(intent: Intent, settings: Settings) -> Stop | None:
    """Read where the workflow has written before, and decide. Where nobody knows whether books are live, they pass."""
    connection = intent.connection
    if not settings.holds_first_live or connection is None or connection.details.get("is_demo") is not False:
        return None
    written = Posting.objects.filter(team=intent.run.team_id, workflow=intent.run.workflow_id)
    known = list(written.order_by().values_list("connection", "connection__details").distinct())
    return decide(
        connection.name,
        has_written_here=any(pk == connection.pk for pk, _ in known),
        has_written_to_demo=any((details or {}).get("is_demo") is True for _, details in known),
    )


def decide(name: str, *, has_written_here: bool, has_written_to_demo: bool) -> Stop | None:
    """Whether it is the first one here after a demo company."""
    if has_written_here or not has_written_to_demo:
        return None
    return Stop(
        _CODE,
        f"This workflow was tried on a demo company, and this is the first that it writes to {name}, whose books are "
        "live. Look at accounts, tax rates and contact before it goes.",
    )
