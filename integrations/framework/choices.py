"""Fetched choices for forms: fetched at most every quarter of an hour, kept per connection with their age.

A form is always shown: without a connection, with an empty list, or while the provider is down, the result says so in a
sentence, and older choices are shown if there are any.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from integrations.core.errors import IntegrationError
from integrations.core.exact_json import dumps
from integrations.framework import registry
from integrations.framework.reference import FRESH_FOR
from integrations.models import ChoiceCache, Connection
from integrations.schema.schema import Choice, Choices, Field
from integrations.transport.call_budget import Purpose

logger = logging.getLogger(__name__)

#: No list in a page holds more than this; beyond it, `is_cut` is set and people search.
MOST_CHOICES = 1000


@dataclass(frozen=True)
class ChoiceList:
    """What a form offers for an input. `problem` is a sentence, empty when all is well; `is_cut`: there are more."""

    choices: list[Choice] = field(default_factory=list)
    fetched_at: datetime | None = None
    is_cut: bool = False
    problem: str = ""


def choices_for(
    connection: Connection | None,
    declared: Field,
    inputs: Mapping[str, Any],
    *,
    refresh: bool = False,
    search: str = "",
) -> ChoiceList:
    """The choices of an input: its fixed ones, or those of the connection. Never raises.

    `inputs` are the values given so far, for choices that depend on other inputs. `refresh` asks the provider now.
    `search` narrows the list where the input's choices are searchable. Asks with the connection's own call budget.
    """
    dynamic = declared.dynamic_choices
    if dynamic is None:
        return ChoiceList(choices=list(declared.fixed_choices))
    if connection is None:
        return ChoiceList(problem=f"Choose a connection first; then {declared.label} can be picked from its own list.")
    told = _inputs_of(dynamic, inputs, search)
    found = _found(connection, declared, dynamic, told, refresh=refresh)
    if dynamic.narrow is None:
        return found
    return replace(found, choices=dynamic.narrow(found.choices, inputs, connection.details))


def cached_labels(connection_id: int, wanted: Mapping[str, tuple[Field, str]]) -> dict[str, str]:
    """What lists fetched earlier call these values, by name; without those that no list has. Never asks a provider."""
    keys = {f.dynamic_choices.key for f, _ in wanted.values() if f.dynamic_choices is not None}
    rows = ChoiceCache.objects.filter(connection=connection_id, key__in=keys) if keys else []
    labels = {(row.key, str(value)): str(label) for row in rows for value, label in row.choices}
    found = {
        name: labels.get((f.dynamic_choices.key if f.dynamic_choices else "", value), "")
        for name, (f, value) in wanted.items()
    }
    return {name: label for name, label in found.items() if label}


def _found(
    connection: Connection, declared: Field, dynamic: Choices, told: Mapping[str, Any], *, refresh: bool
) -> ChoiceList:
    cached = _cached(connection, dynamic, told)
    if cached is not None and not refresh and timezone.now() - cached.fetched_at < FRESH_FOR:
        return _shown(cached, declared)
    if not connection.is_usable:
        return _older(cached, f"{connection.name} is not connected now. Reconnect it on the connections page.")
    try:
        found, is_cut = _load(connection, dynamic, told)
    except IntegrationError as error:
        return _older(cached, f"{declared.label} could not be read from {connection.name}. {error.message}")
    except Exception:
        # A form must open even if a loader has a bug; the log has the traceback.
        logger.exception("The choices %s of connection %s could not be read.", dynamic.key, connection.pk)
        return _older(
            cached, f"{declared.label} could not be read from {connection.name}: its answer was not understood."
        )
    return _shown(_store(connection, dynamic, told, found, is_cut=is_cut), declared)


def _inputs_of(dynamic: Choices, inputs: Mapping[str, Any], search: str) -> dict[str, Any]:
    told = {name: inputs.get(name) for name in dynamic.depends_on if dynamic.narrow is None}
    if dynamic.is_searchable and search.strip():
        told["search"] = search.strip()
    return told


def _load(connection: Connection, dynamic: Choices, told: Mapping[str, Any]) -> tuple[list[Choice], bool]:
    api = registry.connector(connection.provider).client_class(connection, purpose=Purpose.PERSON)
    found = [(str(value), str(label)) for value, label in islice(dynamic.load(api, told), MOST_CHOICES + 1)]
    return found[:MOST_CHOICES], len(found) > MOST_CHOICES


def _cached(connection: Connection, dynamic: Choices, told: Mapping[str, Any]) -> ChoiceCache | None:
    rows = ChoiceCache.objects.filter(connection=connection, key=dynamic.key, inputs_hash=_hash(told))
    return rows.first()


def _store(
    connection: Connection, dynamic: Choices, told: Mapping[str, Any], found: list[Choice], *, is_cut: bool
) -> ChoiceCache:
    values: dict[str, Any] = {"choices": found, "is_cut": is_cut, "fetched_at": timezone.now()}
    question: dict[str, Any] = {"connection": connection, "key": dynamic.key, "inputs_hash": _hash(told)}
    if "search" in told:
        # Every letter that is typed would become a row that is never deleted.
        return ChoiceCache(**question, **values)
    try:
        row, _ = ChoiceCache.objects.update_or_create(**question, defaults=values)
    except DatabaseError:
        logger.warning("Choices could not be kept.", exc_info=True)
        row = ChoiceCache(**question, **values)
    return row


def _shown(row: ChoiceCache, declared: Field) -> ChoiceList:
    found = [(str(value), str(label)) for value, label in row.choices]
    problem = "" if found else f"There is nothing to choose for {declared.label} in {row.connection.name} yet."
    return ChoiceList(choices=found, fetched_at=row.fetched_at, is_cut=row.is_cut, problem=problem)


def _older(row: ChoiceCache | None, problem: str) -> ChoiceList:
    if row is None:
        return ChoiceList(problem=problem)
    found = [(str(value), str(label)) for value, label in row.choices]
    return ChoiceList(choices=found, fetched_at=row.fetched_at, is_cut=row.is_cut, problem=problem)


def _hash(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(dumps(dict(sorted(told.items()))).encode()).hexdigest()
