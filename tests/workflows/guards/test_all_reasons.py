"""What several guards hold waits once, for all of their reasons; and what may have been written counts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.base import Cast
from tests.workflows.conftest import drain
from workflows.guards import duplicates
from workflows.guards.duplicates import Bill
from workflows.models import Posting, Run, StepRun, WriteHold
from workflows.runs import decisions

from .conftest import Write, guarded

pytestmark = pytest.mark.django_db


def test_a_person_lets_it_go_once_for_all_the_reasons_that_hold_it(write: Write, cast: Cast) -> None:
    write(number="B-7")
    guarded(cast, duplicates="hold", largest={"NZD": Decimal(50)})
    run = write(number="B-7")
    assert sorted(WriteHold.objects.values_list("code", flat=True)) == ["duplicate_bill", "largest_amount"]
    decisions.release(run, by=cast.approver)
    drain()
    run.refresh_from_db()
    assert run.status == "succeeded"


def test_a_number_without_letters_and_digits_is_like_none() -> None:
    day = date(2026, 11, 20)
    others = [Bill("", day, Decimal(2), "NZD"), Bill("/", day, Decimal(3), "NZD")]
    assert duplicates.decide(Bill("-", day, Decimal(1), "NZD"), others, within=3) is None


def test_what_was_sent_without_a_clear_answer_counts_as_a_document(write: Write, cast: Cast) -> None:
    guarded(cast, documents_per_hour=1)
    run = write()
    Posting.objects.all().delete()
    StepRun.objects.filter(run=run, kind="action").update(state="needs_review", first_sent_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(status="needs_review")
    second = write()
    assert [second.status, second.wait_reason] == ["waiting", "hold"]
