"""Callers of the two APIs whose every exchange is checked against the provider's description."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integrations.sandbox.contract import validate_exchange, validate_response
from tests.provider import DEMO, Sandbox, running_sandbox


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the sandbox refuses need not be as described: that it refuses is what these tests are about."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.hostile("It is refused.", only_refused=True))


class Caller:
    """Speaks to one API with one access token; what it says and hears must fit the description."""

    def __init__(self, sandbox: Sandbox, base: str, token: str, tenant: str = "") -> None:
        self.sandbox = sandbox
        self.base = sandbox.url + base
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})
        if tenant:
            self.session.headers["xero-tenant-id"] = tenant

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        is_proper: bool = True,
        timeout: float = 10,
        **query: Any,
    ) -> requests.Response:
        """One request. `is_proper=False` for a request that is meant to break the description."""
        response = self.session.request(
            method, f"{self.base}{path}", json=body, params=query, headers=headers, timeout=timeout
        )
        sent = response.request
        heard = (response.status_code, response.headers, response.content)
        if is_proper:
            validate_exchange(method, str(sent.url), dict(sent.headers), sent.body, *heard)
        else:
            validate_response(method, str(sent.url), *heard)
        return response

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def put(self, path: str, body: Any, **options: Any) -> requests.Response:
        return self.call("PUT", path, body, **options)

    def post(self, path: str, body: Any, **options: Any) -> requests.Response:
        return self.call("POST", path, body, **options)


class Xero(Caller):
    def __init__(self, sandbox: Sandbox, tenant: str = DEMO, scopes: str | None = None) -> None:
        super().__init__(sandbox, "/api.xro/2.0", sandbox.tokens("xero", scopes)["access_token"], tenant)
        self.tenant = tenant

    def invoice(self, **changes: Any) -> dict[str, Any]:
        """A proper draft of 40.00 plus tax for a contact that exists; None leaves a field out."""
        contact = self.sandbox.contacts(self.tenant)[1]
        line = {"Description": "Tyres", "Quantity": 2, "UnitAmount": 20}
        line["AccountCode"] = "200" if self.tenant == DEMO else "4000"
        draft = {"Type": "ACCREC", "Contact": {"ContactID": contact["id"]}, "LineItems": [line]}
        whole = {**draft, "Date": "2026-11-22", "DueDate": "2026-12-22", **changes}
        return {name: value for name, value in whole.items() if value is not None}

    def create(self, **changes: Any) -> dict[str, Any]:
        """Create an invoice and return it as answered."""
        response = self.put("/Invoices", {"Invoices": [self.invoice(**changes)]}, unitdp=4)
        assert response.status_code == 200, response.text
        return dict(response.json()["Invoices"][0])

    def refuse(self, path: str = "/Invoices", *, method: str = "PUT", **records: Any) -> list[str]:
        """Send what must be refused; all messages, and nothing may have been committed."""
        before = self.sandbox.state()
        response = self.call(method, path, records, is_proper=False)
        assert response.status_code == 400, response.text
        assert self.sandbox.state() == before
        return messages(response.json())


def messages(node: Any) -> list[str]:
    """Every ValidationErrors message in an answer, wherever it stands."""
    if isinstance(node, list):
        return [text for item in node for text in messages(item)]
    if not isinstance(node, dict):
        return []
    own = [error["Message"] for error in node.get("ValidationErrors", [])]
    return own + [text for name, value in node.items() if name != "ValidationErrors" for text in messages(value)]


@pytest.fixture
def xero(sandbox: Sandbox) -> Xero:
    return Xero(sandbox)


@pytest.fixture
def pinterest(sandbox: Sandbox) -> Caller:
    return Caller(sandbox, "/v5", sandbox.tokens("pinterest")["access_token"])


@pytest.fixture(scope="session")
def quick_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose time runs twenty times faster, for what waits."""
    with running_sandbox(tmp_path_factory.mktemp("quick") / "sandbox.sqlite3", time_scale=20) as server:
        yield server


@pytest.fixture
def quick(quick_server: Sandbox) -> Sandbox:
    quick_server.reset()
    quick_server.lift_limits()
    return quick_server
