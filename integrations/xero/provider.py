"""Xero for allauth: what a consent asks for, and whose it is."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from integrations.base import Account
from integrations.consent import Consenter, ConsentProvider
from integrations.jsonfield import loads
from integrations.tokens import TokenSet
from integrations.xero.views import XeroAdapter


class XeroProvider(ConsentProvider):
    """Connecting Xero as a web app with a secret, for which Xero asks no PKCE."""

    id = "xero"
    name = "Xero"
    oauth2_adapter_class = XeroAdapter

    def get_scope(self) -> list[str]:
        return list(settings.XERO_SCOPES)

    def identify(self, tokens: TokenSet, accounts: Sequence[Account]) -> Consenter | None:
        """The access token says which Xero user it stands for, the id token what that person is called."""
        person = _claims(str(tokens.answer.get("id_token") or ""))
        user_id = _claims(tokens.access_token).get("xero_userid") or person.get("xero_userid")
        if not isinstance(user_id, str) or not user_id:
            return None
        name = str(person.get("name") or "").strip()
        email = str(person.get("email") or "").strip()
        label = f"{name} ({email})" if name and email else name or email
        return Consenter(user_id[:200], label[:200])


def _claims(token: str) -> Mapping[str, Any]:
    """What a JWT says. Its signature is not checked: it came from the token endpoint itself, over its own TLS."""
    try:
        payload = token.split(".")[1]
        claims = loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


provider_classes = [XeroProvider]
