"""The activity page: what the audit trail holds, found by a filter, taken along as files, and checked."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from integrations.audit import actions, entry_rows, objects, search, signing
from integrations.audit.exports import exported
from integrations.audit.record import INSTALLATION, About
from integrations.audit.search import Filter
from integrations.audit.verify import verify
from integrations.models import AuditEntry
from integrations.teams.access import Can, allow, current_team, team_of
from integrations.views.downloads import csv_download, workbook_download
from pinxero.pages import page

PER_PAGE = 50
#: A longer chain is checked by the command: a page that takes longer is given up by the web server.
MOST_CHECKED = 200_000
#: In the address, asks for what belongs to no team.
_WHOSE, _INSTALLATION = "of", "installation"

View = Callable[[HttpRequest, int], HttpResponseBase]


def _anchored() -> object:
    """The day of the last signed anchors; None where there are none."""
    last = signing.last()
    return last[0] if last is not None else None


def _of_a_chain(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """The view is given the chain of the team that the person works in, or with `?of=installation` that of the
    installation, which only superusers read."""

    @allow(Can.LOOK)
    def of_the_team(request: HttpRequest) -> HttpResponseBase:
        return view(request, team_of(request).pk)

    @login_required
    def of_the_installation(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_superuser:
            raise PermissionDenied("Only superusers see what belongs to no team.")
        return view(request, INSTALLATION)

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        is_whole = request.GET.get(_WHOSE) == _INSTALLATION
        return of_the_installation(request) if is_whole else of_the_team(request)

    return guarded


@require_GET
@_of_a_chain
def activity(request: HttpRequest, chain: int) -> HttpResponse:
    """The entries, newest first, a page at a time. `?from=` is the number after which the page begins."""
    chosen, mark = Filter.of(request.GET), request.GET.get("from", "")[:20]
    entries = list(search.after(chosen.find(chain), mark)[: PER_PAGE + 1])
    has_more = len(entries) > PER_PAGE
    entries = entries[:PER_PAGE]
    query = request.GET.copy()
    query.pop("from", None)
    context = {
        "rows": entry_rows.entry_rows(entries),
        "anchored": _anchored(),
        "chosen": chosen,
        "words": chosen.words(chain),
        "problems": chosen.problems(),
        "is_first": not mark,
        "next": entries[-1].number if has_more else "",
        "query": query.urlencode(),
        **_whose(request, chain),
        **_choices(chosen, chain),
    }
    title = "Installation activity" if chain == INSTALLATION else "Activity"
    return page(request, "activity/list.html", context, title=title)


def _whose(request: HttpRequest, chain: int) -> dict[str, Any]:
    whole = f"{reverse('activity')}?{_WHOSE}={_INSTALLATION}"
    return {
        "is_installation": chain == INSTALLATION,
        "everything": whole if chain == INSTALLATION else reverse("activity"),
        "other": (reverse("activity") if chain == INSTALLATION else whole) if request.user.is_superuser else "",
        "has_team": current_team(request) is not None,
    }


def _choices(chosen: Filter, chain: int) -> dict[str, Any]:
    """What the filter offers; what is chosen is always among it."""
    people = [(str(pk), name) for pk, name in search.people_in(chain)]
    people.append((search.NOBODY, search.NOBODYS))
    if chosen.person and chosen.person not in dict(people):
        people.insert(0, (chosen.person, search.name_of_person(chosen.person)))
    things = objects.offered(chain) if chain != INSTALLATION else []
    is_listed = any(chosen.about in dict(rows) for _, rows in things)
    return {
        "people": people,
        "groups": actions.grouped(),
        "things": things,
        "other_thing": search.name_of(chain, *chosen.thing) if chosen.about and not is_listed else "",
    }


@require_GET
@_of_a_chain
def activity_csv(request: HttpRequest, chain: int) -> StreamingHttpResponse:
    """All that the filter finds, as CSV."""
    return csv_download(entry_rows.COLUMNS, _file_rows(request, chain, "CSV"), stem=_stem())


@require_GET
@_of_a_chain
def activity_xlsx(request: HttpRequest, chain: int) -> StreamingHttpResponse:
    """All that the filter finds, as an Excel workbook."""
    return workbook_download(entry_rows.COLUMNS, _file_rows(request, chain, "Excel"), stem=_stem())


def _file_rows(request: HttpRequest, chain: int, form: str) -> Any:
    """What was there before this export, which is recorded itself."""
    chosen = Filter.of(request.GET)
    about = About("activity", "", "Activity")
    own = exported(about, team_id=chain or None, by=request.user, form=form, chosen=chosen.recorded_words())
    return entry_rows.file_rows(chosen.find(chain).filter(number__lt=own.number))


def _stem() -> str:
    return f"Activity {timezone.localdate():%Y-%m-%d}"


@require_POST
@_of_a_chain
def check_record(request: HttpRequest, chain: int) -> HttpResponse:
    """Compare every entry with its hash and with the one before it, and say what was found."""
    last = AuditEntry.objects.filter(chain=chain).order_by("-number").first()
    is_long = last is not None and last.number > MOST_CHECKED
    context = {
        "result": None if is_long else verify(chain),
        "most": MOST_CHECKED,
        "team": current_team(request),
        **_whose(request, chain),
    }
    return page(request, "activity/checked.html", context, title="Check of the record")
