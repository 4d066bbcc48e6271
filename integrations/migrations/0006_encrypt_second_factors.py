"""Encrypt the seeds of second factors that allauth has stored openly until now."""

from typing import Any

from django.db import migrations

from integrations.core.encryption import UndecryptableError, decrypt, encrypt
from integrations.teams.second_factor_seeds import with_seeds


def _sealed(text: str) -> str:
    """Encrypted once: a web process of this version may have stored one before the migration came to its row."""
    try:
        decrypt(text)
    except UndecryptableError:
        return encrypt(text)
    return text


def seal(apps: Any, schema_editor: Any) -> None:
    """Encrypt what lies open."""
    _turn_all(apps, _sealed)


def open_again(apps: Any, schema_editor: Any) -> None:
    """As versions before this one read them."""
    _turn_all(apps, decrypt)


def _turn_all(apps: Any, turn: Any) -> None:
    for row in apps.get_model("mfa", "Authenticator").objects.order_by("pk"):
        row.data = with_seeds(row.data, turn)
        row.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("integrations", "0005_clock_skew"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(seal, open_again)]
