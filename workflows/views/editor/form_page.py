"""What every form of the editor does with a request: read it, save it if it is valid, else show it again.

A form defines what differs: what is stored, how it is read, its problems, how it is saved, what its template shows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import time
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib.auth.models import User
from django.db import models, transaction
from django.forms import Field as FormField
from django.forms import Form, PasswordInput
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from integrations.models import Connection
from integrations.schema.fields import Field
from integrations.schema.fields import place_of as place_in_form
from pinxero.pages import page
from workflows.definitions import editing, validation
from workflows.definitions.changes import deleting, revisions
from workflows.definitions.editing import Sources
from workflows.definitions.tree import Place
from workflows.forms import schema_form
from workflows.forms.list_use import use_list
from workflows.forms.page_forms import PlainForm
from workflows.language.functions import FUNCTIONS
from workflows.language.references import TokenGroup
from workflows.language.table_rows import EACH
from workflows.models import Revised, Step, Workflow
from workflows.presenters.editor.available_values import available_values
from workflows.presenters.editor.conflicts import Conflict, differing, of_all
from workflows.presenters.editor.value_offers import value_offers
from workflows.presenters.labels import choice_labels, place_query
from workflows.presenters.presentation import person
from workflows.presenters.step_cards import input_lines
from workflows.views.common import place_of, signed_in, steps_of
from workflows.views.editor.panel import editor_page

Typed = TypeVar("Typed")


class FormPage(ABC, Generic[Typed]):
    """One form. `Typed` is the type of what it edits: an operation's sources, a group of conditions."""

    template: ClassVar[str]
    #: Further fields beside it: a name, an interval.
    form: PlainForm

    def __init__(self, request: HttpRequest, workflow: Workflow, row: Revised | None) -> None:
        self.request = request
        self.workflow = workflow
        #: What it changes: a step, the workflow for its trigger, or another part of it. None for a new step.
        self.row = row
        #: What is left of a step that somebody has deleted since its form was opened.
        self.kept: Step | None = None
        self.conflict: Conflict | None = None
        self.posted: QueryDict | None = request.POST if request.method == "POST" else None
        #: Problems as sentences, by the path of their input.
        self.errors: dict[str, str] = {}

    def answer(self) -> HttpResponse:
        """Save what was posted and redirect; else show the form, as stored or as typed with its problems."""
        if self.posted is not None and "_theirs" in self.posted:
            return self._theirs()
        if self.posted is None:
            typed = self.stored()
            self.errors = self.stored_problems(typed)
        else:
            typed = self.read(self.posted)
            if self.is_draft(typed, self.posted):
                self.form.show_unchecked()
            else:
                typed = self.settled(typed)
                saved = self._saved(typed)
                if saved is not None:
                    return saved
        context = {
            "workflow": self.workflow,
            "form": self.form,
            "was_posted": self.posted is not None,
            "revision": self._seen,
            "conflict": self.conflict,
            **self.context(typed),
            "has_errors": self.has_errors,
        }
        return self.shown(context)

    def shown(self, context: dict[str, Any]) -> HttpResponse:
        """The form in the panel beside the steps."""
        return editor_page(self.request, self.workflow, self.template, context, title=self.title)

    def _theirs(self) -> HttpResponse:
        if self.is_gone:
            return redirect("workflow", self.workflow.pk)
        return HttpResponseRedirect(self.request.get_full_path())

    def _saved(self, typed: Typed) -> HttpResponse | None:
        self.errors = self.problems(typed)
        if not self.form.is_valid() or self.errors:
            return None
        try:
            with self._only_once():
                return self.save(typed)
        except editing.EditError as error:
            self.refuse(error.message)
        except revisions.SavedMeanwhileError as error:
            self.conflict = self._conflict(typed, error)
        return None

    @property
    def _seen(self) -> int:
        """The number of the row that the form was filled from, or that the person has been shown since."""
        return seen_number(self.request, self.row)

    @property
    def is_gone(self) -> bool:
        """Whether the form was filled from a row that has been removed since."""
        return self.row is None and self._seen > 0

    @contextmanager
    def _only_once(self) -> Iterator[None]:
        if self.is_gone:
            deleted = deleting.last_deleted(self.workflow)
            raise revisions.SavedMeanwhileError(
                *((deleted.deleted_by, deleted.deleted_at) if deleted else (None, None))
            )
        with transaction.atomic():
            if self.row is None and (taken := self.taken()) is not None:
                self.row = taken
                raise revisions.SavedMeanwhileError(taken.saved_by, taken.saved_at)
            with revisions.saving(self.row, seen=self._seen, by=self.by) if self.row else nullcontext():
                yield

    @property
    def by(self) -> User | None:
        """Who saves."""
        return signed_in(self.request)

    def taken(self) -> Step | None:
        """What somebody else has added meanwhile where there is place for one only. Locks the workflow to say so."""
        return None

    def _conflict(self, typed: Typed, error: revisions.SavedMeanwhileError) -> Conflict:
        fields, mine = _fields(self.form, self.form.cleaned_data), self.readable(typed)
        if self.row is None:
            number, button = (self.kept.revision, "Put it back with mine") if self.kept else (0, "Add mine again")
            rows = [*differing({}, mine), *differing({}, fields)]
            return Conflict(error.by, error.at, number, rows, is_deleted=True, mine=button, theirs="Leave it deleted")
        # Compared apart: an input may be called as a field of the step is.
        rows = differing(self.readable_stored(), mine)
        rows += differing(_fields(self.form, self.stored_fields()), fields)
        return Conflict(error.by, error.at, self.row.revision, rows)

    @property
    def has_errors(self) -> bool:
        """Whether there is any problem."""
        return bool(self.errors or self.form.errors)

    @abstractmethod
    def readable(self, typed: Typed) -> dict[str, str]:
        """What it says, by the labels of its fields, for two people who compare theirs."""

    def readable_stored(self) -> dict[str, str]:
        """The same of what is stored."""
        return self.readable(self.stored())

    def stored_fields(self) -> Mapping[str, object]:
        """The further fields as stored, by name."""
        return {name: getattr(self.row, name, None) for name in self.form.fields}

    @property
    @abstractmethod
    def title(self) -> str:
        """The page's title."""

    @abstractmethod
    def stored(self) -> Typed:
        """What the form shows at first."""

    def stored_problems(self, typed: Typed) -> dict[str, str]:
        """The problems of what is stored."""
        return {}

    @abstractmethod
    def read(self, posted: QueryDict) -> Typed:
        """What was typed."""

    @abstractmethod
    def is_draft(self, typed: Typed, posted: QueryDict) -> bool:
        """Whether the post only asks for the form again, with another row or fresh choices; does what it asks."""

    def settled(self, typed: Typed) -> Typed:
        """The part of it that is saved."""
        return typed

    @abstractmethod
    def problems(self, typed: Typed) -> dict[str, str]:
        """What keeps it from being saved."""

    @abstractmethod
    def save(self, typed: Typed) -> HttpResponse:
        """Store it and redirect. Raises EditError if the service refuses."""

    def refuse(self, message: str) -> None:
        """Show why the service refused."""
        self.form.add_error(None, message)

    @abstractmethod
    def context(self, typed: Typed) -> dict[str, Any]:
        """What the template shows besides what every form shows."""


