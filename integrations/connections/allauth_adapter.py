"""allauth's OAuth steps, used for connecting only."""

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import get_random_string

from integrations.connections.consent import unknown_state
from integrations.framework import registry


class ConnectAdapter(DefaultSocialAccountAdapter):
    """No sign-in and no sign-up by a provider account, and no app credentials from the database."""

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        """This installation's app at the provider, as the settings have it now; never stored."""
        connector = registry.connector(provider)
        endpoints = connector.oauth()
        return SocialApp(
            provider=provider, name=connector.name, client_id=endpoints.client_id, secret=endpoints.client_secret
        )

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Apps are looked up by provider; there is no list to sign in with."""
        return [self.get_app(request, provider)] if provider else []

    def generate_state_param(self, state: dict[str, Any]) -> str:
        """256 random bits; allauth's own state has 95."""
        return get_random_string(43)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> NoReturn:
        """The last step before a provider account would sign somebody in: nothing here leads to it, and it refuses."""
        raise PermissionDenied("Accounts at providers cannot sign in here.")

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> NoReturn:
        """allauth calls this where the state is missing, old, used, or another provider's."""
        raise ImmediateHttpResponse(unknown_state(request, provider.id))
