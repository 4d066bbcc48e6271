"""The form of one rule of a team's policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django import forms

from integrations.core.errors import InvalidInputError
from integrations.framework.base import Effect
from integrations.framework.registry import actions, connectors
from integrations.models import Connection, Membership, Team
from workflows.approvals.rules import MOST_APPROVALS, Group, Rule, Stage, Then, of_json
from workflows.forms.page_forms import PlainForm
from workflows.models import Workflow

#: So many stages are offered; a rule that has more keeps them.
_STAGES = 3
_NAMED = "people"
_EFFECTS = [
    (Effect.CREATES.value, "It creates something"),
    (Effect.UPDATES.value, "It changes something"),
    (Effect.DELETES.value, "It deletes something"),
]
_THEN = [
    (Then.APPROVAL.value, "Ask for approval before it is sent"),
    (Then.HOLD.value, "Hold it until a person lets it go"),
    (Then.REFUSE.value, "Refuse it: the step fails"),
    (Then.NOTHING.value, "Let it pass; the rules below do not look at it"),
]
_WHO = [
    ("", "Nobody"),
    (Group.APPROVER.value, "Approvers"),
    (Group.ADMINISTRATOR.value, "Administrators"),
    (_NAMED, "People of the list"),
]


def _boxes(label: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "One of those chosen is not there any more. Choose again."},
    )


def _short(label: str, help_text: str = "", **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=100,
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
    )


class RuleForm(PlainForm):
    """When a rule applies, and what is done then. `rule()` gives it once the form is valid."""

    name = _short("Name", "For you and your colleagues, as “Large bills”. It may be left empty.")
    workflows = _boxes("The workflow is one of")
    effects = _boxes("What it does")
    operations = _boxes("The step is one of")
    connections = _boxes("It is written to")
    amount_from = _short(
        "Amount at least",
        "The amount payable. A document whose amount is not known beforehand fits too.",
        inputmode="decimal",
    )
    currency = _short("Currency", "As NZD. Left empty: the amount counts in any currency.")
    backdated_days = _short(
        "Backdated by more than so many days", "Counted from the day of writing.", inputmode="numeric"
    )
    new_contact = forms.BooleanField(label="Nothing was written for this contact before", required=False)
    undo = forms.BooleanField(label="It takes back what was written", required=False)
    then = forms.ChoiceField(
        label="What is done then?",
        choices=_THEN,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is done."},
    )
    message = forms.CharField(
        label="Message",
        required=False,
        max_length=500,
        help_text="For whoever meets this rule: why it is there, or what to look at.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, team: Team, rule: Rule | None = None, **kwargs: Any) -> None:
        """`rule` is what the form begins with; what of it the form does not show stays as it is."""
        self._rule = rule or Rule(then=Then.APPROVAL, stages=(Stage(),))
        kwargs.setdefault("initial", _initial(self._rule))
        super().__init__(*args, **kwargs)
        when = self._rule.when
        self._offer("workflows", _workflows(team), when.workflows)
        self._offer("connections", _connections(team), when.connections)
        self._offer("effects", _EFFECTS, when.effects)
        operations = _operations()
        known = {value for _, group in operations for value, _ in group}
        gone = [(key, key) for key in when.operations if key not in known]
        self._boxes("operations").choices = [*operations, *([("No longer there", gone)] if gone else [])]
        people = _people(team)
        self._places = range(1, max(_STAGES, len(self._rule.stages)) + 1)
        for place in self._places:
            self.fields[f"who_{place}"] = forms.ChoiceField(label="Who", choices=_WHO, required=False)
            self.fields[f"count_{place}"] = forms.TypedChoiceField(
                label="How many approvals",
                coerce=int,
                choices=[(number, str(number)) for number in range(1, MOST_APPROVALS + 1)],
                required=False,
                empty_value=1,  # type: ignore[arg-type]
            )
            self.fields[f"people_{place}"] = _boxes("Who exactly")
            named = self._rule.stages[place - 1].people if len(self._rule.stages) >= place else ()
            self._offer(f"people_{place}", people, named)

    def _boxes(self, name: str) -> forms.MultipleChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)
        return field

    def _offer(self, name: str, offered: Iterable[tuple[Any, str]], chosen: Iterable[Any]) -> None:
        """What can be chosen, and what was chosen and is gone: so that opening a rule never loses any of it."""
        found = [(str(value), label) for value, label in offered]
        known = {value for value, _ in found}
        gone = [(str(each), f"No longer there ({each})") for each in chosen if str(each) not in known]
        self._boxes(name).choices = [*found, *gone]

    @property
    def stages(self) -> list[tuple[int, Any, Any, Any]]:
        """For the template: (place, who, how many, which people)."""
        return [
            (place, self[f"who_{place}"], self[f"count_{place}"], self[f"people_{place}"]) for place in self._places
        ]

    def clean(self) -> dict[str, Any]:
        """What is read by the rules of a policy; what they refuse is said at its field."""
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        try:
            (self._read,) = of_json([self._stored(given)])
        except InvalidInputError as error:
            for path, sentence in error.problems.items():
                self.add_error(self._field_of(path), sentence)
        return given

    def rule(self) -> Rule:
        """The rule that was typed."""
        return self._read

    def _stored(self, given: dict[str, Any]) -> dict[str, Any]:
        when = {
            "workflows": [int(each) for each in given["workflows"]],
            "operations": given["operations"],
            "effects": given["effects"],
            "connections": [int(each) for each in given["connections"]],
            "amount_from": given["amount_from"].replace(",", "").replace(" ", ""),
            "currency": given["currency"],
            "backdated_days": _whole(given["backdated_days"]),
            "new_contact": given["new_contact"],
            "undo": given["undo"],
            "bank_details": self._rule.when.bank_details,
        }
        then: dict[str, Any] = {"do": given["then"], "message": given["message"]}
        if given["then"] == Then.APPROVAL:
            then["stages"] = [self._stage(given, place) for place in self._places if given[f"who_{place}"]]
        return {"name": given["name"], "when": when, "then": then}

    def _stage(self, given: dict[str, Any], place: int) -> dict[str, Any]:
        who, count = given[f"who_{place}"], given[f"count_{place}"]
        if who != _NAMED:
            return {"count": count, "role": who}
        people = [int(each) for each in given[f"people_{place}"]]
        if not people:
            self.add_error(f"people_{place}", "Choose the people.")
        return {"count": count, "people": people}

    def _field_of(self, path: str) -> str | None:
        parts = path.split(".")
        if "stages" in parts:
            at = int(parts[parts.index("stages") + 1]) if parts[-1] != "stages" else 1
            # Stages that nobody gives are left out, so the second one may stand in the third place.
            filled = [place for place in self._places if self.cleaned_data.get(f"who_{place}")] or [1]
            place = filled[min(at, len(filled)) - 1]
            return f"people_{place}" if parts[-1] == "people" else f"who_{place}"
        name = "then" if parts[-1] == "do" else parts[-1]
        return name if name in self.fields else None


def _whole(typed: str) -> Any:
    """The number, or what was typed, which the rules refuse."""
    text = typed.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _initial(rule: Rule) -> dict[str, Any]:
    when = rule.when
    found: dict[str, Any] = {
        "name": rule.name,
        "workflows": [str(each) for each in when.workflows],
        "operations": list(when.operations),
        "effects": list(when.effects),
        "connections": [str(each) for each in when.connections],
        "amount_from": "" if when.amount_from is None else str(when.amount_from),
        "currency": when.currency,
        "backdated_days": "" if when.backdated_days is None else str(when.backdated_days),
        "new_contact": when.new_contact,
        "undo": when.undo,
        "then": rule.then.value,
        "message": rule.message,
    }
    for place, stage in enumerate(rule.stages, 1):
        found |= {
            f"who_{place}": _NAMED if stage.people else stage.role,
            f"count_{place}": stage.count,
            f"people_{place}": [str(each) for each in stage.people],
        }
    return found


def _workflows(team: Team) -> list[tuple[int, str]]:
    return list(Workflow.objects.for_team(team).order_by("name", "pk").values_list("pk", "name"))


def _connections(team: Team) -> list[tuple[int, str]]:
    return list(Connection.objects.for_team(team).order_by("name", "pk").values_list("pk", "name"))


def _people(team: Team) -> list[tuple[int, str]]:
    members = Membership.objects.in_force().for_team(team).filter(user__is_active=True).order_by("user__username")
    return list(members.values_list("user", "user__username"))


def _operations() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every step that writes, by its app."""
    names = {each.key: each.name for each in connectors()}
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for each in actions():
        if each.effect is not Effect.READS and each.connector.key in names:
            groups[names[each.connector.key]].append((each.full_key, each.name))
    return [(name, sorted(found, key=lambda pair: pair[1])) for name, found in groups.items()]