class PlainPage(FormPage[None]):
    """A form of further fields only."""

    def readable(self, typed: None) -> dict[str, str]:
        """Nothing besides the fields."""
        return {}

    def stored(self) -> None:
        """Nothing besides the fields."""

    def read(self, posted: QueryDict) -> None:
        """Nothing besides the fields."""

    def is_draft(self, typed: None, posted: QueryDict) -> bool:
        """It is always saved."""
        return False

    def problems(self, typed: None) -> dict[str, str]:
        """The form finds them."""
        return {}

    def context(self, typed: None) -> dict[str, Any]:
        """Nothing besides the form."""
        return {}


class WholePage(PlainPage):
    """One that is a page of its own, without the steps."""

    def shown(self, context: dict[str, Any]) -> HttpResponse:
        """The form as a page."""
        return page(self.request, self.template, context, title=self.title)


def seen_number(request: HttpRequest, row: Revised | None) -> int:
    """The number of the row that the posted form was filled from, or that the person was shown since; else today's."""
    number = request.POST.get("_mine", "") or request.POST.get("_revision", "")
    if number.isdecimal() and len(number) < 10:
        return int(number)
    return row.revision if row else 0


def confirmed(
    request: HttpRequest, workflow: Workflow, rows: list[Revised], *, mine: str, anyway: str
) -> Conflict | None:
    """What was changed in rows that are to be removed or replaced since the person was asked; None if nothing was.

    `mine` says what is to happen to them, `anyway` what the button says that does it all the same.
    """
    seen = request.POST.get("_mine") or request.POST.get("_revision")
    return of_all(workflow, rows, seen, mine=mine, anyway=anyway) if seen else None


