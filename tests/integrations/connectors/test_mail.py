"""Mails of workflows over a real socket: what is on the wire, whom it may go to, and what is known afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.connectors.mail import smtp
from integrations.connectors.mail.client import MailClient
from integrations.connectors.mail.message import one_line
from integrations.core.errors import InvalidInputError, OutcomeUnknownError, RejectedError, TemporaryError
from integrations.core.exact_json import dumps, loads
from integrations.framework import registry
from integrations.framework.base import Writing
from integrations.transport.http import Request
from tests.integrations.mail_server import HANG_UP, SILENCE, MailServer, mail_server

MARKER = "PX-00112233aabbccdd"
AT = "2026-11-23T05:00:00+00:00"
JANE, JOE = "jane@example.com", "joe@books.example.org"


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    """The installation's mail server."""
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.DEFAULT_FROM_EMAIL = "Pinxero <pinxero@acme.example>"
        settings.EMAIL_TIMEOUT = 0.3
        yield running


def action() -> Any:
    return registry.action("mail.send_email")


def inputs(**values: Any) -> Any:
    return action().Inputs.clean({"to": JANE, "subject": "New pin: Oak table", "text": "A pin was added.", **values})


def request(**values: Any) -> Request:
    writing = Writing(marker=MARKER, back_link="http://127.0.0.1:8000/runs/marker/x/", found={"at": AT})
    made: Request = action().request(inputs(**values), writing)
    return made


def send(made: Request | None = None) -> dict[str, Any]:
    sent: dict[str, Any] = action().output(MailClient(None).write(made or request()))
    return sent


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


# --- what is on the wire --------------------------------------------------------------------------------------------


def test_a_mail_is_on_the_wire_as_it_was_written_down(server: MailServer) -> None:
    made = request(to=f"{JANE}, {JOE}", reply_to="sales@acme.example")
    output = send(made)
    [(recipients, content)] = server.taken
    assert recipients == [JANE, JOE]
    assert content == made.body
    assert content == (
        b"Date: Mon, 23 Nov 2026 05:00:00 +0000\r\n"
        b"Message-ID: <PX-00112233aabbccdd@acme.example>\r\n"
        b"From: Pinxero <pinxero@acme.example>\r\n"
        b"To: jane@example.com, joe@books.example.org\r\n"
        b"Reply-To: sales@acme.example\r\n"
        b"Subject: New pin: Oak table\r\n"
        b"Auto-Submitted: auto-generated\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"MIME-Version: 1.0\r\n\r\n"
        b"A pin was added.\r\n"
    )
    assert output == {
        "message_id": "<PX-00112233aabbccdd@acme.example>",
        "to": [JANE, JOE],
        "subject": "New pin: Oak table",
        "answer": "250 2.0.0 Ok: queued as 4C1D2F",
    }
    assert set(output) == set(action().sample)
    assert action().identify(output) == "<PX-00112233aabbccdd@acme.example>"
    assert action().describe(output) == f'E-mail "New pin: Oak table" to {JANE} and 1 more'
    assert "MAIL FROM:<pinxero@acme.example>" in server.heard


def test_the_same_inputs_and_marker_give_the_same_bytes_and_survive_storage() -> None:
    first, second = request(text="Grüße aus Zürich"), request(text="Grüße aus Zürich")
    assert (first, first.sha256) == (second, second.sha256)
    assert Request.from_dict(loads(dumps(first.to_dict()))) == first
    assert request(to=JOE).sha256 != request().sha256
    assert first.body.isascii()


def test_dots_and_letters_of_all_kinds_arrive_as_they_were(server: MailServer) -> None:
    text = ".\n..\n.hidden\nÄpfel, 東京, 🪵\n" + "long " * 400 + "\nlast line"
    send(request(text=text, subject="Größe 東京 " + "x" * 150))
    [(_, content)] = server.taken
    message = parsed(content)
    assert message.get_content().replace("\r\n", "\n") == text + "\n"
    assert message["Subject"] == "Größe 東京 " + "x" * 150
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")


