"""Names for what pages show: stored ids, positions of steps, times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode

from django.utils.formats import date_format

from integrations.models import ChoiceCache, Connection
from workflows.definitions.tree import Place

#: Names for stored ids: by connection and by what the choices are called, value to label.
ChoiceLabels = dict[tuple[int, str], dict[str, str]]


def choice_labels(connections: Iterable[Connection | None]) -> ChoiceLabels:
    """Names for stored ids, from the choices fetched last; never a call to a provider."""
    wanted = {connection.pk for connection in connections if connection is not None}
    found: ChoiceLabels = {}
    for row in ChoiceCache.objects.filter(connection__in=wanted).order_by("fetched_at"):
        found.setdefault((row.connection_id, row.key), {}).update({str(v): str(label) for v, label in row.choices})
    return found


def place_query(place: Place) -> str:
    """The place as URL parameters, so that it survives from page to page."""
    given = {"parent": place.parent and place.parent.pk, "before": place.before and place.before.pk}
    return urlencode({name: value for name, value in given.items() if value})


def in_words(moment: datetime) -> str:
    """A time in its own time zone: "Monday 30 November 2026, 09:00 (NZDT)"."""
    # date_format would convert an aware time to the page's zone.
    said = date_format(moment.replace(tzinfo=None), "l j F Y, H:i")
    return f"{said} ({moment.tzname()})"
