"""All operations: loaded from settings.CONNECTORS, looked up by key.

`workflows` reaches operations only through this module and by their keys, so that adding one touches no other code.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module

from django.conf import settings

from integrations.core.moments import DateForm
from integrations.framework.base import Action, Connector, Operation, Trigger
from integrations.framework.connector_settings import declared


class UnknownOperationError(LookupError):
    """No connector offers an operation with that key; its connector may be missing from settings.CONNECTORS."""


_COLON = ":"
_DERIVATIONS: dict[str, Callable[[Action], Action]] = {}


@lru_cache(maxsize=1)
def _load() -> tuple[dict[str, Connector], dict[str, Operation]]:
    connectors: dict[str, Connector] = {}
    operations: dict[str, Operation] = {}
    for package in settings.CONNECTORS:
        connector: Connector = import_module(f"{package}.connector").connector
        connector.declared = declared(package)
        connectors[connector.key] = connector
        for operation_class in connector.operations:
            operation_class.connector = connector
            operation = operation_class()
            if operation.full_key in operations:
                raise ValueError(f"Two operations are called {operation.full_key}")
            operations[operation.full_key] = operation
    return connectors, operations


def connectors() -> list[Connector]:
    """All connectors, in the order of the settings."""
    return list(_load()[0].values())


def connector(key: str) -> Connector:
    """The connector of that key. Raises UnknownOperationError."""
    try:
        return _load()[0][key]
    except KeyError:
        raise UnknownOperationError(f"There is no connector called {key!r}.") from None


def operations() -> list[Operation]:
    """All operations, by connector and in the order they are declared."""
    return list(_load()[1].values())


def operation(key: str) -> Operation:
    """The trigger or action of that key. Raises UnknownOperationError."""
    found = operation_or_none(key)
    if found is None:
        raise UnknownOperationError(f"There is no operation called {key!r}.")
    return found


def operation_or_none(key: str) -> Operation | None:
    """The operation, or None if its connector is gone."""
    return _load()[1].get(key) or _derived(key)


def derived_key(key: str, name: str) -> str:
    """The key of what `derive` makes of an action: "xero.create_invoice:undo"."""
    return f"{key}{_COLON}{name}"


def derive(name: str, make: Callable[[Action], Action]) -> None:
    """Offer, for every action, another one that is made from it. Nobody chooses it for a step: no list holds it."""
    _DERIVATIONS[name] = make


def _derived(key: str) -> Action | None:
    original, _, name = key.partition(_COLON)
    found, make = _load()[1].get(original), _DERIVATIONS.get(name)
    return _made(make, found) if make is not None and isinstance(found, Action) else None


@lru_cache(maxsize=512)
def _made(make: Callable[[Action], Action], original: Action) -> Action:
    return make(original)


def trigger(key: str) -> Trigger:
    """The trigger of that key. Raises UnknownOperationError."""
    found = operation(key)
    if not isinstance(found, Trigger):
        raise UnknownOperationError(f"{key!r} is not a trigger.")
    return found


def action(key: str) -> Action:
    """The action of that key. Raises UnknownOperationError."""
    found = operation(key)
    if not isinstance(found, Action):
        raise UnknownOperationError(f"{key!r} is not an action.")
    return found


def triggers() -> list[Trigger]:
    """All triggers."""
    return [each for each in operations() if isinstance(each, Trigger)]


def actions() -> list[Action]:
    """All actions."""
    return [each for each in operations() if isinstance(each, Action)]


def date_forms() -> list[DateForm]:
    """The formats of days and moments that the connectors' providers use."""
    return [form for each in connectors() for form in each.date_forms]
