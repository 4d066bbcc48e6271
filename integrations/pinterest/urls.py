"""Where Pinterest sends the browser back to. There is no sign-in by Pinterest, so there is no sign-in address."""

from django.urls import path

from integrations.pinterest.views import oauth2_callback

urlpatterns = [path("pinterest/login/callback/", oauth2_callback, name="pinterest_callback")]
