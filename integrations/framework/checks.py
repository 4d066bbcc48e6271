"""Checks of a write before it is sent: what the provider would refuse, and what is doubtful.

An action declares its own in `Action.checks`; what all have in common is here. A check says what it found, at which
input, and what to do. It never fails a preview: what cannot be read now is reported as not checked, and so is what a
broken check leaves open.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeVar

from integrations.core.errors import CallPreventedError, IntegrationError, RejectedError, TemporaryError
from integrations.framework import reference
from integrations.framework.reference import Record, Reference
from integrations.schema.fields import Choices
from integrations.transport.http import ApiClient

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: The code of a finding that says that a question could not be answered.
NOT_CHECKED = "not_checked"
#: The code of one that says so because a check broke, which only a newer Pinxero mends.
CHECK_FAILED = "check_failed"
_ONLY_KEPT = "It was not read lately."


class Level(StrEnum):
    """Whether the write cannot work, or is doubtful."""

    STOPS = "stops"
    WARNS = "warns"


@dataclass(frozen=True)
class Finding:
    """What a check found: at the input of this path ("" for the whole), a sentence, and what to do about it.

    `code` names the kind of finding, as "account_archived", and never changes.
    """

    level: Level
    input: str
    message: str
    advice: str = ""
    code: str = ""

    def to_dict(self) -> dict[str, str]:
        """For a JSON column."""
        return {**asdict(self), "level": self.level.value}


def stops(code: str, input: str, message: str, advice: str = "") -> Finding:
    """What cannot work."""
    return Finding(Level.STOPS, input, message, advice, code)


def warns(code: str, input: str, message: str, advice: str = "") -> Finding:
    """What is doubtful."""
    return Finding(Level.WARNS, input, message, advice, code)


class NotReadError(Exception):
    """A check's question could not be answered now; the reason is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Facts:
    """What checks may ask of an organisation. Each question costs at most one call for as long as the object lives.

    With `may_ask` False nothing is called: only what was read lately is used. `predicted` are the paths of inputs whose
    values come from a write that has not happened, so that looking them up would find nothing.
    """

    def __init__(self, api: ApiClient, *, may_ask: bool = True, predicted: Iterable[str] = ()) -> None:
        self.api = api
        self.predicted = frozenset(predicted)
        #: Why nothing is asked any more, in a list that every copy shares.
        self._closed: list[str] = [] if may_ask else [_ONLY_KEPT]
        self._hindrances: list[TemporaryError] = []
        self._answers: dict[str, Any] = {}
        self._unread: dict[str, list[str]] = {}
        self._broken: list[str] = []

    @property
    def name(self) -> str:
        """What the organisation is called."""
        return self.api.connection.name

    @property
    def details(self) -> Mapping[str, Any]:
        """What its connection stores."""
        return self.api.organisation

    def for_inputs(self, predicted: Iterable[str]) -> Facts:
        """The same answers, for another write."""
        other = copy(self)
        other.predicted, other._unread, other._broken = frozenset(predicted), {}, []
        return other

    def through(self, api: ApiClient) -> Facts:
        """The same answers, for what is asked further through another client."""
        other = copy(self)
        other.api, other._closed, other._hindrances = api, [], []
        other._unread, other._broken = {}, []
        return other

    @property
    def hindrance(self) -> TemporaryError | None:
        """What keeps it from asking for now; None if nothing does."""
        return self._hindrances[0] if self._hindrances else None

    def is_predicted(self, path: str) -> bool:
        """Whether an input's value, or a part of it, is only predicted. Of a table the columns are known, not the rows:
        "lines.0.account_code" is predicted if "lines.account_code" is."""
        plain = ".".join(part for part in path.split(".") if not part.isdecimal())
        return any(_is_within(plain, each) or _is_within(each, plain) for each in self.predicted)

    def ask(self, question: str, read: Callable[[ApiClient], T]) -> T:
        """The answer to a question, read once. Raises NotReadError, and RejectedError where the provider refuses it."""
        if question not in self._answers:
            self._answers[question] = self._read(read)
        answer: T = self._answers[question]
        return answer

    def listed(self, wanted: Reference) -> Sequence[Record]:
        """A whole list, at most a quarter of an hour old. Raises NotReadError."""
        known = self._answers.get(wanted.key)
        if known is None:
            stored = reference.kept(self.api.connection, wanted)
            known = stored.records if stored is not None and stored.is_fresh else self._fetched(wanted)
            self._answers[wanted.key] = known
        found: Sequence[Record] = known
        return found

    def find(self, wanted: Reference, is_it: Callable[[Record], bool]) -> Record | None:
        """The first record that fits. A list without one is read once more, so that what is new is found."""
        found = next(filter(is_it, self.listed(wanted)), None)
        again = f"{wanted.key}, again"
        if found is None and again not in self._answers and not self._closed:
            self._answers[again] = True
            self._answers[wanted.key] = self._fetched(wanted)
            found = next(filter(is_it, self.listed(wanted)), None)
        return found

    def offers(self, offered: Choices, value: str) -> bool:
        """Whether a form that was opened lately offered this value; costs no call."""
        return reference.was_offered(self.api.connection, offered.key, value)

    def tried(self, what: str, findings: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
        """What a check finds; nothing, if it cannot be answered now, which `not_checked` then says. `what` is the
        question, as "whether the account is active"."""
        try:
            yield from list(findings())
        except NotReadError as error:
            self._note(what, error.reason)
        except IntegrationError as error:
            self._note(what, error.message)
        except CallPreventedError:
            raise
        except Exception:
            # A bug in a check must not hide what would be written. The log has the traceback.
            logger.exception("A check failed: %s.", what)
            self.note_broken(what)

    def note_broken(self, what: str) -> None:
        """Note that a check broke, so that `not_checked` says so."""
        if what not in self._broken:
            self._broken.append(what)

    def not_checked(self) -> list[Finding]:
        """What could not be checked, once per reason."""
        found = [
            warns(NOT_CHECKED, "", f"Not checked: {'; '.join(asked)}. {reason}")
            for reason, asked in self._unread.items()
        ]
        if self._broken:
            said = f"Not checked: {'; '.join(self._broken)}. The check itself failed, so this is not known to be right."
            found.append(warns(CHECK_FAILED, "", said, "Look at it yourself. The log tells why the check failed."))
        return found

    def _note(self, what: str, reason: str) -> None:
        asked = self._unread.setdefault(reason, [])
        if what not in asked:
            asked.append(what)

    def _fetched(self, wanted: Reference) -> Sequence[Record]:
        return self._read(lambda api: reference.fetch(api, wanted)).records

    def _read(self, read: Callable[[ApiClient], T]) -> T:
        if self._closed:
            raise NotReadError(self._closed[0])
        if not self.api.connection.is_usable:
            raise NotReadError(f"{self.name} is not connected now.")
        try:
            return read(self.api)
        except RejectedError:
            raise
        except IntegrationError as error:
            # The next question would get the same answer, after as long a wait.
            self._closed.append(error.message)
            if isinstance(error, TemporaryError):
                self._hindrances.append(error)
            raise NotReadError(error.message) from error


def _is_within(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}.")


class Checked(Protocol):
    """What of an action its checks need."""

    name: ClassVar[str]

    @property
    def full_key(self) -> str: ...

    def missing_scopes(self, granted: Iterable[str], values: Mapping[str, Any] | None = None) -> list[str]: ...

    def checks(self, facts: Facts, inputs: Any, found: Any) -> Iterable[Finding]: ...


def findings_of(action: Checked, facts: Facts, inputs: Any, found: Any = None) -> list[Finding]:
    """Everything that the checks of a write find with these cleaned inputs, what stops it first."""
    made: list[Finding] = []
    try:
        made += _missing_permission(action, facts, inputs)
        # One by one, so that what was found before a check breaks is kept.
        for each in action.checks(facts, inputs, found):
            made.append(each)
    except CallPreventedError:
        raise
    except Exception:
        logger.exception("The checks of %s failed.", action.full_key)
        facts.note_broken(f"what would keep “{action.name}” from being written")
    made += facts.not_checked()
    return sorted(dict.fromkeys(made), key=lambda each: each.level is not Level.STOPS)


def _missing_permission(action: Checked, facts: Facts, inputs: Any) -> Iterator[Finding]:
    """The consent lacks what the operation needs; where it is not known what was given, nothing is said."""
    granted = facts.api.connection.grant.scopes if facts.api.has_connection else []
    given = {f.name: getattr(inputs, f.name, None) for f in inputs.fields()}
    values = {name: getattr(value, "value", value) for name, value in given.items()}
    missing = action.missing_scopes(granted, values) if granted else []
    if missing:
        yield stops(
            "scope_missing",
            "",
            f"{facts.name} was connected without the permission {', '.join(missing)}, which this needs.",
            "Reconnect it and agree to everything that is listed.",
        )
