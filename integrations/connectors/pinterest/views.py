"""Pinterest's consent page. https://developers.pinterest.com/docs/getting-started/set-up-authentication-and-authorization/"""

from django.conf import settings

from integrations.connections.consent import ConsentAdapter, callback_view


class PinterestAdapter(ConsentAdapter):
    """Pinterest's addresses; its sandbox has the same consent page."""

    provider_id = "pinterest"

    @property
    def authorize_url(self) -> str:
        return f"{settings.PINTEREST_OAUTH_BASE}/oauth/"


oauth2_callback = callback_view(PinterestAdapter)
