"""What must never change is held by the database: published plans and people's decisions."""

from django.db import migrations

# (table, columns that may change; anything else may not)
IMMUTABLE = {
    "workflows_workflowversion": ("plan", "plan_sha256", "number", "workflow_id", "summary", "note"),
    "workflows_decision": ("run_id", "step", "what", "reason"),
}


def _sqlite(table, columns):
    return (
        f"CREATE TRIGGER {table}_is_immutable BEFORE UPDATE OF {', '.join(columns)} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _postgresql(table, columns):
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns)
    return f"""
        CREATE FUNCTION {table}_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {changed} THEN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER {table}_is_immutable BEFORE UPDATE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_is_immutable();
    """


def forwards(apps, schema_editor):
    make = _postgresql if schema_editor.connection.vendor == "postgresql" else _sqlite
    for table, columns in IMMUTABLE.items():
        schema_editor.execute(make(table, columns))


def backwards(apps, schema_editor):
    for table in IMMUTABLE:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {table}_is_immutable ON {table}")
            schema_editor.execute(f"DROP FUNCTION {table}_is_immutable()")
        else:
            schema_editor.execute(f"DROP TRIGGER {table}_is_immutable")


class Migration(migrations.Migration):
    dependencies = [("workflows", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
