"""Which organisation or account an operation's form works with, and what becomes of the values when that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from integrations.framework.base import Operation
from integrations.models import Connection
from integrations.teams.access import team_of
from workflows.definitions.editing import Sources
from workflows.forms import schema_form
from workflows.forms.foreign_values import ForeignValue, foreign_values, name_foreign_values
from workflows.presenters.labels import choice_labels
from workflows.views.common import connections_by_provider, loader, missing_scopes, pick_connection

_DECIDE = "Some values below are not there. Pick new ones, or tick that they stay as they are."


class ConnectionChoice:
    """The connection chosen in an operation's form, of those that the team has; `stored` is the one it had."""

    def __init__(self, request: HttpRequest, operation: Operation, stored: Connection | None) -> None:
        self.operation = operation
        self.mine = connections_by_provider(team_of(request)).get(operation.connector.key, [])
        posted = request.POST if request.method == "POST" else None
        self.refresh = posted.get("_refresh", "") if posted is not None else ""
        self.chosen, self.missing = pick_connection(
            self.mine, posted.get("connection") if posted is not None else None, stored
        )
        #: The one that the values were picked for.
        self.before = self._with_id(posted.get("connection_before", "")) if posted is not None else None
        self.keeps_values = posted is not None and "keep_values" in posted
        self.foreign: list[ForeignValue] = []
        if not operation.connector.needs_connection:
            self.chosen, self.missing = None, ""

    @property
    def problems(self) -> dict[str, str]:
        """The problem if none is chosen, or if nobody has said what becomes of values that are not there."""
        if self.missing:
            return {"connection": self.missing}
        return {"connection": _DECIDE} if self.foreign and not self.keeps_values else {}

    @cached_property
    def load(self) -> schema_form.Loader:
        """Fetch the choices of the form's inputs."""
        return loader(self.chosen, refresh=self.refresh)

    def compare(self, inputs: schema_form.Declared, sources: Sources) -> None:
        """Find the values that the organisation does not have, if it is another one than before."""
        if self.before is None or self.chosen is None or self.before.pk == self.chosen.pk:
            return
        labels = choice_labels([self.before])
        names = {key: its for (_, key), its in labels.items()}
        self.foreign = foreign_values(inputs.fields(), sources, load=self.load, names=names)

    def name_foreign_values(self, controls: Sequence[schema_form.Control]) -> None:
        """Show values that are not there by the names they had."""
        if self.chosen is not None:
            name_foreign_values(controls, self.foreign, self.chosen.name)

    def context(self, errors: Mapping[str, str]) -> dict[str, Any]:
        """What the template shows of it."""
        before = self.before if self.foreign else self.chosen
        return {
            "operation": self.operation,
            "connections": self.mine,
            "connection": self.chosen,
            "connection_before": before,
            "foreign_values": self.foreign,
            "keeps_values": self.keeps_values,
            "connection_error": errors.get("connection", ""),
            "missing_scopes": missing_scopes(self.operation, self.chosen) if self.chosen else [],
        }

    def _with_id(self, text: str) -> Connection | None:
        return next((each for each in self.mine if str(each.pk) == text), None)
