"""Settings for tests: a safe, fast, closed environment whatever the machine's own variables say."""

import os

from cryptography.fernet import Fernet

from integrations.connectors import CONNECTORS
from integrations.framework.connector_settings import all_declared

_FIXED = {
    "PINXERO_ENV_FILE": "",
    "PINXERO_MODE": "development",
    "SECRET_KEY": "tests-only-" + "0" * 40,
    "TOKEN_KEYS": Fernet.generate_key().decode(),
    "BASE_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    "EMAIL_URL": "memory://",
}
for _declared in all_declared(CONNECTORS):
    # This installation's app at the sandbox; everything else as it is declared.
    for _setting in _declared.all:
        os.environ.pop(_setting.name, None)
    for _setting in _declared.needed:
        _FIXED[_setting.name] = f"sandbox-{_declared.key}" + ("-secret" if _setting.is_secret else "")
for _name in ("PINXERO_TIME_SCALE", "PINXERO_SAFETIES_OFF", "DEBUG"):
    os.environ.pop(_name, None)
os.environ.update(_FIXED)
# Without a DATABASE_URL of the caller's the tests use SQLite, never the developer's own database.
os.environ.setdefault("DATABASE_URL", "sqlite:///.local/unused.sqlite3")

from pinxero.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A client loads the middleware anew, and listing every static file each time would take longer than most tests do.
WHITENOISE_AUTOREFRESH = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":  # noqa: F405
    # A test database may be lost with the machine: no commit need wait for the disk.
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off"  # noqa: F405
