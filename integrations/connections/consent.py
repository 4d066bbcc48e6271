"""The consent of a person at a provider: out with allauth's redirect and state, back into a Grant of the team.

allauth builds the provider's address and stores the state: random, single use, ten minutes, in the server's session,
one provider's only. We also bind it to the person and the team, and take over where allauth would sign somebody in:
the code is exchanged by `token_refresh` and the tokens go straight into a Grant. No SocialAccount, no SocialToken, no
token in the session. The scopes come from the settings only: nothing in the address of the request is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers import registry as providers
from allauth.socialaccount.providers.base import AuthProcess, ProviderAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from integrations.connections import service
from integrations.core.errors import IntegrationError, TemporaryError
from integrations.framework import registry
from integrations.framework.base import Account
from integrations.models import Team
from integrations.teams.access import Can, may, team_of
from integrations.transport import token_refresh
from integrations.transport.token_set import TokenSet
from pinxero.pages import page


@dataclass(frozen=True)
class Consenter:
    """Who gave the consent: the provider's id of the person, and a name for people."""

    external_id: str
    label: str


# --- allauth's vocabulary -------------------------------------------------------------------------------------------


class ConsentClient(OAuth2Client):
    """allauth's address of the consent page, with the scopes in the order of the settings."""

    def get_redirect_url(self, authorization_url: str, scope: Sequence[str], extra_params: Mapping[str, str]) -> str:
        query = {
            "client_id": self.consumer_key,
            "redirect_uri": self.callback_url,
            "scope": self.scope_delimiter.join(scope),
            "response_type": "code",
            "state": self.state,
            **extra_params,
        }
        return f"{authorization_url}?{urlencode(query)}"


class ConsentAdapter(OAuth2Adapter):
    """Where a provider's consent page is. A connector's `views.py` gives it, from the current settings."""

    client_class = ConsentClient
    basic_auth = True
    #: The connector gives the token endpoint, see Connector.oauth().
    access_token_url = ""

    @property
    def authorize_url(self) -> str:
        """The provider's consent page."""
        raise NotImplementedError

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """From BASE_URL, never from the Host header: providers compare it exactly."""
        return redirect_uri(self.provider_id)

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> NoReturn:
        raise PermissionDenied("Accounts at providers cannot sign in here.")


class ConsentProvider(OAuth2Provider):
    """A provider that can be connected. A connector's `provider.py` gives the scopes and who consented."""

    account_class = ProviderAccount
    pkce_enabled_default = False

    def get_scope(self) -> list[str]:
        """What is asked for: the list in the settings."""
        raise NotImplementedError

    def identify(self, tokens: TokenSet, accounts: Sequence[Account]) -> Consenter | None:
        """Who consented; None if neither the tokens nor the accounts show it."""
        raise NotImplementedError

    def get_auth_params(self) -> dict[str, str]:
        return {}

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        return reverse("connect", args=[self.id])


def redirect_uri(provider: str) -> str:
    """The redirect address registered at the provider."""
    return f"{settings.BASE_URL}{reverse(f'{provider}_callback')}"


def is_connectable(provider: str) -> bool:
    """Whether people can consent for this connector."""
    providers.load()
    return issubclass(providers.get_class(provider) or object, ConsentProvider)


def missing_settings(provider: str) -> list[str]:
    """The missing settings without which nothing can be connected to this provider."""
    needed = registry.connector(provider).declared.needed
    return [each.name for each in needed if not getattr(settings, each.name)]


def asked_scopes(request: HttpRequest, provider: str) -> list[str]:
    """The scopes that a consent at this provider asks for, in the order of the settings."""
    scopes: list[str] = get_adapter(request).get_provider(request, provider).get_scope()
    return scopes


# --- out ------------------------------------------------------------------------------------------------------------


