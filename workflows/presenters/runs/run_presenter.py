"""A run for its page: the sentence under its title, and a card per step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from integrations.core.errors import IntegrationError
from integrations.framework.base import Action, Effect, Operation
from integrations.framework.registry import UnknownOperationError, connector
from integrations.models import Connection
from integrations.schema.fields import place_of
from integrations.schema.schema import Field
from integrations.transport.http import Request
from workflows.definitions import kinds, plans
from workflows.models import Run, Step, StepRun
from workflows.presenters.labels import ChoiceLabels
from workflows.presenters.presentation import LabelledValue, is_pretty_different, labelled_values, masked, pretty, when
from workflows.presenters.runs.documents import DocumentCard, document_card
from workflows.presenters.runs.fix_links import FixLinks
from workflows.presenters.runs.output_tables import OutputTable, tables
from workflows.presenters.value_names import ValueNames

#: Of a longer body only the size is shown: JSON that an action sends is shorter, and no page should carry a large file.
_MOST_SHOWN = 512 * 1024
_ATTEMPT_WORDS = {
    "send": "Sent to the provider",
    "look up": "Checked whether it was written",
    "read": "Read from the provider",
    "adopt": "Found at the provider and taken over",
    "person": "Decided by a person",
    "new key": "Prepared to be sent again under a new key",
}


def sentence(run: Run, again: Run | None = None) -> str:
    """The run's status in a sentence. `again` is the run that took its place."""
    status = Run.Status
    if again is not None:
        return (
            f"It did not end well, and run {again.pk} with version {again.version.number} took its place. "
            "What was written before stays."
        )
    if run.status == status.WAITING:
        reason = Run.WaitReason(run.wait_reason).label if run.wait_reason in Run.WaitReason.values else ""
        until = f" It goes on {when(run.wake_at)} by itself." if run.wake_at else ""
        if run.wait_reason == Run.WaitReason.CALL:
            return "It waits for a workflow that it called, and goes on by itself when that has ended."
        if run.wait_reason == Run.WaitReason.CONNECTION:
            name = run.waits_for.name if run.waits_for else "a connection"
            return f"It waits for {name} to be reconnected, and goes on by itself afterwards. Nothing is lost."
        if run.wait_reason == Run.WaitReason.HOLD:
            return f"It is held{_since(run)}: nothing of it is written until a person releases it."
        if run.wait_reason in (Run.WaitReason.DOWN, Run.WaitReason.FREEZE):
            return f"It waits{_since(run)} {reason}, and goes on by itself afterwards. Nothing is lost."
        return f"It waits{_since(run)} {reason}.{until}"
    return {
        status.QUEUED: "It starts as soon as a worker is free.",
        status.RUNNING: "A worker is on it now.",
        status.SUCCEEDED: run.result or ("The other steps are done." if run.has_errors else "Every step is done."),
        status.FILTERED: _filtered(run),
        status.FAILED: "A step failed. What was done before it stays; the steps after it did not run.",
        status.NEEDS_REVIEW: (
            "A write was sent and the provider gave no clear answer. Check whether the document is there, then say so: "
            "Pinxero does not send it again by itself, so that nothing is written twice."
        ),
        status.CRASHED: "Something went wrong inside Pinxero. Nothing more happens until a person decides.",
        status.CANCELLED: "A person ended it. What was written before stays.",
    }.get(status(run.status), "")


def _since(run: Run) -> str:
    return f" since {when(run.waiting_since)}" if run.waiting_since else ""


def _filtered(run: Run) -> str:
    if run.result and not run.result.startswith("Not met:"):
        return f"A step ended it: {run.result}"
    return "The filter was not met, so nothing was done."


@dataclass
class Comparison:
    """One line of a condition's result."""

    depth: int
    group: str = ""
    passed: bool = False
    left: str = ""
    left_value: str = ""
    operator: str = ""
    rights: list[str] = field(default_factory=list)
    sentence: str = ""


@dataclass
class SentRequest:
    """A request exactly as sent, with secrets masked."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: str
    exact_body: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with one input, or what the provider said; `url` leads to the field in the editor."""

    label: str
    sentence: str
    url: str = ""


@dataclass
class StepCard:
    """One step of a run, ready for the template."""

    key: str
    number: int
    name: str
    kind: str
    step_run: StepRun | None
    operation: Operation | None
    inputs: list[LabelledValue] = field(default_factory=list)
    output: list[LabelledValue] = field(default_factory=list)
    tables: list[OutputTable] = field(default_factory=list)
    document: DocumentCard | None = None
    error: str = ""
    explanation: str = ""
    passed: bool = False
    comparisons: list[Comparison] = field(default_factory=list)
    request: SentRequest | None = None
    #: Whether the request waits for a person and was never sent.
    is_unsent: bool = False
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    response_body: str = ""
    exact_response: str = ""
    problems: list[Problem] = field(default_factory=list)
    #: Where the editor puts right what failed; "" where nothing did, or where it cannot.
    fix_url: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kicker(self) -> str:
        """What kind of step it is, above its name."""
        if self.kind == Step.Kind.ACTION:
            return self.operation.name if self.operation else "Step"
        return kinds.label_of(self.kind)


