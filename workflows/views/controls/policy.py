"""The pages of a team's policy: what is in force, writing a change rule by rule, and deciding on one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods

from integrations.audit.word_changes import Change, changes
from integrations.models import Team
from integrations.teams.access import Can, allow, may, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from pinxero.pages import page
from workflows.approvals import controls, drafts, facts, policy
from workflows.approvals.rule_words import Names, sentence
from workflows.approvals.rules import Rule, Stage, Then, first_fitting, of_json
from workflows.forms.policy_form import RuleForm
from workflows.models import PolicyDraft, PolicyVersion, Posting
from workflows.presenters import posting_tables
from workflows.publishing.activation import NotAllowedNowError

#: Documents of the past that a policy is tried on.
_TRIED = 100
_WAYS = ("up", "down", "duplicate", "delete")


@require_GET
@allow(Can.LOOK)
def the_policy(request: HttpRequest) -> HttpResponse:
    """What is in force in words, what is proposed, and all the policies that there were."""
    team = team_of(request)
    history = list(PolicyVersion.objects.for_team(team).select_related("proposed_by", "decided_by").order_by("-number"))
    now = next((each for each in history if each.status == PolicyVersion.Status.IN_FORCE), None)
    context = {
        "now": now,
        "rules": _in_words(policy.rules_of(now), team),
        "proposed": next((each for each in history if each.status == PolicyVersion.Status.PROPOSED), None),
        "history": history,
        "controls_proposed": controls.proposed(team),
        "has_draft": PolicyDraft.objects.filter(team=team, by=_person(request)).exists(),
        "may_change": may(request, Can.ADMINISTER),
    }
    return page(request, "policies/policy.html", context, title="Policy")


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def change_policy(request: HttpRequest) -> HttpResponse:
    """One's own draft: its rules in order, how it differs from what is in force, and proposing it with a note."""
    team, problem = team_of(request), ""
    draft = drafts.of_person(team, _person(request))
    if request.method == "POST":
        do, _, place = request.POST.get("do", "").partition(" ")
        try:
            if do == "propose":
                rules = of_json(draft.rules)
                version = policy.propose(team, rules, by=_person(request), note=request.POST.get("note", "")[:2000])
                messages.success(request, "Proposed. It is in force once a second person agrees.")
                return redirect("policy_version", version.number)
            if do == "discard":
                drafts.discard(team, _person(request))
                messages.success(request, "The draft is gone. The policy in force stays as it is.")
                return redirect("policy")
            _change(draft, do, place)
            return redirect("change_policy")
        except NotAllowedNowError as error:
            problem = error.message
    return _draft_page(request, draft, problem)


def _draft_page(request: HttpRequest, draft: PolicyDraft, problem: str) -> HttpResponse:
    team, now = team_of(request), policy.in_force(draft.team_id)
    rules, before = of_json(draft.rules), policy.rules_of(now)
    context = {
        "rules": _in_words(rules, team),
        "changes": _changes(before, rules, team),
        "now": now,
        "is_kept": draft.pk is not None,
        "is_outdated": draft.pk is not None and draft.based_on != (now.number if now else None),
        "proposed": policy.proposed(team.pk),
        "problem": problem,
        "note": request.POST.get("note", ""),
    }
    return page(request, "policies/change.html", context, title="Change the policy")


def _change(draft: PolicyDraft, do: str, place: str) -> None:
    rules = of_json(draft.rules)
    if do not in _WAYS or not place.isdigit() or not 1 <= int(place) <= len(rules):
        raise NotAllowedNowError("This rule is not there any more. Look at the rules again.")
    drafts.keep(draft, drafts.change(rules, int(place), do))


@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def policy_rule(request: HttpRequest, place: int) -> HttpResponse:
    """One rule of one's own draft; 0 is a new one."""
    team = team_of(request)
    draft = drafts.of_person(team, _person(request))
    rules = of_json(draft.rules)
    if place > len(rules):
        raise Http404("There is no such rule in your draft any more.")
    form = RuleForm(request.POST or None, team=team, rule=rules[place - 1] if place else None)
    if request.method == "POST" and form.is_valid():
        try:
            drafts.keep(draft, drafts.put(rules, place, form.rule()))
        except NotAllowedNowError as error:
            form.add_error(None, error.message)
        else:
            return redirect("change_policy")
    title = f"Rule {place}" if place else "New rule"
    return page(request, "policies/rule.html", {"form": form, "place": place}, title=title)


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def policy_version(request: HttpRequest, number: int) -> HttpResponse:
    """One policy: its rules, how it differs from the one before, who decided; and, while it is proposed, deciding."""
    team, person, problem = team_of(request), _person(request), ""
    version = _version_or_404(team, number)
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()[:2000]
        try:
            messages.success(request, _decide(version, request.POST.get("do", ""), person, reason))
            return redirect("policy_version", number)
        except NotAllowedNowError as error:
            problem = error.message
    is_open = version.status == PolicyVersion.Status.PROPOSED
    rules = policy.rules_of(version)
    before = _before(version)
    context = {
        "version": version,
        "rules": _in_words(rules, team),
        "before": before,
        "changes": _changes(policy.rules_of(before), rules, team),
        "is_open": is_open,
        "obstacle": policy.obstacle(version, person) if is_open else "",
        "is_author": is_open and version.proposed_by_id == person.pk,
        "is_superuser": person.is_superuser,
        "problem": problem,
        "reason": request.POST.get("reason", ""),
    }
    return page(request, "policies/version.html", context, title=f"Policy {number}")


