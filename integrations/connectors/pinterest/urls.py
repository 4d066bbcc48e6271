"""The URL that Pinterest redirects the browser to. There is no sign-in by Pinterest, so there is no sign-in URL."""

from django.urls import path

from integrations.connectors.pinterest.views import oauth2_callback

urlpatterns = [path("pinterest/login/callback/", oauth2_callback, name="pinterest_callback")]
