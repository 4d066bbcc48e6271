"""A posting held against the record as it is now: each difference is found and named, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.framework.current import Current, CurrentLine, Gone, Reading, RecordState, Unreadable
from workflows.books.comparison import Change, Comparison, Verdict, amount_text, compare
from workflows.models import Posting, PostingLine

HUNDRED = Decimal("100.0000")
POSTING = Posting(
    provider_id="i1", effect="creates", origin="answered", number="INV-0007", day=date(2026, 11, 22),
    contact="Ridgeway", contact_id="c1", reference="Order 7", status="Draft", currency="NZD", sub_total=HUNDRED,
    tax=Decimal("15.0000"), amount=Decimal("115.0000"), described="Invoice INV-0007",
)  # fmt: skip
LINES = [PostingLine(account="200 - Sales", tax_rate="15% GST", net=HUNDRED, tax=Decimal(15), count=1)]
LINE = CurrentLine("200 - Sales", "200", "15% GST", "OUTPUT2", Decimal("100.00"), Decimal("15.00"))
NOW = Current(
    number="INV-0007", day=date(2026, 11, 22), contact="Ridgeway", contact_id="C1", reference="Order 7", status="Draft",
    currency="NZD", sub_total=Decimal(100), tax=Decimal(15), amount=Decimal(115), lines=(LINE,),
)  # fmt: skip


def of(reading: Reading, lines: list[PostingLine] | None = None, posting: Posting = POSTING, **more: Any) -> Comparison:
    return compare(posting, LINES if lines is None else lines, reading, **more)


def test_what_nobody_touched_is_the_same_whatever_the_spelling_of_its_id() -> None:
    assert of(NOW) == Comparison(Verdict.SAME)
    assert of(NOW).is_unchanged


@pytest.mark.parametrize(
    ("change", "now", "was_and_is"),
    [
        (Change.AMOUNT, {"amount": Decimal("115.01")}, ("Total", "115.00", "115.01")),
        (Change.AMOUNT, {"tax": Decimal("14.995")}, ("Tax", "15.00", "14.995")),
        (Change.NUMBER, {"number": "INV-0008"}, ("Number", "INV-0007", "INV-0008")),
        (Change.NUMBER, {"number": ""}, ("Number", "INV-0007", "")),
        (Change.DAY, {"day": date(2026, 10, 31)}, ("Date", "2026-11-22", "2026-10-31")),
        (Change.CONTACT, {"contact_id": "c2", "contact": "Other"}, ("Contact", "Ridgeway", "Other")),
        (
            Change.CONTACT_MERGED,
            {"contact_id": "c2", "contact": "Other", "is_contact_merged": True},
            ("Contact", "Ridgeway", "Other"),
        ),
        (Change.REFERENCE, {"reference": "Order 8"}, ("Reference", "Order 7", "Order 8")),
        (Change.REFERENCE, {"reference": ""}, ("Reference", "Order 7", "")),
        (Change.CURRENCY, {"currency": "USD"}, ("Currency", "NZD", "USD")),
        (Change.NAME, {"described": "Invoice X"}, ("Name", "Invoice INV-0007", "Invoice X")),
        (Change.VOIDED, {"status": "Voided", "state": RecordState.VOIDED}, ("State", "Draft", "Voided")),
        (Change.ARCHIVED, {"status": None, "state": RecordState.ARCHIVED}, ("State", "Draft", "Archived")),
        (
            Change.ACCOUNT,
            {"lines": (replace(LINE, account="260 - Other", account_code="260"),)},
            ("Account", "200 - Sales: 100.00", "260 - Other: 100.00"),
        ),
        (
            Change.TAX_RATE,
            {"lines": (replace(LINE, tax_rate="Zero", tax_rate_code="ZERO"),)},
            ("Tax rate", "15% GST: 100.00", "Zero: 100.00"),
        ),
    ],
)
def test_each_difference_is_named_with_what_it_was_and_is(
    change: Change, now: dict[str, Any], was_and_is: tuple[str, str, str]
) -> None:
    found = of(replace(NOW, **now))
    assert found.verdict is Verdict.CHANGED
    assert found.changes == (change,)
    assert [(each.label, each.was, each.now) for each in found.fields] == [was_and_is]


@pytest.mark.parametrize(
    ("status", "state", "change"),
    [
        ("Approved", RecordState.OPEN, Change.STATUS),
        ("Paid", RecordState.PAID, Change.PAID),
        ("Closed", RecordState.CLOSED, Change.STATUS),
    ],
)
def test_the_usual_course_of_a_document_is_no_change_of_it(status: str, state: RecordState, change: Change) -> None:
    found = of(replace(NOW, status=status, state=state))
    assert (found.verdict, found.changes) == (Verdict.MOVED_ON, (change,))
    assert not found.is_unchanged
    both = of(replace(NOW, status=status, state=state, amount=Decimal(1)))
    assert (both.verdict, both.changes) == (Verdict.CHANGED, (change, Change.AMOUNT))


def test_what_is_gone_or_deleted_is_gone_and_what_cannot_be_read_says_why() -> None:
    assert (of(Gone()).verdict, of(Gone()).changes) == (Verdict.GONE, (Change.DELETED,))
    deleted = of(replace(NOW, state=RecordState.DELETED, status="Deleted"))
    assert (deleted.verdict, deleted.changes) == (Verdict.GONE, (Change.DELETED,))
    assert of(Unreadable("It has no list.")) == Comparison(Verdict.UNREADABLE, note="It has no list.")


def test_what_a_step_ended_is_the_same_while_it_is_ended_and_else_restored() -> None:
    for reading in (Gone(), replace(NOW, state=RecordState.ARCHIVED), replace(NOW, state=RecordState.VOIDED)):
        assert of(reading, leaves=RecordState.ARCHIVED).verdict is Verdict.SAME
    restored = of(replace(NOW, status="Active"), leaves=RecordState.ARCHIVED)
    assert (restored.verdict, restored.changes) == (Verdict.CHANGED, (Change.RESTORED,))


def test_what_was_not_known_when_it_was_written_has_not_changed() -> None:
    silent = Posting(provider_id="i1", effect="updates", origin="answered", day=date(2026, 11, 22))
    assert of(NOW, [], silent).verdict is Verdict.SAME
    by_hand = Posting(provider_id="i1", effect="creates", origin="person", day=date(2026, 1, 1), number="7")
    assert of(NOW, [], by_hand).verdict is Verdict.SAME
    assert of(Current()).verdict is Verdict.SAME


def test_lines_are_only_held_against_each_other_where_all_are_known() -> None:
    other = replace(NOW, lines=(replace(LINE, account="260 - Other", account_code="260"),))
    part = [PostingLine(account="200 - Sales", tax_rate="15% GST", net=Decimal(40), tax=Decimal(6), count=1)]
    unknown = [PostingLine(account="200 - Sales", tax_rate="15% GST", net=HUNDRED, count=2, unknown=1)]
    unnamed = [PostingLine(account="", tax_rate="15% GST", net=HUNDRED, count=1)]
    for lines in (part, unknown, unnamed, []):
        assert of(other, lines).verdict is Verdict.SAME
    renamed = replace(NOW, lines=(replace(LINE, account="200 - Turnover"),))
    assert of(renamed).verdict is Verdict.SAME


def test_a_contact_that_is_called_otherwise_is_renamed_but_its_documents_are_not() -> None:
    contact = Posting(
        provider_id="c1", contact_id="c1", contact="Ridgeway", effect="creates", origin="answered",
        day=date(2026, 11, 22), status="Active",
    )  # fmt: skip
    now = Current(contact="Ridgeway Ltd", contact_id="c1", status="Active")
    assert of(now, [], contact).changes == (Change.NAME,)
    assert of(replace(NOW, contact="Ridgeway Ltd")).verdict is Verdict.SAME


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=4))
def test_an_amount_keeps_its_value_and_has_two_places_at_least(amount: Decimal) -> None:
    text = amount_text(amount)
    assert Decimal(text) == amount
    assert len(text.partition(".")[2]) >= 2
