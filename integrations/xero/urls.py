"""Where Xero sends the browser back to. There is no sign-in by Xero, so there is no sign-in address."""

from django.urls import path

from integrations.xero.views import oauth2_callback

urlpatterns = [path("xero/login/callback/", oauth2_callback, name="xero_callback")]
