"""Re-encrypt every stored secret under the first key of TOKEN_KEYS, so that the keys behind it can be dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models
from django.db.models.functions import Cast

from integrations.encryption import EncryptedTextField, ring

#: A value that a worker replaces while it is turned over is read again; more often than this it does not happen.
_TRIES = 5


class Command(BaseCommand):
    """Works in small steps without a long transaction: it can be stopped, and run again beside the workers."""

    help = (
        "Re-encrypt all stored tokens under the first key of TOKEN_KEYS. Put a new key in front, restart Pinxero, run "
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
        for field, row_id in _stored(options["batch"]):
            outcome = _turn_over(field, row_id, first)
            counts[outcome] += 1
            if outcome == "unopened":
                unopened.append(f"{field.model._meta.label} {row_id} ({field.name})")
        self.stdout.write(f"Re-encrypted {counts['done']}, already under the first key {counts['same']}.")
        if unopened:
            raise CommandError(
                f"{len(unopened)} values open with none of the keys in TOKEN_KEYS and were left as they are: "
                f"{', '.join(unopened)}. Put the key that opens them back behind the first one and run this again, or "
                "reconnect what they belong to. Do not drop a key before this command succeeds."
            )


def _stored(batch: int) -> Iterator[tuple[EncryptedTextField, int]]:
    """Every encrypted value that is not empty, by its field and its row's id, in the order of the ids."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if not isinstance(field, EncryptedTextField):
                continue
            after = 0
            while ids := list(_raw(field).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:batch]):
                yield from ((field, row_id) for row_id in ids)
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
        if _opens(first, old):
            return "same"
        try:
            new = ring().rotate(old.encode()).decode()
        except InvalidToken:
            return "unopened"
        if row.filter(raw=old).update(**{field.name: models.Value(new, output_field=models.TextField())}):
            return "done"
    raise CommandError(f"{field.model._meta.label} {row_id} keeps changing. Run this again.")


def _opens(key: Fernet, ciphertext: str) -> bool:
    try:
        key.decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True
