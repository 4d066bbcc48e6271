"""The section of one run in the PDF, drawn from what its page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from integrations.audit.entry_rows import EntryRow
from integrations.framework.registry import operation_or_none
from workflows.definitions import plans
from workflows.evidence import trail
from workflows.evidence.approvals_of_run import draw_approvals
from workflows.evidence.paper import Paper, exactly
from workflows.evidence.run_files import trimmed_words
from workflows.models import Decision, Run, StepRun
from workflows.presenters.labels import choice_labels
from workflows.presenters.presentation import LabelledValue, labelled_values, person
from workflows.presenters.runs.documents import DocumentCard, document_card
from workflows.presenters.runs.run_presenter import Comparison, StepCard, sentence
from workflows.presenters.runs.run_tree import Iterations, StepNode, rows_at, step_nodes

_MOST_VALUES, _MOST_DOCUMENTS, _MOST_LINES, _MOST_DECISIONS, _MOST_ENTRIES = 40, 20, 100, 100, 40
_INDENT = 5


def draw_run(paper: Paper, run: Run) -> None:
    """Draw it. The run comes with its workflow, version, event and connection."""
    paper.heading(f"Run {run.pk}: {run.title}" if run.title else f"Run {run.pk}")
    paper.text_line(f"{run.get_status_display()}. {sentence(run)}", is_bold=True)
    if run.error and run.status != Run.Status.FILTERED:
        paper.text_line(run.error)
    if run.trimmed_at:
        paper.text_line(f"{trimmed_words(run)} That was {exactly(run.trimmed_at)}.")
    _facts(paper, run)
    _came_in(paper, run)
    steps = plans.plan_of(run).get("steps", [])
    paper.heading("Steps", 3)
    _nodes(paper, step_nodes(run, steps, rows_at(run, steps, "")), 0)
    _documents(paper, run)
    draw_approvals(paper, run)
    _decisions(paper, run)
    _activity(paper, run)
    paper.missing_note()


def _facts(paper: Paper, run: Run) -> None:
    paper.ln(1)
    paper.facts(
        [
            ("Workflow", f"{run.workflow.name}, version {run.version.number}"),
            ("Writes to", run.connection.name if run.connection else ""),
            ("Started", exactly(run.started_at or run.created_at)),
            ("Finished", exactly(run.finished_at)),
            ("Called by", f"Run {run.called_by_id}" if run.called_by_id else ""),
            ("In place of", f"Run {run.again_of_id}, which did not end well" if run.again_of_id else ""),
        ]
    )


def _came_in(paper: Paper, run: Run) -> None:
    event, trigger = run.event, operation_or_none(run.event.operation)
    paper.heading("What came in", 3)
    source = f" from {event.connection.name}" if event.connection else ""
    by = f", started by {person(event.by)}" if event.by_id else ""
    name = trigger.name if trigger else event.operation
    paper.text_line(f"{name}{source}, {exactly(event.accepted_at)}{by}. Its key is {event.key}.")
    _values(paper, labelled_values(event.data))


def _values(paper: Paper, values: Sequence[LabelledValue]) -> None:
    filled = [each for each in values if not each.is_empty]
    paper.facts(
        (each.label, f"{each.text} ({each.code})" if each.code else each.text) for each in filled[:_MOST_VALUES]
    )
    if len(filled) > _MOST_VALUES:
        paper.text_line(f"{len(filled) - _MOST_VALUES} more values are in run.json.", is_small=True)


# --- steps ------------------------------------------------------------------------------------------------------------


def _nodes(paper: Paper, nodes: Iterable[StepNode], depth: int) -> None:
    for node in nodes:
        _step(paper, node, depth * _INDENT)
        for path in node.paths if node.card.step_run else ():
            taken = "taken" if path.is_taken else "not taken"
            condition = f": {path.condition}" if path.condition else ""
            paper.text_line(f"{path.name} ({taken}){condition}", indent=(depth + 1) * _INDENT)
            _nodes(paper, path.nodes, depth + 2)
        if node.error_path is not None:
            paper.text_line("It failed, so this was done:", indent=(depth + 1) * _INDENT)
            _nodes(paper, node.error_path, depth + 2)


def _step(paper: Paper, node: StepNode, indent: float) -> None:
    card, row = node.card, node.card.step_run
    state = str(row.get_state_display()) if row else "Not reached"
    if row and card.explanation:
        state = "Passed" if card.passed else "Not met"
    number = f"{card.number}. " if card.number else ""
    kicker = "" if card.kicker == card.name else f" ({card.kicker})"
    paper.text_line(f"{number}{card.name}{kicker}: {state}", indent=indent, is_bold=True)
    below = indent + _INDENT
    if row is None:
        return
    for text in (card.error, *_problems(card), card.explanation, node.result):
        if text:
            paper.text_line(text, indent=below)
    for line in card.comparisons:
        paper.text_line(_comparison(line), indent=below + line.depth * _INDENT, is_small=True)
    if node.called is not None:
        called = node.called
        paper.text_line(f"Run {called.pk} of {called.workflow.name}: {called.get_status_display()}", indent=below)
    if node.iterations is not None:
        _iterations(paper, node.iterations, below)
    for attempt in card.attempts[:_MOST_VALUES]:
        paper.text_line(_attempt(attempt), indent=below, is_small=True)
    if row.started_at:
        ended = f" to {exactly(row.finished_at)}" if row.finished_at else ""
        paper.text_line(f"{exactly(row.started_at)}{ended}", indent=below, is_small=True)


def _problems(card: StepCard) -> list[str]:
    return [f"{each.label}: {each.sentence}" if each.label else each.sentence for each in card.problems]


def _comparison(line: Comparison) -> str:
    outcome = "met" if line.passed else "not met"
    if line.group:
        return f"{line.group}: {outcome}"
    rights = " and ".join(line.rights)
    return f"{line.left} ({line.left_value}) {line.operator} {rights}: {outcome}"


def _attempt(line: dict[str, object]) -> str:
    try:
        at = exactly(datetime.fromisoformat(str(line.get("at"))))
    except ValueError:
        at = str(line.get("at", ""))
    status = f" ({line['status']})" if line.get("status") else ""
    message = f". {line['message']}" if line.get("message") else ""
    return f"{at}: {line['words']}, {line.get('outcome', '')}{status}{message}"


def _iterations(paper: Paper, found: Iterations, indent: float) -> None:
    counts = f"{found.count:,} iterations: {found.done:,} done, {found.failed:,} failed, {found.skipped:,} skipped."
    paper.text_line(counts, indent=indent)
    for each in found.shown:
        written = "; ".join(f"{row.title} {row.amount} {row.posting.currency}".strip() for row in each.documents)
        texts = [text for text in (each.state_label, each.detail, written) if text]
        paper.text_line(f"Iteration {each.number}, {each.title}: {'. '.join(texts)}", indent=indent, is_small=True)
    if found.count > len(found.shown):
        paper.text_line("All iterations are in steps.json.", indent=indent, is_small=True)


# --- documents, decisions, activity -----------------------------------------------------------------------------------


def _documents(paper: Paper, run: Run) -> None:
    """What was sent, also in loops, as documents."""
    sent = StepRun.objects.filter(run=run, first_sent_at__isnull=False).select_related("connection").order_by("pk")
    rows = list(sent.defer("response_body", "response_headers")[: _MOST_DOCUMENTS + 1])
    labels = choice_labels(row.connection for row in rows)
    for row in rows[:_MOST_DOCUMENTS]:
        card = document_card(row, operation_or_none(row.operation), labels)
        if card is not None:
            _document(paper, row, card)
    if len(rows) > _MOST_DOCUMENTS:
        paper.text_line(f"Only the first {_MOST_DOCUMENTS} documents are drawn; document.json has all.", is_small=True)


def _document(paper: Paper, row: StepRun, card: DocumentCard) -> None:
    paper.heading(f"Document: {card.what} {card.number}".strip(), 3)
    iteration = f", iteration {row.iteration}" if row.iteration else ""
    paper.text_line(f"Step {row.name}{iteration}: {row.get_state_display()}", is_small=True)
    for text in card.differences:
        paper.text_line(text, is_bold=True)
    paper.facts(card.facts)
    if card.lines:
        _lines(paper, card)
    if len(card.lines) > _MOST_LINES:
        paper.text_line(f"{len(card.lines) - _MOST_LINES:,} more rows are in document.json.", is_small=True)
    for total in card.sums:
        both = f"{total.theirs} (calculated: {total.ours})" if total.is_different else total.theirs or total.ours
        paper.amount_line(total.label, f"{both} {card.currency}".strip(), is_bold=total is card.sums[-1])
    if card.is_compared and not card.differences:
        paper.text_line(f"The totals agree with {card.provider}.", is_small=True)
    for note in card.notes:
        paper.text_line(note, is_small=True)


def _lines(paper: Paper, card: DocumentCard) -> None:
    rows = card.lines[:_MOST_LINES]
    columns = [
        ("Description", 27, False, ["\n".join([row.what, *row.details]) for row in rows]),
        ("Account", 16, False, [row.account for row in rows] if card.has_accounts else []),
        ("Quantity", 9, True, [row.quantity for row in rows]),
        ("Unit price", 11, True, [row.unit_amount for row in rows]),
        ("Discount", 10, True, [row.discount for row in rows] if card.has_discounts else []),
        ("Tax rate", 15, False, [row.tax_rate for row in rows]),
        ("Tax", 10, True, [row.tax for row in rows]),
        ("Amount", 12, True, [row.amount for row in rows]),
    ]
    heads, widths, numbers, cells = zip(*(column for column in columns if column[3]), strict=True)
    amounts = [place for place, is_number in enumerate(numbers) if is_number]
    paper.table(heads, zip(*cells, strict=True), widths, amounts)


def _decisions(paper: Paper, run: Run) -> None:
    found = list(Decision.objects.filter(run=run).select_related("by").order_by("pk")[: _MOST_DECISIONS + 1])
    if found:
        paper.heading("Decisions by people", 3)
        rows = [[exactly(each.at), person(each.by), str(each.get_what_display()), each.reason] for each in found]
        paper.table(["When", "Who", "What", "Why"], rows[:_MOST_DECISIONS], (22, 20, 20, 38))
    if len(found) > _MOST_DECISIONS:
        paper.text_line("More of them are in decisions.json.", is_small=True)


def _activity(paper: Paper, run: Run) -> None:
    rows, has_more = trail.last_rows(trail.about_run(run), _MOST_ENTRIES)
    if rows:
        paper.heading("Audit trail", 3)
        draw_entries(paper, rows, has_more)


def draw_entries(paper: Paper, rows: Iterable[EntryRow], has_more: bool) -> None:
    """Entries of the audit trail."""
    paper.table(
        ["Entry", "When", "Who", "What", "About", "Why"],
        [
            [
                f"{row.entry.number}", exactly(row.entry.at), f"{row.who}\n{row.role}".strip(), row.what,
                f"{row.lead}{row.name}", row.entry.reason,
            ]
            for row in rows
        ],
        (6, 24, 14, 17, 21, 18),
    )  # fmt: skip
    if has_more:
        paper.text_line("Only the last entries stand here; audit.json has all.", is_small=True)
