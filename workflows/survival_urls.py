"""Addresses of the list of runs, of what is done to many of them, of notices and safeguards."""

from django.urls import path

from workflows.views import run_list, safeguards

urlpatterns = [
    path("runs/", run_list.runs, name="runs"),
    path("runs/all/<slug:what>/", run_list.bulk, name="bulk"),
    path("runs/batches/<int:batch_id>/", run_list.batch, name="batch"),
    path("runs/batches/<int:batch_id>/stop/", run_list.stop_batch, name="stop_batch"),
    path("notices/", safeguards.notice_list, name="notices"),
    path("notices/read/", safeguards.read_all_notices, name="read_all_notices"),
    path("notices/<int:notice_id>/read/", safeguards.read_notice, name="read_notice"),
    path("workflows/<int:workflow_id>/safeguards/", safeguards.workflow_safeguards, name="workflow_safeguards"),
]
