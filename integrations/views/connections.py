"""The connection pages: list, connect, pick organisations, refresh, disconnect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.connections import consent, webhook_intake
from integrations.connections import service as services
from integrations.core.errors import IntegrationError, ReconnectError
from integrations.framework import registry
from integrations.framework.base import Account, Connector
from integrations.framework.facts import Fact, facts
from integrations.models import Connection, Grant
from integrations.teams.access import Can, allow, may, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from integrations.transport import call_budget, token_refresh
from pinxero.pages import page


@dataclass(frozen=True)
class ConnectionCard:
    """A connection as the pages show it."""

    connection: Connection
    connector: Connector
    facts: list[Fact]
    standing: call_budget.BudgetStatus
    last_used: datetime | None
    missing_scopes: list[str]


@dataclass(frozen=True)
class AccountOffer:
    """An organisation on the page after a consent. `state` is new, same, reconnected or moved."""

    account: Account
    facts: list[Fact]
    state: str
    connection: Connection | None
    is_ticked: bool


def _mine(request: HttpRequest) -> QuerySet[Connection]:
    """The team's connections. Pages never open tokens, so that they work even if the keys are wrong."""
    return (
        Connection.objects.for_team(team_of(request))
        .select_related("grant", "grant__connected_by", "budget", "frozen_by")
        .defer("grant__access_token", "grant__refresh_token")
    )


def _grant(request: HttpRequest, grant_id: int) -> Grant:
    grants = Grant.objects.for_team(team_of(request)).exclude(status=Grant.Status.REVOKED)
    return get_object_or_404(grants.defer("access_token", "refresh_token"), pk=grant_id)


def _show(request: HttpRequest, connection: Connection) -> ConnectionCard:
    connector = registry.connector(connection.provider)
    limit = connector.client_class(connection).limits()
    granted = set(connection.grant.scopes)
    is_over = connection.status == Connection.Status.DISCONNECTED
    asked = [] if is_over else consent.asked_scopes(request, connection.provider)
    return ConnectionCard(
        connection=connection,
        connector=connector,
        facts=facts(connection.details),
        standing=call_budget.budget_status(getattr(connection, "budget", None), limit, timezone.now()),
        last_used=services.last_used(connection),
        missing_scopes=[scope for scope in asked if scope not in granted],
    )


@allow(Can.LOOK)
@require_GET
def connections(request: HttpRequest) -> HttpResponse:
    """Everything that the team has connected, and what it can connect."""
    order = [Connection.Status.NEEDS_RECONNECT, Connection.Status.CONNECTED, Connection.Status.DISCONNECTED]
    mine = sorted(_mine(request), key=lambda each: (order.index(Connection.Status(each.status)), each.provider))
    offered = [each for each in registry.connectors() if consent.is_connectable(each.key)]
    known = {each.provider for each in mine if each.status != Connection.Status.DISCONNECTED}
    usable = {each.provider for each in mine if each.is_usable}
    is_builder = may(request, Can.BUILD)
    is_ready = is_builder and bool(offered) and all(each.key in usable for each in offered)
    context = {
        "connections": [_show(request, each) for each in mine],
        "offered": [(each, consent.missing_settings(each.key), each.key in known) for each in offered],
        "unpicked": _unpicked(request),
        "may_build": is_builder,
        "first_use_url": services.first_use_url(team_of(request)) if is_ready else "",
        "other_address": settings.BASE_URL if _is_elsewhere(request) else "",
    }
    return page(request, "connections/list.html", context, title="Connections")


def _unpicked(request: HttpRequest) -> Iterable[Grant]:
    """Consents from which nothing has been picked yet."""
    used = Connection.objects.exclude(status=Connection.Status.DISCONNECTED).values("grant_id")
    grants = Grant.objects.for_team(team_of(request)).filter(status=Grant.Status.ACTIVE)
    return grants.exclude(pk__in=used).defer("access_token", "refresh_token")


def _is_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser uses another address than the one that providers redirect to."""
    return f"{request.scheme}://{request.get_host()}" != settings.BASE_URL


@allow(Can.LOOK)
@require_GET
def connection(request: HttpRequest, connection_id: int) -> HttpResponse:
    """One connection: facts, consent, permissions, budget, and what uses it."""
    found = get_object_or_404(_mine(request), pk=connection_id)
    context = {
        "shown": _show(request, found),
        "usages": services.usages(found),
        "notes": services.notes(found) if found.is_usable else [],
        "webhook_status": webhook_intake.webhook_status(found)
        if found.status != Connection.Status.DISCONNECTED
        else None,
        "may_build": may(request, Can.BUILD),
    }
    return page(request, "connections/detail.html", context, title=found.name)


@recently_signed_in
@require_POST
@allow(Can.BUILD)
def connect(request: HttpRequest, provider: str) -> HttpResponse:
    """Go to the provider's consent page. The scopes come from the settings, not from the request."""
    if not consent.is_connectable(provider):
        raise Http404(f"There is no provider called {provider!r}.")
    return consent.start(request, provider, team_of(request))


