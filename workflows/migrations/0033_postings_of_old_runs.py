"""The postings of what was written before; apart from 0032, and in batches, because there may be very many runs."""

from django.db import migrations

from workflows.books import filling


def fill(apps, schema_editor):
    """Interrupted, it goes on where it was when it is begun again."""
    step_run, posting, line = (apps.get_model("workflows", name) for name in ("StepRun", "Posting", "PostingLine"))
    filling.fill(step_run.objects.all(), posting, line)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("workflows", "0032_postings")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
