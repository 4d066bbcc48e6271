"""E-mails about notices: a chore of the worker, never part of a run.

A matter is mailed at most once an hour, with how often it has happened since; all that is due for a person goes into
one e-mail. An e-mail that could not be sent is tried again after ten minutes, and the notices page says what was wrong.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import make_msgid, parseaddr

from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.db.models import F, Q
from django.urls import reverse
from django.utils.encoding import punycode

from integrations.core.clock import DatabaseNow, seconds
from integrations.core.email_headers import Mail, Settled, is_literal_address
from integrations.core.errors import RejectedError
from integrations.core.hidden_characters import shown
from integrations.models import Team
from workflows.models import Notice
from workflows.notifications import notify

logger = logging.getLogger(__name__)

_HOUR, _AGAIN = 3600, 600
_MOST_AT_ONCE = 200
_LONGEST_TEXT = 600


def send_due() -> int:
    """Send what is due; returns how many e-mails were sent."""
    sent = 0
    by_team: dict[int, list[Notice]] = defaultdict(list)
    for notice in _due():
        by_team[notice.team_id].append(notice)
    for its in by_team.values():
        sent += _send(its[0].team, [notice for notice in its if _claim(notice)])
    return sent


def _due() -> Iterable[Notice]:
    failed = ~Q(mail_problem="")
    waited = Q(mailed_at__isnull=True) | Q(failed, mailed_at__lt=DatabaseNow() - seconds(_AGAIN))
    waited |= Q(mailed_at__lt=DatabaseNow() - seconds(_HOUR))
    # What was over before the first e-mail is not worth one.
    passed = Q(mailed_count=0, ended_at__isnull=False)
    # Whoever is asked for an approval hears of it, even if somebody else has read the notice first.
    unread = Q(read_at__isnull=True) | Q(kind=Notice.Kind.APPROVAL)
    due = Notice.objects.filter(waited, unread, mailed_count__lt=F("count")).exclude(passed)
    for notice in due.select_related("team", "workflow", "connection", "run").order_by("pk")[:_MOST_AT_ONCE]:
        if not _was_mailed_recently(notice):
            yield notice


def _was_mailed_recently(notice: Notice) -> bool:
    """Whether a mail about the same matter went out within the hour, for a notice that was read since."""
    same = Notice.objects.filter(team=notice.team_id, kind=notice.kind, subject=notice.subject).exclude(pk=notice.pk)
    return same.filter(mailed_at__gt=DatabaseNow() - seconds(_HOUR), mail_problem="").exists()


def _claim(notice: Notice) -> bool:
    """Reserve the notice for this e-mail, so that another worker doing the same chore skips it."""
    mine = Notice.objects.filter(pk=notice.pk, mailed_count=notice.mailed_count, mailed_at=notice.mailed_at)
    return bool(mine.update(mailed_count=notice.count, mailed_at=DatabaseNow(), mail_problem=""))


def _send(team: Team, due: Sequence[Notice]) -> int:
    for_person: dict[int, list[Notice]] = defaultdict(list)
    people: dict[int, User] = {}
    for notice in due:
        for person in notify.recipients(notice):
            people[person.pk] = person
            for_person[person.pk].append(notice)
    sent = 0
    for pk, its in for_person.items():
        try:
            mail.get_connection().send_messages([_mail(team, people[pk], its)])
        except RejectedError as error:
            # Another attempt would fail the same way, and would mail the others once more.
            logger.warning("An e-mail about notices to user %s cannot be written: %s", pk, error)
            _keep_problem(its, error)
        except OSError as error:
            # smtplib's errors are OSErrors. Mailing somebody twice does less harm than not at all.
            logger.warning("An e-mail about notices to user %s could not be sent: %s", pk, error)
            _failed(its, error)
        else:
            sent += 1
    return sent


def _failed(due: Iterable[Notice], error: OSError) -> None:
    _keep_problem(due, error)
    for notice in due:
        Notice.objects.filter(pk=notice.pk).update(mailed_count=notice.mailed_count)


def _keep_problem(due: Iterable[Notice], error: Exception) -> None:
    problem = f"The last e-mail could not be sent: {error}"[:300]
    Notice.objects.filter(pk__in=[notice.pk for notice in due]).update(mail_problem=problem)


def _mail(team: Team, person: User, due: Sequence[Notice]) -> Settled:
    blocks = [_block(notice) for notice in due]
    ending = (
        f"All notices: {settings.BASE_URL}{reverse('notices')}\n"
        "Whom Pinxero tells is set on each workflow's page, under Safeguards."
    )
    subject = due[0].title if len(due) == 1 else f"{len(due)} notices for {team.name}"
    to = _address(person)
    content = Mail(
        sender=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        subject=shown(" ".join(f"Pinxero: {subject}".split())[:200]),
        text=shown("\n\n".join([*blocks, ending]) + "\n"),
        message_id=make_msgid(domain=parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"),
        at=datetime.now(UTC).replace(microsecond=0),
    ).build()
    return Settled([to], content)


def _address(person: User) -> str:
    """A person's address as mail servers write it. Raises RejectedError for one that no mail server would accept."""
    local, _, domain = person.email.rpartition("@")
    try:
        address = f"{local}@{punycode(domain)}"
    except UnicodeError:
        address = ""
    if not is_literal_address(address):
        raise RejectedError(
            f"{person.email[:100]!r} is no address that a mail can go to. An administrator can mend it."
        )
    return address


def _block(notice: Notice) -> str:
    times = notice.count - notice.mailed_count
    often = f" ({times} times{' more' if notice.mailed_count else ''})" if times > 1 else ""
    text = notice.text if len(notice.text) <= _LONGEST_TEXT else f"{notice.text[:_LONGEST_TEXT]} ..."
    return "\n".join(
        [f"{notice.title}{often}", *([text] if text else []), f"{settings.BASE_URL}{notify.page_of(notice)}"]
    )
