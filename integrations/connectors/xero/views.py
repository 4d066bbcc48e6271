"""Xero's consent page. https://developer.xero.com/documentation/guides/oauth2/auth-flow/"""

from django.conf import settings

from integrations.connections.consent import ConsentAdapter, callback_view


class XeroAdapter(ConsentAdapter):
    """Xero's addresses."""

    provider_id = "xero"

    @property
    def authorize_url(self) -> str:
        return f"{settings.XERO_LOGIN_BASE}/identity/connect/authorize"


oauth2_callback = callback_view(XeroAdapter)
