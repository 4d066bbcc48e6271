"""Adding an entry to the audit trail, in the transaction of what it is about.

Both are stored or neither. The chain's head row stays locked until that transaction ends: record last, so that others
of the team wait as short as possible and no two wait for each other.

This room stands in `integrations`, below everything that records, so that no service needs a port to reach it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import models, transaction
from django.utils import timezone

from integrations.audit import origin
from integrations.audit.actions import Audited
from integrations.audit.chain import Content, entry_hash, origin_seal
from integrations.core.exact_json import storable_text
from integrations.models import AuditEntry, AuditHead, AuditOrigin, Membership

#: The chain of what belongs to no team: accounts, teams, sign-ins of people without one.
INSTALLATION = 0
_LONGEST_NAME = 200
_SUPERUSER = "superuser"

Words = Mapping[str, str]
Person = AbstractBaseUser | AnonymousUser | None


@dataclass(frozen=True)
class About:
    """What an entry is about: its kind, its id, and what it is called now. A person has no name here, only an id."""

    kind: str = ""
    id: int | str = ""
    name: str = ""

    @classmethod
    def row(cls, row: models.Model) -> About:
        """A row of the database."""
        name = "" if isinstance(row, User) else str(row)
        return cls(str(row._meta.model_name), row.pk, name)


def record(
    action: Audited,
    *,
    team_id: int | None,
    about: About | models.Model,
    by: Person,
    reason: str = "",
    before: Words | None = None,
    after: Words | None = None,
) -> AuditEntry:
    """Add an entry to the team's chain, or without a team to the installation's.

    `before` and `after` are in words, as {label: words}; a value that differs stands in both. Never pass a secret.
    """
    chain = team_id or INSTALLATION
    person = by.pk if by is not None else None
    thing = about if isinstance(about, About) else About.row(about)
    with transaction.atomic():
        role = _role(chain, by)
        origin_id, seal = _origin(person)
        head = _locked_head(chain)
        content = Content(
            chain=chain,
            number=head.number + 1,
            at=timezone.now(),
            person=person,
            role=role,
            origin_seal=seal,
            action=str(action),
            object_type=thing.kind,
            object_id=str(thing.id),
            object_name=storable_text(thing.name)[:_LONGEST_NAME],
            reason=storable_text(reason),
            before=_storable(before),
            after=_storable(after),
            previous_hash=head.hash,
        )
        entry = AuditEntry(**content._asdict(), origin=origin_id, hash=entry_hash(content))
        entry.save(force_insert=True)
        AuditHead.objects.filter(chain=chain).update(number=entry.number, hash=entry.hash)
    return entry


def record_difference(
    action: Audited,
    *,
    team_id: int | None,
    about: About | models.Model,
    by: Person,
    reason: str = "",
    before: Words,
    after: Words,
) -> AuditEntry | None:
    """Add an entry with those of the words that differ; a label that only one side has counts as different. None, and
    no entry, where nothing does."""
    labels = [label for label in {**before, **after} if before.get(label) != after.get(label)]
    if not labels:
        return None
    was, now = ({label: words[label] for label in labels if label in words} for words in (before, after))
    return record(action, team_id=team_id, about=about, by=by, reason=reason, before=was, after=now)


def _role(chain: int, by: Person) -> str:
    """What the person may do there now."""
    if by is None or by.pk is None:
        return ""
    role = Membership.objects.in_force().filter(team=chain, user=by.pk).values_list("role", flat=True).first()
    return str(role) if role else _SUPERUSER if getattr(by, "is_superuser", False) else ""


def _origin(person: int | None) -> tuple[int | None, str]:
    address = origin.address()
    if not address:
        return None, ""
    kept, _ = AuditOrigin.objects.get_or_create(
        person=person or 0, address=address, defaults={"salt": secrets.token_hex(16)}
    )
    return kept.pk, origin_seal(kept.person, kept.address, kept.salt)


def lock(chain: int) -> None:
    """Let no other process add to the chain until this transaction ends."""
    _locked_head(chain)


def _locked_head(chain: int) -> AuditHead:
    heads = AuditHead.objects.select_for_update()
    head = heads.filter(chain=chain).first()
    if head is None:
        AuditHead.objects.bulk_create([AuditHead(chain=chain)], ignore_conflicts=True)
        head = heads.get(chain=chain)
    return head


def _storable(words: Words | None) -> dict[str, str]:
    return {storable_text(label): storable_text(text) for label, text in (words or {}).items()}
