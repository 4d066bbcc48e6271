"""The addresses of the pages of connections and of the activity page."""

from django.urls import path

from integrations.views import activity, connections, freeze, webhook_receiver

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
    path("hooks/<slug:provider>/", webhook_receiver.hook, name="hook"),
]
