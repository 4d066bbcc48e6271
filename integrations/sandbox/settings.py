"""Settings of the sandbox process. Everything comes from the environment that `python -m integrations.sandbox` sets."""

import os
import secrets
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]

SECRET_KEY = secrets.token_hex(32)  # signs nothing that is used after the process ends
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ROOT_URLCONF = "integrations.sandbox.urls"
INSTALLED_APPS = ["integrations.sandbox.apps.SandboxConfig"]
MIDDLEWARE = ["integrations.sandbox.exchange.server.refuse_foreign_pages"]
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SANDBOX_DATABASE") or str(BASE_DIR / ".local" / "sandbox.sqlite3"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # The data is invented: losing the last second if the machine itself fails is fine.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        },
    }
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": []},
    }
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # Refusals are normal in the sandbox and are in its ledger.
    "loggers": {"django.request": {"level": "ERROR"}},
}

# The file to which every exchange with the APIs is written; empty: none.
SANDBOX_RECORD = os.environ.get("SANDBOX_RECORD", "")
SANDBOX_TIME_SCALE = float(os.environ.get("SANDBOX_TIME_SCALE", "1"))
SANDBOX_CLIENTS = {
    "xero": (
        os.environ.get("SANDBOX_XERO_CLIENT_ID", "sandbox-xero"),
        os.environ.get("SANDBOX_XERO_CLIENT_SECRET", "sandbox-xero-secret"),
    ),
    "pinterest": (
        os.environ.get("SANDBOX_PINTEREST_CLIENT_ID", "sandbox-pinterest"),
        os.environ.get("SANDBOX_PINTEREST_CLIENT_SECRET", "sandbox-pinterest-secret"),
    ),
}
