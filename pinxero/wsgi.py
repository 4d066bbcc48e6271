"""The web server's entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pinxero.settings")
application = get_wsgi_application()

from integrations.connections.preload import load_before_fork  # noqa: E402 - needs the apps to be loaded
from pinxero.checks import refuse_when_unsafe  # noqa: E402

refuse_when_unsafe()
load_before_fork()