def start(request: HttpRequest, provider: str, team: Team) -> HttpResponse:
    """Send the browser to the provider's consent page, or say which settings are missing."""
    missing = missing_settings(provider)
    if missing:
        return not_configured(request, provider, missing)
    bound_to = {"user": request.user.pk, "team": team.pk}
    return get_adapter(request).get_provider(request, provider).redirect(request, AuthProcess.CONNECT, data=bound_to)


# --- back -----------------------------------------------------------------------------------------------------------


def callback_view(adapter: type[ConsentAdapter]) -> Callable[..., HttpResponse]:
    """The view at a provider's redirect address."""

    @require_GET
    @login_not_required
    def view(request: HttpRequest) -> HttpResponse:
        response = _Callback.adapter_view(adapter)(request)
        # The address holds the code, used or not: it is kept out of all logs and the browser's cache. "no-referrer"
        # would do so too, but browsers then send "Origin: null" with the page's forms, which are refused therefore.
        response["Referrer-Policy"] = "strict-origin"
        response["Cache-Control"] = "no-store"
        return response

    return view


class _Callback(OAuth2CallbackView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        provider = self.adapter.get_provider()
        if not request.user.is_authenticated:
            return _sign_in_first(request, provider.id)
        if not may(request, Can.BUILD):
            raise PermissionDenied("Only a builder of a team may connect something.")
        state, problem = self._get_state(request, provider)
        if state is None:
            return problem
        team = team_of(request)
        if state.get("data") != {"user": request.user.pk, "team": team.pk}:
            return unknown_state(request, provider.id)
        if "error" in request.GET or "code" not in request.GET:
            return _no_consent(request, provider.id)
        return _take(request, provider, team)


def _take(request: HttpRequest, provider: ConsentProvider, team: Team) -> HttpResponse:
    try:
        tokens = token_refresh.exchange_code(provider.id, request.GET["code"], redirect_uri(provider.id))
    except IntegrationError as error:
        return _no_tokens(request, provider.id, error)
    if not tokens.refresh_token:
        return _nothing_lasting(request, provider.id)
    connector = registry.connector(provider.id)
    accounts: list[Account] = []
    trouble = TemporaryError(f"{connector.name} did not tell whose consent this is.")
    try:
        accounts = connector.accounts(tokens.access_token)
    except IntegrationError as error:
        trouble = TemporaryError(error.message)
    consenter = provider.identify(tokens, accounts)
    if consenter is None:
        return provider_down(request, provider.id, trouble.message)
    grant = service.add_grant(
        team=team,
        provider=provider.id,
        external_user_id=consenter.external_id,
        label=consenter.label,
        tokens=tokens,
        asked_scopes=provider.get_scope(),
        accounts=accounts,
        by=request.user,
    )
    return redirect("choose_accounts", grant.pk)


# --- the pages of a failed consent ------------------------------------------------------------------------------------


def _problem(
    request: HttpRequest, provider: str, title: str, happened: str, todo: list[str], *, status: int, said: str = ""
) -> HttpResponse:
    context = {
        "provider": registry.connector(provider),
        "happened": happened,
        "todo": todo,
        "said": said,
        "may_connect": may(request, Can.BUILD),
    }
    return page(request, "connections/problem.html", context, title=title, status=status)


def _sign_in_first(request: HttpRequest, provider: str) -> HttpResponse:
    name = registry.connector(provider).name
    messages.warning(
        request,
        f"Nothing was connected: you are not signed in to Pinxero at {settings.BASE_URL}, where {name} sent you back "
        f"to. Sign in here, then connect {name} again.",
    )
    return redirect_to_login(reverse("connections"))


def unknown_state(request: HttpRequest, provider: str) -> HttpResponse:
    """The answer belongs to no consent that this person began in this session."""
    if not request.user.is_authenticated:
        return _sign_in_first(request, provider)
    name = registry.connector(provider).name
    return _problem(
        request,
        provider,
        "This consent was not begun here",
        f"{name} sent you back, but Pinxero has no open question to {name} from you in this browser and this team: it "
        "was asked more than ten minutes ago, was answered already, or began in another browser, account or team. "
        "Nothing was connected.",
        [
            f"Connect {name} again, in this browser, and finish within ten minutes.",
            f"Open Pinxero at {settings.BASE_URL}: under another address the browser does not bring the question back.",
            "If you followed a link that somebody sent you, do not go on; tell your administrator.",
        ],
        status=400,
    )


def _no_consent(request: HttpRequest, provider: str) -> HttpResponse:
    name = registry.connector(provider).name
    error = request.GET.get("error", "")
    said = request.GET.get("error_description", "") or error
    if error == "access_denied":
        return _problem(
            request,
            provider,
            f"You did not give access to {name}",
            f"On {name}'s page the access was denied, so nothing was connected and nothing has changed.",
            [f"Connect {name} again if that was not meant, and allow the access there."],
            status=200,
        )
    if error == "invalid_scope":
        return _problem(
            request,
            provider,
            f"{name} does not know one of the permissions",
            f"Pinxero asked {name} for a permission that its app may not have, so nothing was connected.",
            [f"An administrator has to correct {provider.upper()}_SCOPES, then connect again."],
            status=502,
            said=said[:300],
        )
    return provider_down(request, provider, said[:300])


def _no_tokens(request: HttpRequest, provider: str, error: IntegrationError) -> HttpResponse:
    name, prefix = registry.connector(provider).name, provider.upper()
    if not isinstance(error, token_refresh.RefusedError):
        return provider_down(request, provider, error.message)
    if error.status == 401 or error.error in {"invalid_client", "unauthorized_client"}:
        return _problem(
            request,
            provider,
            f"{name} does not accept this installation",
            f"{name} refused the app id or the secret that Pinxero is set up with, so nothing was connected.",
            [
                f"An administrator has to compare {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET with the app at "
                f"{name}, and restart Pinxero.",
                "Then connect again.",
            ],
            status=502,
            said=error.message,
        )
    return _problem(
        request,
        provider,
        f"{name} did not accept the consent",
        f"{name} refused to turn the consent into access, so nothing was connected. A consent can be used once and "
        "within a few minutes only.",
        [
            f"Connect {name} again.",
            f"If it happens again, an administrator should compare the address {redirect_uri(provider)} with the "
            f"redirect addresses of the app at {name}; they must be the same to the letter.",
        ],
        status=502,
        said=error.message,
    )


def _nothing_lasting(request: HttpRequest, provider: str) -> HttpResponse:
    name = registry.connector(provider).name
    return _problem(
        request,
        provider,
        f"{name} gave no lasting access",
        f"{name} gave access for minutes only, without the right to renew it, so nothing was connected: workflows "
        "would stop soon after.",
        [
            f"An administrator has to see that {provider.upper()}_SCOPES asks for lasting access (a scope such as "
            "offline_access, where the provider has one), then connect again and allow everything.",
        ],
        status=502,
    )


def provider_down(request: HttpRequest, provider: str, said: str) -> HttpResponse:
    """The provider gave no answer, or none that can be read."""
    name = registry.connector(provider).name
    return _problem(
        request,
        provider,
        f"{name} is not answering as it should",
        f"{name} gave no usable answer, so nothing was connected and nothing has changed.",
        [f"Wait a few minutes, then connect {name} again.", f"Look at {name}'s status page if it goes on."],
        status=502,
        said=said,
    )


def not_configured(request: HttpRequest, provider: str, missing: list[str]) -> HttpResponse:
    """This installation has no app at the provider yet."""
    name = registry.connector(provider).name
    return _problem(
        request,
        provider,
        f"{name} is not set up yet",
        f"Pinxero needs an app of your own at {name} before anything can be connected. Missing in the settings: "
        f"{' and '.join(missing)}.",
        [
            f"An administrator registers an app at {name} with the redirect address {redirect_uri(provider)}.",
            f"They put its id and secret into {' and '.join(missing)} and restart Pinxero.",
            "Then connect.",
        ],
        status=503,
    )
