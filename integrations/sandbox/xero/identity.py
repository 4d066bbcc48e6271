"""`/connections`: which organisations a token set may work in."""

from typing import Any

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock, fault_dial
from integrations.sandbox.exchange.answers import Answer, json_answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.models import Tenancy
from integrations.sandbox.xero.answers import not_found

_PRACTICE = "5a0c9a1e-7d0f-4d5c-8a7e-2f6a5a1d0009"


def list_connections(call: Call) -> Answer:
    tenancies = _own(call).order_by("created_at", "tenant")
    event = call.request.GET.get("authEventId")
    if event:
        tenancies = tenancies.filter(auth_event_id=event)
    found = [_connection(tenancy) for tenancy in tenancies]
    return json_answer([*found, *_practice(found)])


def _practice(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An accountant's practice, which a consent may open besides the organisations; it has no books."""
    if not found or not fault_dial.current().has_practice:
        return []
    return [{**found[0], "id": _PRACTICE, "tenantId": _PRACTICE, "tenantType": "PRACTICE", "tenantName": "Ledger & Co"}]


def delete_connection(call: Call, connection_id: str) -> Answer:
    deleted, _ = _own(call).filter(connection_id=connection_id).delete()
    if not deleted:
        raise not_found()
    call.wrote(f"disconnected {connection_id}", connection_id)
    return Answer(204)


def _own(call: Call) -> Any:
    assert call.token is not None
    return Tenancy.objects.filter(client_id=call.client_id, user_id=call.token.grant.user_id)


def _connection(tenancy: Tenancy) -> dict[str, Any]:
    return {
        "id": tenancy.connection_id,
        "authEventId": tenancy.auth_event_id,
        "tenantId": tenancy.tenant,
        "tenantType": "ORGANISATION",
        "tenantName": ORGANISATIONS[tenancy.tenant].name,
        "createdDateUtc": _seven_digits(tenancy.created_at),
        "updatedDateUtc": _seven_digits(tenancy.updated_at),
    }


def _seven_digits(milliseconds: int) -> str:
    """Xero writes seven digits of a second and no zone."""
    return f"{clock.iso_seconds(milliseconds)}.{milliseconds % 1000:03d}0000"
