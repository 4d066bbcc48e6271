"""The one address for a provider's webhooks, for every organisation and every workflow.

Nobody is signed in here and nothing is shown: the signature is the only key, and every answer is empty. This is the one
view without a CSRF token: it reads no session, so none can be abused.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.connections import webhook_intake
from integrations.core.body_limits import takes_from_anybody
from integrations.framework import registry


def _too_long(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=413)


@csrf_exempt
@takes_from_anybody(webhook_intake.LONGEST_BODY, too_long=_too_long)
@require_POST
def hook(request: HttpRequest, provider: str) -> HttpResponse:
    """Receive a delivery. The answer is empty: 200, 400, 401, 413, 503, or 404 for providers without webhooks."""
    try:
        connector = registry.connector(provider)
    except registry.UnknownOperationError:
        return HttpResponse(status=404)
    if connector.webhook is None:
        return HttpResponse(status=404)
    try:
        body = request.body
    except UnreadablePostError:  # the sender is gone
        return HttpResponse(status=400)
    signature = request.headers.get(connector.webhook.header, "")
    status = webhook_intake.receive(connector, connector.webhook, body=body, signature=signature)
    return HttpResponse(status=status)
