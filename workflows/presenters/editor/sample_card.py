"""The sample that a workflow is built with, and the items to choose from, as a page shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils.formats import date_format

from integrations.framework.base import Door, Start, Trigger
from integrations.framework.registry import operation_or_none
from workflows.definitions import samples
from workflows.definitions.changes import revisions
from workflows.definitions.samples import Origin, StepSample, TriggerSample
from workflows.language.references import Token, tokens_of
from workflows.models import FetchedOutput, SampleItem, Step, Workflow, WorkflowPart
from workflows.presenters.presentation import when
from workflows.triggers import sample_reading

#: How many values of a sample are shown at once.
_SHOWN = 8


@dataclass(frozen=True)
class ItemLine:
    """One item to choose. `happened` is its day or moment in words."""

    pk: int
    title: str
    happened: str
    is_typed: bool
    is_current: bool
    is_cut: bool


@dataclass(frozen=True)
class SampleCard:
    """What is shown of a trigger's sample. `waits` is True while no call of its address has come."""

    trigger: Trigger
    sample: TriggerSample
    items: list[ItemLine]
    values: tuple[Token, ...]
    more: int
    problem: str
    read_at: datetime | None
    is_readable: bool
    is_unread: bool
    takes_calls: bool
    waits: bool
    takes_file: bool
    revision: int

    @property
    def nouns(self) -> str:
        """What is read, in the plural."""
        return f"{self.trigger.noun}s"


@dataclass(frozen=True)
class OutputCard:
    """What is shown of an action step's sample."""

    sample: StepSample
    values: tuple[Token, ...]
    more: int
    is_fetchable: bool
    fetched: FetchedOutput | None = field(default=None)


def sample_card(workflow: Workflow) -> SampleCard | None:
    """None if no trigger is chosen that is available here."""
    trigger = operation_or_none(workflow.trigger_operation)
    if not isinstance(trigger, Trigger):
        return None
    sample, items, reading = samples.sample_of(workflow), samples.items_of(workflow), samples.reading_of(workflow)
    values, more = _values(tokens_of(sample.data, "trigger"))
    doors = trigger.doors if isinstance(trigger, Start) else frozenset()
    readable = sample_reading.is_readable(workflow)
    return SampleCard(
        trigger=trigger,
        sample=sample,
        items=[_line(each, _current(items, sample)) for each in items],
        values=values,
        more=more,
        problem=reading.error if reading is not None else "",
        read_at=reading.read_at if reading is not None else None,
        is_readable=readable,
        is_unread=readable and reading is None,
        takes_calls=Door.ADDRESS in doors,
        waits=Door.ADDRESS in doors and sample.origin is Origin.INVENTED,
        takes_file=Door.FILE in doors,
        revision=revisions.part_of(workflow, WorkflowPart.Part.SAMPLE).revision,
    )


def is_unread(workflow: Workflow, origin: str) -> bool:
    """Whether nothing real is known though it could be read, and nobody has tried yet."""
    may_read = origin == Origin.INVENTED and sample_reading.is_readable(workflow)
    return may_read and samples.reading_of(workflow) is None


def output_card(step: Step) -> OutputCard:
    """The sample of what an action step gives, and how it was fetched."""
    sample = samples.step_sample(step)
    values, more = _values(tokens_of(sample.output, f"steps.{step.key}"))
    is_fetchable = samples.is_fetchable(step)
    return OutputCard(sample, values, more, is_fetchable, samples.fetched_of(step) if is_fetchable else None)


def _values(tokens: tuple[Token, ...]) -> tuple[tuple[Token, ...], int]:
    """The first values that are not empty, and how many more there are."""
    told = [token for token in tokens if token.example != "empty"]
    return tuple(told[:_SHOWN]), len(tokens) - len(told[:_SHOWN])


def _line(item: SampleItem, current: int | None) -> ItemLine:
    is_typed = item.origin == SampleItem.Origin.TYPED
    return ItemLine(item.pk, item.title, _in_words(item.happened), is_typed, item.pk == current, item.is_cut)


def _in_words(happened: str) -> str:
    """A day or a moment in ISO 8601 as people say it."""
    if not happened:
        return ""
    moment = datetime.fromisoformat(happened)
    if len(happened) <= len("2026-11-30"):
        return date_format(moment.date(), "j M Y")
    return when(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _current(items: list[SampleItem], sample: TriggerSample) -> int | None:
    """The item that the sample is of; None if it is of none of them."""
    chosen = next((each for each in items if each.is_chosen), None)
    same = next((each for each in items if each.data == sample.data), None)
    found = chosen or same
    return found.pk if found is not None else None
