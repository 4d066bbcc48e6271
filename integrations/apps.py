"""The Django app of connectors, grants and connections."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Connections"

    def ready(self) -> None:
        from django.urls import reverse

        from integrations.audit import objects
        from integrations.core import moments
        from integrations.framework import registry
        from integrations.models import Connection
        from integrations.transport import token_refresh

        token_refresh.find_providers_by(registry.connector)
        moments.find_forms_by(registry.date_forms)
        objects.register(
            objects.ObjectKind(
                "connection",
                "Connection",
                address=lambda pk: reverse("connection", args=[pk]),
                rows=lambda team: Connection.objects.filter(team=team),
                plural="Connections",
            ),
            objects.ObjectKind("invitation", "Invitation"),
            objects.ObjectKind("activity", "Page", address=lambda pk: reverse("activity")),
        )
