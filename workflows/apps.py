"""The Django app of workflows and runs."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from integrations.audit import objects
        from integrations.connections import service, webhook_intake
        from integrations.framework import registry
        from integrations.people import holdings
        from integrations.teams import leaving
        from workflows.api import tokens
        from workflows.approvals import asking
        from workflows.books import postings
        from workflows.books.undo import recording
        from workflows.books.undo.action import undoing
        from workflows.engine import lease
        from workflows.engine.kinds import approval
        from workflows.engine.writes import gates
        from workflows.guards import guarding, locked
        from workflows.models.execution import UNDO
        from workflows.presenters.audit_objects import KINDS
        from workflows.presenters.connection_usage import first_workflow_url, notes, usages
        from workflows.triggers import wake_on_webhook

        if usages not in service.USERS:
            service.USERS.append(usages)
        if notes not in service.NOTES:
            service.NOTES.append(notes)
        if first_workflow_url not in service.FIRST_USES:
            service.FIRST_USES.append(first_workflow_url)
        if postings.record not in lease.RECORDERS:
            lease.RECORDERS.append(postings.record)
        if recording.record not in lease.RECORDERS:
            lease.RECORDERS.append(recording.record)
        registry.derive(UNDO, undoing)
        if locked.move not in gates.ADJUSTERS:
            gates.ADJUSTERS.append(locked.move)
        # Guards first: nobody is asked to approve what one of them refuses.
        if guarding.gate not in gates.GATES:
            gates.GATES.append(guarding.gate)
        if asking.answer not in approval.QUESTIONS:
            approval.QUESTIONS.append(asking.answer)
        if asking.gate not in gates.GATES:
            gates.GATES.append(asking.gate)
        if tokens.revoke_all not in leaving.ENDINGS:
            leaving.ENDINGS.append(tokens.revoke_all)
        if wake_on_webhook.answer not in webhook_intake.LISTENERS:
            webhook_intake.LISTENERS.append(wake_on_webhook.answer)
        objects.register(*KINDS)
        holdings.register(tokens.HELD)
