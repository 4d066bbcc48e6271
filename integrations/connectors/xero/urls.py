"""The URL that Xero redirects the browser to. There is no sign-in by Xero, so there is no sign-in URL."""

from django.urls import path

from integrations.connectors.xero.views import oauth2_callback

urlpatterns = [path("xero/login/callback/", oauth2_callback, name="xero_callback")]
