"""The fault dial: each kind does what its name says, repeatably."""

import time

import pytest
import requests

from tests.integrations.sandbox.conftest import Caller, Xero
from tests.provider import Sandbox


def create(xero: Xero, timeout: float = 5) -> requests.Response:
    return xero.put("/Contacts", {"Contacts": [{"Name": "Acme"}]}, timeout=timeout)


def is_written(sandbox: Sandbox) -> bool:
    return "Acme" in {contact["Name"] for contact in sandbox.contacts()}


@pytest.mark.parametrize(("name", "status"), [("p500", 500), ("p429", 429), ("p_html_503", 503), ("p_html_200", 200)])
def test_an_error_comes_before_the_commit(sandbox: Sandbox, xero: Xero, name: str, status: int) -> None:
    sandbox.faults(**{name: 1})
    answer = xero.call("PUT", "/Contacts", {"Contacts": [{"Name": "Acme"}]}) if status != 200 else None
    if answer is None:
        answer = xero.session.put(xero.base + "/Contacts", json={"Contacts": [{"Name": "Acme"}]})
    assert answer.status_code == status
    assert not is_written(sandbox)
    row = sandbox.ledger(method="PUT")[0]
    assert (row["committed"], row["fault"]) == (False, name.removeprefix("p_").removeprefix("p"))
    if name.startswith("p_html"):
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.text.startswith("<!DOCTYPE html>")
    if name == "p429":
        assert answer.headers["X-Rate-Limit-Problem"] == "minute"
        assert answer.headers["Retry-After"] == "10"


