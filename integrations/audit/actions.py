"""Everything that is recorded, by its key. Keys stand in the record for ever; labels may change."""

from __future__ import annotations

from django.db import models


class Audited(models.TextChoices):
    """What happened: `<kind of thing>.<what was done>`."""

    SIGNED_IN = "sign_in.done", "Signed in"
    SIGN_IN_FAILED = "sign_in.failed", "Failed to sign in"
    SECOND_FACTOR_ON = "second_factor.on", "Set up a second factor"
    SECOND_FACTOR_OFF = "second_factor.off", "Second factor removed"
    RECOVERY_CODES_MADE = "second_factor.codes_made", "Made new recovery codes"
    PASSWORD_CHANGED = "password.changed", "Password changed"

    TEAM_CREATED = "team.created", "Team created"
    TEAM_CHANGED = "team.changed", "Team changed"
    TEAM_DELETED = "team.deleted", "Team deleted"
    SECOND_FACTOR_ROLES = "team.second_factor", "Who needs a second factor changed"
    MEMBER_ADDED = "member.added", "Member added"
    MEMBER_CHANGED = "member.changed", "Role changed"
    MEMBER_REMOVED = "member.removed", "Member removed"
    MEMBER_INVITED = "member.invited", "Invited somebody"
    INVITATION_WITHDRAWN = "member.invitation_withdrawn", "Invitation withdrawn"
    SESSIONS_ENDED = "sign_in.ended", "Signed somebody out"
    ACCOUNT_CREATED = "account.created", "Account created"
    ACCOUNT_CHANGED = "account.changed", "Account changed"

    CONNECTION_ADDED = "connection.added", "Connection added"
    CONNECTION_RENEWED = "connection.renewed", "Connection renewed"
    CONNECTION_REMOVED = "connection.removed", "Connection removed"
    CONNECTION_FROZEN = "connection.frozen", "Connection frozen"
    CONNECTION_THAWED = "connection.thawed", "Connection thawed"

    TOKEN_MADE = "api_token.made", "API token made"
    TOKEN_REVOKED = "api_token.revoked", "API token revoked"

    WORKFLOW_CREATED = "workflow.created", "Workflow created"
    WORKFLOW_EDITED = "workflow.edited", "Workflow edited"
    WORKFLOW_PUBLISHED = "workflow.published", "Workflow published"
    PUBLICATION_ASKED = "workflow.publication_asked", "A second person asked to publish"
    PUBLICATION_REFUSED = "workflow.publication_refused", "Publishing refused"
    PUBLICATION_WITHDRAWN = "workflow.publication_withdrawn", "Request to publish withdrawn"
    PUBLICATION_BREAK_GLASS = "workflow.publication_break_glass", "Published without a second person"
    WORKFLOW_ON = "workflow.on", "Workflow switched on"
    WORKFLOW_OFF = "workflow.off", "Workflow switched off"
    WORKFLOW_DELETED = "workflow.deleted", "Workflow deleted"
    WORKFLOW_RESTORED = "workflow.restored", "Workflow taken back"
    SAFEGUARDS_CHANGED = "workflow.safeguards", "Safeguards changed"
    ADDRESS_RENEWED = "workflow.address", "Address of calls renewed"
    SIGNATURE_CHANGED = "workflow.signature", "Signature of calls changed"

    TABLE_CREATED = "table.created", "Lookup table created"
    TABLE_CHANGED = "table.changed", "Lookup table changed"

    RUN_RETRY = "run.retry", "Run tried again"
    RUN_MARK_DONE = "run.mark_done", "Step marked as done by hand"
    RUN_SEND_AGAIN = "run.send_again", "Write sent again"
    RUN_SKIP = "run.skip", "Step skipped"
    RUN_CANCEL = "run.cancel", "Run cancelled"
    RUN_RELEASE = "run.release", "Held run let go"
    RUN_REPLAY = "run.replay", "Run replayed"
    RUN_AGAIN = "run.run_again", "Run again with a newer version"
    RUN_ACKNOWLEDGED = "run.acknowledge", "Errors of a run acknowledged"
    RUN_UNDO = "run.undo", "Documents of a run taken back"
    RUNS_DECIDED = "runs.decided", "Many runs decided at once"

    SETTINGS_CHANGED = "installation.settings", "Settings changed"
    SIGNING_KEY_MADE = "installation.signing_key", "Key of the anchors made"
    KEYS_ROTATED = "installation.keys_rotated", "Stored secrets encrypted anew"

    POLICY_PROPOSED = "policy.proposed", "Change of the policy proposed"
    POLICY_AGREED = "policy.agreed", "Policy put into force"
    POLICY_REFUSED = "policy.refused", "Change of the policy refused"
    POLICY_WITHDRAWN = "policy.withdrawn", "Change of the policy withdrawn"
    POLICY_BREAK_GLASS = "policy.break_glass", "Policy put into force without a second person"

    CONTROLS_CHANGED = "controls.changed", "Controls of the team changed"
    CONTROLS_PROPOSED = "controls.proposed", "Looser controls proposed"
    CONTROLS_REFUSED = "controls.refused", "Looser controls refused or withdrawn"
    CONTROLS_BREAK_GLASS = "controls.break_glass", "Looser controls without a second person"
    DELEGATION_MADE = "approval.delegated", "Somebody decides in another’s place"
    DELEGATION_ENDED = "approval.delegation_ended", "Deciding in another’s place ended"

    GUARDS_CHANGED = "guards.changed", "Guards changed"

    APPROVAL_ASKED = "approval.asked", "Approval asked for"
    APPROVAL_GIVEN = "approval.given", "Approved"
    APPROVAL_REFUSED = "approval.refused", "Refused"
    APPROVAL_EXPIRED = "approval.expired", "Not decided in time"
    APPROVAL_VOID = "approval.void", "Request void"
    APPROVAL_BREAK_GLASS = "approval.break_glass", "Let past the policy in an emergency"
    RECONCILED = "books.reconciled", "Books reconciled"

    EXPORTED = "data.exported", "Exported as a file"


#: The kinds of things, by how the keys of their actions begin.
GROUPS = {
    "sign_in": "Sign-in",
    "second_factor": "Second factor",
    "password": "Password",
    "team": "Team",
    "member": "Members and roles",
    "account": "Accounts",
    "connection": "Connections",
    "api_token": "API tokens",
    "workflow": "Workflows",
    "table": "Lookup tables",
    "run": "Decisions about a run",
    "runs": "Decisions about many runs",
    "installation": "Installation",
    "policy": "Policies",
    "controls": "Controls",
    "guards": "Guards",
    "approval": "Approvals",
    "books": "Books",
    "data": "Exports",
}


def grouped() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Every action under its group: (group, its label, its actions with their labels)."""
    return [
        (group, label, [(each.value, str(each.label)) for each in Audited if each.startswith(f"{group}.")])
        for group, label in GROUPS.items()
    ]


def keys_of(what: str) -> list[str]:
    """The keys that an action or a group stands for; none where it is neither."""
    return [each.value for each in Audited if what in (each.value, each.partition(".")[0])]


def label_of(action: str) -> str:
    """What an action or a group is called; the key itself where it is not known any more."""
    return str(dict(Audited.choices).get(action) or GROUPS.get(action, action))
