"""`/connections`: which organisations a token set may work in."""

from typing import Any

from integrations.sandbox import clock
from integrations.sandbox.answers import Answer, json_answer
from integrations.sandbox.exchange import Call
from integrations.sandbox.models import Tenancy
from integrations.sandbox.organisations import ORGANISATIONS
from integrations.sandbox.xero.answers import not_found


def list_connections(call: Call) -> Answer:
    tenancies = _own(call).order_by("created_at", "tenant")
    event = call.request.GET.get("authEventId")
    if event:
        tenancies = tenancies.filter(auth_event_id=event)
    return json_answer([_connection(tenancy) for tenancy in tenancies])


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
    """Xero prints seven digits of a second and no zone."""
    return f"{clock.iso_seconds(milliseconds)}.{milliseconds % 1000:03d}0000"
