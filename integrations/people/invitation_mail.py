"""The mail that invites somebody."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import make_msgid, parseaddr

from django.conf import settings
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import punycode

from integrations.core.email_headers import Mail, Settled
from integrations.core.errors import RejectedError
from integrations.core.hidden_characters import shown
from integrations.models import Invitation
from integrations.people.members import last_day, role_name

logger = logging.getLogger(__name__)


def send(invitation: Invitation, text: str) -> str:
    """Send the link; returns what went wrong, empty if nothing did. A failing mail server breaks no page."""
    try:
        mail.get_connection().send_messages([_mail(invitation, text)])
    except (RejectedError, UnicodeError, OSError) as error:  # smtplib's errors are OSErrors
        logger.warning("Invitation %s could not be mailed: %s", invitation.pk, error)
        return str(error) or type(error).__name__
    return ""


def _mail(invitation: Invitation, text: str) -> Settled:
    local, _, domain = invitation.email.rpartition("@")
    to = f"{local}@{punycode(domain)}"
    by = invitation.invited_by.get_username() if invitation.invited_by else "An administrator"
    day = last_day(invitation.ends_at)
    until = f" until {day:%-d %B %Y}" if day else ""
    expires = timezone.localtime(invitation.expires_at)
    body = (
        f"{by} invites you to the team {invitation.team.name} in Pinxero, as {role_name(invitation.role).lower()}"
        f"{until}.\n\n"
        f"To accept, open this page before {expires:%-d %B %Y}:\n"
        f"{settings.BASE_URL}{reverse('invitation', args=[text])}\n\n"
        "The link is for you alone and works once. If you did not expect it, leave it: nothing happens.\n"
    )
    content = Mail(
        sender=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        subject=shown(" ".join(f"Pinxero: Invitation to {invitation.team.name}".split())[:200]),
        text=shown(body),
        message_id=make_msgid(domain=parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"),
        at=datetime.now(UTC).replace(microsecond=0),
    ).build()
    return Settled([to], content)
