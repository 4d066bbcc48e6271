"""The rules of a policy: when a rule fits a write, and what it asks for then.

A policy is an ordered list; the first rule that fits decides, and where none fits the write is free. A rule is stored
as JSON: {"name", "when": {...}, "then": {"do", "stages", "message"}}. A condition that is left out does not restrict;
those that are given must all hold. This module reads nothing but its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from integrations.core.errors import InvalidInputError
from integrations.models import Role

#: More is not a policy that anybody can read.
MOST_RULES = 50
MOST_APPROVALS = 5
_LONGEST_TEXT = 500


class Then(StrEnum):
    """What a rule asks for."""

    NOTHING = "nothing"
    APPROVAL = "approval"
    HOLD = "hold"
    REFUSE = "refuse"


class Group(StrEnum):
    """Who may give an approval of a stage, besides people that are named."""

    APPROVER = "approver"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Stage:
    """So many approvals of people with a role, or of the people named where any are."""

    count: int = 1
    role: str = Role.APPROVER
    people: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For a JSON column."""
        return {"count": self.count, "role": self.role, "people": list(self.people)}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Stage:
        """What `to_dict` made."""
        return cls(int(stored["count"]), str(stored["role"]), tuple(stored["people"]))


@dataclass(frozen=True, kw_only=True)
class When:
    """To what a rule applies; empty and None restrict nothing.

    `amount_from` is compared with the amount payable; a document of unknown amount fits, because it may be as large.
    With `currency`, only documents in it fit. `backdated_days`: the document's date lies more than so many days before
    the day of writing.
    """

    workflows: tuple[int, ...] = ()
    operations: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    connections: tuple[int, ...] = ()
    amount_from: Decimal | None = None
    currency: str = ""
    new_contact: bool = False
    bank_details: bool = False
    backdated_days: int | None = None
    undo: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule."""

    name: str = ""
    when: When = When()
    then: Then = Then.NOTHING
    stages: tuple[Stage, ...] = ()
    #: For whoever meets it: why it is there, or what to do.
    message: str = ""

    @property
    def needed(self) -> int:
        """How many approvals it asks for."""
        return sum(stage.count for stage in self.stages)


@dataclass(frozen=True, kw_only=True)
class WriteFacts:
    """What the conditions look at of one write. `amount` is None where it is not known, or where there is none: then
    `has_amount` is False."""

    workflow: int
    operation: str
    effect: str
    connection: int | None = None
    has_amount: bool = False
    amount: Decimal | None = None
    currency: str = ""
    new_contact: bool = False
    bank_details: bool = False
    days_backdated: int = 0
    is_undo: bool = False


def fits(when: When, facts: WriteFacts) -> bool:
    """Whether every condition holds."""
    return all(
        (
            not when.workflows or facts.workflow in when.workflows,
            not when.operations or facts.operation in when.operations,
            not when.effects or facts.effect in when.effects,
            not when.connections or facts.connection in when.connections,
            when.amount_from is None or _reaches(when.amount_from, facts),
            not when.currency or (facts.has_amount and facts.currency in (when.currency, "")),
            not when.new_contact or facts.new_contact,
            not when.bank_details or facts.bank_details,
            when.backdated_days is None or facts.days_backdated > when.backdated_days,
            not when.undo or facts.is_undo,
        )
    )


def _reaches(least: Decimal, facts: WriteFacts) -> bool:
    return facts.has_amount and (facts.amount is None or abs(facts.amount) >= least)


def first_fitting(rules: Iterable[Rule], facts: WriteFacts) -> tuple[int, Rule] | None:
    """The rule that decides, with its place from 1 on; None where none fits."""
    return next(((place, rule) for place, rule in enumerate(rules, 1) if fits(rule.when, facts)), None)


def to_json(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Rules for the JSON column."""
    return [
        {
            "name": rule.name,
            "when": _given(rule.when),
            "then": {
                "do": rule.then.value,
                "stages": [stage.to_dict() for stage in rule.stages],
                "message": rule.message,
            },
        }
        for rule in rules
    ]


def _given(when: When) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, default in When.__dataclass_fields__.items():
        value = getattr(when, name)
        if value != default.default:
            given[name] = list(value) if isinstance(value, tuple) else str(value) if name == "amount_from" else value
    return given


def of_json(stored: Any) -> list[Rule]:
    """Rules as stored or as sent. Raises InvalidInputError, whose problems are {"rules.2.when.currency": sentence};
    the first rule is 1."""
    if not isinstance(stored, list):
        raise _refusal({"rules": "A policy is a list of rules."})
    if len(stored) > MOST_RULES:
        raise _refusal({"rules": f"A policy has {MOST_RULES} rules at most; this one has {len(stored)}."})
    problems: dict[str, str] = {}
    rules = [_rule(each, f"rules.{place}", problems) for place, each in enumerate(stored, 1)]
    if problems:
        raise _refusal(problems)
    return rules


def _refusal(problems: dict[str, str]) -> InvalidInputError:
    return InvalidInputError(problems, " ".join(problems.values()))


