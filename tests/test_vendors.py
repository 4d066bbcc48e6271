"""The core knows no provider, by import or by text: only connectors and the sandbox name one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from django.conf import settings

from tests.source import below, modules

#: The sandbox stands in for these very providers, and the command that starts it says so.
MAY_NAME_THEM = ("integrations.connectors", "integrations.sandbox", "integrations.management.commands.sandbox")
_OURSELVES = re.compile("pinxero", re.IGNORECASE)


def test_nothing_but_connectors_and_the_sandbox_names_a_provider() -> None:
    found = [
        f"{module.at(line)} says {text!r}"
        for name, module in modules().items()
        if not below(name, *MAY_NAME_THEM)
        for line, text in words(module.tree)
        if named(text)
    ]
    assert found == []


def test_a_provider_is_found_by_its_name_in_headers_settings_hosts_and_classes() -> None:
    assert sorted(provider_names()) == ["pinimg", "pinterest", "xero"]
    for text in ["xero-correlation-id", "_XERO_MOMENT", "x-pinterest-rid", "Xero's", "*.pinimg.com", "PinterestClient"]:
        assert named(text), text
    for text in ["Pinxero", "PINXERO_MODE", "pinxero.E001", "pins"]:
        assert not named(text), text


def test_every_kind_of_name_and_text_is_read() -> None:
    source = (
        '"""Doc."""\nimport a.b as c\nfrom d import e\nclass F(G):\n    """Doc."""\n'
        '    h = i.j\n    def k(self, l, *m, **n): "Doc."; return o(p="q")\n'
    )
    assert {text for _, text in words(ast.parse(source))} == {*"acdeFGhijklmnopq", "a.b", "self"} - {"a"}


def named(text: str) -> bool:
    """Whether a text names a provider; our own name holds one."""
    rest = _OURSELVES.sub("", text).lower()
    return any(name in rest for name in provider_names())


@lru_cache(maxsize=1)
def provider_names() -> frozenset[str]:
    """The keys of connectors that have a provider, and the names in its hosts: `xero` of https://api.xero.com."""
    providers = [declared for declared in settings.CONNECTOR_SETTINGS if declared.hosts]
    hosts = [name for each in providers for name in (*each.file_hosts, *(host.netloc for host in each.hosts))]
    return frozenset({each.key for each in providers} | {host.split(".")[-2] for host in hosts})


def words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Names and texts of the code, each with its line; docstrings may give examples."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
        for text in (getattr(node, name, None) for name in ("id", "attr", "name", "asname", "arg", "module")):
            if isinstance(text, str):
                yield getattr(node, "lineno", 0), text
