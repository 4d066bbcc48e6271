"""In an action's form, a record such as a contact that is found or created by a step of its own before the action.

An action makes one write, and a document that creates its own contact would make two, or take whoever has the name. So
choosing "find or create" in a form adds the provider's action for that as a step before this one when the form is
saved, and refers to what it gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.http import QueryDict

from integrations.framework.base import Action, Record
from integrations.models import Connection
from integrations.schema.fields import Field
from workflows.definitions import editing
from workflows.definitions.tree import Place
from workflows.forms import schema_form
from workflows.forms.form_controls import FIND, RecordOffer
from workflows.language.references import TokenGroup
from workflows.models import Workflow
from workflows.presenters.editor import record_offers
from workflows.presenters.editor.record_offers import Giver
from workflows.views.common import missing_scopes

#: What values that are e-mail addresses are called, without underscores.
_MAILS = ("email", "emailaddress", "mail")


@dataclass
class RecordFinding:
    """The inputs of one form that choose records, and what was typed to find or create one."""

    action: Action
    connection: Connection | None
    posted: QueryDict | None
    groups: Sequence[TokenGroup]
    #: By input: what was typed into the inputs of the action that finds or creates.
    typed: dict[str, dict[str, str]] = field(default_factory=dict)

    def read(self, sources: Mapping[str, object]) -> None:
        """Take what was typed where a record is to be found or created; at first, what the values suggest."""
        for name, _, _, asked in self._wanted(sources):
            posted = self.posted or QueryDict()
            prefix = f"{schema_form.PREFIX}{name}{FIND}."
            given = {f.name: posted.get(prefix + f.name) for f in asked}
            suggested = {} if any(text is not None for text in given.values()) else self._suggested(asked)
            self.typed[name] = {each: text or suggested.get(each, "") for each, text in given.items()}

    def offers(self, known: Sequence[Giver]) -> dict[str, RecordOffer]:
        """The further ways to give each record, by input."""
        made = {}
        for name, record, finder in self._inputs():
            asked = record_offers.asked_fields(finder, record) if finder is not None else []
            earlier = record_offers.earlier(record, self.action, self.connection, known)
            made[name] = RecordOffer(record.noun, earlier, asked, self.typed.get(name, {}), record.find_help)
        return made

    def problems(self, sources: Mapping[str, object]) -> dict[str, str]:
        """What keeps a record from being found: something is missing, or cannot be read."""
        found: dict[str, str] = {}
        for name, record, finder, asked in self._wanted(sources):
            typed = self.typed.get(name, {})
            said = schema_form.problems(finder.Inputs, dict(typed), takes_tokens=True)
            for f in asked:
                if not typed.get(f.name, "").strip():
                    said[f.name] = f"{f.label} is needed, because the {record.noun} is found by it or created with it."
            found |= {f"{name}{FIND}.{each}": sentence for each, sentence in said.items() if each in typed}
        return found

    def add_steps(self, workflow: Workflow, sources: editing.Sources, place: Place, *, by: User | None) -> None:
        """Add a step at the place for each record to be found or created, and refer to it in the sources."""
        for name, record, finder, _ in list(self._wanted(sources)):
            given: editing.Sources = {**schema_form.defaults(finder.Inputs), **self.typed[name]}
            draft = editing.StepDraft(finder.name, finder.full_key, self.connection, given)
            step = editing.save_step(workflow, None, draft, place=place, by=by)
            sources[name] = f"{{{{ steps.{step.key}.{record.ids[0]} }}}}"

    def _inputs(self) -> Iterator[tuple[str, Record, Action | None]]:
        for name, record in record_offers.record_inputs(self.action).items():
            finder = record_offers.finder_of(self.action, record)
            may = finder is not None and self.connection is not None and not missing_scopes(finder, self.connection)
            yield name, record, finder if may else None

    def _wanted(self, sources: Mapping[str, object]) -> Iterator[tuple[str, Record, Action, list[Field]]]:
        """The inputs for which a record is to be found or created."""
        for name, record, finder in self._inputs():
            if sources.get(name) == FIND and finder is not None:
                yield name, record, finder, record_offers.asked_fields(finder, record)

    def _suggested(self, asked: Sequence[Field]) -> dict[str, str]:
        """The name and e-mail that stand together among the values, if there is an e-mail."""
        for group in self.groups:
            by_name = {_last_name(token.path): token.source for token in reversed(group.tokens)}
            mail = next((by_name[name] for name in _MAILS if name in by_name), "")
            if mail:
                found = {"email": mail, "name": by_name.get("name", "")}
                return {f.name: found.get(f.name, "") for f in asked}
        return {}


def _last_name(path: str) -> str:
    return path.rpartition(".")[2].lower().replace("_", "")