def _rule(stored: Any, at: str, problems: dict[str, str]) -> Rule:
    when = stored.get("when", {}) if isinstance(stored, dict) else None
    then = stored.get("then", {}) if isinstance(stored, dict) else None
    if not isinstance(when, dict) or not isinstance(then, dict):
        problems[at] = "A rule says when it applies and what is done then."
        return Rule()
    read = _Reader(when, f"{at}.when", problems)
    condition = When(
        workflows=read.ids("workflows"),
        operations=read.texts("operations"),
        effects=read.texts("effects"),
        connections=read.ids("connections"),
        amount_from=read.amount("amount_from"),
        currency=read.currency("currency"),
        new_contact=read.flag("new_contact"),
        bank_details=read.flag("bank_details"),
        backdated_days=read.whole("backdated_days", 0, 3_650),
        undo=read.flag("undo"),
    )
    for unknown in sorted(set(when) - set(When.__dataclass_fields__)):
        problems[f"{at}.when.{unknown}"] = f"There is no condition “{unknown[:40]}”."
    return Rule(
        name=_text(stored.get("name", ""), f"{at}.name", problems),
        when=condition,
        message=_text(then.get("message", ""), f"{at}.then.message", problems),
        **_consequence(then, f"{at}.then", problems),
    )


def _consequence(then: Mapping[str, Any], at: str, problems: dict[str, str]) -> dict[str, Any]:
    try:
        do = Then(then.get("do", ""))
    except ValueError:
        problems[f"{at}.do"] = "Choose what is done: nothing, approval, hold or refuse."
        return {}
    if do is not Then.APPROVAL:
        return {"then": do}
    stored = then.get("stages")
    if not isinstance(stored, list) or not stored:
        problems[f"{at}.stages"] = "Say who has to approve."
        return {"then": do}
    stages = tuple(_stage(each, f"{at}.stages.{place}", problems) for place, each in enumerate(stored, 1))
    if sum(stage.count for stage in stages) > MOST_APPROVALS:
        problems[f"{at}.stages"] = f"A write can need {MOST_APPROVALS} approvals at most."
    return {"then": do, "stages": stages}


def _stage(stored: Any, at: str, problems: dict[str, str]) -> Stage:
    if not isinstance(stored, dict):
        problems[at] = "A stage says how many approvals of whom it needs."
        return Stage()
    read = _Reader(stored, at, problems)
    people, count = read.ids("people"), read.whole("count", 1, MOST_APPROVALS) or 1
    role = stored.get("role") or ("" if people else str(Group.APPROVER))
    if role not in ("", *Group):
        problems[f"{at}.role"] = "Approvals are given by approvers, by administrators or by people who are named."
    if people and len(set(people)) < count:
        problems[f"{at}.people"] = f"{count} approvals need as many people; {len(set(people))} are named."
    return Stage(count, "" if people else str(role), people)


def _text(value: Any, at: str, problems: dict[str, str]) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        problems[at] = f"This is a text of {_LONGEST_TEXT} characters at most."
        return ""
    return value.strip()


@dataclass
class _Reader:
    """Reads the parts of one object; what does not fit becomes a problem."""

    stored: Mapping[str, Any]
    at: str
    problems: dict[str, str]

    def ids(self, name: str) -> tuple[int, ...]:
        return self._list(name, lambda each: isinstance(each, int) and not isinstance(each, bool) and each > 0)

    def texts(self, name: str) -> tuple[str, ...]:
        return self._list(name, lambda each: isinstance(each, str) and 0 < len(each) <= 100)

    def _list(self, name: str, is_fit: Any) -> tuple[Any, ...]:
        found = self.stored.get(name) or []
        if not isinstance(found, list | tuple) or len(found) > 200 or not all(is_fit(each) for each in found):
            self.problems[f"{self.at}.{name}"] = "This list holds something that cannot be chosen."
            return ()
        return tuple(dict.fromkeys(found))

    def flag(self, name: str) -> bool:
        found = self.stored.get(name, False)
        if not isinstance(found, bool):
            self.problems[f"{self.at}.{name}"] = "This is either on or off."
        return found is True

    def whole(self, name: str, least: int, most: int) -> int | None:
        found = self.stored.get(name)
        if found is None or found == "":
            return None
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            self.problems[f"{self.at}.{name}"] = f"This is a whole number from {least:,} to {most:,}."
            return None
        return found

    def amount(self, name: str) -> Decimal | None:
        found = self.stored.get(name)
        if found is None or found == "":
            return None
        try:
            amount = Decimal(str(found))
        except InvalidOperation:
            amount = Decimal("NaN")
        if isinstance(found, bool | float) or not amount.is_finite() or not 0 <= amount < Decimal(10) ** 14:
            self.problems[f"{self.at}.{name}"] = "This is an amount, as 1000 or 1000.50."
            return None
        return amount

    def currency(self, name: str) -> str:
        found = self.stored.get(name) or ""
        if not isinstance(found, str) or (found and not (len(found) == 3 and found.isascii() and found.isalpha())):
            self.problems[f"{self.at}.{name}"] = "A currency has a code of three letters, as NZD."
            return ""
        return found.upper()
