"""The checks before Xero's APIs: token, organisation, limits, scope."""

import contextlib
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from integrations.sandbox.exchange import clock, exchange, fault_dial, limits
from integrations.sandbox.exchange.answers import Refused, text_answer
from integrations.sandbox.exchange.exchange import Call, View
from integrations.sandbox.models import Tenancy, Token
from integrations.sandbox.oauth import tokens
from integrations.sandbox.xero import answers


def resource(scopes: str, **views: View) -> Callable[..., HttpResponse]:
    """A Django view for one address of the accounting API: a function per method, and the scopes that allow it.

    A scope allows reading and writing, `scope.read` reading only.
    """
    return _view(lambda call: _accounting_gate(call, scopes.split()), views)


def identity_resource(**views: View) -> Callable[..., HttpResponse]:
    return _view(_identity_gate, views)


def _view(guard: exchange.Guard, views: dict[str, View]) -> Callable[..., HttpResponse]:
    @csrf_exempt
    def view(request: HttpRequest, **kwargs: str) -> HttpResponse:
        chosen = views.get(request.method or "", _no_method)
        return exchange.handle(request, "xero", guard, chosen, **kwargs)

    return view


def _no_method(call: Call, **kwargs: str) -> exchange.Answer:
    raise answers.method_not_allowed()


def _authenticate(call: Call) -> Token:
    kind, _, bearer = call.request.headers.get("Authorization", "").partition(" ")
    token = tokens.find("xero", bearer) if kind.lower() == "bearer" and bearer else None
    if token is None or token.grant.is_revoked:
        raise answers.problem(401, "Unauthorized", "AuthenticationUnsuccessful")
    if token.access_expires_at <= clock.now():
        expired = clock.moment(token.access_expires_at).strftime("%m/%d/%Y %H:%M:%S")
        raise answers.problem(401, "Unauthorized", f"TokenExpired: token expired at {expired}")
    call.token, call.client_id = token, token.grant.client_id
    return token


@contextlib.contextmanager
def _identity_gate(call: Call) -> Iterator[None]:
    _authenticate(call)
    yield


@contextlib.contextmanager
def _accounting_gate(call: Call, scopes: list[str]) -> Iterator[None]:
    token = _authenticate(call)
    tenant = call.request.headers.get("xero-tenant-id", "").strip().lower()
    grant = token.grant
    if not Tenancy.objects.filter(client_id=grant.client_id, user_id=grant.user_id, tenant=tenant).exists():
        raise answers.problem(403, "Forbidden", "AuthenticationUnsuccessful")
    call.tenant = tenant
    subject = f"xero {grant.client_id} {tenant}"
    with limits.at_once(subject, fault_dial.current().concurrent_limit) as has_place:
        if not has_place:
            raise _too_many("concurrent", None)
        _count(call, subject)
        _check_scope(call, token, scopes)
        is_file = "/Attachments/" in call.request.path and not call.is_write
        if not is_file and "application/json" not in call.request.headers.get("Accept", "").lower():
            # The real one would answer with XML: a client that forgets the header should notice it here.
            raise Refused(text_answer("Ask for JSON: send Accept: application/json.", 406), "refused: no Accept header")
        yield


def _count(call: Call, subject: str) -> None:
    setting = fault_dial.current()
    app = f"xero {call.client_id}"
    windows = (
        ("X-DayLimit-Remaining", "day", subject, limits.DAY, setting.day_limit),
        ("X-MinLimit-Remaining", "minute", subject, limits.MINUTE, setting.minute_limit),
        ("X-AppMinLimit-Remaining", "appminute", app, limits.MINUTE, setting.app_minute_limit),
    )
    for header, window, who, seconds, limit in windows:
        allowance = limits.take(who, window, seconds, limit)
        call.headers[header] = str(allowance.left)
        if allowance.is_refused:
            raise _too_many(window, allowance.wait)


def _too_many(kind: str, wait: int | None) -> Refused:
    headers = {"X-Rate-Limit-Problem": kind}
    if wait is not None:
        headers["Retry-After"] = str(wait)
    return Refused(text_answer(f"Rate limit exceeded: {kind}.", 429, headers), f"refused: limit {kind}")


def _check_scope(call: Call, token: Token, scopes: list[str]) -> None:
    granted = set(token.scope.split())
    opening = set(scopes) | (set() if call.is_write else {f"{scope}.read" for scope in scopes})
    if not granted & opening:
        raise answers.problem(401, "Unauthorized", "AuthorizationUnsuccessful")
