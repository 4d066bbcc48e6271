"""A team with a policy that asks for one approval of every write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.base import Cast
from workflows.approvals.rules import of_json, to_json
from workflows.models import ApprovalRequest, PolicyVersion

ONE_APPROVER = {"when": {}, "then": {"do": "approval", "stages": [{"role": "approver", "count": 1}]}}


def put_in_force(cast: Cast, *rules: dict[str, Any]) -> PolicyVersion:
    """A policy in force, as two people have made it."""
    PolicyVersion.objects.filter(team=cast.team, status="in_force").update(status="replaced")
    number = PolicyVersion.objects.filter(team=cast.team).count() + 1
    return PolicyVersion.objects.create(
        team=cast.team,
        number=number,
        rules=to_json(of_json(list(rules))),
        status="in_force",
        proposed_by=cast.builder,
        decided_by=cast.approver,
    )


@pytest.fixture
def policy(cast: Cast) -> PolicyVersion:
    return put_in_force(cast, ONE_APPROVER)


def the_request() -> ApprovalRequest:
    return ApprovalRequest.objects.latest("pk")
