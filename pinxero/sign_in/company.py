"""Sign-in with the company's own accounts, by OpenID Connect: allauth speaks to the server, and here is what follows.

Whoever the server names is known by its `sub` from the first sign-in on. The first time an account is made, or, where
the server says that the address is verified, the one account with that address is taken. An unverified address takes
nothing over, and neither takes over a superuser. Groups become roles, see `integrations/people/company_roles.py`.

An account without a password confirms a change by signing in there anew: the server is asked for that with `prompt` and
`max_age` (https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from integrations.connections.allauth_adapter import ConnectAdapter
from integrations.models import Membership, Role
from integrations.people import company_roles

PROVIDER, COMPANY = "openid_connect", "company"


def is_configured() -> bool:
    """Whether people can sign in so."""
    return bool(settings.OIDC_SERVER_URL and settings.OIDC_CLIENT_ID)


def has_readable_groups() -> bool:
    """Whether OIDC_GROUPS is what it has to be: a list of groups, each with a team and a role."""
    rules: Any = settings.OIDC_GROUPS
    return isinstance(rules, list) and all(
        isinstance(each, dict) and each.keys() == {"group", "team", "role"} and each["role"] in Role.values
        for each in rules
    )


class CompanyAdapter(ConnectAdapter):
    """The adapter for connecting, which also lets the company's accounts sign in."""

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        """This installation's app at the server, as the settings have it now; never stored."""
        if provider not in (PROVIDER, COMPANY):
            return super().get_app(request, provider, client_id)
        if not is_configured():
            raise SocialApp.DoesNotExist
        # Whoever is signed in here already has come to confirm that it is still them.
        anew = {"auth_params": {"prompt": "login", "max_age": "0"}} if request.user.is_authenticated else {}
        return SocialApp(
            provider=PROVIDER,
            provider_id=COMPANY,
            name=settings.OIDC_NAME,
            client_id=settings.OIDC_CLIENT_ID,
            secret=settings.OIDC_CLIENT_SECRET,
            settings={
                "server_url": settings.OIDC_SERVER_URL,
                "oauth_pkce_enabled": True,
                "scope": ["openid", "profile", "email", *settings.OIDC_SCOPES],
                **anew,
            },
        )

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:  # type: ignore[override]
        """Decide who it is and what they may do, before anybody is signed in. Anything but a sign-in is refused."""
        account = sociallogin.account
        if account.provider != COMPANY or sociallogin.state.get("process") != "login":
            super().pre_social_login(request, sociallogin)
        claims = _claims(request, account.extra_data)
        if request.user.is_authenticated:
            _require_sign_in_anew(request, claims)
        if sociallogin.is_existing:
            # What the groups take away stays taken away, also where nobody is let in then.
            _let_in(request, sociallogin.user, claims)
            if request.user == sociallogin.user:
                _confirmed(request, sociallogin)
            return
        with transaction.atomic():  # of a stranger who is refused nothing is left behind
            user = _person(request, claims)
            _let_in(request, user, claims)
            account.user = sociallogin.user = user
            account.save()

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> NoReturn:
        """The server refused, did not answer, or the answer belongs to no sign-in that was begun here."""
        if provider.id == PROVIDER:
            _refuse(request, f"Signing in with {settings.OIDC_NAME} did not work. Try again.")
        super().on_authentication_error(request, provider, error, exception, extra_context)


@require_POST
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Go to the company's server."""
    _only_company(provider_id)
    answer: HttpResponse = views.login(request, provider_id)
    return answer


@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Come back from it."""
    _only_company(provider_id)
    answer: HttpResponse = views.callback(request, provider_id)
    return answer


@login_required
@require_GET
def confirm(request: HttpRequest) -> HttpResponse:
    """Where somebody without a password confirms that it is them: by signing in anew at the company's server."""
    there = request.GET.get("next", "")
    if get_account_adapter().get_reauthentication_methods(request.user):
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': there})}")
    is_here = url_has_allowed_host_and_scheme(there, {request.get_host()}, require_https=request.is_secure())
    can_confirm = is_configured() and SocialAccount.objects.filter(user=request.user.pk, provider=COMPANY).exists()
    around = {"next": there if is_here else "", "company": settings.OIDC_NAME if can_confirm else ""}
    return render(request, "account/confirm_at_company.html", around)


