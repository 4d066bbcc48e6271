"""Sign-in: the URLs of allauth that Pinxero uses, with allauth's other pages closed.

allauth looks up some of the closed ones by name, so they exist and answer 404: nobody signs up, signs in with the
account of a connector's provider or a mailed code, or manages mail addresses; an administrator manages accounts.
"""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.account import views
from allauth.urls import build_provider_urlpatterns
from django.http import Http404, HttpRequest
from django.urls import include, path, re_path

from pinxero.sign_in import company


def shut(request: HttpRequest, **kwargs: Any) -> NoReturn:
    """404: Pinxero does not have this page."""
    raise Http404("Pinxero has no such page.")


urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("reauthenticate/company/", company.confirm, name="account_confirm_at_company"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("2fa/", include("allauth.mfa.urls")),
    # Before allauth's own, which would take any provider's name.
    path("oidc/<str:provider_id>/login/", company.login, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", company.callback, name="openid_connect_callback"),
    *build_provider_urlpatterns(),
    path("signup/", shut, name="account_signup"),
    path("email/", shut, name="account_email"),
    path("confirm-email/", shut, name="account_email_verification_sent"),
    path("confirm-email/<str:key>/", shut, name="account_confirm_email"),
    path("password/set/", shut, name="account_set_password"),
    path("login/code/confirm/", shut, name="account_confirm_login_code"),
    path("3rdparty/", shut, name="socialaccount_connections"),
    path("3rdparty/signup/", shut, name="socialaccount_signup"),
    path("3rdparty/login/cancelled/", shut, name="socialaccount_login_cancelled"),
    path("3rdparty/login/error/", shut, name="socialaccount_login_error"),
]
