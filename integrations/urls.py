"""The addresses of the connections pages."""

from django.urls import path

from integrations import views, views_freezing, views_webhooks

urlpatterns = [
    path("connections/", views.connections, name="connections"),
    path("connections/connect/<slug:provider>/", views.connect, name="connect"),
    path("connections/choose/<int:grant_id>/", views.choose_accounts, name="choose_accounts"),
    path("connections/choose/<int:grant_id>/withdraw/", views.withdraw_grant, name="withdraw_grant"),
    path("connections/<int:connection_id>/", views.connection, name="connection"),
    path("connections/<int:connection_id>/refresh/", views.refresh_connection, name="refresh_connection"),
    path("connections/<int:connection_id>/freeze/", views_freezing.freeze, name="freeze"),
    path("connections/<int:connection_id>/thaw/", views_freezing.thaw, name="thaw"),
    path("connections/<int:connection_id>/disconnect/", views.disconnect, name="disconnect"),
    path("hooks/<slug:provider>/", views_webhooks.hook, name="hook"),
]
