"""The secret addresses that start workflows. Nobody is signed in here: the address is the key, a signature may be.

Like the providers' notices, a view without a CSRF token, which no session could be abused through: none is looked at.
"""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from workflows import hooks
from workflows.hooks import Answer, Call

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@csrf_exempt
@require_POST
def inbound(request: HttpRequest, token: str) -> HttpResponse:
    """Take a call; the statuses are told in `workflows.hooks`."""
    try:
        hook = hooks.find(token)
    except DatabaseError:
        return _told(Answer(503, {"error": "The call could not be stored. Send it again."}))
    if hook is None:
        return _told(Answer(404, {"error": "There is no such address."}))
    try:
        body = _body(request)
        form = _form(request)
    except RequestDataTooBig:
        return _told(Answer(413, {"error": "The body is longer than 1 MB."}))
    except (UnreadablePostError, MultiPartParserError, TooManyFieldsSent):
        return _told(Answer(400, {"error": "The body cannot be read."}))
    call = Call(
        body=body, content_type=request.content_type or "", headers=request.headers, query=request.GET, form=form
    )
    return _told(hooks.receive(hook, call))


def _body(request: HttpRequest) -> bytes:
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if length.isascii() and length.isdigit() and int(length) > hooks.LONGEST_BODY:
        raise RequestDataTooBig
    body: bytes = request.body
    return body


def _form(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.content_type in _FORMS else None


def _told(answer: Answer) -> HttpResponse:
    response = JsonResponse(answer.body, status=answer.status)
    response["Cache-Control"] = "no-store"
    # Django would write the address of every refusal into the log, and the address is the secret.
    response._has_been_logged = True  # type: ignore[attr-defined]
    if answer.status in (429, 503):
        response["Retry-After"] = "60" if answer.status == 429 else "5"
    return response
