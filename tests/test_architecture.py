"""The law between the parts, held by reading the source: who may import whom, and what nobody writes."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable

import pytest
from django.core.management import call_command

from tests.source import CONNECTORS, ROOT, Import, Module, below, files, modules

#: The frame of every page: imported by views of all layers, so it may import none of them.
FRAME = "pinxero.pages"
SANDBOX = "integrations.sandbox"
#: Tools of development, which drive a running Pinxero from outside as a browser does.
TOOLS = ("pinxero.development", "pinxero.management.commands")
PURE = (
    "integrations.addresses",
    "integrations.errors",
    "integrations.schema",
    "workflows.conditions",
    "workflows.functions",
    "workflows.mapping",
)
TABLES = ("integrations.models", "workflows.models", "django.contrib.auth.models")
NETWORK = ("requests", "requests_oauthlib", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp")
MAIL = ("smtplib", "django.core.mail")
TALKS_TO_PROVIDERS = ("integrations.http", "integrations.oauth")
#: Call what people give, or the installation's own mail server, never a provider: no token is within their reach.
TALKS_OUTSIDE = ("integrations.outside", "integrations.mail.client", "integrations.mail.smtp")
TOP_LEVEL = {
    "Makefile",
    "README.md",
    "bench",
    "docs",
    "integrations",
    "manage.py",
    "pinxero",
    "pyproject.toml",
    "requirements.txt",
    "templates",
    "tests",
    "workflows",
}
MADE_HERE = {"static"}  # collectstatic's output, ignored by git
LONG_FILES: dict[str, str] = {}  # path: why it is better long


def is_core(name: str) -> bool:
    """The core of integrations: neither a connector nor the sandbox with its command."""
    return below(name, "integrations") and not below(
        name, *CONNECTORS, SANDBOX, "integrations.management.commands.sandbox"
    )


def offences(sources: Iterable[Module], forbidden: object, *, types_too: bool = True) -> list[str]:
    """Imports of `sources` for which `forbidden(import)` holds, as places."""
    assert callable(forbidden)
    return sorted(
        {
            f"{module.at(found.line)} imports {found.module}"
            for module in sources
            for found in module.imports
            if (types_too or not found.for_types) and forbidden(found)
        }
    )


def having(*packages: str) -> list[Module]:
    return [module for name, module in modules().items() if below(name, *packages)]


# --- who may import whom --------------------------------------------------------------------------------------------


def test_the_reader_of_imports_sees_every_kind_of_import() -> None:
    # What the tests below cannot see they cannot forbid.
    source = (
        "import a\nfrom b import c\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import d\n"
        "def f():\n    from . import e\n    from ..g import h\n"
    )
    module = Module("one.two.three", ROOT / "manage.py")
    module.__dict__["tree"] = ast.parse(source)
    assert module.imports == (
        Import("a", 1, False),
        Import("b", 2, False),
        Import("b.c", 2, False),
        Import("typing", 3, False),
        Import("typing.TYPE_CHECKING", 3, False),
        Import("d", 5, True),
        Import("one.two", 7, False),
        Import("one.two.e", 7, False),
        Import("one.g", 8, False),
        Import("one.g.h", 8, False),
    )


def test_nothing_below_imports_the_project() -> None:
    assert (
        offences(
            having("integrations", "workflows"),
            lambda found: (
                below(found.module, "pinxero") and not below(found.module, FRAME) and found.module != "pinxero"
            ),
        )
        == []
    )


def test_the_frame_of_pages_imports_nothing_of_ours() -> None:
    assert offences(having(FRAME), lambda found: below(found.module, "pinxero", "integrations", "workflows")) == []


def test_workflows_know_no_connector_and_no_sandbox() -> None:
    assert offences(having("workflows"), lambda found: below(found.module, *CONNECTORS, SANDBOX)) == []


def test_the_project_knows_no_connector_and_no_sandbox() -> None:
    assert offences(having("pinxero"), lambda found: below(found.module, *CONNECTORS, SANDBOX)) == []


def test_the_core_of_integrations_imports_neither_workflows_nor_connectors() -> None:
    core = [module for name, module in modules().items() if is_core(name)]
    assert offences(core, lambda found: below(found.module, "workflows", *CONNECTORS, SANDBOX)) == []


@pytest.mark.parametrize("connector", CONNECTORS)
def test_a_connector_imports_the_core_and_itself_only(connector: str) -> None:
    others = [each for each in (*CONNECTORS, SANDBOX, "workflows") if each != connector]
    assert offences(having(connector), lambda found: below(found.module, *others)) == []


@pytest.mark.parametrize("connector", CONNECTORS)
def test_a_connector_touches_no_table(connector: str) -> None:
    # Fixed lists of values are declared as TextChoices, which Django keeps beside the tables.
    lists = {"django.db.models", "django.db.models.TextChoices"}
    tables = (*TABLES, "django.db")
    assert (
        offences(
            having(connector),
            lambda found: below(found.module, *tables) and found.module not in lists,
            types_too=False,
        )
        == []
    )


def test_the_sandbox_stands_alone() -> None:
    assert (
        offences(
            having(SANDBOX),
            lambda found: below(found.module, "pinxero", "workflows", "integrations.models", *CONNECTORS),
        )
        == []
    )


def test_pure_modules_reach_no_table_by_any_way() -> None:
    assert {name: sorted(reached(name) & set(TABLES)) for name in PURE if name in modules()} == {
        name: [] for name in PURE
    }


def reached(start: str) -> set[str]:
    """Every module that importing `start` loads, as far as it is ours, and what those import."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in modules():
            waiting += [found.module for found in modules()[name].imports if not found.for_types]
    return seen