@recently_signed_in
@allow(Can.BUILD)
@require_http_methods(["GET", "POST"])
def choose_accounts(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Show what a consent covers; the person picks what to connect."""
    grant = _grant(request, grant_id)
    connector = registry.connector(grant.provider)
    try:
        accounts = connector.accounts(token_refresh.access_token(grant.pk))
    except IntegrationError as error:
        is_over = isinstance(error, ReconnectError)
        return _choose_page(request, grant, [], problem=error.message, is_over=is_over, status=502)
    if request.method != "POST":
        return _choose_page(request, grant, _offers(grant, accounts))
    picked = set(request.POST.getlist("account"))
    chosen = [account for account in accounts if account.external_id in picked]
    if not chosen:
        message = f"Tick at least one {connector.account_noun}, or withdraw the consent."
        return _choose_page(request, grant, _offers(grant, accounts), message=message, status=400)
    for added, how in services.choose_accounts(grant, chosen, by=request.user):
        _message(request, connector, added, how)
    return redirect("connections")


def _choose_page(
    request: HttpRequest,
    grant: Grant,
    offers: list[AccountOffer],
    *,
    status: int = 200,
    problem: str = "",
    is_over: bool = False,
    message: str = "",
) -> HttpResponse:
    connector = registry.connector(grant.provider)
    granted = set(grant.scopes)
    context = {
        "grant": grant,
        "connector": connector,
        "offers": offers,
        "is_all_connected": bool(offers) and all(offer.state == services.Added.SAME for offer in offers),
        "problem": problem,
        "is_over": is_over,
        "message": message,
        "missing_scopes": [each for each in consent.asked_scopes(request, grant.provider) if each not in granted],
        "is_used": grant.connections.exclude(status=Connection.Status.DISCONNECTED).exists(),
    }
    title = f"Choose what to connect from {connector.name}"
    return page(request, "connections/choose.html", context, title=title, status=status)


def _offers(grant: Grant, accounts: list[Account]) -> list[AccountOffer]:
    ours = Connection.objects.filter(team_id=grant.team_id, provider=grant.provider).select_related("grant")
    known = {each.external_id: each for each in ours.defer("grant__access_token", "grant__refresh_token")}
    offers = []
    for account in accounts:
        before = known.get(account.external_id)
        state = services.effect_of(before, grant)
        is_wanted_back = before is not None and before.status == Connection.Status.NEEDS_RECONNECT
        is_asked_for = bool(account.details.get("is_new")) or len(accounts) == 1
        is_ticked = is_wanted_back or (is_asked_for and state is services.Added.NEW)
        offers.append(AccountOffer(account, facts(account.details), state, before, is_ticked))
    return offers


_ADDED = {
    services.Added.NEW: "{name} is connected.",
    services.Added.RECONNECTED: "{name} is connected again. What waited for it goes on by itself.",
    services.Added.MOVED: "{name} is connected through this consent now. What waited for it goes on by itself.",
    services.Added.SAME: "{name} was connected already and stays so.",
}


def _message(request: HttpRequest, connector: Connector, added: Connection, how: services.Added) -> None:
    said = _ADDED[how].format(name=added.name)
    try:
        services.refresh_details(added)
    except IntegrationError as error:
        messages.warning(
            request,
            f"{said} Its details could not be read yet: {error.message} Read them again on its page in a few minutes.",
        )
    else:
        messages.success(request, said)


@recently_signed_in
@require_POST
@allow(Can.BUILD)
def withdraw_grant(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Withdraw a consent from which nothing was picked."""
    grant = _grant(request, grant_id)
    name = registry.connector(grant.provider).name
    if services.release_if_unused(grant.pk):
        messages.success(request, f"The consent at {name} was withdrawn and its access destroyed.")
    else:
        messages.error(request, f"The consent at {name} is in use. Disconnect what it serves first.")
    return redirect("connections")


@require_POST
@allow(Can.BUILD)
def refresh_connection(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Read the organisation's facts again now."""
    found = get_object_or_404(_mine(request), pk=connection_id)
    name = registry.connector(found.provider).name
    if not found.is_usable:
        messages.error(request, f"{found.name} is not connected, so nothing was read. Reconnect it first.")
        return redirect("connection", found.pk)
    try:
        services.refresh_details(found)
    except ReconnectError as error:
        services.mark_needs_reconnect(found, error.message, reach=error.scope)
        messages.error(request, f"{error.message} Reconnect {found.name}.")
    except IntegrationError as error:
        messages.error(request, f"The details of {found.name} could not be read: {error.message} Try again later.")
    else:
        messages.success(request, f"The details of {found.name} are as {name} has them now.")
    return redirect("connection", found.pk)


@recently_signed_in
@allow(Can.BUILD)
@require_http_methods(["GET", "POST"])
def disconnect(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Show what disconnecting stops, and do it once the person confirms."""
    found = get_object_or_404(_mine(request), pk=connection_id)
    if found.status == Connection.Status.DISCONNECTED:
        messages.info(request, f"{found.name} is disconnected already.")
        return redirect("connections")
    if request.method == "POST":
        left_to_do = services.disconnect(found, by=request.user)
        if left_to_do:
            messages.warning(request, f"{found.name} is disconnected here. {left_to_do}")
        else:
            messages.success(request, f"{found.name} is disconnected.")
        return redirect("connections")
    siblings = found.grant.connections.exclude(status=Connection.Status.DISCONNECTED).exclude(pk=found.pk)
    context: dict[str, Any] = {
        "shown": _show(request, found),
        "usages": services.usages(found),
        "is_last_of_grant": not siblings.exists(),
        "is_told": services.can_be_told(found.provider),
    }
    return page(request, "connections/disconnect.html", context, title=f"Disconnect {found.name}")