def card_of(
    number: int,
    step: Mapping[str, Any],
    step_run: StepRun | None,
    operation: Operation | None,
    labels: ChoiceLabels,
    run_error: str,
    names: ValueNames,
    fixes: FixLinks | None = None,
) -> StepCard:
    """The card of a step: what happened in it, or that it was not reached. `labels` names the ids among its inputs,
    `names` the values that it compares, `fixes` leads to the editor for those who may change the workflow."""
    card = StepCard(step["key"], number, step["name"], step["kind"], step_run, operation)
    if step_run is None:
        return card
    card.error = "" if step_run.error and run_error.endswith(step_run.error) else step_run.error
    failures = fixes if step_run.state == StepRun.State.FAILED else None
    card.fix_url = failures.to_step(step_run.step) if failures else ""
    if step["kind"] == Step.Kind.LOOP:
        # Its list and its results may be long; each iteration has its own page.
        return card
    fields = operation.Inputs.fields() if operation else ()

    def name(f: Field, value: str) -> str:
        key = f.dynamic_choices.key if f.dynamic_choices else ""
        return labels.get((step_run.connection_id or 0, key), {}).get(value, "")

    # Of an undo, what it was given and what it keeps is the document that its card shows.
    is_undo = plans.is_undoing(step_run.operation)
    card.inputs = labelled_values(step_run.inputs, fields, name) if step_run.inputs and not is_undo else []
    card.output = labelled_values(step_run.output) if step_run.output and not is_undo else []
    card.document = document_card(step_run, operation, labels)
    if isinstance(operation, Action) and operation.effect is Effect.READS:
        card.tables = tables(step_run.output)
    if step_run.outcome and step["kind"] == Step.Kind.FILTER:
        card.explanation = str(step_run.outcome.get("explanation", ""))
        card.passed = bool(step_run.outcome.get("passed"))
        card.comparisons = list(comparisons(step_run.outcome.get("tree") or {}, names, step["key"]))
    if step_run.request:
        card.request = sent_request(step_run, operation)
        card.is_unsent = _is_unsent(step_run)
    card.response_headers = masked(step_run.response_headers or {})
    card.response_body = pretty(step_run.response_body)
    card.exact_response = step_run.response_body if is_pretty_different(step_run.response_body) else ""
    card.problems = _problems(step_run, fields, failures)
    card.attempts = [
        {**each, "words": _ATTEMPT_WORDS.get(str(each.get("what")), str(each.get("what", "")).capitalize())}
        for each in step_run.attempts or []
        if isinstance(each, dict)
    ]
    return card


def _problems(step_run: StepRun, fields: tuple[Any, ...], fixes: FixLinks | None) -> list[Problem]:
    """The problem of each input, or else the provider's own messages."""
    stored = step_run.problems
    if isinstance(stored, Mapping):
        return [
            Problem(place_of(fields, path), str(said), fixes.to_field(step_run.step, path) if fixes else "")
            for path, said in stored.items()
        ]
    if isinstance(stored, list):
        return [Problem("", str(said)) for said in stored]
    return []


def comparisons(tree: Mapping[str, Any], names: ValueNames, step: str, depth: int = 0) -> Iterator[Comparison]:
    """The lines of a condition's result at the step with this key, groups before what they hold."""
    if not tree:
        return
    if "group" in tree:
        group_words = {"all": "All of these", "any": "At least one of these", "not": "None of these"}
        items = tree.get("items") or []
        if depth or len(items) > 1 or tree["group"] == "not":
            yield Comparison(depth, group=group_words.get(str(tree["group"]), ""), passed=bool(tree.get("passed")))
        for item in items:
            yield from comparisons(item, names, step, depth + 1)
        return
    rights = [tree.get("right_value"), tree.get("right_until_value")]
    yield Comparison(
        depth,
        passed=bool(tree.get("passed")),
        left=names.said(str(tree.get("left_source", "")), step),
        left_value=_shown(tree.get("left_value")) if tree.get("left_exists", True) else "not there",
        operator=str(tree.get("operator", "")),
        rights=[_shown(each) for each in rights if each is not None],
        sentence=str(tree.get("sentence", "")),
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    found = labelled_values(value)
    return ", ".join(fact.text for fact in found)


def _is_unsent(step_run: StepRun) -> bool:
    """Whether the step holds a request that was never sent: a policy or a guard holds it back, or it was refused."""
    stopped = (StepRun.State.PENDING, StepRun.State.FAILED)
    if step_run.state not in stopped or step_run.first_sent_at is not None:
        return False
    return not any(line["what"] == "send" for line in step_run.attempts)


def sent_request(step_run: StepRun, operation: Operation | None) -> SentRequest | None:
    """What the step sent, for people; None where it sent nothing, or nothing that can be read."""
    try:
        request = Request.from_dict(step_run.request or {})
    except (KeyError, TypeError, ValueError):
        return None
    has_key = isinstance(operation, Action) and operation.key_window
    return shown_request(request, step_run.connection, key=(step_run.idempotency_key or "") if has_key else "")


def shown_request(request: Request, connection: Connection | None, *, key: str = "") -> SentRequest:
    """A request as it goes to the connection's provider, `key` being its idempotency key."""
    headers: dict[str, str] = {}
    if connection is not None:
        headers |= {"Authorization": "Bearer"} | _client_headers(connection)
    headers |= dict(request.headers)
    if key:
        headers["Idempotency-Key"] = key
    shown = request.text if len(request.body) <= _MOST_SHOWN else None
    body = shown if shown is not None else f"A file of {len(request.body):,} bytes"
    exact = body if is_pretty_different(body) else ""
    return SentRequest(request.method, _address(request, connection), masked(headers), pretty(body), exact)


def _client_headers(connection: Connection) -> dict[str, str]:
    try:
        return connector(connection.provider).client_class(connection).headers()
    except (UnknownOperationError, AttributeError):
        return {}


def _address(request: Request, connection: Connection | None) -> str:
    if connection is not None:
        try:
            return connector(connection.provider).client_class(connection).url(request)
        except (UnknownOperationError, AttributeError, IntegrationError):
            pass
    return f"{request.path}?{urlencode(request.query)}" if request.query else request.path