def test_models_call_no_service() -> None:
    allowed = ("integrations.encryption", "integrations.jsonfield", "integrations.models", "workflows.models")
    ours = ("pinxero", "integrations", "workflows")
    assert (
        offences(
            having("integrations.models", "workflows.models"),
            lambda found: below(found.module, *ours) and found.module not in ours and not below(found.module, *allowed),
        )
        == []
    )


def test_one_module_imports_the_queue() -> None:
    users = [module for name, module in modules().items() if name != "workflows.queue"]
    assert offences(users, lambda found: below(found.module, "django_q")) == []


def test_two_modules_speak_to_providers_and_few_to_anything_else() -> None:
    speaking = (*TALKS_TO_PROVIDERS, *TALKS_OUTSIDE, SANDBOX, *TOOLS)
    silent = [module for name, module in modules().items() if not below(name, *speaking)]
    assert offences(silent, lambda found: below(found.module, *NETWORK), types_too=False) == []
    assert calls(silent, "socket.socket", "socket.create_connection", "socket.create_server") == []


def test_one_connector_sends_the_mails_of_workflows_and_one_module_those_about_them() -> None:
    sending = (*TALKS_OUTSIDE, "workflows.mailing")
    silent = [module for module in having("integrations", "workflows") if not below(module.name, *sending)]
    assert offences(silent, lambda found: below(found.module, *MAIL)) == []


def test_what_calls_addresses_that_people_give_knows_no_token() -> None:
    secrets = ("integrations.oauth", "integrations.tokens", "integrations.encryption", *TABLES)
    assert (
        offences(
            having(*TALKS_OUTSIDE, "integrations.addresses", "integrations.header_secrets"),
            lambda found: below(found.module, *secrets),
        )
        == []
    )


def test_nothing_calls_the_outermost_layers() -> None:
    # Views, admin, API and tasks call services; only addresses, other views and their own connector import them
    # (allauth wants a provider to name its views' adapter).
    outer = re.compile(r"^(integrations|workflows)(\.\w+)*\.(admin|api|views|tasks)(\.|$)")
    callers = [
        module
        for name, module in modules().items()
        if not outer.match(name)
        and name != "pinxero.admin"
        and name.rsplit(".", 1)[-1] not in ("urls", "apps")
        and not below(name, SANDBOX, *CONNECTORS)
    ]
    assert offences(callers, lambda found: outer.match(found.module) is not None) == []


def test_business_flow_uses_no_signals() -> None:
    # The queue's own signal is how its monitor's heartbeat is seen; see workflows/queue.py.
    others = [module for name, module in modules().items() if name != "workflows.queue"]
    signals = ("django.dispatch", "django.db.models.signals", "django.core.signals", "django.contrib.auth.signals")
    assert offences(others, lambda found: below(found.module, *signals) or ".signals" in found.module) == []


def test_the_core_of_integrations_names_no_connector() -> None:
    named = re.compile(r"(?<![a-z])(pinterest|xero)(?![a-z])")
    found = [
        f"{module.at(line)} says {text!r}"
        for name, module in modules().items()
        if is_core(name)
        for line, text in words(module.tree)
        if named.search(text.lower())
    ]
    assert found == []


