"""The admin's lists: their search can be called by its name."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse


def test_the_search_of_a_list_has_a_name_for_its_field_and_its_button(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("root", "root@acme.example", "x"))
    text = client.get(reverse("admin:workflows_run_changelist")).content.decode()
    for tag, name in (("button", "Search"), ("input", "Search runs")):
        [found] = [each for each in re.findall(rf"<{tag}[^>]*>", text) if 'id="searchbar' in each]
        assert f'aria-label="{name}"' in found
