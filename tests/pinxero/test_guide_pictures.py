"""The pictures of the guide: each one is there, is described, is small, and is shown inside the product."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from pinxero.guide import PAGES, GuidePage
from tests.base import Cast
from tests.pictures.camera import SCALE, write_sizes

DOCS = Path(settings.BASE_DIR) / "docs"
TEXTS = sorted((DOCS / "guide").glob("*.html"))
#: Bytes: of one picture, and of all together, which everybody who clones the repository fetches.
MOST_OF_ONE, MOST_OF_ALL = 100_000, 1_500_000
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)


class _Images(HTMLParser):
    """The attributes of every image in a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append({name: value or "" for name, value in attrs})


def images(path: Path) -> list[dict[str, str]]:
    return _Images(path.read_text()).found


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of a lossy WebP, in pixels (https://developers.google.com/speed/webp/docs/riff_container)."""
    assert picture[:4] == b"RIFF"
    if picture[12:16] == b"VP8X":
        return 1 + int.from_bytes(picture[24:27], "little"), 1 + int.from_bytes(picture[27:30], "little")
    assert picture[12:16] == b"VP8 "
    width, height = int.from_bytes(picture[26:28], "little"), int.from_bytes(picture[28:30], "little")
    return width & 0x3FFF, height & 0x3FFF


def test_every_page_of_the_guide_has_one_or_two_pictures() -> None:
    assert [text.stem for text in TEXTS if not 1 <= len(images(text)) <= 2] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_picture_is_there_says_what_is_on_it_and_takes_its_place_before_it_has_come(text: Path) -> None:
    for image in images(text):
        path = text.parent / image["src"]
        assert path.is_file(), image["src"]
        assert 6 <= len(image["alt"].split()) <= 45
        assert image["loading"] == "lazy"
        assert size_of(path.read_bytes()) == (int(image["width"]) * SCALE, int(image["height"]) * SCALE)


def test_no_picture_is_left_that_neither_the_guide_nor_the_readme_shows() -> None:
    shown = {Path(image["src"]).name for text in TEXTS for image in images(text)}
    shown |= set(re.findall(r"docs/images/([\w.-]+)", (DOCS.parent / "README.md").read_text()))
    assert {path.name for path in (DOCS / "images").iterdir()} == shown


def test_the_pictures_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}
    assert {name: size for name, size in sizes.items() if size > MOST_OF_ONE} == {}
    assert sum(sizes.values()) <= MOST_OF_ALL


@each_page
def test_a_page_shows_its_pictures_in_the_product_to_everybody_who_has_signed_in(
    page: GuidePage, client: Client, cast: Cast
) -> None:
    client.force_login(cast.outsider)
    for image in _Images(client.get(page.url).content.decode()).found:
        answer = client.get(urljoin(page.url, image["src"]))
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/webp"
        assert "private" in answer["Cache-Control"]


def test_a_picture_is_not_for_strangers_and_nothing_but_a_picture_is_given(client: Client, cast: Cast) -> None:
    address = reverse("guide_picture", args=["values.webp"])
    assert client.get(address).status_code == 302
    client.force_login(cast.builder)
    for name in ("no-such.webp", "..%2f..%2fREADME.md", "%2e%2e", "values.webp%00", "values"):
        assert client.get(address.replace("values.webp", name)).status_code == 404, name


def test_new_pictures_bring_their_sizes_into_the_texts() -> None:
    text = '<img src="../images/a-b.webp" width="1" height="2" alt="A" loading="lazy"> width="1" height="2"'
    renewed = '<img src="../images/a-b.webp" width="30" height="40" alt="A" loading="lazy"> width="1" height="2"'
    assert write_sizes(text, {"a-b": (30, 40)}) == renewed
    with pytest.raises(KeyError):
        write_sizes(text, {})
