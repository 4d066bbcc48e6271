"""The Xero connector as a Django app, so that allauth finds its provider."""

from django.apps import AppConfig


class XeroConfig(AppConfig):
    name = "integrations.connectors.xero"
    label = "xero"
    verbose_name = "Xero"
