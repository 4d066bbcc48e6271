"""The addresses of the pages of connections, people and activity."""

from django.urls import path

from integrations.views import activity, connections, freeze, invitations, people, webhook_receiver

urlpatterns = [
    path("activity/", activity.activity, name="activity"),
    path("activity/activity.csv", activity.activity_csv, name="activity_csv"),
    path("activity/activity.xlsx", activity.activity_xlsx, name="activity_xlsx"),
    path("activity/check/", activity.check_record, name="check_record"),
    path("connections/", connections.connections, name="connections"),
    path("connections/connect/<slug:provider>/", connections.connect, name="connect"),
    path("connections/choose/<int:grant_id>/", connections.choose_accounts, name="choose_accounts"),
    path("connections/choose/<int:grant_id>/withdraw/", connections.withdraw_grant, name="withdraw_grant"),
    path("connections/<int:connection_id>/", connections.connection, name="connection"),
    path("connections/<int:connection_id>/refresh/", connections.refresh_connection, name="refresh_connection"),
    path("connections/<int:connection_id>/freeze/", freeze.freeze, name="freeze"),
    path("connections/<int:connection_id>/thaw/", freeze.thaw, name="thaw"),
    path("connections/<int:connection_id>/disconnect/", connections.disconnect, name="disconnect"),
    path("people/", people.people, name="people"),
    path("people/invite/", invitations.invite_person, name="invite_person"),
    path("people/second-factor/", people.second_factor, name="second_factor"),
    path("people/<int:membership_id>/", people.person, name="person"),
    path("people/<int:membership_id>/change/", people.change_person, name="change_person"),
    path("people/<int:membership_id>/remove/", people.remove_person, name="remove_person"),
    path("people/<int:membership_id>/sign-out/", people.sign_person_out, name="sign_person_out"),
    path("people/<int:membership_id>/<slug:kind>/<int:held_id>/end/", people.end_holding, name="end_holding"),
    path("people/invitations/<int:invitation_id>/renew/", invitations.renew_invitation, name="renew_invitation"),
    path(
        "people/invitations/<int:invitation_id>/withdraw/", invitations.withdraw_invitation, name="withdraw_invitation"
    ),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("hooks/<slug:provider>/", webhook_receiver.hook, name="hook"),
]
