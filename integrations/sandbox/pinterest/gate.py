"""The checks before Pinterest's API: token, limits, scopes; and the shape of its errors."""

import contextlib
import math
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from integrations.sandbox.exchange import clock, exchange, fault_dial, limits
from integrations.sandbox.exchange.answers import Refused, json_answer
from integrations.sandbox.exchange.exchange import Call, View
from integrations.sandbox.oauth import tokens

NOT_PERMITTED = "You are not permitted to access that resource."
#: How many calls an app with trial access may make in a day, and how many of them may be writes.
TRIAL_CALLS, TRIAL_WRITES = 1000, 300
TOO_MANY = "You have exceeded your rate limit. Try again later."


def refusal(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Refused:
    answer = json_answer({"code": code, "message": message}, status, headers)
    return Refused(answer, f"refused: {status} code {code}: {message}")


def resource(**views: tuple[str, View]) -> Callable[..., HttpResponse]:
    """A Django view for one address: per method the scopes it needs and the function that answers."""

    @csrf_exempt
    def view(request: HttpRequest, **kwargs: str) -> HttpResponse:
        scopes, chosen = views.get(request.method or "", ("", _no_method))
        return exchange.handle(request, "pinterest", lambda call: _gate(call, scopes.split()), chosen, **kwargs)

    return view


def _no_method(call: Call, **kwargs: str) -> exchange.Answer:
    raise refusal(405, 1, "The method is not available for this resource.")


@contextlib.contextmanager
def _gate(call: Call, scopes: list[str]) -> Iterator[None]:
    kind, _, bearer = call.request.headers.get("Authorization", "").partition(" ")
    token = tokens.find("pinterest", bearer) if kind.lower() == "bearer" and bearer else None
    if token is None or token.grant.is_revoked or token.access_expires_at <= clock.now():
        raise refusal(401, 2, "Authentication failed.")
    call.token, call.client_id = token, token.grant.client_id
    _count(call)
    missing = [scope for scope in scopes if scope not in token.scope.split()]
    if missing:
        raise refusal(403, 29, f"{NOT_PERMITTED} The token lacks the scope {', '.join(missing)}.")
    yield


def _count(call: Call) -> None:
    assert call.token is not None
    setting = fault_dial.current()
    kind = "org_write" if call.is_write else "org_read"
    limit = setting.pinterest_write_limit if call.is_write else setting.pinterest_read_limit
    seconds, subject = limits.MINUTE, f"pinterest {call.token.grant.user_id}"
    if setting.trial:
        limit, seconds, kind = TRIAL_CALLS, limits.DAY, "trial"
        writes = limits.take(subject, "trial_write", seconds, TRIAL_WRITES) if call.is_write else None
        limit = 0 if writes and writes.is_refused else limit
    allowance = limits.take(subject, kind, seconds, limit)
    call.headers |= {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(allowance.left),
        "x-ratelimit-reset": str(allowance.wait or math.ceil(clock.scaled(seconds))),
        "x-pinterest-rid": f"{call.arrival:016d}",
    }
    if allowance.is_refused:
        raise refusal(429, 8, TOO_MANY)  # only the headers of the rate say when to call again
