"""A preview of the writes without a provider: nothing leaves, and the bytes are those of the run that follows."""

from __future__ import annotations

import base64
import re
from typing import Any

from django.core import mail

from integrations.framework import registry
from tests.integrations.outside import Start, start
from tests.walk.stage import Stage, step_of
from tests.walk.test_alone import GOOD, MAIL, Asked, begin
from tests.walk.test_previews import previewed, unmarked
from workflows.models import Run

__all__ = ["start"]

_SENT_AT = re.compile(r"Date: [^\n]+")


def readable(request: dict[str, Any], marker: str) -> dict[str, Any]:
    """The request with its body as text, without marker and without the moment at which it was made."""
    body = request.get("body")
    text = base64.b64decode(request["body_base64"]).decode(errors="replace") if body is None else body
    return unmarked({**request, "body": _SENT_AT.sub("Date:", text), "body_base64": ""}, marker)


def insist_same(stage: Stage, run: Run) -> None:
    """The run that follows sends what the preview has shown."""
    shown = previewed(stage, run)
    assert shown.state == "written"
    stage.settle(run)
    assert run.status == "succeeded", run.error
    sent = step_of(run)
    assert readable(shown.request, shown.marker) == readable(sent.request, sent.marker)


def test_a_request_to_a_host_is_not_sent(stage: Stage, start: Start, settings: Any) -> None:
    asked = Asked(start, settings, GOOD)
    run = begin(stage, "web.http_send", asked)
    previewed(stage, run)
    assert asked.host.heard == []
    insist_same(stage, run)
    assert len(asked.host.heard) == 1


def test_an_email_is_not_sent(stage: Stage) -> None:
    action = registry.action("mail.send_email")
    run = stage.start(action, action.Inputs.clean(MAIL))
    previewed(stage, run)
    assert mail.outbox == []
    insist_same(stage, run)
    assert len(mail.outbox) == 1
