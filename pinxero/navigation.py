"""What surrounds every page: sidebar, team, environment, account links."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from integrations.models import Connection, Membership
from integrations.teams.access import membership
from pinxero.guide import guide_of
from pinxero.sign_in import second_factor
from workflows.models import ApprovalRequest, Run
from workflows.notifications import notify

#: More is shown as "99+", so that the badge never has to count a long list.
_BADGE_LIMIT = 99


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar's groups for this person."""
    groups: list[dict[str, Any]] = []
    mine = membership(request)
    if mine is not None:
        items = [
            _item(request, "Dashboard", "space_dashboard", reverse("admin:index"), exact=True),
            _item(request, "Workflows", "account_tree", reverse("workflows")),
            _item(request, "Runs", "receipt_long", reverse("runs"), badge=_runs_badge(mine)),
            _item(request, "Documents", "description", reverse("documents")),
            _item(request, "Reconciliation", "fact_check", reverse("reconciliations")),
            _item(request, "Approvals", "approval", reverse("approvals"), badge=_approvals_badge(mine)),
            _item(request, "Policy", "gavel", reverse("policy")),
            _item(request, "Guards", "shield", reverse("guards")),
            _item(request, "Activity", "history", reverse("activity")),
            _item(request, "Notices", "notifications", reverse("notices"), badge=_notices_badge(mine)),
            _item(request, "People", "group", reverse("people")),
            _item(request, "Lookup tables", "table_view", reverse("lookup_tables")),
            _item(request, "API tokens", "vpn_key", reverse("api_tokens")),
            _item(request, "Connections", "cable", _path("connections"), badge=_connections_badge(mine)),
        ]
        groups.append({"items": [item for item in items if item["link"]]})
    if request.user.is_superuser:
        groups.append(
            {
                "title": "Administration",
                "separator": True,
                "items": [
                    _item(request, "Teams", "groups", reverse("admin:integrations_team_changelist")),
                    _item(request, "Members", "badge", reverse("admin:integrations_membership_changelist")),
                    _item(request, "Accounts", "person", reverse("admin:auth_user_changelist")),
                    _item(request, "Installation activity", "history", f"{reverse('activity')}?of=installation"),
                    _item(request, "Records", "database", reverse("admin:app_list", args=["workflows"])),
                    _item(request, "Queue", "hourglass_empty", reverse("admin:app_list", args=["django_q"])),
                ],
            }
        )
    return groups


def _item(
    request: HttpRequest, title: str, icon: str, link: str, *, badge: str = "", exact: bool = False
) -> dict[str, Any]:
    is_active = request.path == link if exact else bool(link) and request.path.startswith(link)
    item: dict[str, Any] = {"title": title, "icon": icon, "link": link, "active": is_active}
    return {**item, "badge": badge} if badge else item


def _path(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _runs_badge(mine: Membership) -> str:
    waiting = Run.objects.filter(team=mine.team_id).needing_attention().order_by()
    return _shown(len(waiting.values_list("pk", flat=True)[: _BADGE_LIMIT + 1]))


def _approvals_badge(mine: Membership) -> str:
    waiting = ApprovalRequest.objects.filter(team=mine.team_id, status=ApprovalRequest.Status.OPEN).order_by()
    return _shown(len(waiting.values_list("pk", flat=True)[: _BADGE_LIMIT + 1]))


def _notices_badge(mine: Membership) -> str:
    return _shown(notify.unread(mine.team, _BADGE_LIMIT + 1))


def _connections_badge(mine: Membership) -> str:
    broken = Connection.objects.filter(team=mine.team_id, status=Connection.Status.NEEDS_RECONNECT).order_by()
    return _shown(len(broken.values_list("pk", flat=True)[: _BADGE_LIMIT + 1]))


def _shown(count: int) -> str:
    return "" if not count else str(count) if count <= _BADGE_LIMIT else f"{_BADGE_LIMIT}+"


def team_name(request: HttpRequest) -> str:
    """The team that the person works in now, under the product's name."""
    mine = membership(request)
    return mine.team.name if mine else ""


def around_every_page(request: HttpRequest) -> dict[str, Any]:
    """The page of the guide for this page, until when a second factor is to be set up, and for the team switcher the
    person's teams if there are several."""
    around: dict[str, Any] = {"px_guide": guide_of(request), "px_second_factor_due": second_factor.is_in_grace(request)}
    mine = membership(request)
    around["px_may_search"] = mine is not None
    memberships: list[Membership] = getattr(request, "_pinxero_memberships", [])
    if mine is None or len(memberships) < 2:
        return around
    return {
        **around,
        "px_teams": [(each.team_id, each.team.name, each.team_id == mine.team_id) for each in memberships],
    }


def environment(request: HttpRequest) -> list[str] | None:
    """A ribbon while the sandbox replaces the providers."""
    return ["Sandbox", "warning"] if is_sandbox() else None


def is_sandbox() -> bool:
    """Whether any provider address is not the provider's own."""
    hosts = [host for each in settings.CONNECTOR_SETTINGS for host in each.called]
    return any(urlsplit(getattr(settings, host.name)).netloc != host.netloc for host in hosts)


def account_links(request: HttpRequest) -> list[dict[str, str]]:
    """Links in the person's own menu."""
    links = [("Change password", "account_change_password"), ("Two-factor sign-in", "mfa_index")]
    return [{"title": title, "link": _path(name)} for title, name in links if _path(name)]


def favicon(request: HttpRequest) -> str:
    """The tab's icon."""
    return static("pinxero/icon.svg")


def style_sheet(request: HttpRequest) -> str:
    """Pinxero's own style sheet; on every admin page, so that links and badges look the same everywhere."""
    return static("pinxero/pages.css")


def frame_script(request: HttpRequest) -> str:
    """The script that names what the admin's own scripts draw."""
    return static("pinxero/frame.js")
