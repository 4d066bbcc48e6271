"""What searches need: a run's documents by an index, and on PostgreSQL trigrams, so that a part of a number is found
among a million without reading them all."""

from django.db import migrations, models, transaction
from django.db.models import deletion
from django.db.utils import DatabaseError

#: Of runs only those that have ended are in it: while a run is under way, each change of its row would be written there.
_INDEXES = (
    "CREATE INDEX postings_by_words ON workflows_posting USING gin "
    "(upper((number || ' ' || contact || ' ' || reference || ' ' || described)::text) gin_trgm_ops)",
    "CREATE INDEX runs_by_words ON workflows_run USING gin (upper((title || ' ' || result)::text) gin_trgm_ops) "
    "WHERE status IN ('succeeded', 'failed', 'filtered', 'needs_review', 'crashed', 'cancelled')",
)


def add_trigrams(apps, schema_editor):
    """Where the database's user may not add the extension, searches work all the same, only slower."""
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        print(f"\n  Searches have no index: the extension pg_trgm could not be added ({str(error).strip()}).")
        return
    for index in _INDEXES:
        schema_editor.execute(index)


def remove_trigrams(apps, schema_editor):
    """The extension stays: others may use it."""
    if schema_editor.connection.vendor == "postgresql":
        for name in ("postings_by_words", "runs_by_words"):
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("workflows", "0034_workflow_parts")]

    operations = [
        migrations.AlterModelOptions(name="posting", options={"ordering": ["-written_at", "-step_run_id"]}),
        migrations.AlterField(
            model_name="posting",
            name="run",
            field=models.ForeignKey(
                db_index=False, on_delete=deletion.CASCADE, related_name="postings", to="workflows.run"
            ),
        ),
        migrations.AddIndex(
            model_name="posting", index=models.Index(fields=["run", "step_run"], name="postings_by_run")
        ),
        migrations.RunPython(add_trigrams, remove_trigrams),
    ]