def test_an_empty_answer_comes_after_the_commit(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(next=["empty_200"])
    answer = xero.session.put(xero.base + "/Contacts", json={"Contacts": [{"Name": "Acme"}]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert is_written(sandbox)
    assert sandbox.ledger(method="PUT")[0]["committed"] is True


@pytest.mark.parametrize("path", ["/Organisation", "/projects.xro/2.0/Projects"])
def test_a_refusal_for_no_reason_speaks_in_the_apis_own_shape(sandbox: Sandbox, xero: Xero, path: str) -> None:
    sandbox.faults(next=["400"])
    base = sandbox.url if path.startswith("/projects") else xero.base
    answer = xero.session.get(base + path)
    assert answer.status_code == 400
    told = answer.json()
    words = "This cannot be answered while the books are being moved."
    assert told["modelState"][""] == [words] if path.startswith("/projects") else told["Message"] == words


def test_reading_meets_500_and_429_too_but_no_commit_fault(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(p_commit_then_silence=1)
    assert xero.get("/Organisation").status_code == 200
    sandbox.faults(p_commit_then_silence=0, p500=1)
    assert xero.get("/Organisation").status_code == 500


def test_silence_comes_after_the_commit_and_lasts_until_the_client_gives_up(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(p_commit_then_silence=1)
    began = time.monotonic()
    with pytest.raises(requests.Timeout):
        create(xero, timeout=1)
    assert time.monotonic() - began >= 1
    assert is_written(sandbox)
    assert sandbox.ledger(method="PUT")[0]["committed"] is True


def test_silence_ends_after_a_minute_by_closing(quick: Sandbox) -> None:
    quick.faults(p_commit_then_silence=1)
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        create(Xero(quick))
    assert 2.5 < time.monotonic() - began < 4.5  # 60 s, twenty times faster


def test_a_slow_commit_takes_two_to_four_seconds_and_answers(quick: Sandbox) -> None:
    quick.faults(p_slow_commit=1)
    began = time.monotonic()
    assert create(Xero(quick)).status_code == 200
    assert 0.1 <= time.monotonic() - began < 1.5  # twenty times faster
    assert is_written(quick)


def test_a_slow_commit_can_outlast_the_client_and_still_be_written(quick: Sandbox) -> None:
    quick.faults(p_slow_commit=1, slow_commit_seconds=20)
    with pytest.raises(requests.ReadTimeout):
        create(Xero(quick), timeout=0.5)
    assert not is_written(quick)
    time.sleep(1.6)  # 40 s at most, twenty times faster
    assert is_written(quick)


@pytest.mark.parametrize(("fault", "written"), [("reset_before", False), ("reset_after", True)])
def test_a_reset_tears_the_connection_before_or_after_the_commit(
    sandbox: Sandbox, xero: Xero, fault: str, written: bool
) -> None:
    sandbox.faults(next=[fault])
    with pytest.raises(requests.ConnectionError) as caught:
        create(xero)
    assert "ConnectionResetError" in repr(caught.value)
    assert is_written(sandbox) is written
    assert sandbox.ledger(method="PUT")[0]["committed"] is written


def test_resets_by_dice_hit_both_sides_of_the_commit(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(p_reset=1)
    for number in range(20):
        with pytest.raises(requests.ConnectionError):
            xero.put("/Contacts", {"Contacts": [{"Name": f"Acme {number}"}]})
    assert {row["committed"] for row in sandbox.ledger(method="PUT")} == {True, False}


def outcomes(sandbox: Sandbox, seed: int) -> list[int]:
    sandbox.reset(seed=seed)
    sandbox.lift_limits()
    xero = Xero(sandbox)
    sandbox.faults(p500=0.3, p429=0.2)
    return [xero.get("/Organisation").status_code for _ in range(60)]


def test_the_same_seed_gives_the_same_faults_and_another_seed_others(sandbox: Sandbox) -> None:
    first = outcomes(sandbox, 7)
    assert outcomes(sandbox, 7) == first
    assert outcomes(sandbox, 8) != first
    assert 8 <= first.count(500) <= 28
    assert 4 <= first.count(429) <= 22


def test_named_faults_come_first_each_to_the_request_it_fits(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.faults(next=["500", "none", "p429"])
    assert [xero.get("/Organisation").status_code for _ in range(4)] == [500, 200, 429, 200]
    sandbox.faults(next=["reset_after"])
    assert xero.get("/Organisation").status_code == 200  # it waits for a write
    with pytest.raises(requests.ConnectionError):
        create(xero)


def test_faults_can_be_kept_to_one_provider_to_methods_and_to_a_path(
    sandbox: Sandbox, xero: Xero, pinterest: Caller
) -> None:
    sandbox.faults(p500=1, only_provider="pinterest")
    assert xero.get("/Organisation").status_code == 200
    assert pinterest.get("/boards").json()["code"] == 12
    sandbox.faults(only_provider="", methods=["put"])
    assert xero.get("/Organisation").status_code == 200
    assert create(xero).status_code == 500
    sandbox.faults(methods=[], only_path="/Accounts")
    assert xero.get("/Organisation").status_code == 200
    assert xero.get("/Accounts").status_code == 500


def test_pinterests_429_has_pinterests_shape(sandbox: Sandbox, pinterest: Caller) -> None:
    sandbox.faults(p429=1)
    answer = pinterest.get("/boards")
    assert answer.json() == {"code": 8, "message": "You have exceeded your rate limit. Try again later."}


def test_the_token_endpoint_can_fail_before_rotating(sandbox: Sandbox) -> None:
    sandbox.faults(p_token_500=1)
    form = {"grant_type": "refresh_token", "refresh_token": sandbox.tokens("xero")["refresh_token"]}
    auth = ("sandbox-xero", "sandbox-xero-secret")
    assert sandbox.session.post(sandbox.url + "/connect/token", data=form, auth=auth).status_code == 500
    sandbox.faults(p_token_500=0, refresh_grace_seconds=0)
    assert sandbox.session.post(sandbox.url + "/connect/token", data=form, auth=auth).status_code == 200


def test_access_tokens_can_be_made_short_lived(sandbox: Sandbox) -> None:
    sandbox.faults(access_token_seconds=90)
    assert sandbox.tokens("xero")["expires_in"] == 90


def test_the_time_scale_shortens_the_windows(quick: Sandbox) -> None:
    assert quick.tokens("xero")["expires_in"] == 90
    assert quick.tokens("pinterest")["expires_in"] == 129600
    quick.faults(minute_limit=1)
    xero = Xero(quick)
    assert xero.get("/Organisation").status_code == 200
    refused = xero.get("/Organisation")
    assert refused.headers["Retry-After"] in {"1", "2", "3"}
    time.sleep(3.1)
    assert xero.get("/Organisation").status_code == 200


def test_the_clock_can_be_moved(sandbox: Sandbox, xero: Xero) -> None:
    before = sandbox.control("GET", "health")["time"]
    sandbox.faults(clock_offset_seconds=-86400)
    assert sandbox.control("GET", "health")["time"] < before


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"p_nonsense": 1}, "Unknown fault setting: p_nonsense"),
        ({"p500": 1.5}, "from 0 to 1"),
        ({"p500": "often"}, "p500 is a number"),
        ({"next": ["explode"]}, "Unknown fault 'explode'"),
        ({"minute_limit": -1}, "cannot be negative"),
        ({"trial": "yes"}, "true or false"),
    ],
)
def test_a_dial_that_makes_no_sense_is_refused_in_words(
    sandbox: Sandbox, values: dict[str, object], words: str
) -> None:
    before = sandbox.faults()
    with pytest.raises(AssertionError, match=words):
        sandbox.faults(**values)
    assert sandbox.faults() == before
