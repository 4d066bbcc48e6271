from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workflows", "0009_lookup_tables")]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False), ("trimmed_at__isnull", True)),
                fields=["finished_at"],
                name="runs_to_trim",
            ),
        ),
    ]