def _only_company(provider_id: str) -> None:
    """allauth would take the name of any provider here."""
    if provider_id != COMPANY or not is_configured():
        raise Http404("Pinxero has no such page.")


def _claims(request: HttpRequest, extra: Mapping[str, Any]) -> dict[str, Any]:
    """What the server says: in the ID token, and in what it answers about the person, which has to be the same one."""
    token, asked = extra.get("id_token") or {}, extra.get("userinfo") or {}
    if token and asked and token.get("sub") != asked.get("sub"):
        _refuse(request, f"Signing in with {settings.OIDC_NAME} did not work: the answers are of two people.")
    return {**token, **asked}


def _require_sign_in_anew(request: HttpRequest, claims: Mapping[str, Any]) -> None:
    """Refuse an answer about a sign-in that lies back. A server that does not say when it was is believed: it was asked
    for a new one."""
    at = claims.get("auth_time")
    if isinstance(at, int | float) and time.time() - at >= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        _refuse(
            request,
            f"{settings.OIDC_NAME} did not ask you to sign in anew, so nothing was done. Sign out there and try again.",
        )


def _confirmed(request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
    """Go on where it was asked. allauth would begin another session, and what was typed lies in this one."""
    account = sociallogin.account
    record_authentication(
        request, sociallogin.user, "socialaccount", provider=account.provider, uid=account.uid, reauthenticated=True
    )
    raise ImmediateHttpResponse(redirect(sociallogin.get_redirect_url(request) or "/"))


def _groups(claims: Mapping[str, Any]) -> set[str]:
    stated = claims.get(settings.OIDC_GROUPS_CLAIM)
    return (
        {str(each) for each in stated} if isinstance(stated, list) else {stated} if isinstance(stated, str) else set()
    )


def _let_in(request: HttpRequest, user: User, claims: Mapping[str, Any]) -> None:
    """Give them the roles of their groups; refuse whoever has none then."""
    if not user.is_active:
        _refuse(request, "This account is switched off. Ask whoever runs Pinxero.")
    company_roles.apply(user, _groups(claims))
    if not user.is_superuser and not Membership.objects.in_force().filter(user=user).exists():
        _refuse(request, "Your account belongs to no group that is let in here. Ask your administrator.")


def _person(request: HttpRequest, claims: Mapping[str, Any]) -> User:
    """The account of somebody who signs in so for the first time."""
    email = str(claims.get("email") or "").strip()
    known = list(User.objects.select_for_update().filter(email__iexact=email)) if email else []
    if not known:
        return _new_account(claims, email)
    # True and nothing that only looks like it: some servers state it as a text.
    if claims.get("email_verified") is not True or len(known) > 1 or known[0].is_superuser:
        _refuse(
            request,
            "There is an account with your address already, and it cannot be taken over so. Sign in with its password, "
            "or ask whoever runs Pinxero.",
        )
    return known[0]


def _new_account(claims: Mapping[str, Any], email: str) -> User:
    wanted = str(claims.get("preferred_username") or email.partition("@")[0] or "person")[:140]
    name, number = wanted, 1
    while User.objects.filter(username__iexact=name).exists() or User.objects.filter(email__iexact=name).exists():
        number += 1
        name = f"{wanted}-{number}"
    is_verified = claims.get("email_verified") is True
    user = User.objects.create_user(name, email if is_verified else "", is_staff=True)
    if email and is_verified:
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _refuse(request: HttpRequest, why: str) -> NoReturn:
    messages.error(request, why)
    raise ImmediateHttpResponse(redirect(reverse("account_login")))
