"""OAuth 2.0 of both providers: the consent page, the token endpoints, revocation and who the person is."""

import base64
import ipaddress
import urllib.parse
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock, exchange, fault_dial, server
from integrations.sandbox.exchange.answers import Answer, json_answer, text_answer
from integrations.sandbox.oauth import tokens

APP_NAME = "Pinxero (local)"
SCOPE_WORDS = {
    "openid": "Know who you are",
    "profile": "See your name",
    "email": "See your e-mail address",
    "offline_access": "Stay connected while you are away",
    "accounting.contacts": "View and change contacts",
    "accounting.invoices": "View and change invoices, bills, quotes, purchase orders and credit notes",
    "accounting.banktransactions": "View and change bank transactions and transfers",
    "accounting.payments": "View and change payments",
    "accounting.settings": "View and change settings: accounts, tax rates, items",
    "accounting.settings.read": "View settings: accounts, tax rates, items",
    "projects": "View and change projects",
    "user_accounts:read": "See your profile",
    "boards:read": "See your public boards",
    "boards:write": "Create and change your boards",
    "boards:read_secret": "See your secret boards",
    "pins:read": "See your public Pins",
    "pins:write": "Create and change your Pins",
    "pins:read_secret": "See your secret Pins",
}


@dataclass(frozen=True)
class Ask:
    """An authorization request whose client and return address are known to be good."""

    provider: str
    redirect_uri: str
    scope: str
    state: str | None

    def back(self, **answer: str) -> HttpResponseRedirect:
        """Send the browser back, with the state unchanged."""
        if self.state is not None:
            answer["state"] = self.state
        joiner = "&" if urllib.parse.urlsplit(self.redirect_uri).query else "?"
        return HttpResponseRedirect(f"{self.redirect_uri}{joiner}{urllib.parse.urlencode(answer)}")


def authorize(request: HttpRequest, provider: str) -> HttpResponse:
    """The page on which a person accepts or denies, and for Xero chooses organisations."""
    asked = request.POST if request.method == "POST" else request.GET
    problem = _problem(provider, asked)
    if problem:
        return render(request, "sandbox/problem.html", {"title": "Invalid request", "problem": problem}, status=400)
    ask = Ask(
        provider=provider,
        redirect_uri=asked["redirect_uri"],
        scope=" ".join(asked.get("scope", "").replace(",", " ").split()),
        state=asked.get("state"),
    )
    if asked.get("response_type") != "code":
        return ask.back(error="unsupported_response_type")
    unknown = [name for name in ask.scope.split() if name not in tokens.SCOPES[provider]]
    if unknown or not ask.scope:
        return ask.back(error="invalid_scope", error_description=f"Unknown scope: {' '.join(unknown) or 'none given'}")
    if request.method != "POST":
        return _consent_page(request, ask)
    if asked.get("decision") != "accept":
        return ask.back(error="access_denied", error_description="The person denied the request.")
    return _accepted(request, ask)


def _problem(provider: str, asked: Any) -> str:
    """Why the browser must not be sent back, or an empty text."""
    if asked.get("client_id") != tokens.client_id(provider):
        return "The app that asks is not registered here (unknown client_id)."
    parts = urllib.parse.urlsplit(asked.get("redirect_uri", ""))
    if parts.scheme not in {"http", "https"} or not _is_local(parts.hostname or "") or parts.fragment:
        return "The return address is not registered (redirect_uri): the sandbox knows addresses on this machine only."
    return ""


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _consent_page(request: HttpRequest, ask: Ask) -> HttpResponse:
    scopes = [(name, SCOPE_WORDS.get(name, name)) for name in ask.scope.split()]
    context = {
        "provider": ask.provider,
        "provider_name": ask.provider.title(),
        "app_name": APP_NAME,
        "scopes": scopes,
        "organisations": ORGANISATIONS.values() if ask.provider == "xero" else (),
        "asked": [(name, value) for name, value in request.GET.items() if name not in {"decision", "tenant"}],
        "user": tokens.XERO_USER["email"] if ask.provider == "xero" else tokens.PINTEREST_USER["username"],
    }
    return render(request, "sandbox/consent.html", context)


def _accepted(request: HttpRequest, ask: Ask) -> HttpResponse:
    with exchange.writing():
        grant = tokens.consent(ask.provider, tokens.widened(ask.provider, ask.scope))
        if ask.provider == "xero":
            tokens.open_organisations(grant, [t for t in request.POST.getlist("tenant") if t in ORGANISATIONS])
        code = tokens.new_code(grant, ask.redirect_uri)
    if ask.provider == "xero":
        return ask.back(code=code, scope=grant.scope, session_state=f"{grant.auth_event_id}.sandbox")
    return ask.back(code=code)


