"""An administrator at work."""

from __future__ import annotations

from django.test import Client

from tests.base import Cast, sign_in_recently


def administrating(cast: Cast) -> Client:
    """A browser in which the team's administrator has signed in a moment ago."""
    client = Client()
    sign_in_recently(client, cast.administrator)
    return client
