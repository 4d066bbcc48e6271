"""The Pinterest connector as a Django app, so that allauth finds its provider."""

from django.apps import AppConfig


class PinterestConfig(AppConfig):
    name = "integrations.connectors.pinterest"
    label = "pinterest"
    verbose_name = "Pinterest"
