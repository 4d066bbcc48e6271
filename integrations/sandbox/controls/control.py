"""`/_sandbox/...`: inspect, reset, set the fault dial, make pins and tokens. For this machine only; JSON."""

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from integrations.sandbox.controls import make, overview, seed, webhooks
from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock, exchange, fault_dial, limits
from integrations.sandbox.exchange.answers import Unreadable, json_answer, loads
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.exchange.unusable import Unusable
from integrations.sandbox.models import Board, Document, Grant, LedgerRow, Tenancy, Token
from integrations.sandbox.oauth import tokens
from integrations.sandbox.pinterest import store
from integrations.sandbox.xero import books, merging

MAX_PINS, MAX_ROWS = 10_000, 5_000
Body = dict[str, Any]


def _endpoint(**views: Callable[[HttpRequest, Body], Any]) -> Callable[[HttpRequest], HttpResponse]:
    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        chosen = views.get(request.method or "")
        if chosen is None:
            return json_answer({"error": f"Use {' or '.join(views)} here."}, 405).to_http()
        try:
            body = loads(request.body) if request.body else {}
            if not isinstance(body, dict):
                raise Unusable("The body is a JSON object.")
            return json_answer(chosen(request, body)).to_http()
        except (Unusable, Unreadable, fault_dial.DialError) as error:
            return json_answer({"error": str(error)}, 400).to_http()

    return view


def health(request: HttpRequest, body: Body) -> Body:
    return {"status": "ok", "time": clock.iso_seconds(clock.now())}


def ledger(request: HttpRequest, body: Body) -> Body:
    """The requests of this chapter after `after`, oldest first; `next` is where the next call continues."""
    after, limit = _whole(request, "after", 0), min(_whole(request, "limit", 1000), MAX_ROWS)
    rows = LedgerRow.objects.filter(chapter=exchange.chapter(), seq__gt=after).order_by("seq")[:limit]
    entries = [_ledger_entry(row) for row in rows]
    return {"entries": entries, "next": entries[-1]["seq"] if entries else after}


def _ledger_entry(row: LedgerRow) -> Body:
    return {
        "seq": row.seq,
        "arrival": row.arrival,
        "time": clock.moment(row.at).isoformat(timespec="milliseconds"),
        "provider": row.provider,
        "method": row.method,
        "path": row.path,
        "query": row.query,
        "tenant": row.tenant,
        "key": row.idempotency_key,
        "body_sha256": row.body_sha256,
        "status": row.status,
        "outcome": row.outcome,
        "fault": row.fault,
        "committed": row.is_committed,
        "object_ids": row.object_ids.split(),
    }


