"""The Django app of connectors, grants and connections."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Connections"

    def ready(self) -> None:
        from integrations.core import moments
        from integrations.framework import registry
        from integrations.transport import token_refresh

        token_refresh.find_providers_by(registry.connector)
        moments.find_forms_by(registry.date_forms)
