"""Settings for tests: a safe, fast, closed environment whatever the machine's own variables say."""

import os

from cryptography.fernet import Fernet

_FIXED = {
    "PINXERO_ENV_FILE": "",
    "PINXERO_MODE": "development",
    "SECRET_KEY": "tests-only-" + "0" * 40,
    "TOKEN_KEYS": Fernet.generate_key().decode(),
    "BASE_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    "PINTEREST_CLIENT_ID": "sandbox-pinterest",
    "PINTEREST_CLIENT_SECRET": "sandbox-pinterest-secret",
    "XERO_CLIENT_ID": "sandbox-xero",
    "XERO_CLIENT_SECRET": "sandbox-xero-secret",
    "XERO_WEBHOOK_KEYS": "",
    "EMAIL_URL": "memory://",
}
os.environ.update(_FIXED)
for _name in list(os.environ):
    if _name.endswith("_BASE") or _name in {"PINXERO_TIME_SCALE", "PINXERO_SAFETIES_OFF", "DEBUG"}:
        del os.environ[_name]
# Without a DATABASE_URL of the caller's the tests use SQLite, never the developer's own database.
os.environ.setdefault("DATABASE_URL", "sqlite:///.local/unused.sqlite3")

from pinxero.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
