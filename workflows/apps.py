"""The Django app of workflows and runs."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from integrations import connections, webhooks
        from workflows import doorbell
        from workflows.usage import beginning, notes, usages

        if usages not in connections.USERS:
            connections.USERS.append(usages)
        if notes not in connections.NOTES:
            connections.NOTES.append(notes)
        if beginning not in connections.BEGINNINGS:
            connections.BEGINNINGS.append(beginning)
        if doorbell.answer not in webhooks.BELLS:
            webhooks.BELLS.append(doorbell.answer)
