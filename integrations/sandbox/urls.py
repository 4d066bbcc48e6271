"""All addresses of the sandbox: both providers on one port, its controls, its page."""

from functools import partial

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from integrations.sandbox import control, files, oauth, page, records_page
from integrations.sandbox.pinterest import views as pinterest
from integrations.sandbox.xero import urls as xero

urlpatterns = [
    path("", page.home),
    path("favicon.ico", page.no_icon),
    path("_sandbox/style.css", page.style),
    path("_sandbox/page/pin", csrf_exempt(page.add_pin)),
    path("_sandbox/page/make", csrf_exempt(page.make_one)),
    path("_sandbox/page/board", csrf_exempt(page.add_board)),
    path("files/<name>", files.linked),
    path("oauth/", csrf_exempt(partial(oauth.authorize, provider="pinterest"))),
    path("v5/oauth/token", csrf_exempt(partial(oauth.token, provider="pinterest"))),
    path("identity/connect/authorize", csrf_exempt(partial(oauth.authorize, provider="xero"))),
    path("connect/token", csrf_exempt(partial(oauth.token, provider="xero"))),
    path("connect/revocation", csrf_exempt(oauth.revocation)),
    path("connect/userinfo", csrf_exempt(oauth.userinfo)),
    path(".well-known/openid-configuration", oauth.discovery),
    *records_page.urlpatterns,
    *control.urlpatterns,
    *pinterest.urlpatterns,
    *xero.urlpatterns,
]
