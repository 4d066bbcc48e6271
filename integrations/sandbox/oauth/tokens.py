"""Grants and tokens of both providers: issue, rotate, expire, revoke."""

import base64
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from integrations.sandbox.exchange import clock, fault_dial
from integrations.sandbox.exchange.answers import dumps
from integrations.sandbox.models import Code, Grant, Tenancy, Token

XERO_USER = {
    "xero_userid": "1f6c0b6e-6f0d-4f5e-9a57-0c0f5b1c7a11",
    "email": "robin.ledger@pinworks.example",
    "given_name": "Robin",
    "family_name": "Ledger",
}
PINTEREST_USER = {"id": "783612114631173151", "username": "pinworks"}
USER_IDS = {"xero": XERO_USER["xero_userid"], "pinterest": PINTEREST_USER["id"]}

XERO_SCOPES = frozenset(
    [
        "openid",
        "profile",
        "email",
        "offline_access",
        "accounting.invoices",
        "accounting.invoices.read",
        "accounting.contacts",
        "accounting.contacts.read",
        "accounting.settings",
        "accounting.settings.read",
        "accounting.payments",
        "accounting.payments.read",
        "accounting.banktransactions",
        "accounting.banktransactions.read",
        "accounting.attachments",
        "accounting.attachments.read",
        "accounting.reports.balancesheet.read",
        "accounting.reports.profitandloss.read",
        "projects",
        "projects.read",
    ]
)
PINTEREST_SCOPES = frozenset(
    [
        "user_accounts:read",
        "boards:read",
        "boards:write",
        "boards:read_secret",
        "boards:write_secret",
        "pins:read",
        "pins:write",
        "pins:read_secret",
        "pins:write_secret",
    ]
)
SCOPES = {"xero": XERO_SCOPES, "pinterest": PINTEREST_SCOPES}
DEFAULT_SCOPE = {
    "xero": "openid profile email offline_access accounting.contacts accounting.invoices accounting.banktransactions "
    "accounting.settings accounting.payments accounting.attachments accounting.reports.balancesheet.read "
    "accounting.reports.profitandloss.read projects",
    "pinterest": "user_accounts:read boards:read boards:write pins:read pins:write",
}
CODE_SECONDS = 300
REFRESH_DAYS = 60


class InvalidGrant(Exception):
    """The code or refresh token is no longer valid; the message says why."""


@dataclass(frozen=True)
class TokenSet:
    token: Token
    expires_in: int


def client_id(provider: str) -> str:
    return str(settings.SANDBOX_CLIENTS[provider][0])


def is_client(provider: str, name: str, secret: str) -> bool:
    known_name, known_secret = settings.SANDBOX_CLIENTS[provider]
    return hmac.compare_digest(name.encode(), known_name.encode()) and hmac.compare_digest(
        secret.encode(), known_secret.encode()
    )


def consent(provider: str, scope: str) -> Grant:
    return Grant.objects.create(
        provider=provider,
        client_id=client_id(provider),
        user_id=USER_IDS[provider],
        scope=scope,
        auth_event_id=str(uuid.uuid4()),
    )


def widened(provider: str, scope: str) -> str:
    """The scopes with those granted before: they add up per person and app."""
    asked = scope.split()
    earlier = Grant.objects.filter(provider=provider, client_id=client_id(provider), is_revoked=False)
    before = {name for grant in earlier for name in grant.scope.split()}
    return " ".join(asked + sorted(before - set(asked)))


def open_organisations(grant: Grant, tenants: list[str]) -> None:
    """Connect the organisations that the person ticked; those connected before stay."""
    moment = clock.now()
    for tenant in tenants:
        tenancy, is_new = Tenancy.objects.get_or_create(
            client_id=grant.client_id,
            user_id=grant.user_id,
            tenant=tenant,
            defaults={
                "connection_id": str(uuid.uuid4()),
                "auth_event_id": grant.auth_event_id,
                "created_at": moment,
                "updated_at": moment,
            },
        )
        if not is_new:
            tenancy.auth_event_id, tenancy.updated_at = grant.auth_event_id, moment
            tenancy.save()


def new_code(grant: Grant, redirect_uri: str) -> str:
    code = secrets.token_urlsafe(32)
    expires_at = clock.now() + clock.scaled_ms(CODE_SECONDS)
    Code.objects.create(code=code, grant=grant, redirect_uri=redirect_uri, expires_at=expires_at)
    return code


def redeem(provider: str, code: str, redirect_uri: str) -> TokenSet:
    """Tokens for a code. A code that is used a second time also ends its grant: somebody has copied it."""
    row = Code.objects.filter(code=code, grant__provider=provider).select_related("grant").first()
    if row is None:
        raise InvalidGrant("The code is unknown.")
    if row.used_at is not None:
        Grant.objects.filter(pk=row.grant_id).update(is_revoked=True)
        raise InvalidGrant("The code was used before.")
    if row.expires_at < clock.now():
        raise InvalidGrant("The code has expired.")
    if row.redirect_uri != redirect_uri:
        raise InvalidGrant("The redirect_uri differs from the one of the authorization request.")
    row.used_at = clock.now()
    row.save()
    return issue(row.grant)


