"""Who may act (teams), with what (grants, connections) and how much (call budgets).

One consent is a Grant and holds the tokens; it may serve several Connections, each one organisation or account. Every
row belongs to a team, and what pages and the API show comes through `for_team`.
May use `core`. Begin with `team.py`.
"""

from integrations.models.audit import AuditEntry, AuditHead, AuditOrigin, AuditQuerySet
from integrations.models.connection import (
    CallBudget,
    ChoiceCache,
    Connection,
    Grant,
    HookDelivery,
    HookKey,
    HookNotice,
    ReferenceList,
    Turn,
)
from integrations.models.team import (
    Invitation,
    Membership,
    MembershipQuerySet,
    Role,
    SecondFactorDemand,
    Team,
    TeamQuerySet,
    in_force,
)

__all__ = [
    "AuditEntry",
    "AuditHead",
    "AuditOrigin",
    "AuditQuerySet",
    "CallBudget",
    "ChoiceCache",
    "Connection",
    "Grant",
    "HookDelivery",
    "HookKey",
    "HookNotice",
    "Invitation",
    "Membership",
    "MembershipQuerySet",
    "ReferenceList",
    "Role",
    "SecondFactorDemand",
    "Team",
    "TeamQuerySet",
    "Turn",
    "in_force",
]
