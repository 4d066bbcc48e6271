"""The one address at which a provider gives notice, for every organisation and every workflow.

Nobody is signed in here and nothing is shown: the signature is the only key, and every answer is empty. This is the one
view without a CSRF token, which no session could be abused through, for none is looked at.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations import registry, webhooks


@csrf_exempt
@require_POST
def hook(request: HttpRequest, provider: str) -> HttpResponse:
    """Take a delivery of notices. Empty in every case: 200, 400, 401, 413, 503, and 404 for who gives no notice."""
    try:
        connector = registry.connector(provider)
    except registry.UnknownOperationError:
        return HttpResponse(status=404)
    if connector.webhook is None:
        return HttpResponse(status=404)
    if _length(request) > webhooks.LONGEST_BODY:
        return HttpResponse(status=413)
    try:
        body = request.body
    except UnreadablePostError:  # the sender is gone
        return HttpResponse(status=400)
    signature = request.headers.get(connector.webhook.header, "")
    status = webhooks.receive(connector, connector.webhook, body=body, signature=signature)
    return HttpResponse(status=status)


def _length(request: HttpRequest) -> int:
    """The body's length as announced; without one, Django reads nothing."""
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isascii() and text.isdigit() else 0