def _decide(version: PolicyVersion, do: str, person: User, reason: str) -> str:
    """Returns what is said afterwards. Raises NotAllowedNowError."""
    if do == "agree":
        policy.decide(version, by=person, agrees=True, reason=reason)
        return "Agreed. This policy is in force from now on."
    if do == "refuse":
        policy.decide(version, by=person, agrees=False, reason=reason)
        return "Refused. The policy in force stays as it is."
    if do == "withdraw":
        policy.withdraw(version, by=person)
        return "Withdrawn. The policy in force stays as it is."
    if do == "break_glass":
        policy.break_glass(version, by=person, reason=reason)
        return "In force without a second person. Everybody of the team hears of it."
    raise NotAllowedNowError("Choose what is to be done with it.")


@require_GET
@allow(Can.LOOK)
def try_policy(request: HttpRequest, number: int) -> HttpResponse:
    """Which rule the newest documents would have met under this policy, and under the one that it replaces."""
    team = team_of(request)
    version = _version_or_404(team, number)
    before = _before(version)
    newest = Posting.objects.for_team(team).select_related("workflow", "connection").order_by("-pk")
    if request.GET.get("document", "").isdigit():
        newest = newest.filter(pk=int(request.GET["document"][:18]))
    found = list(newest[:_TRIED])
    rules, old = policy.rules_of(version), policy.rules_of(before)
    words, old_words = _in_words(rules, team), _in_words(old, team)
    met: Counter[int] = Counter()
    rows = []
    for row, write in zip(posting_tables.posting_rows(found), facts.of_postings(found), strict=True):
        now, was = first_fitting(rules, write), first_fitting(old, write)
        met[now[0] if now else 0] += 1
        rows.append(_Tried(row, now, was, _said(words, now), _said(old_words, was)))
    only = request.GET.get("only", "")
    shown = [each for each in rows if only != "different" or each.is_different]
    context = {
        "version": version,
        "before": before,
        "rows": shown,
        "tried": len(rows),
        "different": sum(each.is_different for each in rows),
        "met": [(place, words[place - 1]["words"], met[place]) for place in range(1, len(rules) + 1)],
        "free": met[0],
        "only": only,
    }
    return page(request, "policies/try.html", context, title=f"Policy {number} on past documents")


@dataclass(frozen=True)
class _Tried:
    """A document with the rule that decides under a policy and under the one before, each with its place."""

    row: posting_tables.PostingRow
    now: tuple[int, Rule] | None
    before: tuple[int, Rule] | None
    words: str
    was: str

    @property
    def rule(self) -> int:
        """The place of the rule; 0 where none applies."""
        return self.now[0] if self.now else 0

    @property
    def is_different(self) -> bool:
        """Whether the two policies ask for different things."""
        return _asked(self.now) != _asked(self.before)


def _asked(found: tuple[int, Rule] | None) -> tuple[Then, tuple[Stage, ...]]:
    return (found[1].then, found[1].stages) if found else (Then.NOTHING, ())


def _said(words: list[dict[str, Any]], found: tuple[int, Rule] | None) -> str:
    return str(words[found[0] - 1]["words"]) if found else ""


def _before(version: PolicyVersion) -> PolicyVersion | None:
    """The policy that this one replaced, or would replace."""
    was = [PolicyVersion.Status.IN_FORCE, PolicyVersion.Status.REPLACED]
    earlier = PolicyVersion.objects.filter(team=version.team_id, number__lt=version.number, status__in=was)
    return earlier.order_by("-number").first()


def _in_words(rules: list[Rule], team: Team) -> list[dict[str, Any]]:
    names = Names(rules, team.pk)
    return [
        {"place": place, "name": rule.name, "words": sentence(rule, names), "then": rule.then.value}
        for place, rule in enumerate(rules, 1)
    ]


def _changes(before: list[Rule], after: list[Rule], team: Team) -> list[Change]:
    return changes(*("\n".join(each["words"] for each in _in_words(rules, team)) for rules in (before, after)))


def _version_or_404(team: Team, number: int) -> PolicyVersion:
    mine = PolicyVersion.objects.for_team(team).select_related("proposed_by", "decided_by")
    found: PolicyVersion = get_object_or_404(mine, number=number)
    return found


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
