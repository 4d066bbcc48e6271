"""Bills on the scripted provider, under a team's guards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.framework.base import Item
from tests.base import Cast
from tests.workflows.conftest import Make, do_poll, drain
from tests.workflows.scripted.connector import NewThing, Provider
from workflows.guards import settings
from workflows.guards.settings import Settings
from workflows.models import Run, Workflow
from workflows.triggers import polling

INPUTS = {name: f"{{{{ trigger.{name} }}}}" for name in ("number", "amount", "currency", "day")}
INPUTS["name"] = "{{ trigger.supplier }}"
Write = Callable[..., Run]


def guarded(cast: Cast, **values: Any) -> None:
    """Set the team's guards; what is not given is off."""
    settings.save(cast.team, Settings(**values), by=cast.administrator)


@pytest.fixture
def write(provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Have a bill written, as far as the guards let it; the run of it."""
    sample = {"supplier": "S-1", "number": "7", "amount": 1, "currency": "NZD", "day": "2026-11-20"}
    monkeypatch.setattr(NewThing, "sample", {**NewThing.sample, **sample})
    workflow: Workflow = make_workflow(actions=("write_bill",), inputs=INPUTS)
    drain()

    def bill(amount: str | None = "100", **values: Any) -> Run:
        number = len(provider.items) + 1
        data = {"supplier": "S-1", "number": "", "currency": "NZD", "day": "2026-11-20", **values, "amount": amount}
        provider.items.append(Item(key=str(number), data={"id": str(number), "title": "Bill", **data}))
        workflow.refresh_from_db()
        polling.poll_now(workflow.listens_to)
        assert do_poll()
        drain()
        return Run.objects.latest("pk")

    return bill
