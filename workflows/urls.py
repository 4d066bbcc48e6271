"""Addresses of workflows and runs."""

from django.urls import path

from workflows.views import backups, control, editor, filters, history, listing, runs, steps, triggers

urlpatterns = [
    path("workflows/", listing.workflows, name="workflows"),
    path("workflows/new/", listing.new_workflow, name="new_workflow"),
    path("workflows/<int:workflow_id>/", editor.workflow, name="workflow"),
    path("workflows/<int:workflow_id>/settings/", editor.workflow_settings, name="workflow_settings"),
    path("workflows/<int:workflow_id>/delete/", editor.delete_workflow, name="delete_workflow"),
    path("workflows/deleted/", history.deleted, name="deleted_workflows"),
    path("workflows/<int:workflow_id>/take-back/", history.take_back, name="take_back_workflow"),
    path("workflows/<int:workflow_id>/compare/", history.compare, name="compare_versions"),
    path("workflows/<int:workflow_id>/trigger/", triggers.trigger, name="workflow_trigger"),
    path("workflows/<int:workflow_id>/filter/", filters.workflow_filter, name="workflow_filter"),
    path("workflows/<int:workflow_id>/steps/new/", steps.new_step, name="new_step"),
    path("workflows/<int:workflow_id>/steps/<int:step_id>/", steps.step, name="step"),
    path("workflows/<int:workflow_id>/steps/<int:step_id>/move/", steps.move_step, name="move_step"),
    path("workflows/<int:workflow_id>/steps/<int:step_id>/delete/", steps.delete_step, name="delete_step"),
    path("workflows/<int:workflow_id>/publish/", control.publish, name="publish_workflow"),
    path("workflows/<int:workflow_id>/activate/", control.activate, name="activate_workflow"),
    path("workflows/<int:workflow_id>/pause/", control.pause, name="pause_workflow"),
    path("workflows/<int:workflow_id>/look-now/", control.look_now, name="look_now"),
    path("workflows/<int:workflow_id>/versions/", editor.versions, name="workflow_versions"),
    path("workflows/<int:workflow_id>/versions/<int:number>/", editor.version, name="workflow_version"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/backup/<int:step_run_id>/", backups.backup, name="backup"),
    path("runs/<int:run_id>/<slug:way>/", runs.way_out, name="way_out"),
    path("runs/marker/<str:marker>/", runs.run_by_marker, name="run_by_marker"),
]