def issue(grant: Grant, previous: Token | None = None, scope: str = "") -> TokenSet:
    scope = scope or grant.scope
    seconds = fault_dial.current().access_token_seconds or {"xero": 1800.0, "pinterest": 2592000.0}[grant.provider]
    lifetime = max(1, round(clock.scaled(seconds)))
    moment = clock.now()
    has_refresh = grant.provider == "pinterest" or "offline_access" in scope.split()
    token = Token.objects.create(
        grant=grant,
        access_token=_access_token(grant, scope, moment // 1000 + lifetime),
        refresh_token=_refresh_token(grant.provider) if has_refresh else None,
        scope=scope,
        access_expires_at=moment + lifetime * 1000,
        refresh_expires_at=moment + clock.scaled_ms(REFRESH_DAYS * 86400),
        previous=previous,
    )
    return TokenSet(token, lifetime)


def rotate(provider: str, refresh_token: str, scope: str = "") -> TokenSet:
    """A new pair for a refresh token. Xero accepts the previous one for another half hour, Pinterest does not.

    A repeated refresh invalidates the pair of the first one: two workers that race each other lose.
    """
    token = Token.objects.filter(refresh_token=refresh_token, grant__provider=provider).select_related("grant").first()
    if token is None or token.is_dropped or token.grant.is_revoked:
        raise InvalidGrant("The refresh token is unknown or was revoked.")
    if token.refresh_expires_at < clock.now():
        raise InvalidGrant("The refresh token has expired.")
    if token.replaced_at is not None:
        grace = clock.scaled_ms(fault_dial.current().refresh_grace_seconds) if provider == "xero" else 0
        if clock.now() > token.replaced_at + grace or provider != "xero":
            raise InvalidGrant("The refresh token was used before.")
        _drop_successors(token)
    else:
        token.replaced_at = clock.now()
        token.save()
    narrowed = " ".join(name for name in token.scope.split() if name in scope.replace(",", " ").split())
    return issue(token.grant, previous=token, scope=narrowed or token.scope)


def _drop_successors(token: Token) -> None:
    for successor in token.successors.filter(is_dropped=False):
        successor.is_dropped = True
        successor.save()
        _drop_successors(successor)


def revoke(grant: Grant) -> None:
    """End a consent: its tokens are void at once, and at Xero its organisations are disconnected."""
    grant.is_revoked = True
    grant.save()
    Token.objects.filter(grant=grant).update(access_expires_at=0)
    if grant.provider == "xero":
        Tenancy.objects.filter(client_id=grant.client_id, user_id=grant.user_id).delete()


def find(provider: str, access_token: str) -> Token | None:
    return Token.objects.select_related("grant").filter(access_token=access_token, grant__provider=provider).first()


def _refresh_token(provider: str) -> str:
    return ("pinr_" if provider == "pinterest" else "") + secrets.token_urlsafe(32)


def _access_token(grant: Grant, scope: str, expires: int) -> str:
    if grant.provider == "pinterest":
        return "pina_" + secrets.token_urlsafe(48)
    return _jwt(
        {
            "nbf": expires - 1800,
            "exp": expires,
            "iss": "https://identity.xero.com",
            "aud": "https://identity.xero.com/resources",
            "client_id": grant.client_id,
            "sub": uuid.uuid5(uuid.NAMESPACE_URL, grant.user_id).hex,
            "xero_userid": grant.user_id,
            "global_session_id": uuid.uuid4().hex,
            "authentication_event_id": grant.auth_event_id,
            "jti": uuid.uuid4().hex,
            "scope": scope.split(),
        }
    )


def id_token(grant: Grant) -> str:
    moment = clock.now() // 1000
    claims = {"iss": "https://identity.xero.com", "aud": grant.client_id, "iat": moment, "exp": moment + 300}
    return _jwt({**claims, **identity(grant)})


def identity(grant: Grant) -> dict[str, Any]:
    """The person's name, as far as the granted scopes allow."""
    granted = set(grant.scope.split())
    known: dict[str, Any] = {"sub": uuid.uuid5(uuid.NAMESPACE_URL, grant.user_id).hex, "xero_userid": grant.user_id}
    if "email" in granted:
        known["email"] = XERO_USER["email"]
    if "profile" in granted:
        known |= {name: XERO_USER[name] for name in ("given_name", "family_name")}
        known |= {"name": "Robin Ledger", "preferred_username": XERO_USER["email"]}
    return known


def _jwt(claims: dict[str, Any]) -> str:
    """A token shaped like Xero's, signed with a throw-away key: not to be trusted outside this machine."""
    parts = [{"alg": "HS256", "kid": "sandbox", "typ": "JWT"}, claims]
    signed = ".".join(_base64(dumps(part).encode()) for part in parts)
    return f"{signed}.{_base64(hmac.digest(settings.SECRET_KEY.encode(), signed.encode(), 'sha256'))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
