"""A token hangs on the membership under which it was made, so that a later one does not revive it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0004_turns"),
        ("workflows", "0016_run_turns"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="membership",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="api_tokens",
                to="integrations.membership",
            ),
        ),
    ]
