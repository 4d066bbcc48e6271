"""What the audit trail keeps of sign-in: who came in, who failed, whose password or second factor changed.

It stands in the chain of every team that the person belongs to, because their auditors have to see it, and in the
installation's for somebody without a team. What was typed is never kept: a password may have been typed as the name.

allauth lets us know of changes only when they are done, so these alone are not recorded in one transaction with what
they are about.

A stranger must not fill a record that nobody can shorten. So the failures for one person, and together those for names
that nobody has, are recorded one by one up to the fifth, then the 8th, 16th, 32nd and so on, each with its number,
until none has come for an hour.
"""

from __future__ import annotations

import hashlib

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import About, Person, record
from integrations.models import Membership

_EACH = 5
_FORGOTTEN_SECONDS = 3600
#: allauth's mails about a person's own account, and what they are about.
_CHANGES = {
    "mfa/email/totp_activated": Audited.SECOND_FACTOR_ON,
    "mfa/email/totp_deactivated": Audited.SECOND_FACTOR_OFF,
    "mfa/email/recovery_codes_generated": Audited.RECOVERY_CODES_MADE,
    "account/email/password_changed": Audited.PASSWORD_CHANGED,
    "account/email/password_set": Audited.PASSWORD_CHANGED,
    "account/email/password_reset": Audited.PASSWORD_CHANGED,
}
_BY_LINK = "account/email/password_reset"


def signed_in(user: User) -> None:
    """Somebody is signed in, with everything that this took."""
    about_person(Audited.SIGNED_IN, user, by=user)


def failed(user: User | None, what: str) -> None:
    """A password or a code was wrong; without a user nobody has the name that was typed."""
    key = f"sign-in-failures-recorded-{hashlib.sha256(f'{user.pk if user else 0} {what}'.encode()).hexdigest()}"
    count = cache.get(key, 0) + 1
    cache.set(key, count, _FORGOTTEN_SECONDS)
    if count > _EACH and count & (count - 1):
        return
    words = {"What was wrong": what, "Failures in a row": str(count)}
    if user is None:
        record(
            Audited.SIGN_IN_FAILED,
            team_id=None,
            about=About("user", "", "A name that nobody has"),
            by=None,
            after=words,
        )
    else:
        about_person(Audited.SIGN_IN_FAILED, user, by=None, after=words)


def account_mail(template: str, user: User) -> None:
    """allauth tells somebody by mail that their account has changed."""
    if (action := _CHANGES.get(template)) is not None:
        how = {"How": "By a link sent by mail"} if template == _BY_LINK else None
        about_person(action, user, by=user, after=how)


def about_person(
    action: Audited,
    user: User,
    *,
    by: Person,
    reason: str = "",
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    """Record something about a person where their teams see it."""
    teams = Membership.objects.in_force().filter(user=user).order_by("team_id").values_list("team_id", flat=True)
    chains: list[int | None] = [*teams]
    with transaction.atomic():
        for team_id in chains or [None]:
            record(action, team_id=team_id, about=user, by=by, reason=reason, before=before, after=after)
