"""What postings come to: by organisation, kind and currency, and by account and tax rate.

Sales and purchases are never added up together, nor are two organisations or two currencies. What has no known amount
is counted and in no sum. SQLite would add up in binary floating point, so there ten-thousandths are added up, which are
whole numbers.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db.models import BigIntegerField, Count, F, QuerySet, Sum
from django.db.models.functions import Cast, Round

from workflows.models import Posting, PostingLine

_PARTS = Decimal(10_000)
_HEAD = ("organisation", "noun", "currency")


def by_kind(found: QuerySet[Posting]) -> list[dict[str, Any]]:
    """A row for each organisation, kind and currency: `count`, `unknown` (without an amount), `sub_total`, `tax`,
    `amount`; None where no amount is known."""
    names = ("sub_total", "tax", "amount")
    rows = found.order_by(*_HEAD).values(*_HEAD).annotate(
        count=Count("pk"), known=Count("amount"), **{f"sum_{name}": _exact_sum(name) for name in names}
    )  # fmt: skip
    return [
        {
            **{name: row[name] for name in (*_HEAD, "count")},
            "unknown": row["count"] - row["known"],
            **{name: _exact(row[f"sum_{name}"]) for name in names},
        }
        for row in rows
    ]


def by_account(found: QuerySet[Posting]) -> list[dict[str, Any]]:
    """A row for each organisation, kind, currency, account and tax rate: `net` without tax, `tax`, `count` of the lines
    and how many of them are `unknown`."""
    head = (*(f"posting__{name}" for name in _HEAD), "account", "tax_rate")
    rows = (
        PostingLine.objects.filter(posting__in=found.order_by())
        .order_by(*head)
        .values(*head)
        .annotate(lines=Sum("count"), without=Sum("unknown"), sum_net=_exact_sum("net"), sum_tax=_exact_sum("tax"))
    )
    return [
        {
            **{name.removeprefix("posting__"): row[name] for name in head},
            "count": row["lines"],
            "unknown": row["without"],
            "net": _exact(row["sum_net"]),
            "tax": _exact(row["sum_tax"]),
        }
        for row in rows
    ]


def _exact_sum(name: str) -> Any:
    if database.vendor != "sqlite":
        return Sum(name)
    return Sum(Cast(Round(F(name) * _PARTS), BigIntegerField()))


def _exact(total: Any) -> Decimal | None:
    if total is None:
        return None
    return Decimal(total) / _PARTS if database.vendor == "sqlite" else Decimal(total)
