"""Single records as a person sees them at the provider: the target of Pinxero's links in the demo."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.pages.overview import POLICY
from integrations.sandbox.xero import books


@require_GET
def invoice(request: HttpRequest, short_code: str, document_id: UUID) -> HttpResponse:
    return _show(request, short_code, "Invoices", document_id)


@require_GET
def contact(request: HttpRequest, short_code: str, document_id: UUID) -> HttpResponse:
    return _show(request, short_code, "Contacts", document_id)


def _show(request: HttpRequest, short_code: str, kind: str, document_id: UUID) -> HttpResponse:
    organisation = next((each for each in ORGANISATIONS.values() if each.short_code == short_code), None)
    found = organisation and books.find(organisation.tenant, kind, str(document_id))
    if not organisation or not found:
        raise Http404("The sandbox holds no such record.")
    context = {"organisation": organisation, "kind": kind, **_parts(organisation.tenant, found)}
    response = render(request, "sandbox/record.html", context)
    response["Content-Security-Policy"] = POLICY
    return response


def _parts(tenant: str, found: books.Entry) -> dict[str, Any]:
    record = found.record
    holder = books.find(tenant, "Contacts", found.row.contact_id) if found.row.contact_id else None
    plain = {
        name: value
        for name, value in record.items()
        if value not in (None, "", []) and not isinstance(value, dict | list) and name not in ("Url", "DateString")
    }
    return {
        "title": record.get("InvoiceNumber") or record.get("Name") or "Record",
        "status": record.get("Status", ""),
        "facts": plain,
        "lines": record.get("LineItems") or [],
        "contact_name": holder.record.get("Name", "") if holder else "",
    }


urlpatterns = [
    path("app/<str:short_code>/invoicing/view/<uuid:document_id>", invoice),
    path("app/<str:short_code>/contacts/contact/<uuid:document_id>", contact),
]
