"""Inviting somebody, and the page behind the link that they get. Opening that page accepts nothing."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from integrations.models import Invitation
from integrations.people import invitation_mail, invitations, members
from integrations.people.members import NotAllowedError
from integrations.teams.access import Can, allow, choose_team, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from integrations.views.people_forms import InvitationForm, NewAccountForm
from pinxero.pages import page


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def invite_person(request: HttpRequest) -> HttpResponse:
    """Invite an address into the team."""
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        given = form.cleaned_data
        try:
            invitation, text = invitations.invite(
                team_of(request),
                given["email"],
                role=given["role"],
                until=given["until"],
                by=request.user,
                reason=given["reason"],
            )
        except NotAllowedError as error:
            form.add_error("email", error.message)
        else:
            _send(request, invitation, text)
            return redirect("people")
    return page(request, "people/invite.html", {"form": form}, title="Invite somebody")


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def renew_invitation(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Send it again, with a new link."""
    invitation = get_object_or_404(invitations.unanswered(team_of(request)), pk=invitation_id)
    if request.method == "POST":
        assert isinstance(request.user, User)
        try:
            text = invitations.renew(invitation, by=request.user)
        except NotAllowedError as error:
            messages.error(request, error.message)
        else:
            invitation.refresh_from_db()
            _send(request, invitation, text)
        return redirect("people")
    return page(request, "people/renew.html", {"invitation": invitation}, title="Send the invitation again")


@require_POST
@allow(Can.ADMINISTER)
def withdraw_invitation(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """End it; its link stops working."""
    invitation = get_object_or_404(invitations.unanswered(team_of(request)), pk=invitation_id)
    assert isinstance(request.user, User)
    invitations.withdraw(invitation, by=request.user)
    messages.success(request, f"The invitation of {invitation.email} is withdrawn; its link does not work any more.")
    return redirect("people")


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the link leads to: accept with a new account, or with one's own."""
    found = invitations.find(token)
    if found is None:
        return render(request, "people/invitation_over.html", status=404)
    account = invitations.account_of(found)
    form = None
    if request.user.is_authenticated:
        if request.method == "POST":
            return _accept(request, found)
    elif account is None:
        guess = found.email.partition("@")[0]
        form = NewAccountForm(request.POST or None, email=found.email, initial={"username": guess})
        if request.method == "POST" and form.is_valid() and _accept_with_new_account(request, found, form):
            return redirect("account_login")
    sign_in = f"{resolve_url('account_login')}?{urlencode({'next': request.path})}"
    context = {
        "invitation": found,
        "role": members.role_name(found.role),
        "last_day": members.last_day(found.ends_at),
        "form": form,
        "is_theirs": account is not None and account == request.user,
        "is_other": request.user.is_authenticated and account != request.user,
        "is_closed": account is not None and not account.is_active,
        "sign_in": sign_in,
    }
    return render(request, "people/invitation.html", context)


def _accept(request: HttpRequest, found: Invitation) -> HttpResponse:
    assert isinstance(request.user, User)
    try:
        invitations.accept(found, request.user)
    except NotAllowedError as error:
        messages.error(request, error.message)
        return redirect(request.path)
    choose_team(request, found.team_id)
    messages.success(request, f"You belong to {found.team} now.")
    return redirect(reverse("admin:index"))


def _accept_with_new_account(request: HttpRequest, found: Invitation, form: NewAccountForm) -> bool:
    given = form.cleaned_data
    try:
        invitations.accept_with_new_account(found, username=given["username"], password=given["password"])
    except NotAllowedError as error:
        form.add_error(None, error.message)
        return False
    messages.success(request, "Your account is made. Sign in with it.")
    return True


def _send(request: HttpRequest, invitation: Invitation, text: str) -> None:
    problem = invitation_mail.send(invitation, text)
    if problem:
        said = f"The mail to {invitation.email} could not be sent: {problem} Mend that, then send it again."
        messages.error(request, said)
    else:
        messages.success(request, f"{invitation.email} is invited; the link in the mail works for a week.")
