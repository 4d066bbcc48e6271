"""Pinterest's own SDK as an independent witness: it understands what the sandbox says, and the sandbox what it asks.

The SDK's requirements do not go with ours, so it lives in an environment of its own and is driven from there, once, by
pinterest_sdk_driver.py; these tests look at what it understood. It refuses by itself, as an error, a board with a wrong
privacy, a time that is none, an id that is a number, or a record without its name.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.provider import CHECKOUT, CLIENTS, Sandbox

pytestmark = pytest.mark.pinterest_sdk

REQUIREMENTS = CHECKOUT / "tests" / "pinterest_sdk.txt"
DRIVER = Path(__file__).with_name("pinterest_sdk_driver.py")
INSTALL_SECONDS = 180


def sdk_python() -> Path:
    """The interpreter that has the SDK; its environment is made once. Skips where it cannot be."""
    mark = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    local = CHECKOUT / ".local"
    local.mkdir(exist_ok=True)
    place = local / f"pinterest-sdk-{mark}"
    python, ready = place / "bin" / "python", place / "ready"
    with (local / "pinterest-sdk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _run([sys.executable, "-m", "venv", "--clear", str(place)])
            _run([str(python), "-m", "pip", "install", "--quiet", "--retries", "1", "-r", str(REQUIREMENTS)])
            ready.touch()
    return python


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"Pinterest's SDK could not be installed within {INSTALL_SECONDS} s ({REQUIREMENTS.name}).")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"Pinterest's SDK could not be installed from tests/{REQUIREMENTS.name}: {last}")


@pytest.fixture(scope="module")
def told(sandbox_server: Sandbox) -> dict[str, Any]:
    """What the SDK made of each call."""
    python = sdk_python()
    sandbox_server.reset()
    sandbox_server.lift_limits()
    tokens = sandbox_server.tokens("pinterest")
    command = [str(python), str(DRIVER), f"{sandbox_server.url}/v5", tokens["access_token"], tokens["refresh_token"]]
    done = subprocess.run([*command, *CLIENTS["pinterest"]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"The SDK does not understand the sandbox: {done.stderr[-2000:]}"
    return dict(json.loads(done.stdout))


def test_it_reads_the_account(told: dict[str, Any]) -> None:
    assert (told["account"]["username"], told["account"]["account_type"]) == ("pinworks", "BUSINESS")


def test_it_gets_an_access_token_for_a_refresh_token(told: dict[str, Any]) -> None:
    assert told["account by refresh token"]["username"] == "pinworks"


def test_it_lists_boards_and_finds_the_secret_one_missing(told: dict[str, Any]) -> None:
    assert {each["name"] for each in told["boards"]} == {"Summer recipes", "Office styling"}


def test_it_makes_reads_and_changes_a_board(told: dict[str, Any]) -> None:
    made = told["board made"]
    assert (made["name"], made["privacy"], made["description"]) == ("Seen by the SDK", "PUBLIC", "Oak")
    assert told["board"]["id"] == made["id"]
    assert (told["board changed"]["id"], told["board changed"]["description"]) == (made["id"], "Oak and ash")


def test_it_is_refused_a_second_board_of_the_same_name(told: dict[str, Any]) -> None:
    assert (told["board made twice"]["status"], told["board made twice"]["body"]["code"]) == (400, 58)


def test_it_makes_lists_renames_and_deletes_a_section(told: dict[str, Any]) -> None:
    made = told["section made"]
    assert told["sections"] == [made]
    assert told["section renamed"] == {"id": made["id"], "name": "Desks"}
    assert told["section deleted"] is None


def test_it_makes_a_pin_and_finds_it_in_the_account_the_board_and_the_section(told: dict[str, Any]) -> None:
    made = told["pin made"]
    assert (made["title"], made["alt_text"], made["description"]) == ("Oak table", "A table", "From 120")
    assert made["board_section_id"] == told["section made"]["id"]
    assert told["pin"] == told["pins of the board"][0] == told["pins of the section"][0]
    assert made["id"] in {each["id"] for each in told["pins of the account"]}


def test_it_deletes_pin_and_board_and_finds_them_gone(told: dict[str, Any]) -> None:
    assert (told["pin deleted"], told["board deleted"]) == (None, None)
    assert told["pin after"]["body"] == {"code": 50, "message": "Pin not found."}
    assert (told["board after"]["error"], told["board after"]["status"]) == ("NotFoundException", 404)


def test_its_pages_come_to_an_end_with_everything_in_them(told: dict[str, Any]) -> None:
    assert told["high: pages"]["sizes"] == [2, 1]
    assert sorted(told["high: pages"]["titles"]) == ["Lamp 0", "Lamp 1", "Lamp 2"]
    assert told["high: pages"]["ends"] is True


def test_its_own_classes_work_on_the_sandbox(told: dict[str, Any]) -> None:
    assert (told["high: board"]["name"], told["high: board"]["privacy"]) == ("High level", "PUBLIC")
    assert told["high: sections"] == ["Lamps"]
    assert set(told["high: names after"]) == {"Summer recipes", "Office styling"}


def test_it_understands_that_a_token_is_wrong(told: dict[str, Any]) -> None:
    assert told["wrong token"] == {
        "error": "UnauthorizedException",
        "status": 401,
        "body": {"code": 2, "message": "Authentication failed."},
    }
