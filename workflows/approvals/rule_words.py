"""A policy in words, for pages, notices and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User

from integrations.framework.base import Effect
from integrations.framework.registry import operation_or_none
from integrations.models import Connection
from workflows.approvals.rules import Group, Rule, Stage, Then, When
from workflows.models import Workflow

_EFFECTS = {
    Effect.CREATES: "creates something",
    Effect.UPDATES: "changes something",
    Effect.DELETES: "deletes something",
}
_GROUPS = {Group.APPROVER: ("an approver", "approvers"), Group.ADMINISTRATOR: ("an administrator", "administrators")}


def in_words(rules: Iterable[Rule], team_id: int) -> dict[str, str]:
    """Each rule by its place, as "Rule 1": "…"; without rules, that nothing asks."""
    names = Names(rules := list(rules), team_id)
    return {f"Rule {place}": sentence(rule, names) for place, rule in enumerate(rules, 1)} or {
        "Rules": "None: every write is free."
    }


class Names:
    """What the things and people that rules name are called, read once for all of the rules."""

    def __init__(self, rules: Iterable[Rule], team_id: int) -> None:
        rules = list(rules)
        workflows = {pk for rule in rules for pk in rule.when.workflows}
        connections = {pk for rule in rules for pk in rule.when.connections}
        people = {pk for rule in rules for stage in rule.stages for pk in stage.people}
        self.workflows = dict(Workflow.objects.filter(team=team_id, pk__in=workflows).values_list("pk", "name"))
        self.connections = {each.pk: each.name for each in Connection.objects.filter(team=team_id, pk__in=connections)}
        self.people = {each.pk: each.get_username() for each in User.objects.filter(pk__in=people)}


def sentence(rule: Rule, names: Names) -> str:
    """The rule as one sentence."""
    conditions = condition_words(rule.when, names)
    when = f"If {', and '.join(conditions)}: " if conditions else "Always: "
    why = f" ({rule.message.rstrip('.')})" if rule.message else ""
    return f"{when}{consequence(rule, names)}{why}."


def consequence(rule: Rule, names: Names) -> str:
    """What the rule asks for."""
    if rule.then is Then.APPROVAL:
        return f"ask for {', then '.join(stage_words(stage, names) for stage in rule.stages)}"
    return {Then.NOTHING: "let it pass", Then.HOLD: "hold it for a person", Then.REFUSE: "refuse it"}[rule.then]


def stage_words(stage: Stage, names: Names) -> str:
    """Whose approvals a stage needs."""
    if stage.people:
        people = " or ".join(names.people.get(pk, f"person {pk}") for pk in stage.people)
        return f"the approval of {people}" if stage.count == 1 else f"{stage.count} approvals of {people}"
    one, many = _GROUPS[Group(stage.role)]
    return f"the approval of {one}" if stage.count == 1 else f"the approvals of {stage.count} {many}"


def condition_words(when: When, names: Names) -> list[str]:
    """Each condition as a clause."""
    found = []
    if when.workflows:
        found.append(f"the workflow is {_any(names.workflows.get(pk, f'workflow {pk}') for pk in when.workflows)}")
    if when.operations:
        found.append(f"it is “{_any(_operation(key) for key in when.operations)}”")
    if when.effects:
        found.append(f"it {_any(_EFFECTS.get(Effect(each), each) for each in when.effects)}")
    if when.connections:
        named = _any(names.connections.get(pk, f"connection {pk}") for pk in when.connections)
        found.append(f"it is written to {named}")
    if when.amount_from is not None:
        currency = f" {when.currency}" if when.currency else ""
        found.append(f"the amount is {when.amount_from:,}{currency} or more, or not known")
    elif when.currency:
        found.append(f"the currency is {when.currency}")
    if when.new_contact:
        found.append("nothing was written for this contact before")
    if when.bank_details:
        found.append("bank details change")
    if when.backdated_days is not None:
        found.append(f"its date lies more than {when.backdated_days:,} days back")
    if when.undo:
        found.append("it takes something back")
    return found


def _any(names: Iterable[str]) -> str:
    return " or ".join(names)


def _operation(key: str) -> str:
    operation = operation_or_none(key)
    return f"{operation.name} ({operation.connector.name})" if operation else key
