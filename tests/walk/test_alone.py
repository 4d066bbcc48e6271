"""The actions without a provider through published workflows: HTTP requests to a real listening host, and e-mails."""

from __future__ import annotations

import re
import socket
from html import escape
from typing import Any

import pytest
from django.core import mail

from integrations.framework import registry
from tests.integrations.framework.test_registry import paths
from tests.integrations.outside import Host, Start, Talk, answer, start
from tests.walk.stage import Stage, step_of
from workflows.models import Run
from workflows.runs import decisions

__all__ = ["start"]

ANSWER = b'{"id":7,"name":"Oak table","total":120.50}'
GOOD = answer(ANSWER, headers={"Content-Type": "application/json"})
WORDS = "The warehouse takes no orders on Sundays."
MAIL = {"to": "jane@pinworks.example", "subject": "Oak table", "text": "It is here."}


def refusal(status: str) -> Talk:
    return answer(WORDS.encode(), status=status, headers={"Content-Type": "text/plain"})


class Asked:
    """A host that gives these answers, one after the other, the last for ever."""

    def __init__(self, begin: Start, settings: Any, *talks: Talk) -> None:
        self._talks = list(talks)
        self.host: Host = begin(self._talk)
        settings.HTTP_REQUEST_HOSTS = [self.host.rule]

    def _talk(self, peer: socket.socket, heard: bytes) -> None:
        talk = self._talks.pop(0) if len(self._talks) > 1 else self._talks[0]
        talk(peer, heard)

    @property
    def keys(self) -> list[bytes]:
        """The idempotency keys that came, call by call."""
        return [key for heard in self.host.heard for key in re.findall(rb"(?i)idempotency-key: (\S+)", heard)]


def begin(stage: Stage, key: str, asked: Asked) -> Run:
    action = registry.action(key)
    values: dict[str, Any] = {"url": asked.host.url("/orders")}
    if key == "web.http_send":
        values["body_fields"] = [{"name": "title", "value": "Oak table"}]
    return stage.start(action, action.Inputs.clean(values))


both = pytest.mark.parametrize("key", ["web.http_read", "web.http_send"])


@both
def test_a_request_is_made_once_and_its_answer_is_there(key: str, stage: Stage, start: Start, settings: Any) -> None:
    asked = Asked(start, settings, GOOD)
    run = stage.settle(begin(stage, key, asked))
    assert (run.status, run.error) == ("succeeded", "")
    output = step_of(run).output
    # Whatever the host says besides, its headers are its own.
    assert set(paths(registry.action(key).sample)) - set(paths(output)) == set()
    assert output["json"]["name"] == "Oak table"
    assert len(asked.host.heard) == 1
    assert asked.host.heard[0].endswith(b'{"title":"Oak table"}' if key == "web.http_send" else b"\r\n\r\n")
    assert "Succeeded" in stage.page(run)


@both
@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden"])
def test_a_refusal_fails_the_run_in_the_hosts_own_words(
    key: str, status: str, stage: Stage, start: Start, settings: Any
) -> None:
    asked = Asked(start, settings, refusal(status))
    run = stage.settle(begin(stage, key, asked))
    assert run.status == "failed"
    assert WORDS in run.error
    assert escape(WORDS) in stage.page(run)
    assert len(asked.host.heard) == 1


@both
def test_a_429_moves_the_run_and_it_is_done_later(key: str, stage: Stage, start: Start, settings: Any) -> None:
    asked = Asked(start, settings, refusal("429 Too Many Requests"), GOOD)
    run = stage.advance(begin(stage, key, asked))
    assert run.status == "waiting"
    stage.settle(run)
    assert run.status == "succeeded"
    assert len(asked.host.heard) == 2


def test_a_500_on_a_read_is_tried_again(stage: Stage, start: Start, settings: Any) -> None:
    asked = Asked(start, settings, refusal("500 Internal Server Error"), GOOD)
    run = stage.advance(begin(stage, "web.http_read", asked))
    assert (run.status, run.wait_reason) == ("waiting", "retry")
    assert stage.settle(run).status == "succeeded"


def test_a_500_on_a_send_waits_for_a_person_who_sends_it_again_under_the_same_key(
    stage: Stage, start: Start, settings: Any
) -> None:
    asked = Asked(start, settings, refusal("500 Internal Server Error"), GOOD)
    run = stage.settle(begin(stage, "web.http_send", asked))
    assert run.status == "needs_review"
    assert len(asked.host.heard) == 1
    decisions.send_again(run, by=stage.cast.builder, reason="The warehouse knows nothing of it.")
    assert stage.settle(run).status == "succeeded"
    assert len(asked.host.heard) == 2
    assert asked.keys == [step_of(run).marker.encode()] * 2


@both
@pytest.mark.parametrize("body", [b"<html><b>Thanks</b></html>", b""])
def test_html_and_nothing_are_answers_too_and_stay_text(
    key: str, body: bytes, stage: Stage, start: Start, settings: Any
) -> None:
    asked = Asked(start, settings, answer(body, headers={"Content-Type": "text/html"}))
    run = stage.settle(begin(stage, key, asked))
    assert run.status == "succeeded"
    output = step_of(run).output
    assert (output["text"], output["json"]) == (body.decode(), None)
    assert "<b>Thanks</b>" not in stage.page(run)


def mailing(stage: Stage) -> Run:
    action = registry.action("mail.send_email")
    return stage.start(action, action.Inputs.clean(MAIL))


def test_an_e_mail_is_sent_once_and_its_output_says_so(stage: Stage) -> None:
    run = stage.settle(mailing(stage))
    assert (run.status, run.error) == ("succeeded", "")
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["jane@pinworks.example"], "Oak table")
    assert set(paths(registry.action("mail.send_email").sample)) - set(paths(step_of(run).output)) == set()
    assert escape(run.result) in stage.page(run)


def test_an_e_mail_to_a_domain_that_is_not_allowed_any_more_is_not_sent(stage: Stage, settings: Any) -> None:
    run = mailing(stage)
    settings.EMAIL_RECIPIENT_DOMAINS = ["oakworks.example"]
    stage.settle(run)
    assert run.status == "failed"
    assert "pinworks.example" in run.error
    assert escape(run.error) in stage.page(run)
    assert mail.outbox == []


def test_an_e_mail_without_a_clear_answer_waits_for_a_person(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[object] = []

    def break_down(backend: object, messages: list[object]) -> int:
        tries.extend(messages)
        raise OSError("The line went dead.")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", break_down)
    run = stage.settle(mailing(stage))
    assert run.status == "needs_review"
    assert len(tries) == 1
    assert escape(run.error) in stage.page(run)