def token(request: HttpRequest, provider: str) -> HttpResponse:
    """Tokens for a code or a refresh token. Committed before the answer is sent, as the providers do."""
    if fault_dial.draw_token_fault("token_500"):
        answer = text_answer("Service unavailable.", 500)
        exchange.record_other(request, provider, answer, "fault: token_500", is_committed=False)
        return answer.to_http()
    form = request.POST
    with exchange.writing():
        answer, outcome = _tokens(request, provider, form)
        exchange.record_other(request, provider, answer, outcome, is_committed=answer.status == 200)
    is_refresh = form.get("grant_type") == "refresh_token" and answer.status == 200
    if is_refresh and fault_dial.draw_token_fault("refresh_silence"):
        seconds = clock.scaled(60)
        request.META.update({"sandbox.wire": server.SILENCE, "sandbox.silence_seconds": seconds})
    return answer.to_http()


def _tokens(request: HttpRequest, provider: str, form: Any) -> tuple[Answer, str]:
    if request.method != "POST":
        return _token_problem(provider, "invalid_request", "Tokens are asked for with POST."), "refused: not a POST"
    if not _is_known_client(request, provider):
        return _token_problem(provider, "invalid_client", "", status=401), "refused: invalid_client"
    try:
        if form.get("grant_type") == "authorization_code":
            made = tokens.redeem(provider, form.get("code", ""), form.get("redirect_uri", ""))
        elif form.get("grant_type") == "refresh_token":
            made = tokens.rotate(provider, form.get("refresh_token", ""), form.get("scope", ""))
        else:
            return _token_problem(provider, "unsupported_grant_type", ""), "refused: unsupported_grant_type"
    except tokens.InvalidGrant as error:
        return _token_problem(provider, "invalid_grant", str(error)), f"refused: invalid_grant: {error}"
    return json_answer(_token_body(provider, form["grant_type"], made)), f"tokens for {form['grant_type']}"


def _token_problem(provider: str, error: str, description: str, status: int = 400) -> Answer:
    if provider == "pinterest":
        code, message = (2, "Authentication failed.") if status == 401 else (283, f"{error}: {description}")
        return json_answer({"code": code, "message": message}, status)
    return json_answer({"error": error} | ({"error_description": description} if description else {}), status)


def _is_known_client(request: HttpRequest, provider: str) -> bool:
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return False
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return False
    name, secret = urllib.parse.unquote(name), urllib.parse.unquote(secret)
    return tokens.is_client(provider, name, secret)


def _token_body(provider: str, grant_type: str, made: tokens.TokenSet) -> dict[str, Any]:
    token = made.token
    body: dict[str, Any] = {"access_token": token.access_token, "expires_in": made.expires_in, "scope": token.scope}
    if provider == "xero":
        body["token_type"] = "Bearer"  # noqa: S105 - the kind, not a secret
        if "openid" in token.scope.split():
            body["id_token"] = tokens.id_token(token.grant)
        if token.refresh_token:
            body["refresh_token"] = token.refresh_token
        return body
    seconds = round(clock.scaled(tokens.REFRESH_DAYS * 86400))
    return body | {
        "token_type": "bearer",
        "response_type": grant_type,
        "refresh_token": token.refresh_token,
        "refresh_token_expires_in": seconds,
        "refresh_token_expires_at": clock.now() // 1000 + seconds,
    }


def revocation(request: HttpRequest) -> HttpResponse:
    """Xero only: ends the grant of a refresh token. An unknown token gets the same answer, as RFC 7009 requires."""
    with exchange.writing():
        if not _is_known_client(request, "xero"):
            answer, outcome = _token_problem("xero", "invalid_client", "", status=401), "refused: invalid_client"
        else:
            found = tokens.Token.objects.filter(refresh_token=request.POST.get("token", "-")).first()
            if found:
                tokens.revoke(found.grant)
            answer = Answer(200)
            outcome = "revoked the grant" if found else "unknown token, nothing revoked"
        exchange.record_other(request, "xero", answer, outcome, is_committed=outcome.startswith("revoked"))
    return answer.to_http()


def userinfo(request: HttpRequest) -> HttpResponse:
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    found = tokens.find("xero", bearer) if kind.lower() == "bearer" else None
    if found is None or found.access_expires_at < clock.now() or "openid" not in found.scope.split():
        answer = json_answer({"error": "invalid_token"}, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    else:
        answer = json_answer(tokens.identity(found.grant))
    exchange.record_other(request, "xero", answer, "read", is_committed=False)
    return answer.to_http()


def discovery(request: HttpRequest) -> HttpResponse:
    base = f"http://{request.get_host()}"
    return json_answer(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/identity/connect/authorize",
            "token_endpoint": f"{base}/connect/token",
            "userinfo_endpoint": f"{base}/connect/userinfo",
            "revocation_endpoint": f"{base}/connect/revocation",
            "scopes_supported": sorted(tokens.XERO_SCOPES),
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
    ).to_http()
