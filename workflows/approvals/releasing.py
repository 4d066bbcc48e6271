"""Who may let a held run go: builders and approvers, but not who built the workflow where the team says so."""

from __future__ import annotations

from django.contrib.auth.models import User

from integrations.models import Membership, Role
from workflows.approvals.excluded import authors, same_person
from workflows.models import Run, TeamControls

RELEASING = (Role.BUILDER, Role.APPROVER)


def obstacle(run: Run, user: User) -> str:
    """Why the person may not let the run go; "" where they may. Every way to do that asks this."""
    mine = Membership.objects.in_force().filter(team=run.team_id, user=user, user__is_active=True)
    if not mine.filter(role__in=RELEASING).exists():
        return "A builder or an approver of the team lets held runs go."
    if not TeamControls.objects.filter(team=run.team_id, builders_release=False).exists():
        return ""
    known = User.objects.filter(pk__in=authors(run.version))
    if any(same_person(each, user) for each in known):
        return "You have built or published this version of the workflow. In this team somebody else lets its runs go."
    return ""
