from django.db import migrations, models


def tell(apps, schema_editor):
    """Those that are paused now said so in their reason."""
    workflows = apps.get_model('workflows', 'Workflow').objects.filter(status='paused')
    workflows.filter(pause_reason__startswith='Paused by itself:').update(has_paused_itself=True)


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0020_upload_layout'),
    ]

    operations = [
        migrations.AddField(
            model_name='workflow',
            name='has_paused_itself',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunPython(tell, migrations.RunPython.noop),
    ]
