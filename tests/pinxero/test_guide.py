"""The guide: a page for every page that people use, and pages that hold what they promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from pinxero import guide
from pinxero.guide import PAGES, GuidePage
from tests.addresses import ADDRESSES, furnish, path_of
from tests.base import Cast
from tests.permission_table import RULES
from tests.world import make_world

FOLDER = Path(settings.BASE_DIR) / "docs" / "guide"
#: What answers a GET of a builder with something else than a page of Pinxero's own.
NO_PAGES = {
    "backtest_file", "backup", "documents_csv", "documents_xlsx", "documents_evidence", "run_evidence",
    "activity_csv", "activity_xlsx", "reconciliation_csv", "guide_picture", "export_lookup_table", "export_workflow",
    "api_schema", "account_inactive", "account_reset_password_from_key", "account_reset_password_from_key_done",
    "mfa_download_recovery_codes",
}  # fmt: skip
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)


def used_by_people() -> list[str]:
    """The names of all addresses that show a builder a page."""
    return [name for name, (get, _) in RULES.items() if get.split()[0] == "shown" and name not in NO_PAGES]


def test_every_page_that_people_use_has_a_page_of_the_guide() -> None:
    assert [name for name in used_by_people() if guide.page_for(name) is None] == []


def test_no_page_of_the_guide_helps_with_an_address_that_is_not_there_or_has_one_already() -> None:
    helped = [name for page in PAGES for name in page.helps_with]
    assert [name for name in helped if name not in ADDRESSES] == []
    assert len(set(helped)) == len(helped)


def test_every_text_is_a_page_and_every_page_has_a_text() -> None:
    assert {path.stem for path in FOLDER.glob("*.html")} == {page.key for page in PAGES}


@each_page
def test_a_page_is_read_by_everybody_who_has_signed_in(page: GuidePage, client: Client, cast: Cast) -> None:
    for person in (cast.builder, cast.auditor, cast.outsider):
        client.force_login(person)
        text = client.get(page.url).content.decode()
        assert f'<h2 class="px-title">{page.title}</h2>' in text
        assert "{{" not in text
        assert "**" not in text


@each_page
def test_a_page_leads_only_where_something_is(page: GuidePage, client: Client, cast: Cast) -> None:
    client.force_login(cast.builder)
    article = re.search(r"<article.*?</article>", client.get(page.url).content.decode(), re.DOTALL)
    assert article is not None
    for address in set(re.findall(r'href="([^"]+)"', article[0])):
        assert client.get(address).status_code == 200, address


@each_page
def test_a_page_is_short_and_in_plain_words(page: GuidePage) -> None:
    text = re.sub(r"<[^>]+>|{%.*?%}", "", (FOLDER / f"{page.key}.html").read_text())
    assert 50 < len(text.split()) < 450
    for word in ("JSON", "regex", "endpoint", "UTC", "cron", "!"):
        assert word not in text


def test_the_question_mark_of_a_page_opens_its_own_page_of_the_guide(client: Client, cast: Cast) -> None:
    world = make_world(cast)
    furnish(world, cast)
    client.force_login(cast.builder)
    for name in ("workflow", "workflow_filter", "runs", "run", "recipe", "connections", "lookup_tables"):
        found = guide.page_for(name)
        assert found is not None
        text = client.get(path_of(name, world)).content.decode()
        assert f'href="{found.url}" title="Help: {found.title}"' in text


def test_the_list_of_the_guide_has_them_all_and_an_unknown_page_is_not_found(client: Client, cast: Cast) -> None:
    client.force_login(cast.builder)
    text = client.get(reverse("guide")).content.decode()
    assert [page.key for page in PAGES if page.url not in text] == []
    assert client.get(reverse("guide_page", args=["no-such-page"])).status_code == 404
