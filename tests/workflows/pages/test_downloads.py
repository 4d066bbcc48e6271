"""Files that pages hand out: their names stay names, whatever people call their workflows and tables."""

from __future__ import annotations

import re
from email.message import EmailMessage
from urllib.parse import unquote

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.views.downloads import download
from tests.base import Cast
from tests.workflows.conftest import Make
from tests.workflows.scripted.connector import Provider
from workflows.lookup_tables import editing

LEFT_OUT = set('<>:"/\\|?*%;')


def name_of(response: HttpResponse) -> str:
    """The file's name as a browser reads it (RFC 6266)."""
    header = response["Content-Disposition"]
    extended = re.fullmatch(r"attachment; filename\*=utf-8''([A-Za-z0-9%~._-]+)", header)
    if extended:
        return unquote(extended[1])
    quoted = re.fullmatch(r'attachment; filename="([^"\\]+)"', header)
    assert quoted, header
    return quoted[1]


@given(st.one_of(st.text(max_size=300), st.text(alphabet='./\\"\r\n=?%;:\u202e\u200f a', max_size=40)))
@example("../../etc/passwd")
@example('x"; filename="evil.exe')
@example("a\r\nSet-Cookie: x=1")
@example("table\u202evsc.exe")
@example("=?utf-8?q?evil=2Eexe?=")
@example("a%2e%2e%2fb")
@example("...")
@example("")
def test_a_name_leads_nowhere_says_nothing_else_and_has_its_own_extension(stem: str) -> None:
    response = download("x", stem=stem, extension="csv", content_type="text/csv")
    name = name_of(response)
    assert name.endswith(".csv")
    assert len(name) <= 154
    assert name.removesuffix(".csv").strip(" .") == name.removesuffix(".csv") != ""
    assert name.isprintable()
    assert not LEFT_OUT & set(name)
    assert "=?" not in name
    assert response["Cache-Control"] == "no-store"
    # Django encodes what is no Latin-1 into a word that browsers do not read; nothing may come that far.
    assert response.headers["Content-Disposition"].isascii()


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("Boards, version 2", "Boards, version 2.csv"),
        ("Größen/東京", "Größen 東京.csv"),
        ("../../etc/passwd", "etc passwd.csv"),
        ("table\u202evsc.exe", "tablevsc.exe.csv"),
        ("=?utf-8?q?x?=", "= utf-8 q x =.csv"),
        ("...", "file.csv"),
    ],
)
def test_what_people_may_read_of_a_name_is_kept(stem: str, name: str) -> None:
    assert name_of(download("x", stem=stem, extension="csv", content_type="text/csv")) == name


@pytest.mark.django_db
def test_a_table_and_a_workflow_of_any_name_are_downloaded_under_a_plain_one(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    client = Client()
    client.force_login(cast.builder)
    name = 'Rates\u202e "2026" ../x; filename=evil.exe'
    workflow = make_workflow(name=name)
    assert name_of(client.get(reverse("export_workflow", args=[workflow.pk]))) == "rates-2026-x-filenameevilexe.json"
    table = editing.create(cast.team, name=name, description="", columns=["Key", "Rate"], rows=[], by=cast.builder)
    answer = client.get(reverse("export_lookup_table", args=[table.pk]))
    assert name_of(answer) == "Rates 2026 .. x filename=evil.exe, version 1.csv"
    assert answer["Cache-Control"] == "no-store"


def test_the_header_is_read_the_same_by_another_parser() -> None:
    told = EmailMessage()
    told["Content-Disposition"] = download("x", stem="Größe, a", extension="csv", content_type="text/csv")[
        "Content-Disposition"
    ]
    assert told.get_filename() == "Größe, a.csv"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["../1", "..%2f1", "%2e%2e/%2e%2e/etc/passwd", "1/../../../etc/passwd", "1%00", "-1"])
def test_no_address_of_a_backup_leads_to_a_file(cast: Cast, client: Client, path: str) -> None:
    client.force_login(cast.builder)
    assert client.get(f"/runs/1/backup/{path}/").status_code == 404
