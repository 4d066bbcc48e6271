"""The API's addresses, below /api/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from workflows.api import views
from workflows.api.protocol import BearerAuthentication, MayRead

urlpatterns = [
    path("workflows/", views.Workflows.as_view(), name="api_workflows"),
    path("workflows/<int:workflow_id>/", views.OneWorkflow.as_view(), name="api_workflow"),
    path("workflows/<int:workflow_id>/start/", views.start, name="api_start"),
    path("runs/", views.Runs.as_view(), name="api_runs"),
    path("runs/<int:run_id>/", views.OneRun.as_view(), name="api_run"),
    path(
        "schema/",
        SpectacularAPIView.as_view(authentication_classes=[BearerAuthentication], permission_classes=[MayRead]),
        name="api_schema",
    ),
]
