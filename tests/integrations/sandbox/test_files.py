"""The sandbox's files behind links, to be attached while trying."""

from __future__ import annotations

import re

from tests.provider import Sandbox


def test_a_paper_and_a_picture_are_there_under_any_name(sandbox: Sandbox) -> None:
    paper = sandbox.session.get(f"{sandbox.url}/files/delivery-note.pdf")
    assert (paper.status_code, paper.headers["Content-Type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF-1.4\n")
    assert b"(delivery-note) Tj" in paper.content
    place = re.search(rb"startxref\n(\d+)\n%%EOF\n$", paper.content)
    assert place is not None
    assert paper.content[int(place[1]) :].startswith(b"xref\n0 6\n")
    picture = sandbox.session.get(f"{sandbox.url}/files/oak.png")
    assert (picture.headers["Content-Type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert sandbox.session.get(f"{sandbox.url}/files/oak.exe").status_code == 404


def test_its_page_tells_the_link_and_the_link_is_no_call_of_an_api(sandbox: Sandbox) -> None:
    before = len(sandbox.ledger())
    page = sandbox.session.get(sandbox.url).text
    assert '<a href="/files/delivery-note.pdf">delivery-note.pdf</a>' in page
    sandbox.session.get(f"{sandbox.url}/files/delivery-note.pdf")
    assert len(sandbox.ledger()) == before
