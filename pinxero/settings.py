"""Settings of Pinxero, all read from the environment or from an ignored `.env` file beside `manage.py`.

The default mode is production, and production refuses to start when it is unsafe (see `pinxero/checks.py`): a
forgotten variable is an error on the first start, never a silent weakness. `make run` writes a `.env` for development.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env

from integrations import connectors
from integrations.framework import connector_settings
from pinxero.unfold_settings import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
_env_file = env.str("PINXERO_ENV_FILE", str(BASE_DIR / ".env"))
if _env_file:
    env.read_env(_env_file, recurse=False)

PINXERO_MODE = env.str("PINXERO_MODE", "production")
IS_PRODUCTION = PINXERO_MODE == "production"
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
TOKEN_KEYS: list[str] = env.list("TOKEN_KEYS", [])
BASE_URL = env.str("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [urlsplit(BASE_URL).hostname or "localhost"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# --- connectors: what each declares in its settings.py is read here and becomes settings.ACME_API_BASE -------------

CONNECTORS = [*connectors.CONNECTORS]
CONNECTOR_SETTINGS = connector_settings.all_declared(CONNECTORS)
_of_connectors = connector_settings.read(CONNECTOR_SETTINGS, env)
globals().update(_of_connectors)

# --- addresses that people give; the rules are in integrations/transport/url_rules.py -------------------------------

# Hosts that the HTTP request steps may call; empty switches them off. api.example.com, *.example.com, host:8443.
HTTP_REQUEST_HOSTS: list[str] = env.list("HTTP_REQUEST_HOSTS", [])
# Values for headers that no workflow shows, each for one host: {"erp": {"host": "erp.example.com", "value": "..."}}.
_secrets = env.json("HTTP_REQUEST_SECRETS", {})
# An invalid value is kept for the system check to report.
HTTP_REQUEST_SECRETS: dict[str, Any] = _secrets if isinstance(_secrets, dict) else {"": _secrets}
# Hosts in the private network that links and HTTP requests may reach, as http://erp.internal:8080.
OUTSIDE_PRIVATE_HOSTS: list[str] = env.list("OUTSIDE_PRIVATE_HOSTS", [])
# Hosts from which files behind links may be fetched, to be attached; "any" allows every public one by https.
FILE_LINK_HOSTS: list[str] = env.list("FILE_LINK_HOSTS", connector_settings.file_hosts(CONNECTOR_SETTINGS))

# Calls a minute that the address of one workflow accepts; further ones are asked to retry later.
INBOUND_CALLS_A_MINUTE = env.int("INBOUND_CALLS_A_MINUTE", 3000)

# Waits, leases, settling times and poll intervals are divided by this. 1 except in tests.
TIME_SCALE = env.float("PINXERO_TIME_SCALE", 1.0)
# Safeties of the engine switched off, for the prover's negative controls only; production refuses to start with any.
SAFETIES_OFF: list[str] = env.list("PINXERO_SAFETIES_OFF", [])
ALLOW_SQLITE = env.bool("PINXERO_ALLOW_SQLITE", False)
WORKERS = env.int("PINXERO_WORKERS", 2)
STALE_SECONDS = env.float("PINXERO_STALE_SECONDS", 45.0)
# Workers start nothing with less free disk than this; 0 switches either off. workflows/runtime/disk.py says which
# disks.
DISK_LEAST_BYTES = env.int("PINXERO_DISK_LEAST_BYTES", 1024**3)
DISK_LEAST_PERCENT = env.int("PINXERO_DISK_LEAST_PERCENT", 10)
# How long records are kept; workflows/worker/retention.py says which setting covers what.
KEEP_BODIES_DAYS = env.int("PINXERO_KEEP_BODIES_DAYS", 90)
KEEP_RUNS_DAYS = env.int("PINXERO_KEEP_RUNS_DAYS", 400)
KEEP_EVIDENCE_YEARS = env.int("PINXERO_KEEP_EVIDENCE_YEARS", 7)
# Where the audit trail's daily anchors are written, by whom they are signed, and who gets them by mail.
ANCHOR_DIR = env.str("PINXERO_ANCHOR_DIR", "")
ANCHOR_KEY_FILE = env.str("PINXERO_ANCHOR_KEY_FILE", "")
ANCHOR_MAIL: list[str] = env.list("PINXERO_ANCHOR_MAIL", [])
# The password of the demo's people; `make run` makes one. Unused in production.
DEMO_PASSWORD = env.str("DEMO_PASSWORD", "")

# --- Django --------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "pinxero.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "csp",
    "django_q",
    "rest_framework",
    "pinxero.apps.PinxeroConfig",
    "integrations.apps.IntegrationsConfig",
    *connector_settings.apps(CONNECTORS),
    "workflows.apps.WorkflowsConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "pinxero.requests.response_headers.ResponseHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "pinxero.requests.hidden_characters.HiddenCharacters",
    # Before the CSRF middleware, which parses forms with their files.
    "pinxero.requests.body_limits.LimitBodies",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "pinxero.requests.origins.KeepOrigin",
    "pinxero.sign_in.idle.IdleMiddleware",
    "pinxero.sign_in.second_factor.SecondFactorMiddleware",
]

ROOT_URLCONF = "pinxero.urls"
WSGI_APPLICATION = "pinxero.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # The pages of the guide are in docs/guide.
        "DIRS": [BASE_DIR / "templates", BASE_DIR / "docs"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pinxero.sign_in.accounts.around_the_door",
            ],
        },
    },
]

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{BASE_DIR / '.local' / 'pinxero.sqlite3'}")}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = 60
_database["CONN_HEALTH_CHECKS"] = True
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers work beside one writer; IMMEDIATE takes the write lock first instead of failing half-way.
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "pinxero_cache",
        # Django's default of 300 would let anybody evict the sign-in counters by trying many names.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "pinxero" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "pinxero.requests.static_files.HashedStaticFiles"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

# --- sign-in and security -------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "pinxero.sign_in.accounts.EndOfOldPassword"},
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "pinxero.sign_in.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {"login": "pinxero.sign_in.accounts.LoginForm"}
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "pinxero.sign_in.reset_tokens.ResetTokens"  # noqa: S105 - a class
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
# Neither a page nor a mail reveals whether an address has an account.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
SOCIALACCOUNT_ADAPTER = "pinxero.sign_in.company.CompanyAdapter"
# Sign-in with the company's own accounts (OpenID Connect); without a server there is none.
OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", "").rstrip("/")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", "")
OIDC_NAME = env.str("OIDC_NAME", "your company's account")
OIDC_SCOPES: list[str] = env.list("OIDC_SCOPES", [])
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", "groups")
# Which group has which role in which team: [{"group": "finance", "team": "Acme", "role": "builder"}].
OIDC_GROUPS: Any = env.json("OIDC_GROUPS", [])
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_QUERY_EMAIL = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Pinxero"
MFA_ADAPTER = "integrations.teams.second_factor_seeds.SeedAdapter"
MFA_FORMS = {
    "activate_totp": "pinxero.sign_in.second_factor.ActivateForm",
    "authenticate": "pinxero.sign_in.second_factor.CodeForm",
    "reauthenticate": "pinxero.sign_in.second_factor.CodeAgainForm",
}
# Whose sign-in needs a second factor, besides the roles that a team chooses. In development nobody's: two commands are
# enough for the demo.
_NEED_SECOND_FACTOR = ["superuser", "approver", "administrator"]
SECOND_FACTOR_FOR: list[str] = env.list("SECOND_FACTOR_FOR", _NEED_SECOND_FACTOR if IS_PRODUCTION else [])
# Days from when it is first asked for in which it may be set up; 0 for at once.
SECOND_FACTOR_GRACE_DAYS = env.int("SECOND_FACTOR_GRACE_DAYS", 14)

CSRF_FAILURE_VIEW = "pinxero.views.csrf_failure"
SESSION_COOKIE_AGE = 8 * 3600
# A browser in which nobody does anything for so long is signed out; at the latest SESSION_COOKIE_AGE after signing in.
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", 30 if IS_PRODUCTION else 480)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if IS_PRODUCTION:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
else:
    # The sandbox uses plain http on this machine, which oauthlib refuses without this. Checked to be off in production.
    os.environ.setdefault("OAUTHLIB_INSECURE_TRANSPORT", "1")

# A form that starts a consent is answered by a redirect to the provider, and browsers apply form-action to that too.
_consent_hosts = connector_settings.consent_origins(CONNECTOR_SETTINGS, _of_connectors)
if OIDC_SERVER_URL:
    _consent_hosts = [*_consent_hosts, "{0.scheme}://{0.netloc}".format(urlsplit(OIDC_SERVER_URL))]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # Unfold's Alpine evaluates its attributes; inline scripts stay forbidden.
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'", *_consent_hosts],
    }
}

# --- worker: a message of the queue only wakes a worker, the rows hold the state --------------------------------------

Q_CLUSTER = {
    "name": "pinxero",
    "orm": "default",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "bulk": 1,
    "timeout": 120,
    "retry": 900,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": -1,
    "catch_up": False,
    "poll": 0.02,
    "recycle": 200,
    "scheduler": False,
    "cache": "default",
}

# --- mail, log ------------------------------------------------------------------------------------------------------

_mail = env.dj_email_url("EMAIL_URL", "console://")
if "EMAIL_BACKEND" not in _mail:
    raise ImproperlyConfigured("EMAIL_URL has to begin with smtp://, submission://, console://, file:// or dummy://.")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_TIMEOUT = 20
EMAIL_HOST = _mail.get("EMAIL_HOST", "")
EMAIL_PORT = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
# file:///var/spool/pinxero: the parser leaves the first slash out.
EMAIL_FILE_PATH = f"/{_mail['EMAIL_FILE_PATH'].lstrip('/')}" if _mail.get("EMAIL_FILE_PATH") else None
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "pinxero@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "pinxero.requests.logs.WithoutSecrets",
            "fmt": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
    },
    "filters": {
        "secret_addresses": {"()": "pinxero.requests.logs.HideSecretAddresses"},
        "tracebacks": {"()": "pinxero.requests.logs.TracebackOfFaultsOnly"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["secret_addresses", "tracebacks"],
        },
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        # These print tokens and whole request lines below WARNING.
        "requests_oauthlib": {"level": "WARNING"},
        "oauthlib": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        # One line per message is useless.
        "django-q": {"level": "WARNING"},
        "django.server": {"level": "WARNING", "filters": ["secret_addresses"]},
        "django.request": {"filters": ["secret_addresses"]},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pinxero",
    "DESCRIPTION": "Start workflows and read runs. Every call carries a token: Authorization: Bearer pxt_...",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
}