def words(tree: ast.Module) -> Iterable[tuple[int, str]]:
    """Names and texts of the code; docstrings may give examples."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr


# --- what nobody writes ---------------------------------------------------------------------------------------------

FORBIDDEN_NAMES = {"eval", "exec", "mark_safe", "csrf_exempt", "compile", "__import__"}
#: Called by programs, without a session that could be abused through them.
EXEMPT_VIEWS = ("integrations.views_webhooks", "workflows.views.inbound")
FORBIDDEN_MODULES = ("pickle", "marshal", "shelve")


def test_no_code_runs_text_or_trusts_it() -> None:
    # The sandbox has no sessions, so nothing of it could be forged, and refuses pages from elsewhere by their origin.
    # The providers' notices are signed and have one view; the secret addresses of workflows have another. Neither looks
    # at a session.
    used = [
        (module, node.lineno, name)
        for module in modules().values()
        for node in ast.walk(module.tree)
        if (name := called(node)) in FORBIDDEN_NAMES and not (name == "csrf_exempt" and below(module.name, SANDBOX))
    ]
    hooks = [use for use in used if use[0].name in EXEMPT_VIEWS and use[2] == "csrf_exempt"]
    assert [f"{module.at(line)} uses {name}" for module, line, name in used if (module, line, name) not in hooks] == []
    assert sorted(use[0].name for use in hooks) == sorted(EXEMPT_VIEWS)
    assert offences(modules().values(), lambda found: below(found.module, *FORBIDDEN_MODULES)) == []


def called(node: ast.AST) -> str:
    """The bare name that is called or used as a decorator; `re.compile` is an attribute and no concern."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and node.attr in ("mark_safe", "csrf_exempt"):
        return node.attr
    return ""


@pytest.mark.parametrize(
    ("meaning", "pattern"),
    [
        ("unescaped text", r"\|\s*safe\b|autoescape\s+off"),
        ("inline scripts, which the content security policy stops", r"<script(?![^>]*\bsrc=)[^>]*>"),
        ("inline handlers, which the content security policy stops", r"<[a-z][^>]*\son[a-z]+\s*="),
        (
            "addresses of other hosts for scripts, styles or pictures",
            r"(src|href)=[\"'](https?:)?//[^\"']+\.(js|css|woff2?)",
        ),
    ],
)
def test_no_template_has(meaning: str, pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files(".html")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert found == [], meaning


def test_no_shell_is_started() -> None:
    assert calls(modules().values(), "os.system", "os.popen", "subprocess.getoutput") == []
    found = [
        module.at(node.lineno)
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and any(each.arg == "shell" for each in node.keywords)
    ]
    assert found == []


def calls(sources: Iterable[Module], *functions: str) -> list[str]:
    """Places that call one of the functions by its dotted name."""
    return [
        f"{module.at(node.lineno)} calls {ast.unparse(node.func)}"
        for module in sources
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in functions
    ]


# --- files ----------------------------------------------------------------------------------------------------------


def test_the_top_level_holds_what_the_design_names_and_nothing_else() -> None:
    assert {name for name in os.listdir(ROOT) if not name.startswith(".")} - MADE_HERE <= TOP_LEVEL


def test_no_file_is_longer_than_400_lines_without_a_reason() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in files(".py", ".js", ".html")
        if "migrations" not in path.parts and (count := len(path.read_text().splitlines())) > 400
    }
    assert {path: count for path, count in long.items() if path not in LONG_FILES} == {}
    assert set(LONG_FILES) <= set(long), "the list of reasons names files that are short now"


def test_no_file_names_a_machines_path_or_a_package_registry() -> None:
    machine = re.compile(r"(?<![\w.])/(work|root|home)/|py[p]i\.org|python[h]osted|npm[j]s|registry\.np[m]")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files()
        if path.suffix
        in {"", ".py", ".md", ".txt", ".toml", ".html", ".css", ".js", ".env", ".yml", ".service", ".json"}
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if machine.search(line)
    ]
    assert found == []


@pytest.mark.django_db
def test_the_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_sandboxs_migrations_are_complete() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "integrations.sandbox.settings",
            "SANDBOX_DATABASE": ":memory:",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout) == (0, "No changes detected\n"), outcome.stderr
