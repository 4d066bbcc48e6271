from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0015_runs_by_day'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='turns',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
