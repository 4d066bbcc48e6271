"""The sandbox's own page: its contents, the requests it received, and a form to add a pin by hand."""

import dataclasses
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from integrations.sandbox.controls import control, make, overview
from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import exchange, fault_dial
from integrations.sandbox.models import LedgerRow, Pin, Section, WebhookEvent
from integrations.sandbox.pages import forms
from integrations.sandbox.pinterest import store
from integrations.sandbox.webhooks import changes, courier

SHOWN = 25
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return _home(request)


def _home(request: HttpRequest, problem: str = "") -> HttpResponse:
    normal = dataclasses.asdict(fault_dial.Dial())
    changed = {name: value for name, value in dataclasses.asdict(fault_dial.current()).items() if value != normal[name]}
    context = {
        "boards": store.boards(),
        "pins": Pin.objects.select_related("board").order_by("-created_at", "-position")[:SHOWN],
        "pin_count": Pin.objects.count(),
        "sections": Section.objects.select_related("board").order_by("-position")[:SHOWN],
        "organisations": [overview.of(organisation, SHOWN) for organisation in ORGANISATIONS.values()],
        "groups": forms.GROUPS,
        "webhook": _webhook(),
        "ledger": LedgerRow.objects.filter(chapter=exchange.chapter()).order_by("-seq")[:SHOWN],
        "faults": changed,
        "problem": problem,
        "shown": SHOWN,
    }
    response = render(request, "sandbox/home.html", context, status=400 if problem else 200)
    response["Content-Security-Policy"] = POLICY
    return response


def _webhook() -> dict[str, Any] | None:
    webhook = changes.current()
    if webhook.state == changes.OFF:
        return None
    pending = WebhookEvent.objects.filter(is_pending=True).count()
    return {"url": webhook.url, "state": webhook.state, "pending": pending, **courier.tally()}


@require_POST
def make_one(request: HttpRequest) -> HttpResponse:
    what = request.POST.get("what", "")
    known = [field.name for field in forms.FORMS[what].fields] if what in forms.FORMS else []
    given = {name: request.POST.get(name, "").strip() for name in known}
    filled = {name.removeprefix("of_"): value for name, value in given.items() if value}
    return _done(request, make.make, {"what": what, **filled})


@require_POST
def add_pin(request: HttpRequest) -> HttpResponse:
    form = {name: request.POST.get(name, "").strip() or None for name in ("board", "title", "description", "link")}
    return _done(request, control.add_pins, form)


@require_POST
def add_board(request: HttpRequest) -> HttpResponse:
    form = {name: request.POST.get(name, "").strip() or None for name in ("name", "description")}
    return _done(request, control.add_board, form | {"privacy": request.POST.get("privacy", "PUBLIC")})


def _done(request: HttpRequest, action: Any, form: dict[str, Any]) -> HttpResponse:
    try:
        action(request, form)
    except control.Unusable as error:
        return _home(request, str(error))
    return HttpResponseRedirect("/")


def style(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(render_to_string("sandbox/style.css"), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


def no_icon(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)