class SchemaPage(FormPage[Sources]):
    """A form made from a Schema, or from an equivalent declaration."""

    takes_tokens: ClassVar[bool]
    schema: schema_form.Declared

    @property
    def lists(self) -> list[tuple[str, str]]:
        """The lists that rows can be repeated for, as (source, label)."""
        return []

    def readable(self, typed: Sources) -> dict[str, str]:
        """The inputs, each cell of a table by itself, values by their names."""
        return self._readable(typed, self.chosen_connection)

    def readable_stored(self) -> dict[str, str]:
        """The same of what is stored, with the names of its own connection."""
        row = self.row
        connection = row.connection if isinstance(row, Step) else self.workflow.trigger_connection
        return self._readable(self.stored(), connection)

    def _readable(self, typed: Sources, connection: Connection | None) -> dict[str, str]:
        fields = {f.label: f for f in self.schema.fields()}
        lines = input_lines(fields.values(), typed, self.groups, connection, choice_labels([connection]))
        named = {"Connection": connection.name} if connection else {}
        texts = (each for label, said, is_table in lines for each in _texts(fields[label], said, is_table))
        return {**named, **dict(texts)}

    @property
    def chosen_connection(self) -> Connection | None:
        """The connection it works with, if any."""
        return None

    @property
    def groups(self) -> list[TokenGroup]:
        """The values that can be used in it."""
        return []

    def read(self, posted: QueryDict) -> Sources:
        """What was typed, for every declared input."""
        return schema_form.read(self.schema, posted)

    def is_draft(self, typed: Sources, posted: QueryDict) -> bool:
        """Whether a button for a row, for fresh choices or for another connection was pressed."""
        is_changed = schema_form.change_rows(self.schema, typed, posted, lists=self.lists) or use_list(typed, posted)
        return is_changed or "_refresh" in posted or "_reload" in posted

    def problems(self, typed: Sources) -> dict[str, str]:
        """The problems that the schema finds."""
        return schema_form.problems(self.schema, typed, takes_tokens=self.takes_tokens)

    def stray_errors(self, shown: Iterable[str]) -> list[str]:
        """Problems that belong to no input that is shown."""
        paths = set(shown)
        stray = [said for path, said in self.errors.items() if path.split(".")[0] not in paths]
        return [*map(str, self.form.non_field_errors()), *stray]


def _texts(f: Field, said: Any, is_table: bool) -> Iterator[tuple[str, str]]:
    if not is_table:
        yield f.label, "".join(piece.text for piece in said)
        return
    columns = {column.label: column.name for column in f.columns}
    for index, row in enumerate(said):
        for label, cell in row:
            path = f"{f.name}.{index}.{columns.get(label, EACH)}"
            yield place_in_form([f], path), "".join(piece.text for piece in cell)


def _fields(form: Form, values: Mapping[str, object]) -> dict[str, str]:
    """The fields of a plain form as people read them, by label; without secrets."""
    shown = {name: each for name, each in form.fields.items() if not isinstance(each.widget, PasswordInput)}
    return {str(each.label): _said(each, values.get(name)) for name, each in shown.items()}


def _said(field: FormField, value: object) -> str:
    if isinstance(value, list | models.QuerySet):
        return ", ".join(sorted(map(person, value)))
    if isinstance(value, time):
        return f"{value:%H:%M}"
    choices = dict(getattr(field, "choices", ()))
    return str(choices.get(value, "" if value is None else value))


class StepView:
    """A step, or the place for a new one, and the values that can be used there."""

    def __init__(self, workflow: Workflow, step: Step | None, place: Place) -> None:
        self.workflow = workflow
        self.step = step
        self.place = place
        self.steps = steps_of(workflow)
        self.here = available_values(workflow, self.steps, place_of(step, place))

    @property
    def is_invented(self) -> bool:
        """Whether the trigger's sample is invented."""
        return any(group.key == "trigger" and group.origin == "invented" for group in self.here.groups)

    def problems(self) -> dict[str, str]:
        """The problems of the step as it is stored."""
        if self.step is None:
            return {}
        found = validation.problems(self.workflow)
        return {each.input: each.message for each in found if each.step == self.step.key and each.input}

    def context(self, more: Iterable[TokenGroup] = ()) -> dict[str, Any]:
        """What the template shows of it. `more` are values that only this form offers."""
        groups = [*more, *self.here.groups]
        values = {**value_offers(groups, self.steps), "evaluate": self.evaluate_url, "invented": self.is_invented}
        return {"step": self.step, "groups": groups, "functions": list(FUNCTIONS.values()), "values": values}

    @property
    def evaluate_url(self) -> str:
        """Where the form asks what its fields give."""
        query = f"step={self.step.pk}" if self.step is not None else place_query(self.place)
        return f"{reverse('evaluate_values', args=[self.workflow.pk])}?{query}"
