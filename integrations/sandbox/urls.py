"""All addresses of the sandbox: both providers on one port, its controls, its page."""

from functools import partial

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from integrations.sandbox.controls import control
from integrations.sandbox.data import files
from integrations.sandbox.oauth import views
from integrations.sandbox.pages import overview, records
from integrations.sandbox.pinterest import views as pinterest
from integrations.sandbox.xero import urls as xero

urlpatterns = [
    path("", overview.home),
    path("favicon.ico", overview.no_icon),
    path("_sandbox/style.css", overview.style),
    path("_sandbox/page/pin", csrf_exempt(overview.add_pin)),
    path("_sandbox/page/make", csrf_exempt(overview.make_one)),
    path("_sandbox/page/board", csrf_exempt(overview.add_board)),
    path("files/<name>", files.linked),
    path("oauth/", csrf_exempt(partial(views.authorize, provider="pinterest"))),
    path("v5/oauth/token", csrf_exempt(partial(views.token, provider="pinterest"))),
    path("identity/connect/authorize", csrf_exempt(partial(views.authorize, provider="xero"))),
    path("connect/token", csrf_exempt(partial(views.token, provider="xero"))),
    path("connect/revocation", csrf_exempt(views.revocation)),
    path("connect/userinfo", csrf_exempt(views.userinfo)),
    path(".well-known/openid-configuration", views.discovery),
    *records.urlpatterns,
    *control.urlpatterns,
    *pinterest.urlpatterns,
    *xero.urlpatterns,
]
