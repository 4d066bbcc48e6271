"""Check an exchange with a provider against the provider's own published description.

Strict for requests: a field the description does not know is an error. Lax for responses, where the providers send
undocumented fields themselves. The descriptions are not part of the product; without them the check is skipped.
"""

import functools
import gc
import json
import re
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # comes with openapi-core, without types
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.finders import APICallPathFinder
from openapi_core.testing import MockRequest, MockResponse

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "openapi"
_HOST = "http://provider.invalid"
# Xero describes successes, and 400 for writes.
_UNDESCRIBED = {401, 403, 404, 405, 406, 412, 413, 429, 500, 501, 503}
_ACCOUNTING_PATHS = (
    "Accounts",
    "BankTransactions",
    "BankTransfers",
    "BrandingThemes",
    "Contacts",
    "CreditNotes",
    "Currencies",
    "Invoices",
    "Items",
    "Organisation",
    "Payments",
    "PurchaseOrders",
    "Quotes",
    "Reports",
    "TaxRates",
    "TrackingCategories",
)
_PINTEREST_PATHS = ("/boards", "/pins", "/user_account", "/oauth/token")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


class _NoDates(yaml.CSafeLoader):
    """Bare dates in the examples stay text, as in JSON."""


_NoDates.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for key, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def validate_exchange(
    method: str,
    url: str,
    request_headers: Mapping[str, str],
    request_body: bytes | str | None,
    status: int,
    response_headers: Mapping[str, str],
    response_body: bytes | str,
) -> None:
    """AssertionError, saying what and where, when request or response breaks the provider's description."""
    validate_request(method, url, request_headers, request_body)
    validate_response(method, url, status, response_headers, response_body)


def validate_request(method: str, url: str, headers: Mapping[str, str], body: bytes | str | None) -> None:
    request, kind = _request(method, url, headers, body)
    _check(lambda: _description(kind, is_strict=True).validate_request(request), "request", method, url)
    unknown = sorted(set(request.parameters.query) - _query_names(kind, method, _HOST + request.path))
    assert not unknown, f"The request of {method} {url} breaks the description: it asks for {', '.join(unknown)}."


def _query_names(kind: str, method: str, address: str) -> set[str]:
    """What the description lets a caller ask for; the library overlooks a name that it does not know."""
    found = APICallPathFinder(_description(kind, is_strict=True).spec).find(method.lower(), address)
    names = set()
    for place in (found.path, found.operation):
        declared = place / "parameters" if "parameters" in place else []
        names |= {str(each["name"]) for each in declared if each["in"] == "query"}
    return names


def validate_response(method: str, url: str, status: int, headers: Mapping[str, str], body: bytes | str) -> None:
    if "/v5/" not in url and (status in _UNDESCRIBED or (status == 400 and method.upper() == "GET")):
        return
    request, kind = _request(method, url, {}, None)
    content_type = _header(headers, "Content-Type").partition(";")[0] or "application/json"
    if status >= 500 and content_type != "application/json":
        return  # an error page of the provider's edge
    response = MockResponse(_bytes(body), status_code=status, content_type=content_type)
    _check(lambda: _description(kind, is_strict=False).validate_response(request, response), "response", method, url)


def _check(action: Any, what: str, method: str, url: str) -> None:
    try:
        action()
    except OpenAPIError as error:
        reasons = " | ".join(_reasons(error))
        raise AssertionError(f"The {what} of {method} {url} breaks the description: {reasons}") from error


def _reasons(error: BaseException | None) -> list[str]:
    """What is wrong, the place first; the library prints whole bodies, which hide it."""
    reasons = [f"{type(error).__name__}: {str(error)[:200]}"]
    while error is not None:
        for problem in getattr(error, "schema_errors", ()):
            place = "/".join(str(part) for part in problem.absolute_path)
            reasons.insert(0, f"at {place or 'the top'}: {problem.message[:300]}")
        error = error.__cause__
    return reasons


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes | str | None) -> tuple[MockRequest, str]:
    parts = urllib.parse.urlsplit(url)
    kind, path = _kind(parts.path)
    content_type = _header(headers, "Content-Type").partition(";")[0] or "application/json"
    sent = {name: value for name, value in headers.items() if name.lower() not in {"content-type", "cookie"}}
    request = MockRequest(
        _HOST,
        method.lower(),
        path,
        args=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
        headers=sent,
        data=_bytes(body) if body else None,
        content_type=content_type,
    )
    return request, kind


def _kind(path: str) -> tuple[str, str]:
    """Which description a path belongs to, and the path as that description has it."""
    if "/api.xro/2.0/" in path:
        return "accounting", "/api.xro/2.0/" + path.split("/api.xro/2.0/", 1)[1]
    if "/projects.xro/2.0/" in path:
        return "projects", "/projects.xro/2.0/" + path.split("/projects.xro/2.0/", 1)[1]
    found = re.search(r"/connections(/[^/]+)?$", path, re.IGNORECASE)
    if found:
        return "identity", "/Connections" + (found[1] or "")
    if "/v5/" in path:
        return "pinterest", "/v5/" + path.split("/v5/", 1)[1]
    raise AssertionError(f"No description covers {path}.")


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def _bytes(text: bytes | str | None) -> bytes:
    return text.encode() if isinstance(text, str) else text or b""


