"""The addresses of the connections pages."""

from django.urls import path

from integrations.views import connections, freeze, webhook_receiver

urlpatterns = [
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
