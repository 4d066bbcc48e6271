"""Pinterest for allauth: what a consent asks for, and whose it is."""

from collections.abc import Sequence

from django.conf import settings

from integrations.base import Account
from integrations.consent import Consenter, ConsentProvider
from integrations.pinterest.views import PinterestAdapter
from integrations.tokens import TokenSet


class PinterestProvider(ConsentProvider):
    """Connecting Pinterest. PKCE is not documented there, so it is not used."""

    id = "pinterest"
    name = "Pinterest"
    oauth2_adapter_class = PinterestAdapter

    def get_scope(self) -> list[str]:
        return list(settings.PINTEREST_SCOPES)

    def identify(self, tokens: TokenSet, accounts: Sequence[Account]) -> Consenter | None:
        """Pinterest's tokens name nobody; the account does, and there is one."""
        return Consenter(accounts[0].external_id, accounts[0].name) if accounts else None


provider_classes = [PinterestProvider]