def _whole(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Unusable(f"{name} is a whole number, not {text[:20]!r}.")
    return int(text)


def reset(request: HttpRequest, body: Body) -> Body:
    """Restore the initial state, without faults; `empty` leaves out boards, pins, contacts and invoices."""
    unknown = set(body) - {"seed", "empty"}
    if unknown:
        raise Unusable(f"A reset takes seed and empty, not {', '.join(sorted(unknown))}.")
    seed.plant(empty=bool(body.get("empty")))
    fault_dial.save(fault_dial.Dial())
    faults = fault_dial.change({"seed": body["seed"]}) if "seed" in body else fault_dial.current()
    return {"chapter": exchange.chapter(), "seed": faults.seed}


def merge(request: HttpRequest, body: Body) -> Body:
    """A person merges one contact into another: `contact` and `into` are ids."""
    organisation = make.find_organisation(str(body.get("organisation") or ""))
    call = Call(request, "xero", 0, b"", "", tenant=organisation.tenant, is_by_hand=True)
    with exchange.writing():
        left = merging.merge(call, str(body.get("contact") or ""), str(body.get("into") or ""))
    return {"id": left.id, "label": left.record["Name"], "organisation": left.tenant}


def show_faults(request: HttpRequest, body: Body) -> Body:
    return dataclasses.asdict(fault_dial.current())


def set_faults(request: HttpRequest, body: Body) -> Body:
    with exchange.writing():
        changed = fault_dial.change({name: _plain(value) for name, value in body.items()})
    limits.forget()  # new limits count from now
    return dataclasses.asdict(changed)


def _plain(value: Any) -> Any:
    """The dial's rates are plain numbers, not money."""
    return float(value) if isinstance(value, Decimal) else value


def add_board(request: HttpRequest, body: Body) -> Body:
    name = str(body.get("name") or "").strip()
    if not name:
        raise Unusable("A board needs a name.")
    privacy = str(body.get("privacy", "PUBLIC"))
    if privacy not in {"PUBLIC", "PROTECTED", "SECRET"}:
        raise Unusable("privacy is PUBLIC, PROTECTED or SECRET.")
    with exchange.writing():
        if Board.objects.filter(name__iexact=name).exists():
            raise Unusable(f"There is a board named {name!r} already.")
        return store.board(store.add_board(name[:180], body.get("description"), privacy))


def add_pins(request: HttpRequest, body: Body) -> Body:
    """Make `count` pins. `{n}` in title, description and link becomes the pin's number within this request."""
    known = {"board", "count", "title", "description", "link", "alt_text", "image"}
    unknown = set(body) - known
    if unknown:
        raise Unusable(f"A pin takes {', '.join(sorted(known))}, not {', '.join(sorted(unknown))}.")
    count = body.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_PINS:
        raise Unusable(f"count is a whole number from 1 to {MAX_PINS}.")
    texts = {name: body.get(name) for name in ("title", "description", "link", "alt_text", "image")}
    texts["title"] = "New pin" if texts["title"] is None else texts["title"]
    if count > 1 and "{n}" not in str(texts["title"]):
        texts["title"] = f"{texts['title']} {{n}}"
    details = [
        {name: None if text is None else str(text).replace("{n}", str(number)) for name, text in texts.items()}
        for number in range(1, count + 1)
    ]
    if any(len(detail["title"] or "") > 100 for detail in details):
        raise Unusable("A title has at most 100 characters.")
    with exchange.writing():
        pins = store.add_pins(make.find_board(str(body.get("board") or "")), details)
    return {"pins": [{"id": pin.pin_id, "title": pin.title, "link": pin.link} for pin in pins]}


def issue_tokens(request: HttpRequest, body: Body) -> Body:
    """Consent without a browser: provider, scopes (text or list), and for Xero the organisations (ids or names)."""
    provider = str(body.get("provider"))
    if provider not in tokens.SCOPES:
        raise Unusable("provider is xero or pinterest.")
    scope = _scope(provider, body.get("scopes"))
    tenants = body.get("tenants")
    if tenants is None:
        tenants = list(ORGANISATIONS)
    if not isinstance(tenants, list):
        raise Unusable("tenants is a list of organisations, by name or id.")
    tenants = [_tenant(name) for name in tenants]
    with exchange.writing():
        grant = tokens.consent(provider, scope)
        if provider == "xero":
            tokens.open_organisations(grant, tenants)
        made = tokens.issue(grant)
    return {
        "access_token": made.token.access_token,
        "refresh_token": made.token.refresh_token,
        "expires_in": made.expires_in,
        "scope": scope,
        "user_id": grant.user_id,
        "auth_event_id": grant.auth_event_id,
        "tenants": [{"id": tenant, "name": ORGANISATIONS[tenant].name} for tenant in tenants if provider == "xero"],
    }


def _scope(provider: str, asked: Any) -> str:
    if isinstance(asked, str):
        asked = asked.replace(",", " ").split()
    if not asked:
        return tokens.DEFAULT_SCOPE[provider]
    if not isinstance(asked, list) or not all(isinstance(name, str) for name in asked):
        raise Unusable("scopes is a text or a list of texts.")
    unknown = set(asked) - tokens.SCOPES[provider]
    if unknown:
        raise Unusable(f"Unknown scope: {', '.join(sorted(unknown))}.")
    return " ".join(asked)


def _tenant(name: Any) -> str:
    for tenant, organisation in ORGANISATIONS.items():
        if name in (tenant, organisation.name):
            return tenant
    raise Unusable(f"There is no organisation {name!r}.")


def _tokens(body: Body) -> Any:
    found = Token.objects.all()
    if body.get("provider"):
        found = found.filter(grant__provider=body["provider"])
    for name in ("access_token", "refresh_token"):
        if body.get(name):
            found = found.filter(**{name: body[name]})
    return found


def expire(request: HttpRequest, body: Body) -> Body:
    """Expire access tokens now: all, those of one provider, or the one named."""
    with exchange.writing():
        return {"expired": _tokens(body).update(access_expires_at=clock.now() - 1)}


def revoke(request: HttpRequest, body: Body) -> Body:
    """The person revokes the consent; with `tenant` only one organisation is disconnected from Xero."""
    with exchange.writing():
        if body.get("tenant"):
            deleted, _ = Tenancy.objects.filter(tenant=_tenant(body["tenant"])).delete()
            return {"disconnected": deleted}
        grants = Grant.objects.filter(pk__in=_tokens(body).values("grant_id"), is_revoked=False)
        for grant in grants:
            tokens.revoke(grant)
        return {"revoked": len(grants)}


def state(request: HttpRequest, body: Body) -> Body:
    """A summary of what the sandbox holds."""
    return {
        "boards": [store.board(board) for board in store.boards()],
        "pins": [
            {"id": pin.pin_id, "board": pin.board.name, "title": pin.title, "link": pin.link}
            for pin in store.Pin.objects.select_related("board").order_by("-position")[:MAX_PINS]
        ],
        "sections": [
            {"id": section.section_id, "board": section.board.name, "name": section.name}
            for section in store.Section.objects.select_related("board").order_by("-position")[:MAX_PINS]
        ],
        "organisations": [
            {
                "id": organisation.tenant,
                "name": organisation.name,
                "contacts": [_contact(row) for row in _documents(organisation.tenant, "Contacts")],
                "invoices": [_invoice(row) for row in _documents(organisation.tenant, "Invoices")],
                **{
                    name: [overview.short(row) for row in _documents(organisation.tenant, kind)]
                    for name, kind in overview.LISTS.items()
                },
            }
            for organisation in ORGANISATIONS.values()
        ],
    }


def _documents(tenant: str, kind: str) -> Any:
    return Document.objects.filter(tenant=tenant, kind=kind).order_by("id")


def _contact(row: Document) -> Body:
    record = books.entry(row).record
    kept = {name: record.get(name, "") for name in ("Name", "EmailAddress", "ContactNumber", "ContactStatus")}
    return {"id": row.document_id, "is_ours": row.is_ours, **kept}


def _invoice(row: Document) -> Body:
    record = books.entry(row).record
    names = ("Type", "Status", "InvoiceNumber", "Reference", "Url", "Date", "CurrencyCode", "SubTotal", "Total")
    kept = {name: record.get(name, "") for name in names}
    return {
        "id": row.document_id,
        "contact_id": row.contact_id,
        "is_ours": row.is_ours,
        "body_sha256": row.body_sha256,
        **kept,
    }


urlpatterns = [
    path("_sandbox/health", _endpoint(GET=health)),
    path("_sandbox/ledger", _endpoint(GET=ledger)),
    path("_sandbox/reset", _endpoint(POST=reset)),
    path("_sandbox/faults", _endpoint(GET=show_faults, POST=set_faults)),
    path("_sandbox/boards", _endpoint(POST=add_board)),
    path("_sandbox/pins", _endpoint(POST=add_pins)),
    path("_sandbox/make", _endpoint(POST=make.make)),
    path("_sandbox/change", _endpoint(POST=make.change)),
    path("_sandbox/merge", _endpoint(POST=merge)),
    path(
        "_sandbox/webhook",
        _endpoint(GET=webhooks.show, POST=webhooks.set_up, DELETE=webhooks.turn_off),
    ),
    path("_sandbox/webhook/burst", _endpoint(POST=webhooks.burst)),
    path("_sandbox/webhook/replay", _endpoint(POST=webhooks.replay)),
    path("_sandbox/tokens", _endpoint(POST=issue_tokens)),
    path("_sandbox/expire", _endpoint(POST=expire)),
    path("_sandbox/revoke", _endpoint(POST=revoke)),
    path("_sandbox/state", _endpoint(GET=state)),
]
