"""What the guide calls a button, a link or a field has this name on a page: nobody looks for what was renamed."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings

from integrations.framework import registry
from integrations.models import Role
from pinxero.guide import PAGES, GuidePage

ROOT = Path(settings.BASE_DIR)
#: Attributes that people see or hear, and labels given to an included template.
_SPOKEN = re.compile(r'(?:label|placeholder|title|data-px-[\w-]+)="([^"]*)"')
_UNSEEN = re.compile(r'{#.*?#}|<span class="material-symbols[^>]*>.*?</span>', re.DOTALL)
_BETWEEN = re.compile(r"<[^>]+>|{[{%].*?[%}]}", re.DOTALL)


def _bare(name: str) -> str:
    return unescape(name).strip().rstrip(".:…").strip()


@cache
def pieces() -> frozenset[str]:
    """Everything that a page may show as one piece: text between tags, and each text of the code, such as a label."""
    found: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        text = _UNSEEN.sub("", path.read_text())
        found.update(_SPOKEN.findall(text))
        found.update(_BETWEEN.split(text))
    for room in ("pinxero", "integrations", "workflows"):
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.walk(ast.parse(path.read_text()))
            found.update(node.value for node in tree if isinstance(node, ast.Constant) and isinstance(node.value, str))
    for path in (ROOT / "workflows" / "recipes" / "files").glob("*.json"):
        found.add(json.loads(path.read_text())["name"])
    found.update(label.partition(":")[0] for label in Role.labels)
    return frozenset(_bare(each) for each in found)


def is_shown(name: str) -> bool:
    """Whether a page can show it: whole, before the name of a provider or a number, or as a value of an output."""
    apps = "|".join(connector.name for connector in registry.connectors())
    beginning = re.sub(rf" (?:{apps}|\d+)$", "", _bare(name))
    keys = [part.lower().replace(" ", "_") for part in _bare(name).split(" · ")]
    return beginning in pieces() or (" " in name and all(key in pieces() for key in keys))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
def test_every_name_that_a_page_of_the_guide_gives_is_on_a_page_of_the_product(page: GuidePage) -> None:
    names = re.findall(r"<strong>(.*?)</strong>", (ROOT / "docs" / "guide" / f"{page.key}.html").read_text())
    assert [name for name in names if not is_shown(name)] == []


def test_a_name_that_no_page_has_is_found() -> None:
    assert is_shown("Run again with version 3…")
    assert is_shown("Connect Xero")
    assert is_shown("Figures · net profit")
    for name in ("Run it once…", "Run again with edition 3", "Connect the moon", "Figures · nett profit", "Metadata"):
        assert not is_shown(name), name
