"""Samples of the output of finding or creating; see `samples`."""

from typing import Any

from integrations.connectors.xero.samples.records import CONTACT, INVOICE, PURCHASE_ORDER

_NEW: dict[str, Any] = {"is_new": True, "count": 1, "warning": None}

CONTACT_FOUND_OR_NEW: dict[str, Any] = {**CONTACT, **_NEW, "contacts": [CONTACT]}
INVOICE_FOUND_OR_NEW: dict[str, Any] = {**INVOICE, **_NEW, "invoices": [INVOICE]}
PURCHASE_ORDER_FOUND_OR_NEW: dict[str, Any] = {**PURCHASE_ORDER, **_NEW, "purchase_orders": [PURCHASE_ORDER]}
