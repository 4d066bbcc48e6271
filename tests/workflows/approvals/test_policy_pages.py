"""The pages of a policy: writing a change rule by rule, proposing it, a second person's decision, trying it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from integrations.models import Membership, Role, Team
from tests.base import Cast, sign_in_recently
from tests.workflows.conftest import Make, drain, start, the_run
from tests.workflows.scripted.connector import Provider
from workflows.approvals.policy import in_force, rules_of
from workflows.approvals.rules import Rule, Stage, Then, When, of_json, to_json
from workflows.forms.policy_form import RuleForm
from workflows.models import PolicyDraft, PolicyVersion, Posting

from .conftest import ONE_APPROVER, put_in_force

pytestmark = pytest.mark.django_db
RULE = {
    "name": "Large bills", "amount_from": "1,000.50", "currency": "nzd", "then": "approval",
    "who_1": "approver", "count_1": "2", "who_2": "administrator", "count_2": "1", "message": "See the contract",
}  # fmt: skip


@pytest.fixture
def administrator(cast: Cast, client: Client) -> Client:
    sign_in_recently(client, cast.administrator)
    return client


def _as(user: User) -> Client:
    client = Client()
    sign_in_recently(client, user)
    return client


def _body(response: Any) -> str:
    return str(response.content.decode())


def _proposed(administrator: Client) -> PolicyVersion:
    administrator.post("/policy/change/rules/0/", RULE)
    administrator.post("/policy/change/", {"do": "propose", "note": "The auditors ask for it"})
    return PolicyVersion.objects.get(status="proposed")


def test_a_rule_is_typed_proposed_and_in_force_once_a_second_person_agrees(cast: Cast, administrator: Client) -> None:
    assert "No policy yet" in _body(administrator.get("/policy/"))
    version = _proposed(administrator)
    assert in_force(cast.team.pk) is None
    expected = Rule(
        name="Large bills",
        when=When(amount_from=Decimal("1000.50"), currency="NZD"),
        then=Then.APPROVAL,
        stages=(Stage(2, "approver"), Stage(1, "administrator")),
        message="See the contract",
    )
    assert rules_of(version) == [expected]
    approver = _as(cast.approver)
    assert "The auditors ask for it" in _body(approver.get(f"/policy/{version.number}/"))
    answer = approver.post(f"/policy/{version.number}/", {"do": "agree"}, follow=True)
    assert "in force from now on" in _body(answer)
    assert in_force(cast.team.pk) == version
    assert "1,000.50 NZD" in _body(approver.get("/policy/"))
    assert not PolicyDraft.objects.exists()


@pytest.mark.parametrize("do", ["agree", "refuse"])
def test_whoever_proposed_it_does_not_decide_on_it(cast: Cast, administrator: Client, do: str) -> None:
    version = _proposed(administrator)
    assert f'value="{do}"' not in _body(administrator.get(f"/policy/{version.number}/"))
    answer = administrator.post(f"/policy/{version.number}/", {"do": do, "reason": "Because"})
    assert "a second person has to decide" in _body(answer)
    assert in_force(cast.team.pk) is None


@pytest.mark.parametrize("role", ["builder", "auditor"])
def test_who_neither_approves_nor_administrates_does_not_decide(cast: Cast, administrator: Client, role: str) -> None:
    version = _proposed(administrator)
    answer = _as(getattr(cast, role)).post(f"/policy/{version.number}/", {"do": "agree"})
    assert "An administrator or an approver of the team decides on it." in _body(answer)
    assert in_force(cast.team.pk) is None


def test_a_refusal_needs_a_reason_and_keeps_what_was_typed(cast: Cast, administrator: Client) -> None:
    version = _proposed(administrator)
    approver = _as(cast.approver)
    assert "Say why it is refused" in _body(approver.post(f"/policy/{version.number}/", {"do": "refuse"}))
    approver.post(f"/policy/{version.number}/", {"do": "refuse", "reason": "Too low"})
    version.refresh_from_db()
    assert (version.status, version.reason) == ("refused", "Too low")
    assert "Too low" in _body(administrator.get("/policy/"))


def test_its_author_withdraws_it(cast: Cast, administrator: Client) -> None:
    version = _proposed(administrator)
    assert "Only whoever has proposed" in _body(
        _as(cast.approver).post(f"/policy/{version.number}/", {"do": "withdraw"})
    )
    administrator.post(f"/policy/{version.number}/", {"do": "withdraw"})
    version.refresh_from_db()
    assert version.status == "refused"


def test_a_superuser_of_another_team_sees_nothing_of_it(cast: Cast, administrator: Client) -> None:
    version = _proposed(administrator)
    assert _as(cast.outsider).get(f"/policy/{version.number}/").status_code == 404


def test_an_emergency_needs_a_superuser_and_a_reason(cast: Cast, administrator: Client) -> None:
    version = _proposed(administrator)
    root = User.objects.create_superuser("root", "root@acme.example", "a quite different sentence")
    Membership.objects.create(team=cast.team, user=root, role=Role.AUDITOR)
    asked = {"do": "break_glass", "reason": "Nobody else is here"}
    assert "Only a superuser" in _body(_as(cast.approver).post(f"/policy/{version.number}/", asked))
    client = _as(root)
    assert "Say why" in _body(client.post(f"/policy/{version.number}/", {"do": "break_glass"}))
    client.post(f"/policy/{version.number}/", asked)
    assert in_force(cast.team.pk) == version


def test_rules_move_are_duplicated_and_deleted_and_the_policy_in_force_stays(cast: Cast, administrator: Client) -> None:
    version = put_in_force(cast, {**ONE_APPROVER, "name": "a"}, {**ONE_APPROVER, "name": "b"})

    def names() -> list[str]:
        return [each.name for each in of_json(PolicyDraft.objects.get().rules)]

    for do, expected in [
        ("down 1", ["b", "a"]), ("up 1", ["b", "a"]), ("duplicate 2", ["b", "a", "a"]), ("up 2", ["a", "b", "a"]),
        ("delete 3", ["a", "b"]),
    ]:  # fmt: skip
        administrator.post("/policy/change/", {"do": do})
        assert names() == expected
    for wrong in ("delete 3", "delete 0", "delete x", "explode 1", ""):
        assert "not there any more" in _body(administrator.post("/policy/change/", {"do": wrong}))
    assert names() == ["a", "b"]
    administrator.post("/policy/change/", {"do": "discard"})
    assert not PolicyDraft.objects.exists()
    assert rules_of(in_force(cast.team.pk)) == rules_of(version)


def test_a_draft_is_its_authors_alone(cast: Cast, administrator: Client) -> None:
    administrator.post("/policy/change/rules/0/", RULE)
    second = User.objects.create_user("second", "second@acme.example", "x", is_staff=True)
    Membership.objects.create(team=cast.team, user=second, role=Role.ADMINISTRATOR)
    client = _as(second)
    assert "Large bills" not in _body(client.get("/policy/change/"))
    assert client.get("/policy/change/rules/1/").status_code == 404


def test_a_proposal_without_a_reason_is_not_made_and_the_draft_stays(administrator: Client) -> None:
    administrator.post("/policy/change/rules/0/", RULE)
    answer = administrator.post("/policy/change/", {"do": "propose", "note": " "})
    assert "Say why the policy is to be changed" in _body(answer)
    assert PolicyDraft.objects.get().rules
    assert not PolicyVersion.objects.exists()


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"amount_from": "a lot"}, "amount_from", "This is an amount, as 1000 or 1000.50."),
        ({"currency": "dollars"}, "currency", "A currency has a code of three letters, as NZD."),
        ({"backdated_days": "-1"}, "backdated_days", "This is a whole number from 0 to 3,650."),
        ({"then": ""}, "then", "Choose what is done."),
        ({"who_1": "", "who_2": ""}, "who_1", "Say who has to approve."),
        ({"who_2": "people"}, "people_2", "Choose the people."),
        ({"count_1": "4", "count_2": "4"}, "who_1", "A write can need 5 approvals at most."),
        ({"workflows": ["999999"]}, "workflows", "One of those chosen is not there any more. Choose again."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(cast: Cast, typed: dict[str, Any], field: str, sentence: str) -> None:
    form = RuleForm({**RULE, **typed}, team=cast.team)
    assert not form.is_valid()
    assert form.errors[field] == [sentence]


def test_what_was_typed_stays_when_it_is_wrong(administrator: Client) -> None:
    answer = _body(administrator.post("/policy/change/rules/0/", {**RULE, "amount_from": "a lot"}))
    assert 'value="a lot"' in answer
    assert "See the contract" in answer
    assert not PolicyDraft.objects.exists()


def test_a_policy_says_of_past_documents_which_rule_they_would_have_met(
    provider: Provider, make_workflow: Make, cast: Cast, administrator: Client
) -> None:
    start(provider, make_workflow)
    drain()
    assert the_run().status == "succeeded"
    written = Posting.objects.count()
    assert written
    put_in_force(cast, {"when": {"new_contact": True}, "then": {"do": "hold"}})
    version = put_in_force(cast, {"name": "All", **ONE_APPROVER})
    page = _body(administrator.get(f"/policy/{version.number}/documents/"))
    assert page.count(">different</span>") == written
    assert f'data-label="Documents">{written}</td>' in page
    assert Posting.objects.count() == written
    other = put_in_force(cast, {"name": "The same for all", **ONE_APPROVER})
    page = _body(administrator.get(f"/policy/{other.number}/documents/?only=different"))
    assert "None of them would be decided otherwise." in page


def test_a_rule_with_more_stages_than_are_offered_keeps_them(cast: Cast) -> None:
    rule = Rule(then=Then.APPROVAL, stages=(Stage(), Stage(), Stage(), Stage(1, "administrator"), Stage()))
    shown = RuleForm(team=cast.team, rule=rule)
    typed = {each.html_name: each.value() for each in shown if each.value() not in (None, False)}
    form = RuleForm(typed, team=cast.team, rule=rule)
    assert form.is_valid(), form.errors
    assert form.rule() == rule


_texts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)
_flags = st.booleans()
_amounts = st.none() | st.decimals(0, 10**9, places=2)
_stages = st.lists(st.builds(Stage, st.integers(1, 1), st.sampled_from(["approver", "administrator"])), max_size=3)


class TestAnyRule(TestCase):
    """A class, because Hypothesis needs a database that is rolled back for every example."""

    def setUp(self) -> None:
        self.team = Team.objects.create(name="Acme Finance")

    @given(
        name=_texts, message=_texts, amount=_amounts, currency=st.sampled_from(["", "NZD", "EUR"]), new=_flags,
        bank=_flags, undo=_flags, days=st.none() | st.integers(0, 3_650), effects=st.sets(st.sampled_from(["creates"])),
        stages=_stages,
    )  # fmt: skip
    def test_a_rule_that_is_opened_and_kept_is_the_same(
        self, *, name: str, message: str, amount: Decimal | None, currency: str, new: bool, bank: bool, undo: bool,
        days: int | None, effects: set[str], stages: list[Stage],
    ) -> None:  # fmt: skip
        rule = Rule(
            name=name,
            when=When(
                amount_from=amount, currency=currency, new_contact=new, bank_details=bank, undo=undo,
                backdated_days=days, effects=tuple(effects),
            ),
            then=Then.APPROVAL if stages else Then.REFUSE,
            stages=tuple(stages),
            message=message,
        )  # fmt: skip
        shown = RuleForm(team=self.team, rule=rule)
        typed = {each.html_name: each.value() for each in shown if each.value() not in (None, False)}
        form = RuleForm(typed, team=self.team, rule=rule)
        assert form.is_valid(), form.errors
        assert to_json([form.rule()]) == to_json([rule])