def validate_delivery(body: dict[str, Any]) -> None:
    """AssertionError when the body of a webhook delivery breaks Xero's description. The intent to receive does: its
    sequence numbers are 0, which the description forgets."""
    if not FOLDER.is_dir():
        pytest.skip(f"The providers' descriptions are not on this machine ({FOLDER.name} folder missing).")
    document = json.loads(_text("xero-webhooks.yaml"))
    is_note = any(event["eventCategory"] == "CREDITNOTE" for event in body["events"])
    name = "CreditNoteWebhookEvent" if is_note else "WebhookEvent"
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    wrong = [f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(schema).iter_errors(body)]
    assert not wrong, f"A webhook delivery breaks the description: {' | '.join(wrong)}"


@functools.cache
def _description(kind: str, *, is_strict: bool) -> OpenAPI:
    if not FOLDER.is_dir():
        pytest.skip(f"The providers' descriptions are not on this machine ({FOLDER.name} folder missing).")
    load = {"accounting": _accounting, "identity": _identity, "projects": _projects, "pinterest": _pinterest}[kind]
    config = Config(
        extra_format_validators={"date-time": _is_date_time},
        spec_validator_cls=None,  # the documents are the vendors'; checking them costs seconds and changes nothing
    )
    description = OpenAPI.from_dict(load(is_strict=is_strict), config=config)
    # Some hundred thousand objects that stay to the end: searching them for garbage again and again takes a sixth of
    # the time of the tests that follow.
    gc.freeze()
    return description


def _is_date_time(value: Any) -> bool:
    """Pinterest prints times without a zone, although its description asks for one."""
    return not isinstance(value, str) or _DATE_TIME.fullmatch(value) is not None


@functools.cache
def _text(name: str) -> Any:
    path = FOLDER / name
    if path.suffix == ".json":
        return json.dumps(json.loads(path.read_text(encoding="utf-8")))
    return json.dumps(yaml.load(path.read_text(encoding="utf-8"), Loader=_NoDates))


def _xero(name: str, server: str, is_strict: bool) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_text(name))
    _mend_booleans(document)
    document["servers"] = [{"url": server}]
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)  # names scopes that new apps cannot ask for
    if is_strict:
        _forbid_unknown(document)
    return document


def _accounting(*, is_strict: bool) -> dict[str, Any]:
    document = _xero("xero_accounting.yaml", f"{_HOST}/api.xro/2.0", is_strict)
    kept = {path: item for path, item in document["paths"].items() if path.split("/")[1] in _ACCOUNTING_PATHS}
    # The same address twice: the other one is kept, for both.
    twins = [path for path in kept if path.endswith("/Attachments/{AttachmentID}")]
    for path in ("/Contacts/{ContactNumber}", "/PurchaseOrders/{PurchaseOrderNumber}", *twins):
        kept.pop(path, None)
    for name in ("ContactID", "ItemID", "InvoiceID", "CreditNoteID", "PurchaseOrderID"):
        document["components"]["parameters"][name]["schema"].pop("format")  # a number or code may stand there too
    for item in kept.values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {}) if isinstance(operation, dict) else {}
            if "application/octet-stream" in content:
                content["*/*"] = content.pop("application/octet-stream") | {"schema": {}}  # bytes of any type
    document["paths"] = kept
    schemas = document["components"]["schemas"]  # newer than the file: Xero's description 19.0.0
    schemas["Invoice"]["properties"] |= {"RoundingAmount": {"type": "number"}, "EnteredTotal": {"type": "number"}}
    return document


def _identity(*, is_strict: bool) -> dict[str, Any]:
    return _xero("xero-identity.yaml", _HOST, is_strict)


def _projects(*, is_strict: bool) -> dict[str, Any]:
    return _xero("xero-projects.yaml", f"{_HOST}/projects.xro/2.0", is_strict)


def _pinterest(*, is_strict: bool) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_text("pinterest-v5-openapi.json"))
    document["paths"] = {path: item for path, item in document["paths"].items() if path.startswith(_PINTEREST_PATHS)}
    document["servers"] = [{"url": f"{_HOST}/v5"}]
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    if is_strict:
        sent = ("PinCreate", "PinMediaSourceImageURL", "BoardCreate", "BoardWithUpdatePrivacyUpdate", "BoardSection")
        for name in sent:
            if name in document["components"]["schemas"]:
                document["components"]["schemas"][name].setdefault("additionalProperties", False)
    return document


def _forbid_unknown(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)


def _mend_booleans(node: Any) -> None:
    """The file has texts where booleans belong: `default: 'false'`."""
    if isinstance(node, dict):
        if node.get("type") == "boolean":
            for name in ("default", "example"):
                if isinstance(node.get(name), str):
                    node[name] = node[name] == "true"
        for value in node.values():
            _mend_booleans(value)
    elif isinstance(node, list):
        for value in node:
            _mend_booleans(value)
