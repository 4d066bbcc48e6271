"""Runs that succeeded with errors need attention until a person acknowledges that.

Those that are there already count as acknowledged: nobody could acknowledge them before, and hundreds of them would hide
what needs a person today. They are still listed under "Succeeded with errors".
"""

from django.db import migrations, models
from django.db.models.functions import Now


def acknowledge(apps, schema_editor):
    runs = apps.get_model("workflows", "Run").objects.using(schema_editor.connection.alias)
    runs.filter(status="succeeded", error__gt="", acknowledged_at__isnull=True).update(acknowledged_at=Now())


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0009_audit_indexes'),
        ('workflows', '0037_approvals'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='run',
            name='run_list_attention',
        ),
        migrations.AddField(
            model_name='run',
            name='acknowledged_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(acknowledge, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='batch',
            name='what',
            field=models.CharField(choices=[('retry', 'Try again'), ('run_again', 'Run again on today’s version'), ('release', 'Let go'), ('cancel', 'Cancel'), ('acknowledge', 'Acknowledge')], max_length=20),
        ),
        migrations.AlterField(
            model_name='decision',
            name='what',
            field=models.CharField(choices=[('retry', 'Tried again'), ('mark_done', 'Marked as done by hand'), ('send_again', 'Sent again'), ('skip', 'Skipped'), ('cancel', 'Cancelled'), ('release', 'Let go'), ('replay', 'Replayed'), ('run_again', 'Run again with a newer version'), ('acknowledge', 'Errors acknowledged')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('status__in', ['failed', 'needs_review', 'crashed']), models.Q(('acknowledged_at__isnull', True), ('error__gt', ''), ('status', 'succeeded')), _connector='OR'), fields=['team', '-id'], name='run_list_attention'),
        ),
    ]
