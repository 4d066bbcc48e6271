"""A change of a team's policy while somebody writes it, rule by rule: kept in the database, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User

from integrations.models import Team
from workflows.approvals import policy
from workflows.approvals.rules import MOST_RULES, Rule, of_json, to_json
from workflows.models import PolicyDraft
from workflows.publishing.activation import NotAllowedNowError


def of_person(team: Team, user: User) -> PolicyDraft:
    """Their draft; an unsaved one with the rules in force where they have none."""
    found = PolicyDraft.objects.filter(team=team, by=user).first()
    if found is not None:
        return found
    now = policy.in_force(team.pk)
    return PolicyDraft(team=team, by=user, rules=now.rules if now else [], based_on=now.number if now else None)


def keep(draft: PolicyDraft, rules: Sequence[Rule]) -> None:
    """Store the draft with these rules. Raises InvalidInputError where they do not make a policy."""
    draft.rules = to_json(of_json(to_json(rules)))
    draft.save()


def discard(team: Team, user: User) -> None:
    """Throw their draft away; the policy in force stays."""
    PolicyDraft.objects.filter(team=team, by=user).delete()


def put(rules: Sequence[Rule], place: int, rule: Rule) -> list[Rule]:
    """The rules with this one in the place, from 1 on; behind the last one where the place is 0.

    Raises NotAllowedNowError where there are as many as a policy may have.
    """
    changed = list(rules)
    if place:
        changed[place - 1] = rule
        return changed
    return [*_with_room(changed), rule]


def change(rules: Sequence[Rule], place: int, how: str) -> list[Rule]:
    """Do one of "up", "down", "duplicate" and "delete" with the rule in the place. A move past an end changes nothing.

    Raises NotAllowedNowError where there are as many as a policy may have.
    """
    changed = list(rules)
    at = place - 1
    if how == "delete":
        del changed[at]
    elif how == "duplicate":
        _with_room(changed).insert(at, changed[at])
    else:
        to = at - 1 if how == "up" else at + 1
        if 0 <= to < len(changed):
            changed[at], changed[to] = changed[to], changed[at]
    return changed


def _with_room(rules: list[Rule]) -> list[Rule]:
    if len(rules) >= MOST_RULES:
        raise NotAllowedNowError(f"A policy has {MOST_RULES} rules at most. Delete one first.")
    return rules
