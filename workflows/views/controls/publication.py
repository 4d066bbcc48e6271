"""The page on which a second person decides whether a workflow is published as it was shown."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from integrations.audit.word_changes import changes
from integrations.teams.access import Can, allow, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from pinxero.pages import page
from workflows.approvals import publication as service
from workflows.definitions.description import outline
from workflows.models import PublicationRequest
from workflows.presenters.runs.preview_presenter import sentence
from workflows.preview.fitting import last_full_preview
from workflows.publishing.activation import NotAllowedNowError
from workflows.publishing.publish import PublishError


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def publication(request: HttpRequest, workflow_id: int, number: int) -> HttpResponse:
    """What would change, the preview and the note; publishing it, refusing it, withdrawing it."""
    mine = PublicationRequest.objects.filter(workflow__team=team_of(request))
    shown = get_object_or_404(
        mine.select_related("workflow__published", "asked_by", "decided_by", "version"),
        workflow=workflow_id,
        number=number,
    )
    person, problem = _person(request), ""
    if request.method == "POST":
        try:
            messages.success(request, _decide(shown, request, person))
            return redirect("publication", workflow_id, number)
        except NotAllowedNowError as error:
            problem = error.message
        except PublishError as error:
            problem = f"It cannot be published as it is now: {error.problems[0].message}"
        shown.refresh_from_db()
    previewed = last_full_preview(shown.workflow, shown.sha256)
    context = {
        "shown": shown,
        "workflow": shown.workflow,
        "changes": changes(shown.before, shown.summary) if shown.before else [],
        "sentences": outline(shown.summary),
        "previewed": previewed,
        "preview_sentence": sentence(previewed) if previewed else "",
        "obstacle": service.obstacle(shown, person) if shown.is_open else "",
        "is_author": shown.is_open and shown.asked_by_id == person.pk,
        "is_superuser": person.is_superuser,
        "problem": problem,
        "reason": request.POST.get("reason", ""),
    }
    return page(request, "policies/publication.html", context, title=f"Publish {shown.workflow.name}")


def _decide(shown: PublicationRequest, request: HttpRequest, person: User) -> str:
    do, reason = request.POST.get("do", ""), request.POST.get("reason", "").strip()[:2000]
    if do == "agree":
        return f"Version {service.agree(shown, by=person, reason=reason).number} is published."
    if do == "refuse":
        service.refuse(shown, by=person, reason=reason)
        return "Refused. Nothing is published."
    if do == "withdraw":
        service.withdraw(shown, by=person)
        return "Withdrawn. Nothing is published."
    if do == "break_glass":
        version = service.break_glass(shown, by=person, reason=reason)
        return f"Version {version.number} is published without a second person. Everybody of the team hears of it."
    raise NotAllowedNowError("Choose what is to be done with it.")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
