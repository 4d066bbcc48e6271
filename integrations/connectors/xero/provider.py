"""Xero for allauth: what a consent asks for, and who gave it."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from integrations.connections.consent import Consenter, ConsentProvider
from integrations.connectors.xero.views import XeroAdapter
from integrations.core.exact_json import loads
from integrations.framework.base import Account
from integrations.transport.token_set import TokenSet


class XeroProvider(ConsentProvider):
    """Connecting Xero as a web app with a secret, for which Xero does not require PKCE."""

    id = "xero"
    name = "Xero"
    oauth2_adapter_class = XeroAdapter

    def get_scope(self) -> list[str]:
        return list(settings.XERO_SCOPES)

    def identify(self, tokens: TokenSet, accounts: Sequence[Account]) -> Consenter | None:
        """The access token holds the Xero user's id, the id token the person's name."""
        person = _claims(str(tokens.answer.get("id_token") or ""))
        user_id = _claims(tokens.access_token).get("xero_userid") or person.get("xero_userid")
        if not isinstance(user_id, str) or not user_id:
            return None
        name = str(person.get("name") or "").strip()
        email = str(person.get("email") or "").strip()
        label = f"{name} ({email})" if name and email else name or email
        return Consenter(user_id[:200], label[:200])


def _claims(token: str) -> Mapping[str, Any]:
    """The claims of a JWT. Its signature is not checked: it came directly from the token endpoint, over TLS."""
    try:
        payload = token.split(".")[1]
        claims = loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


provider_classes = [XeroProvider]
