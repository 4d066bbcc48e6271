"""Re-encrypt every stored secret under the first key of TOKEN_KEYS, so that the keys behind it can be dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models
from django.db.models.functions import Cast

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.core.encryption import EncryptedTextField, ring
from integrations.teams.second_factor_seeds import with_seeds

#: A value that a worker replaces while it is turned over is read again; more often than this it does not happen.
_TRIES = 5

#: Re-encrypts one stored value under the key given and says what it did.
TurnOver = Callable[[Fernet], str]


class Command(BaseCommand):
    """Works in small steps without a long transaction: it can be stopped, and run again beside the workers."""

    help = (
        "Re-encrypt all stored secrets under the first key of TOKEN_KEYS. Put a new key in front, restart Pinxero, run "
        "this, then drop the old keys. It can be interrupted and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=200, help="rows to read at once (default: 200)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.")
        try:
            ring()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        first = Fernet(settings.TOKEN_KEYS[0])
        counts: Counter[str] = Counter()
        unopened: list[str] = []
        for name, turn_over in chain(_stored_values(options["batch"]), _stored_seeds(options["batch"])):
            outcome = turn_over(first)
            counts[outcome] += 1
            if outcome == "unopened":
                unopened.append(name)
        if counts["done"]:
            record(
                Audited.KEYS_ROTATED,
                team_id=None,
                about=About("keys", "", "Stored secrets"),
                by=None,
                after={"Encrypted anew": str(counts["done"]), "Not to be opened": str(counts["unopened"])},
            )
        self.stdout.write(f"Re-encrypted {counts['done']}, already under the first key {counts['same']}.")
        if unopened:
            raise CommandError(
                f"{len(unopened)} values open with none of the keys in TOKEN_KEYS and were left as they are: "
                f"{', '.join(unopened)}. Put the key that opens them back behind the first one and run this again, or "
                "reconnect what they belong to. Do not drop a key before this command succeeds."
            )


def _stored_values(batch: int) -> Iterator[tuple[str, TurnOver]]:
    """Every value of an encrypted field that is not empty: its name, and what turns it over."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, EncryptedTextField):
                for row_id in _ids(_raw(field), batch):
                    yield f"{model._meta.label} {row_id} ({field.name})", partial(_turn_over, field, row_id)


def _stored_seeds(batch: int) -> Iterator[tuple[str, TurnOver]]:
    """The same for second factors, whose secrets lie inside a JSON column of allauth's."""
    for row_id in _ids(Authenticator.objects.all(), batch):
        yield f"{Authenticator._meta.label} {row_id} (data)", partial(_turn_over_seeds, row_id)


def _ids(rows: models.QuerySet[Any], batch: int) -> Iterator[int]:
    """In their order, a batch at a time."""
    after = 0
    while ids := list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:batch]):
        yield from ids
        after = ids[-1]


def _raw(field: EncryptedTextField) -> models.QuerySet[Any]:
    """The rows with the field's ciphertext as `raw`, unopened."""
    rows = field.model._default_manager.annotate(raw=Cast(models.F(field.name), models.TextField()))
    return rows.exclude(raw="").exclude(raw__isnull=True)


def _turn_over(field: EncryptedTextField, row_id: int, first: Fernet) -> str:
    """Re-encrypt one value where it still is what was read. Gives done, same, gone or unopened."""
    for _ in range(_TRIES):
        row = _raw(field).filter(pk=row_id)
        old = row.values_list("raw", flat=True).first()
        if old is None:
            return "gone"
        try:
            new = _under(first, old)
        except InvalidToken:
            return "unopened"
        if new == old:
            return "same"
        if row.filter(raw=old).update(**{field.name: models.Value(new, output_field=models.TextField())}):
            return "done"
    raise CommandError(f"{field.model._meta.label} {row_id} keeps changing. Run this again.")


def _turn_over_seeds(row_id: int, first: Fernet) -> str:
    """The like for one second factor; a recovery code that is used up meanwhile stays used up."""
    for _ in range(_TRIES):
        row = Authenticator.objects.filter(pk=row_id)
        old = row.values_list("data", flat=True).first()
        if old is None:
            return "gone"
        try:
            new = with_seeds(old, partial(_under, first))
        except InvalidToken:
            return "unopened"
        if new == old:
            return "same"
        if row.filter(data=old).update(data=new):
            return "done"
    raise CommandError(f"{Authenticator._meta.label} {row_id} keeps changing. Run this again.")


def _under(first: Fernet, ciphertext: str) -> str:
    """The ciphertext under the first key: itself where it is. Raises InvalidToken where no key opens it."""
    return ciphertext if _opens(first, ciphertext) else ring().rotate(ciphertext.encode()).decode()


def _opens(key: Fernet, ciphertext: str) -> bool:
    try:
        key.decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True
