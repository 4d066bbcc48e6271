from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0019_indexes_per_question'),
    ]

    operations = [
        migrations.AddField(
            model_name='upload',
            name='above',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.AddField(
            model_name='upload',
            name='separator',
            field=models.CharField(blank=True, default='', max_length=1),
        ),
    ]
