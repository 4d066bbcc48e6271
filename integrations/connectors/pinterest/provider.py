"""Pinterest for allauth: what a consent asks for, and who gave it."""

from collections.abc import Sequence

from django.conf import settings

from integrations.connections.consent import Consenter, ConsentProvider
from integrations.connectors.pinterest.views import PinterestAdapter
from integrations.framework.base import Account
from integrations.transport.token_set import TokenSet


class PinterestProvider(ConsentProvider):
    """Connecting Pinterest. PKCE is not documented, so it is not used."""

    id = "pinterest"
    name = "Pinterest"
    oauth2_adapter_class = PinterestAdapter

    def get_scope(self) -> list[str]:
        return list(settings.PINTEREST_SCOPES)

    def identify(self, tokens: TokenSet, accounts: Sequence[Account]) -> Consenter | None:
        """Pinterest's tokens do not name a person; the one account does."""
        return Consenter(accounts[0].external_id, accounts[0].name) if accounts else None


provider_classes = [PinterestProvider]
