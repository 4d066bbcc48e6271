"""What the documents of a backtest come to: by what they are and their currency, and by account.

Sales and purchases are never added up together, nor are two organisations or two currencies. An amount that only the
provider knows makes the sum incomplete, which is counted and shown beside it. The amounts by account are without tax,
as accounts hold them. Money stays Decimal: a database's sums would not be exact everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from integrations.schema.documents import Document, DocumentLine, net_amount


def added(totals: dict[str, Any], found: Iterable[Document]) -> dict[str, Any]:
    """The totals with these documents."""
    documents = {_head(row): row for row in totals.get("documents", [])}
    accounts: dict[tuple[str, ...], dict[str, Any]] = {
        (*_head(row), row["account"]): row for row in totals.get("accounts", [])
    }
    for document in found:
        _add_document(documents, document)
        for line in document.lines:
            _add_line(accounts, document, line)
    return {"documents": list(documents.values()), "accounts": list(accounts.values())}


def _head(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["organisation"], row["what"], row["currency"]


def _add_document(rows: dict[tuple[str, str, str], dict[str, Any]], document: Document) -> None:
    key = (document.organisation, document.what, document.currency)
    zero = {"count": 0, "unknown": 0, "sub_total": Decimal(0), "tax": Decimal(0), "total": Decimal(0)}
    head = dict(zip(("organisation", "what", "currency"), key, strict=True))
    row = rows.setdefault(key, {**head, **zero})
    row["count"] += 1
    if document.totals is None:
        row["unknown"] += 1
        return
    for name in ("sub_total", "tax", "total"):
        row[name] += getattr(document.totals, name)


def _add_line(rows: dict[tuple[str, ...], dict[str, Any]], document: Document, line: DocumentLine) -> None:
    key = (document.organisation, document.what, document.currency, line.account)
    head = dict(zip(("organisation", "what", "currency", "account"), key, strict=True))
    row = rows.setdefault(key, {**head, "lines": 0, "unknown": 0, "amount": Decimal(0)})
    row["lines"] += 1
    amount = net_amount(document, line)
    if amount is None:
        row["unknown"] += 1
    else:
        row["amount"] += amount
