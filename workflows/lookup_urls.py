"""Addresses of lookup tables."""

from django.urls import path

from workflows.views import lookup_edit, lookups

urlpatterns = [
    path("lookup-tables/", lookups.lookup_tables, name="lookup_tables"),
    path("lookup-tables/new/", lookup_edit.new_lookup_table, name="new_lookup_table"),
    path("lookup-tables/<int:table_id>/", lookups.lookup_table, name="lookup_table"),
    path("lookup-tables/<int:table_id>/rows/", lookup_edit.edit_lookup_rows, name="edit_lookup_rows"),
    path("lookup-tables/<int:table_id>/columns/", lookup_edit.edit_lookup_columns, name="edit_lookup_columns"),
    path("lookup-tables/<int:table_id>/settings/", lookup_edit.lookup_table_settings, name="lookup_table_settings"),
    path("lookup-tables/<int:table_id>/archive/", lookup_edit.archive_lookup_table, name="archive_lookup_table"),
    path("lookup-tables/<int:table_id>/import/", lookup_edit.import_lookup_table, name="import_lookup_table"),
    path("lookup-tables/<int:table_id>/export/", lookups.export_lookup_table, name="export_lookup_table"),
    path("lookup-tables/<int:table_id>/versions/", lookups.lookup_versions, name="lookup_versions"),
    path("lookup-tables/<int:table_id>/versions/<int:number>/", lookups.lookup_version, name="lookup_version"),
    path(
        "lookup-tables/<int:table_id>/versions/<int:number>/restore/",
        lookups.restore_lookup_version,
        name="restore_lookup_version",
    ),
]
