"""Inviting somebody by mail: a link that works once, for a week, for the address it was sent to.

The link proves that its reader receives mail at the address, so a new account gets that address, and an existing one
joins only if it has it. Opening the link does nothing: mail scanners do that. Its text is stored nowhere.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.core.clock import DatabaseNow
from integrations.models import Invitation, Membership, Role, Team
from integrations.people.members import NotAllowedError, end_of, words_of

LASTS = timedelta(days=7)
_KIND = "invitation"


def open_invitations(team: Team | None = None) -> QuerySet[Invitation]:
    """Those that can still be accepted; of all teams without one."""
    rows = Invitation.objects.all() if team is None else Invitation.objects.for_team(team)
    return rows.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=DatabaseNow())


def unanswered(team: Team) -> QuerySet[Invitation]:
    """What the page lists: those that were neither accepted nor withdrawn, also when their link has expired."""
    return Invitation.objects.for_team(team).filter(accepted_at=None, withdrawn_at=None).select_related("invited_by")


def invite(team: Team, email: str, *, role: str, until: date | None, by: User, reason: str) -> tuple[Invitation, str]:
    """Invite an address; returns the invitation and the text of its link. Raises NotAllowedError."""
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        if Membership.objects.in_force().filter(team=team, user__email__iexact=email).exists():
            raise NotAllowedError("Somebody with this address belongs to the team already.")
        if unanswered(team).filter(email__iexact=email).exists():
            raise NotAllowedError("This address has been invited already. Send that invitation again, or withdraw it.")
        text, ends_at = secrets.token_urlsafe(32), end_of(until)
        invitation = Invitation.objects.create(
            team=team,
            email=email,
            role=Role(role),
            ends_at=ends_at,
            token_hash=_hashed(text),
            invited_by=by,
            expires_at=timezone.now() + LASTS,
        )
        words = words_of(role, ends_at)
        record(Audited.MEMBER_INVITED, team_id=team.pk, about=_about(invitation), by=by, reason=reason, after=words)
    return invitation, text


def renew(invitation: Invitation, *, by: User) -> str:
    """Give it a new link, which replaces the old one; returns its text. Raises NotAllowedError if it is over."""
    text = secrets.token_urlsafe(32)
    with transaction.atomic():
        alive = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
        if not alive.update(token_hash=_hashed(text), expires_at=timezone.now() + LASTS):
            raise NotAllowedError("This invitation is over.")
        about, words = _about(invitation), words_of(invitation.role, invitation.ends_at)
        record(
            Audited.MEMBER_INVITED,
            team_id=invitation.team_id,
            about=about,
            by=by,
            reason="The invitation was sent again.",
            after=words,
        )
    return text


def withdraw(invitation: Invitation, *, by: User) -> bool:
    """End it; its link stops working. False if it is over already."""
    with transaction.atomic():
        alive = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
        if not alive.update(withdrawn_at=DatabaseNow()):
            return False
        record(Audited.INVITATION_WITHDRAWN, team_id=invitation.team_id, about=_about(invitation), by=by)
    return True


def find(text: str) -> Invitation | None:
    """The open invitation behind a link; None for any other text."""
    if not text or len(text) > 100:
        return None
    # Who has left the team, or is no administrator any more, invites nobody.
    found: Invitation | None = (
        open_invitations().select_related("team", "invited_by").filter(token_hash=_hashed(text)).first()
    )
    if found is None or (found.ends_at is not None and found.ends_at <= timezone.now()):
        return None
    return found if _may_invite(found) else None


def account_of(invitation: Invitation) -> User | None:
    """The account that has the invited address."""
    return User.objects.filter(email__iexact=invitation.email).order_by("-is_active", "pk").first()


def accept_with_new_account(invitation: Invitation, *, username: str, password: str) -> User:
    """Make an account with the invited address, and let it join. Raises NotAllowedError."""
    with transaction.atomic():
        if account_of(invitation) is not None:
            raise NotAllowedError("There is an account with this address now. Sign in with it to accept.")
        user = User.objects.create_user(username, invitation.email, password, is_staff=True)
        EmailAddress.objects.create(user=user, email=invitation.email, verified=True, primary=True)
        _join(invitation, user)
    return user


def accept(invitation: Invitation, user: User) -> Membership:
    """Let an account that has the invited address join. Raises NotAllowedError."""
    if user.email.lower() != invitation.email.lower() or not user.is_active:
        raise NotAllowedError("This invitation is for another address than that of your account.")
    with transaction.atomic():
        return _join(invitation, user)


def _join(invitation: Invitation, user: User) -> Membership:
    Team.objects.select_for_update().get(pk=invitation.team_id)
    if not open_invitations().filter(pk=invitation.pk).update(accepted_at=DatabaseNow()):
        raise NotAllowedError("This invitation has been used or withdrawn meanwhile.")
    Membership.objects.filter(team=invitation.team_id, user=user, ends_at__lte=DatabaseNow()).delete()
    made, is_new = Membership.objects.get_or_create(
        team=invitation.team, user=user, defaults={"role": invitation.role, "ends_at": invitation.ends_at}
    )
    if not is_new:
        raise NotAllowedError("You belong to this team already.")
    by = f"Invitation {invitation.pk}"
    words = {**words_of(made.role, made.ends_at), "How": f"Accepted {by.lower()}"}
    record(Audited.MEMBER_ADDED, team_id=invitation.team_id, about=user, by=user, after=words)
    return made


def _may_invite(invitation: Invitation) -> bool:
    whose = Membership.objects.in_force().filter(team=invitation.team_id, user=invitation.invited_by_id or 0)
    return whose.filter(role=Role.ADMINISTRATOR, user__is_active=True).exists()


def expires(invitation: Invitation) -> datetime | None:
    """When its link stops working; None if it does not work any more."""
    return invitation.expires_at if invitation.expires_at > timezone.now() else None


def _about(invitation: Invitation) -> About:
    """Without the address: the record can never be shortened, and people can ask to be forgotten."""
    return About(_KIND, invitation.pk, f"Invitation {invitation.pk}")


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
