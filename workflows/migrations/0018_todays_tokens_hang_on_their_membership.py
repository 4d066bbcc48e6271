"""Today's tokens, on the column of 0017; apart from it, because PostgreSQL does not change rows and their table at once."""

from django.db import migrations


def hang_on_todays(apps, schema_editor):
    """Those that count today go on; where the membership has ended already, so have they."""
    ApiToken = apps.get_model("workflows", "ApiToken")
    Membership = apps.get_model("integrations", "Membership")
    for token in ApiToken.objects.all():
        found = Membership.objects.filter(team_id=token.team_id, user_id=token.user_id).first()
        ApiToken.objects.filter(pk=token.pk).update(membership=found)


class Migration(migrations.Migration):
    dependencies = [("workflows", "0017_tokens_end_with_their_membership")]

    operations = [migrations.RunPython(hang_on_todays, migrations.RunPython.noop)]
