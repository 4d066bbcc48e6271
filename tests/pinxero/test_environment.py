"""What make run prepares before Django starts: secrets of the installation's own, and ports."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from pinxero.development.environment import (
    Installation,
    Ports,
    SetupError,
    ensure_secrets,
    for_processes,
    read_ports,
    require_clients,
    require_free,
)


@pytest.fixture(autouse=True)
def _no_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINXERO_MODE")  # the tests' own settings say development


def of(path: Path, *, is_real: bool = False) -> Installation:
    return Installation(env_file=path, folder=path.parent, is_real=is_real)


def test_the_first_start_makes_secrets_that_only_their_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    values, made = ensure_secrets(of(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made == [
        "PINXERO_MODE",
        "SECRET_KEY",
        "TOKEN_KEYS",
        "DEMO_PASSWORD",
        "PINTEREST_CLIENT_ID",
        "PINTEREST_CLIENT_SECRET",
        "XERO_CLIENT_ID",
        "XERO_CLIENT_SECRET",
        "XERO_WEBHOOK_KEYS",
        "PINTEREST_OAUTH_BASE",
        "PINTEREST_API_BASE",
        "XERO_LOGIN_BASE",
        "XERO_IDENTITY_BASE",
        "XERO_API_BASE",
        "XERO_WEB_BASE",
    ]
    assert values["PINXERO_MODE"] == "development"
    assert len(values["SECRET_KEY"]) >= 50
    Fernet(values["TOKEN_KEYS"])
    assert list(tmp_path.iterdir()) == [path]


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    one, _ = ensure_secrets(of(tmp_path / "one"))
    other, _ = ensure_secrets(of(tmp_path / "other"))
    same = [name for name in one if one[name] == other[name] and not name.endswith("_BASE")]
    assert same == ["PINXERO_MODE"]


def test_the_second_start_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    first, _ = ensure_secrets(of(path))
    before = path.read_bytes()
    assert ensure_secrets(of(path)) == (first, [])
    assert path.read_bytes() == before


def test_what_people_wrote_into_the_file_stays_and_what_is_missing_is_added(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nDEMO_PASSWORD=chosen-by-me\nTIME_ZONE=Europe/Berlin")
    path.chmod(0o644)
    values, made = ensure_secrets(of(path))
    assert values["DEMO_PASSWORD"] == "chosen-by-me"
    assert "DEMO_PASSWORD" not in made
    assert path.read_text().startswith("# mine\nDEMO_PASSWORD=chosen-by-me\nTIME_ZONE=Europe/Berlin\nPINXERO_MODE=")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_installation_in_production_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PINXERO_MODE=production\n")
    with pytest.raises(SetupError, match=r"PINXERO_MODE \(in \.env or the environment\) is not development"):
        ensure_secrets(of(path))
    assert path.read_text() == "PINXERO_MODE=production\n"


@pytest.mark.parametrize("line", ["SECRET_KEY=mine", "DATABASE_URL=postgres://books", "BASE_URL=https://px.example"])
def test_an_installation_that_names_no_mode_is_in_production_and_left_alone(tmp_path: Path, line: str) -> None:
    path = tmp_path / ".env"
    path.write_text(f"{line}\n")
    with pytest.raises(SetupError, match=r"\.env has no PINXERO_MODE, which means production"):
        ensure_secrets(of(path))
    assert path.read_text() == f"{line}\n"


def test_ports_are_8000_and_8001_unless_said_otherwise() -> None:
    assert read_ports({}) == Ports(web=8000, sandbox=8001)
    assert read_ports({"PORT": "8010", "SANDBOX_PORT": "8011"}) == Ports(web=8010, sandbox=8011)


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "80.5", "８０００"])
def test_what_is_no_port_is_refused_with_the_name_of_the_setting(text: str) -> None:
    with pytest.raises(SetupError, match=r"^SANDBOX_PORT is '.*'; a port is a number from 1 to 65535"):
        read_ports({"SANDBOX_PORT": text})


def test_one_port_for_both_is_refused() -> None:
    with pytest.raises(SetupError, match="PORT and SANDBOX_PORT are both 8001; they have to differ"):
        read_ports({"PORT": "8001"})


def test_a_taken_port_is_refused_with_the_name_of_its_setting() -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))
        port, other = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        with pytest.raises(SetupError) as refusal:
            require_free(Ports(web=port, sandbox=other))
        assert str(refusal.value) == (
            f"Port {port}, where Pinxero would listen, cannot be used: Address already in use. "
            f"Stop what uses it (another make run?), or choose another: make run PORT={port + 10}"
        )
        with pytest.raises(SetupError, match=f"make run SANDBOX_PORT={port + 10}$"):
            require_free(Ports(web=other, sandbox=port))


def test_the_processes_find_the_sandbox_in_the_place_of_both_providers(tmp_path: Path) -> None:
    installation = of(tmp_path / ".env")
    values, _ = ensure_secrets(installation)
    environment = for_processes(installation, Ports(web=8500, sandbox=8501), values)
    assert {name: environment[name] for name in environment if name.endswith("_BASE") or name == "BASE_URL"} == {
        "BASE_URL": "http://127.0.0.1:8500",
        "PINTEREST_OAUTH_BASE": "http://127.0.0.1:8501",
        "PINTEREST_API_BASE": "http://127.0.0.1:8501/v5",
        "XERO_LOGIN_BASE": "http://127.0.0.1:8501",
        "XERO_IDENTITY_BASE": "http://127.0.0.1:8501",
        "XERO_API_BASE": "http://127.0.0.1:8501",
        "XERO_WEB_BASE": "http://127.0.0.1:8501",
    }
    assert environment["SANDBOX_XERO_CLIENT_SECRET"] == values["XERO_CLIENT_SECRET"]


def test_apps_of_the_shell_do_not_get_in_the_way_of_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XERO_CLIENT_ID", "a-real-app")
    installation = of(tmp_path / ".env")
    values, _ = ensure_secrets(installation)
    environment = for_processes(installation, Ports(web=8500, sandbox=8501), values)
    assert environment["XERO_CLIENT_ID"] == environment["SANDBOX_XERO_CLIENT_ID"] == values["XERO_CLIENT_ID"]


def test_the_real_providers_get_a_file_and_a_database_of_their_own(tmp_path: Path) -> None:
    installation = of(tmp_path / ".env.real", is_real=True)
    values, _ = ensure_secrets(installation)
    assert values["DATABASE_URL"] == f"sqlite:///{tmp_path}/.local/real.sqlite3"
    assert not [name for name in values if name.endswith("_BASE")]
    environment = for_processes(installation, Ports(web=8500, sandbox=8501), values)
    assert environment["BASE_URL"] == "http://localhost:8500"
    assert environment["PINXERO_ENV_FILE"] == str(tmp_path / ".env.real")
    assert not [name for name in environment if name.endswith("_BASE") or name.startswith("SANDBOX_")]


def test_the_real_providers_need_ids_and_secrets_that_a_person_fills_in(tmp_path: Path) -> None:
    installation = of(tmp_path / ".env.real", is_real=True)
    values, _ = ensure_secrets(installation)
    ports = Ports(web=8500, sandbox=8501)
    with pytest.raises(SetupError) as refusal:
        require_clients(installation, values, ports)
    assert str(refusal.value).startswith(
        "Fill in PINTEREST_CLIENT_ID, PINTEREST_CLIENT_SECRET, XERO_CLIENT_ID, XERO_CLIENT_SECRET in "
        f"{tmp_path}/.env.real. "
    )
    assert "http://localhost:8500/accounts/xero/login/callback/" in str(refusal.value)
    text = installation.env_file.read_text().replace("CLIENT_ID=", "CLIENT_ID=1").replace("_SECRET=", "_SECRET=2")
    installation.env_file.write_text(text)
    filled, made = ensure_secrets(installation)
    assert made == []
    require_clients(installation, filled, ports)
