"""Pinterest's side: account, boards, pins, paging, errors, limits."""

import re
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Caller
from tests.provider import Sandbox

IMAGE = {"source_type": "image_url", "url": "https://images.pinworks.example/x.jpg"}
ALL_SCOPES = (
    "boards:read boards:read_secret boards:write boards:write_secret "
    "pins:read pins:read_secret pins:write pins:write_secret"
)


def board_id(sandbox: Sandbox, name: str) -> str:
    return next(str(board["id"]) for board in sandbox.state()["boards"] if board["name"] == name)


def everything(api: Caller, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items, page by page."""
    found: list[dict[str, Any]] = []
    bookmark = None
    while True:
        page = api.get(path, **query, **({"bookmark": bookmark} if bookmark else {})).json()
        found += page["items"]
        bookmark = page["bookmark"]
        if bookmark is None:
            return found


def test_the_account_tells_id_and_name(pinterest: Caller) -> None:
    account = pinterest.get("/user_account").json()
    assert (account["id"], account["username"]) == ("783612114631173151", "pinworks")
    assert (account["board_count"], account["pin_count"]) == (3, 6)


def test_boards_are_listed_without_the_secret_one(pinterest: Caller) -> None:
    boards = pinterest.get("/boards").json()
    assert {board["name"] for board in boards["items"]} == {"Summer recipes", "Office styling"}
    assert boards["bookmark"] is None
    assert {board["pin_count"] for board in boards["items"]} == {3, 2}


def test_secret_boards_and_pins_appear_with_the_secret_scopes_only(sandbox: Sandbox, pinterest: Caller) -> None:
    secret = board_id(sandbox, "Launch ideas")
    assert pinterest.get(f"/boards/{secret}").status_code == 404
    assert len(everything(pinterest, "/pins")) == 5
    full = Caller(sandbox, "/v5", sandbox.tokens("pinterest", ALL_SCOPES)["access_token"])
    assert full.get(f"/boards/{secret}").json()["privacy"] == "SECRET"
    assert len(everything(full, "/pins")) == 6
    assert len(full.get("/boards", privacy="SECRET").json()["items"]) == 1


def test_ids_are_texts_of_eighteen_digits_and_times_have_no_zone(pinterest: Caller) -> None:
    pins = everything(pinterest, "/pins")
    assert all(re.fullmatch(r"\d{18}", pin["id"]) for pin in pins)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", pin["created_at"]) for pin in pins)


def test_a_pin_carries_text_link_and_pictures(sandbox: Sandbox, pinterest: Caller) -> None:
    made = sandbox.add_pins(
        "Office styling", title='A "quiet" <lamp>', description="é", link="https://a.example/?b=1&c=2"
    )
    pin = pinterest.get(f"/pins/{made[0]['id']}").json()
    assert pin["title"] == 'A "quiet" <lamp>'
    assert pin["description"] == "é"
    assert pin["link"] == "https://a.example/?b=1&c=2"
    assert pin["board_id"] == board_id(sandbox, "Office styling")
    assert set(pin["media"]["images"]) == {"150x150", "400x300", "600x", "1200x"}


def test_every_pin_comes_once_through_the_pages_and_not_in_order_of_age(sandbox: Sandbox, pinterest: Caller) -> None:
    made = sandbox.add_pins("Office styling", 60, title="Pin {n}")
    pins = everything(pinterest, f"/boards/{board_id(sandbox, 'Office styling')}/pins", page_size=7)
    assert len(pins) == 62
    assert {pin["id"] for pin in pins} >= {pin["id"] for pin in made}
    assert len({pin["id"] for pin in pins}) == 62
    times = [pin["created_at"] for pin in pins]
    assert times != sorted(times, reverse=True)
    assert times[0] > times[30] > times[61]


def test_a_new_pin_does_not_shift_the_pages(sandbox: Sandbox, pinterest: Caller) -> None:
    sandbox.add_pins("Office styling", 10)
    first = pinterest.get("/pins", page_size=5).json()
    sandbox.add_pins("Office styling", 4, title="Late")
    second = pinterest.get("/pins", page_size=250, bookmark=first["bookmark"]).json()
    ids = [pin["id"] for pin in first["items"] + second["items"]]
    assert len(ids) == len(set(ids)) == 15


def test_pages_hold_25_items_unless_told_otherwise(sandbox: Sandbox, pinterest: Caller) -> None:
    sandbox.add_pins("Summer recipes", 300)
    assert len(pinterest.get("/pins").json()["items"]) == 25
    assert len(pinterest.get("/pins", page_size=250).json()["items"]) == 250


@pytest.mark.parametrize("size", ["0", "251", "x", "-1", "1.5"])
def test_a_wrong_page_size_is_refused(pinterest: Caller, size: str) -> None:
    answer = pinterest.get("/pins", page_size=size, is_proper=False)
    assert answer.status_code == 400
    assert answer.json()["code"] == 1
    assert "page_size" in answer.json()["message"]


def test_an_invented_bookmark_is_refused(pinterest: Caller) -> None:
    assert pinterest.get("/pins", bookmark="abc").status_code == 400


def test_a_board_is_created_and_a_second_of_the_same_name_refused(sandbox: Sandbox, pinterest: Caller) -> None:
    made = pinterest.post("/boards", {"name": "Autumn", "description": "Leaves"})
    assert made.status_code == 201
    assert pinterest.get(f"/boards/{made.json()['id']}").json()["description"] == "Leaves"
    again = pinterest.post("/boards", {"name": "autumn"})
    assert again.status_code == 400
    assert [row["committed"] for row in sandbox.ledger(method="POST")] == [True, False]
    assert len(sandbox.state()["boards"]) == 4


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 181}, {"name": "A", "privacy": "HIDDEN"}])
def test_a_wrong_board_is_refused(sandbox: Sandbox, pinterest: Caller, body: dict[str, str]) -> None:
    assert pinterest.post("/boards", body, is_proper=False).status_code == 400
    assert len(sandbox.state()["boards"]) == 3


def test_a_pin_is_created_through_the_api(sandbox: Sandbox, pinterest: Caller) -> None:
    board = board_id(sandbox, "Summer recipes")
    body = {"board_id": board, "title": "Soup", "link": "https://a.example/", "media_source": IMAGE}
    made = pinterest.post("/pins", body)
    assert made.status_code == 201
    assert made.json()["title"] == "Soup"
    assert made.json()["id"] in {pin["id"] for pin in everything(pinterest, f"/boards/{board}/pins")}
    assert sandbox.ledger(method="POST")[0]["object_ids"] == [made.json()["id"]]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"title": "x" * 101}, 400),
        ({"description": "x" * 801}, 400),
        ({"media_source": None}, 400),
        ({"media_source": {"source_type": "image_url", "url": "x"}}, 400),
        ({"media_source": {"source_type": "image_base64", "content_type": "image/png", "data": "!"}}, 400),
        ({"board_id": None}, 400),
        ({"board_id": "123456789012345678"}, 404),
    ],
)
def test_a_wrong_pin_is_refused(sandbox: Sandbox, pinterest: Caller, changes: dict[str, Any], status: int) -> None:
    body = {"board_id": board_id(sandbox, "Summer recipes"), "title": "Soup", "media_source": IMAGE, **changes}
    answer = pinterest.post("/pins", body, is_proper=False)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message"}
    assert len(sandbox.state()["pins"]) == 6


@pytest.mark.parametrize("path", ["/boards/1", "/boards/1/pins", "/pins/1"])
def test_what_is_not_there_is_404(pinterest: Caller, path: str) -> None:
    answer = pinterest.get(path)
    assert answer.status_code == 404
    assert answer.json()["message"] in {"Board not found.", "Pin not found."}


def test_a_wrong_or_expired_token_is_401_code_2(sandbox: Sandbox, pinterest: Caller) -> None:
    assert Caller(sandbox, "/v5", "pina_wrong").get("/boards").json() == {
        "code": 2,
        "message": "Authentication failed.",
    }
    assert pinterest.get("/boards").status_code == 200
    sandbox.expire(provider="pinterest")
    answer = pinterest.get("/boards")
    assert (answer.status_code, answer.json()["code"]) == (401, 2)


def test_a_xero_token_opens_nothing_at_pinterest(sandbox: Sandbox) -> None:
    assert Caller(sandbox, "/v5", sandbox.tokens("xero")["access_token"]).get("/boards").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "scopes", "missing"),
    [
        ("GET", "/boards", "pins:read", "boards:read"),
        ("GET", "/pins", "boards:read", "pins:read"),
        ("GET", "/user_account", "boards:read", "user_accounts:read"),
        ("POST", "/boards", "boards:read", "boards:write"),
        ("POST", "/pins", "boards:read boards:write pins:read", "pins:write"),
    ],
)
def test_a_missing_scope_is_403_and_named(sandbox: Sandbox, method: str, path: str, scopes: str, missing: str) -> None:
    api = Caller(sandbox, "/v5", sandbox.tokens("pinterest", scopes)["access_token"])
    answer = api.call(method, path, {"name": "A"} if path == "/boards" and method == "POST" else None, is_proper=False)
    assert answer.status_code == 403
    assert missing in answer.json()["message"]


def test_trial_access_may_create_boards_but_no_pins(sandbox: Sandbox, pinterest: Caller) -> None:
    sandbox.faults(trial=True)
    assert pinterest.post("/boards", {"name": "Trial"}).status_code == 201
    body = {"board_id": board_id(sandbox, "Trial"), "media_source": IMAGE}
    answer = pinterest.post("/pins", body)
    assert (answer.status_code, answer.json()["code"]) == (403, 29)
    assert "Trial access" in answer.json()["message"]


def test_calls_are_limited_and_told_so(sandbox: Sandbox, pinterest: Caller) -> None:
    sandbox.faults(pinterest_read_limit=2, pinterest_write_limit=1)
    answers = [pinterest.get("/boards") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[0].headers["x-ratelimit-limit"] == "2"
    assert answers[2].json() == {"code": 8, "message": "You have exceeded your rate limit. Try again later."}
    assert 0 < int(answers[2].headers["x-ratelimit-reset"]) <= 60
    assert pinterest.post("/boards", {"name": "A"}).status_code == 201
    assert pinterest.post("/boards", {"name": "B"}).status_code == 429
    assert len(sandbox.state()["boards"]) == 4