@example(subject="\x1b 0", text="0")
@given(subject=st.text(max_size=80), text=st.text(min_size=1, max_size=200))
def test_no_subject_and_no_text_adds_a_header_or_ends_the_mail_early(subject: str, text: str) -> None:
    try:
        made = request(subject=subject, text=text)
    except InvalidInputError:
        return
    head, _, body = made.body.partition(b"\r\n\r\n")
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert [name.decode() for name in names] == [
        "Date", "Message-ID", "From", "To", "Subject", "Auto-Submitted", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert b"\r\n.\r\n" not in b"\r\n" + smtp._ready(body)


#: As a pin's title brought it: decoded by a library, it was three headers, the end of the head and a page.
SMUGGLED = (
    "=?utf-8?q?Payment_details_changed=0D=0AReply-To:_x=40evil.example=0D=0AMIME-Version:_1.0=0D=0A"
    "Content-Type:_text/html=0D=0A=0D=0A<h1>Pay_here</h1>?="
)
ENCODED = (SMUGGLED, "=?utf-8?b?QmNjOiB4?=", "a =?us-ascii?q?b=0Ac?= d", "=?x?=", "=?", "?= =?utf-8?q?=C3=A9?=x")


@pytest.mark.parametrize("subject", ENCODED)
def test_a_subject_that_looks_encoded_stays_what_it_is_to_the_letter(server: MailServer, subject: str) -> None:
    told = send(request(subject=subject))
    [(_, content)] = server.taken
    message = parsed(content)
    assert message["Subject"] == told["subject"] == subject
    assert message.keys() == [
        "Date", "Message-ID", "From", "To", "Subject", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    ]  # fmt: skip
    assert message.get_content_type() == "text/plain"
    assert message.get_content().rstrip() == "A pin was added."
    assert b"=?utf-8?q?Payment" not in content


WORDS = st.one_of(st.text(max_size=80), st.sampled_from(ENCODED), st.sampled_from('=?\r\n\t _:;,<>@"\\().'))


@given(st.lists(WORDS, min_size=1, max_size=6).map("".join), st.lists(WORDS, max_size=6).map("".join))
def test_a_mail_parsed_again_has_exactly_the_subject_and_the_text_that_were_meant(subject: str, text: str) -> None:
    try:
        made = request(subject=subject[:200], text=f"x{text}")
    except InvalidInputError:
        return
    message = parsed(made.body)
    assert message["Subject"] == one_line(subject[:200])
    assert plain_lines(message.get_content()) == plain_lines(inputs(text=f"x{text}").text)


def plain_lines(text: str) -> str:
    """The text with one kind of line end, and without those at its end."""
    return re.sub(r"\r\n|\r", "\n", text).rstrip("\n")


def test_a_sender_whose_name_looks_encoded_or_has_umlauts_stays_that_too(server: MailServer, settings: Any) -> None:
    for name in ("Größe & Söhne", "=?utf-8?q?Eve=0D=0ABcc:_x?=", "Acme, Books (north)"):
        settings.DEFAULT_FROM_EMAIL = f'"{name}" <pinxero@acme.example>'
        [sender] = parsed(request().body)["From"].addresses
        assert (sender.display_name, sender.addr_spec) == (name, "pinxero@acme.example")


@pytest.mark.parametrize(
    "address", ["=?utf-8?q?eve=40evil.example=2C?=@example.com", "a=?x@example.com", "=?=@a.example"]
)
def test_an_encoded_word_in_an_address_is_an_input_error(server: MailServer, address: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        inputs(to=f"{JANE}, {address}")
    assert refused.value.problems == {"to": f"{address!r} is no e-mail address such as jane@example.com."}
    with pytest.raises(InvalidInputError) as refused:
        inputs(reply_to=address)
    assert refused.value.problems == {"reply_to": f"{address!r} is no e-mail address such as jane@example.com."}
    assert server.talks == []


def test_a_mail_that_an_older_release_wrote_down_with_smuggled_headers_is_not_sent(server: MailServer) -> None:
    made = request()
    smuggled = made.body.replace(b"Auto-Submitted", b"Reply-To: x@evil.example\r\nAuto-Submitted")
    with pytest.raises(RejectedError, match=r"other headers than .* Nothing was sent\.$"):
        send(replace(made, body=smuggled.replace(b"\r\nSubject", b"\r\nBcc: x@evil.example\r\nSubject")))
    with pytest.raises(RejectedError, match=r"Nothing was sent\.$"):
        send(replace(made, body=made.body.replace(b"text/plain", b"text/html")))
    assert server.talks == []


def test_line_breaks_in_a_subject_become_spaces() -> None:
    made = parsed(request(subject="Oak\r\nBcc: eve@evil.example\n\n table").body)
    assert made["Subject"] == "Oak Bcc: eve@evil.example table"
    assert made["Bcc"] is None


@pytest.mark.parametrize(
    "address",
    [
        "jane", "jane@", "@example.com", "jane@example", "jane@@example.com", "jane doe@example.com",
        "Jane <jane@example.com>", '"jane"@example.com', "jane@example.com>", "jane@exam_ple.com", "jane@-a.com",
        "jane@127.0.0.1", "jane@[127.0.0.1]", "jäne@example.com", "jane@bücher.example", ".jane@example.com",
        "jane..doe@example.com", "jane@example.com\rBcc: eve@evil.example", "x" * 65 + "@example.com",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        inputs(to=address)
    assert set(refused.value.problems) == {"to"}
    if "\r" not in address:
        with pytest.raises(InvalidInputError) as refused:
            inputs(reply_to=address)
        assert set(refused.value.problems) == {"reply_to"}


def test_addresses_stand_with_commas_semicolons_or_line_breaks_between_and_count_once() -> None:
    assert request(to=f" {JANE};{JOE},\n{JANE} ,").path == f"mailto:{JANE},{JOE}"


def test_one_mail_goes_to_twenty_addresses_at_most() -> None:
    assert inputs(to=",".join(f"a{n}@example.com" for n in range(20)))
    with pytest.raises(InvalidInputError, match="These are 21 addresses; one mail goes to 20 at most"):
        inputs(to=",".join(f"a{n}@example.com" for n in range(21)))


def test_nobody_and_no_subject_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="Give at least one address"):
        inputs(to=" , ")
    with pytest.raises(InvalidInputError, match="The subject is empty"):
        inputs(subject=" \n ")


# --- whom it may go to ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domains", "allowed", "refused"),
    [
        ([], [JANE, JOE], []),
        (["example.com"], [JANE, "JANE@EXAMPLE.COM"], [JOE, "a@sub.example.com", "a@evilexample.com"]),
        (["*.example.org"], [JOE], [JANE, "a@example.org", "a@evil-example.org"]),
        (["Example.com ", "*.example.org"], [JANE, JOE], ["a@example.net"]),
    ],
)
def test_an_administrator_can_limit_where_mails_go(
    settings: Any, domains: list[str], allowed: list[str], refused: list[str]
) -> None:
    settings.EMAIL_RECIPIENT_DOMAINS = domains
    for address in allowed:
        assert inputs(to=address)
    for address in refused:
        with pytest.raises(InvalidInputError, match="Ask an administrator to add it to the setting EMAIL_RECIPIENT"):
            inputs(to=f"{JANE}, {address}" if JANE in allowed else address)


def test_the_limit_holds_at_the_wire_too(server: MailServer, settings: Any) -> None:
    made = request(to=f"{JANE}, {JOE}")
    settings.EMAIL_RECIPIENT_DOMAINS = ["example.com"]
    with pytest.raises(RejectedError, match=rf"^{re.escape(JOE)} is not in a domain .* Nothing was sent\.$"):
        send(made)
    assert server.talks == []


# --- what is known afterwards ---------------------------------------------------------------------------------------

NOT_SENT = [
    ("EHLO", "554 Go away", TemporaryError, "could not be reached|ended the connection"),
    ("MAIL", "550 5.7.1 Sender not known", RejectedError, "did not take the sender .*: 550 5.7.1 Sender not known"),
    ("MAIL", "451 4.3.0 Try later", TemporaryError, "451 4.3.0 Try later"),
    ("RCPT", "550 5.1.1 No such user", RejectedError, f"did not take {JANE}: 550 5.1.1 No such user"),
    ("RCPT", "450 4.2.0 Greylisted", TemporaryError, "450 4.2.0 Greylisted"),
    ("RCPT", HANG_UP, TemporaryError, "ended the connection"),
    ("RCPT", SILENCE, TemporaryError, "ended the connection"),
    ("DATA", "554 5.5.1 No", RejectedError, "did not take the mail: 554 5.5.1 No"),
    ("DATA", "421 4.3.2 Closing", TemporaryError, "421 4.3.2 Closing"),
    ("DATA", HANG_UP, TemporaryError, "ended the connection"),
    ("within the mail", HANG_UP, TemporaryError, "ended the connection within the mail"),
    ("within the mail", "421 4.3.2 Closing", TemporaryError, "421 4.3.2 Closing"),
    ("within the mail", "554 5.7.1 Looks like spam", RejectedError, "did not take the mail: 554 5.7.1 Looks like"),
    (".", "554 5.7.1 Looks like spam", RejectedError, "did not take the mail: 554 5.7.1 Looks like spam"),
    (".", "452 4.3.1 Disk full", TemporaryError, "452 4.3.1 Disk full"),
]


@pytest.mark.parametrize(("command", "answer", "error", "words"), NOT_SENT)
def test_what_is_refused_or_ends_before_the_whole_mail_is_there_was_certainly_not_sent(
    server: MailServer, command: str, answer: str, error: type[Exception], words: str
) -> None:
    server.script[command] = answer
    if command == "EHLO":
        server.script["HELO"] = answer
    with pytest.raises(error, match=words) as raised:
        send()
    assert str(raised.value).endswith("Nothing was sent.")
    assert server.taken == []


@pytest.mark.parametrize("answer", [HANG_UP, SILENCE])
def test_when_the_server_has_the_whole_mail_and_says_nothing_nobody_knows(
    server: MailServer, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "REPLY_SECONDS", 0.2)
    server.script["."] = answer
    with pytest.raises(OutcomeUnknownError, match="whether it was sent is not known"):
        send()
    assert len(server.taken) == 1


def test_one_refused_recipient_keeps_the_mail_from_all(server: MailServer) -> None:
    server.script[f"RCPT {JOE}"] = "550 No such user"
    with pytest.raises(RejectedError, match=f"did not take {JOE}"):
        send(request(to=f"{JANE}, {JOE}"))
    assert server.taken == []
    assert "DATA" not in server.heard


def test_a_server_that_is_not_there_is_worth_another_try(server: MailServer, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    with pytest.raises(TemporaryError, match=r"could not be reached\. Nothing was sent\."):
        send()


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ("535 5.7.8 Bad password hunter2", RejectedError, "check the setting EMAIL_URL"),
        ("454 4.7.0 Try later", TemporaryError, "just now"),
    ],
)
def test_a_refused_log_in_is_the_administrators_affair_and_never_says_the_password(
    server: MailServer, settings: Any, answer: str, error: type[Exception], words: str
) -> None:
    server.extensions = ("AUTH LOGIN PLAIN",)
    server.script["AUTH"] = answer
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "pinxero", "hunter2"
    with pytest.raises(error, match=words) as raised:
        send()
    assert "hunter2" not in str(raised.value)


def test_a_log_in_comes_before_the_mail(server: MailServer, settings: Any) -> None:
    server.extensions = ("AUTH PLAIN",)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "pinxero", "hunter2"
    send()
    assert [line.split()[0].upper() for line in server.heard] == [
        "EHLO", "AUTH", "MAIL", "RCPT", "DATA", ".", "QUIT",
    ]  # fmt: skip


def test_a_server_that_says_no_farewell_has_sent_it_all_the_same(server: MailServer) -> None:
    server.script["QUIT"] = HANG_UP
    assert send()["answer"].startswith("250")


def test_the_lease_is_asked_before_the_mail_is_handed_over(server: MailServer) -> None:
    class LostError(Exception):
        pass

    def lost() -> None:
        raise LostError

    with pytest.raises(LostError):
        MailClient(None, before_call=lost).write(request())
    assert server.taken == []


def test_without_a_mail_server_development_writes_the_mail_down(settings: Any) -> None:
    output = send(request(subject="Größe", reply_to=JOE))
    [written] = mail.outbox
    assert (written.to, written.subject, written.reply_to) == ([JANE], "Größe", [JOE])
    assert written.message().as_bytes() == request(subject="Größe", reply_to=JOE).body
    assert output["answer"] == "Written down instead of sent: EMAIL_URL names no mail server."


def test_production_without_a_mail_server_offers_no_mails(settings: Any) -> None:
    connector = registry.connector("mail")
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert connector.closed() == ""
    settings.IS_PRODUCTION = True
    assert "Ask an administrator to set EMAIL_URL" in connector.closed()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert connector.closed() == ""
