"""The secret addresses that start workflows. Nobody signs in: the address is secret, and calls may have to be signed.

Like the providers' webhooks, these views need no CSRF token: they ignore sessions, so none can be abused.
"""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.core.body_limits import takes_from_anybody
from workflows.triggers import inbound_webhooks
from workflows.triggers.inbound_webhooks import Answer, Call

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def _too_long(request: HttpRequest) -> HttpResponse:
    return _response(Answer(413, {"error": "The body is longer than 1 MB."}))


@csrf_exempt
@takes_from_anybody(inbound_webhooks.LONGEST_BODY, too_long=_too_long)
@require_POST
def inbound(request: HttpRequest, token: str) -> HttpResponse:
    """Take a call; `workflows.triggers.inbound_webhooks` explains the status codes."""
    try:
        hook = inbound_webhooks.find(token)
    except DatabaseError:
        return _response(Answer(503, {"error": "The call could not be stored. Send it again."}))
    if hook is None:
        return _response(Answer(404, {"error": "There is no such address."}))
    try:
        body: bytes = request.body
        form = _form(request)
    except RequestDataTooBig:
        return _too_long(request)
    except (UnreadablePostError, MultiPartParserError, TooManyFieldsSent):
        return _response(Answer(400, {"error": "The body cannot be read."}))
    call = Call(
        body=body, content_type=request.content_type or "", headers=request.headers, query=request.GET, form=form
    )
    return _response(inbound_webhooks.receive(hook, call))


def _form(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.content_type in _FORMS else None


def _response(answer: Answer) -> HttpResponse:
    response = JsonResponse(answer.body, status=answer.status, headers=dict(answer.headers))
    response["Cache-Control"] = "no-store"
    # Django would log the URL of every refused call, and the URL is the secret.
    response._has_been_logged = True  # type: ignore[attr-defined]
    if answer.status == 503:
        response["Retry-After"] = "5"
    return response
