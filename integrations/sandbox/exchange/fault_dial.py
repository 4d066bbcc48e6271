"""The fault dial: how the sandbox misbehaves. The same seed and the same sequence of requests give the same faults."""

import dataclasses
import itertools
import random
import threading
from dataclasses import dataclass
from typing import Any

import simplejson

from integrations.sandbox.models import Setting

WRITES = ("PUT", "POST", "PATCH", "DELETE")
# In the order in which the random numbers are compared; a request gets at most one fault.
FAULTS = (
    "reset_before",
    "reset_after",
    "429",
    "html_503",
    "html_200",
    "400",
    "500",
    "commit_then_silence",
    "slow_commit",
    "empty_200",
)
# Only for the next requests: a gateway in front of the provider refuses although the provider has carried them out.
GATEWAY = ("gateway_401", "gateway_429")
_ON_EVERY_METHOD = {"429", "500", "html_503", "html_200", "400", "empty_200"}


@dataclass(frozen=True, kw_only=True)
class Dial:
    seed: int = 1
    p500: float = 0.0
    p429: float = 0.0
    p_commit_then_silence: float = 0.0
    p_slow_commit: float = 0.0
    p_reset: float = 0.0
    p_html_503: float = 0.0
    p_html_200: float = 0.0
    p400: float = 0.0
    p_empty_200: float = 0.0
    p_refresh_silence: float = 0.0
    p_token_500: float = 0.0
    next: tuple[str, ...] = ()  # faults for the next requests, one each, before any random ones; "none" lets one pass
    methods: tuple[str, ...] = ()  # empty: commit faults and resets affect writes, the others every request
    only_provider: str = ""
    only_path: str = ""  # a part of the path
    slow_commit_seconds: float = 2.0  # at least; at most twice as many
    key_window_seconds: float = 360.0
    refresh_grace_seconds: float = 1800.0
    access_token_seconds: float = 0.0  # 0: the provider's default, 1800 for Xero and 2592000 for Pinterest
    clock_offset_seconds: float = 0.0
    minute_limit: int = 60
    day_limit: int = 5000
    concurrent_limit: int = 5
    app_minute_limit: int = 10000
    pinterest_read_limit: int = 1000
    pinterest_write_limit: int = 100
    trial: bool = False
    archived_accounts: tuple[str, ...] = ()  # by their codes, in every organisation
    deleted_tax_rates: tuple[str, ...] = ()  # by their types, in every organisation
    has_practice: bool = False  # whether a consent for Xero also opens a practice, which is not an organisation
    p_short_page: float = 0.0  # how often Pinterest's page holds fewer than asked for, or none, though more follow
    p_section_conflict: float = 0.0  # how often making a section of a board is refused with 409
    p_webhook_duplicate: float = 0.0
    p_webhook_forged: float = 0.0
    webhook_shuffle: bool = False


class DialError(ValueError):
    """The dial cannot be set like this; the message says why."""


_lock = threading.Lock()
_current = Dial()


def current() -> Dial:
    return _current


def load() -> None:
    """Restore the dial as it was when the sandbox stopped."""
    row = Setting.objects.filter(name="dial").first()
    _put(_cleaned(simplejson.loads(row.value)) if row else Dial())


def change(values: dict[str, Any]) -> Dial:
    """Set the named values; the others stay."""
    dial = _cleaned({**dataclasses.asdict(_current), **values})
    save(dial)
    return dial


def save(dial: Dial) -> None:
    Setting.objects.update_or_create(name="dial", defaults={"value": simplejson.dumps(dataclasses.asdict(dial))})
    _put(dial)


def _put(dial: Dial) -> None:
    global _current
    with _lock:
        _current = dial


def _cleaned(values: dict[str, Any]) -> Dial:
    known = {field.name: field for field in dataclasses.fields(Dial)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise DialError(f"Unknown fault setting: {', '.join(unknown)}. Known are: {', '.join(known)}.")
    cleaned = {name: _value(name, known[name].default, value) for name, value in values.items()}
    rates = {name: value for name, value in cleaned.items() if name.startswith("p") and isinstance(value, float)}
    if any(not 0 <= rate <= 1 for rate in rates.values()):
        raise DialError("A rate is a number from 0 to 1, for example 0.05 for 5%.")
    return Dial(**cleaned)


def _value(name: str, default: Any, value: Any) -> Any:
    if isinstance(default, tuple):
        return _names(name, value)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise DialError(f"{name} is true or false.")
        return value
    if isinstance(default, str):
        return str(value or "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DialError(f"{name} is a number.")
    if value < 0 and name not in {"clock_offset_seconds", "seed"}:
        raise DialError(f"{name} cannot be negative.")
    return int(value) if isinstance(default, int) else float(value)


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise DialError(f"{name} is a list of texts.")
    if name == "methods":
        return tuple(item.upper() for item in value)
    if name in {"archived_accounts", "deleted_tax_rates"}:
        return tuple(value)
    faults = tuple(item.removeprefix("p_").removeprefix("p") if item != "none" else item for item in value)
    wrong = [item for item in faults if item not in (*FAULTS, *GATEWAY) and item != "none"]
    if wrong:
        raise DialError(f"Unknown fault {wrong[0]!r} in next. Known are: none, {', '.join([*FAULTS, *GATEWAY])}.")
    return faults


def draw(arrival: int, provider: str, method: str, path: str) -> str:
    """The fault for this request, or an empty text."""
    dial = _current
    if (dial.only_provider and dial.only_provider != provider) or dial.only_path not in path:
        return ""
    if dial.next:
        return _take_next(method)
    if not any(_rates(dial).values()):
        return ""
    point = roll(arrival)
    edge = 0.0
    for fault, rate in _rates(dial).items():
        if not _hits(dial, fault, method):
            continue
        edge += rate
        if point < edge:
            return fault
    return ""


def roll(arrival: int, purpose: int = 0) -> float:
    """A number from 0 to 1 that depends on the seed, the request's number in the sequence and the purpose."""
    return random.Random((_current.seed << 40) ^ (arrival << 4) ^ purpose).random()  # noqa: S311 - dice, not secrets


def _rates(dial: Dial) -> dict[str, float]:
    half = dial.p_reset / 2
    return dict(
        zip(
            FAULTS,
            (
                half,
                half,
                dial.p429,
                dial.p_html_503,
                dial.p_html_200,
                dial.p400,
                dial.p500,
                dial.p_commit_then_silence,
                dial.p_slow_commit,
                dial.p_empty_200,
            ),
            strict=True,
        )
    )


def _hits(dial: Dial, fault: str, method: str) -> bool:
    if dial.methods:
        return method in dial.methods
    return fault in _ON_EVERY_METHOD or method in WRITES


def _take_next(method: str) -> str:
    global _current
    with _lock:
        if not _current.next:
            return ""
        fault = _current.next[0]
        if fault != "none" and not _hits(_current, fault, method):
            return ""  # it waits for the first request that it applies to
        _current = dataclasses.replace(_current, next=_current.next[1:])
    return "" if fault == "none" else fault


_token_calls = itertools.count(1)


def restart_token_calls() -> None:
    global _token_calls
    _token_calls = itertools.count(1)


def draw_token_fault(kind: str) -> bool:
    """Whether a token endpoint misbehaves this time: `token_500` before, `refresh_silence` after rotating."""
    rate = {"token_500": _current.p_token_500, "refresh_silence": _current.p_refresh_silence}[kind]
    return rate > 0 and roll(next(_token_calls), 2) < rate
