"""The law between the parts, as far as import-linter (pyproject.toml) cannot say it, and what nobody writes."""

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
TABLES = ("integrations.models", "workflows.models", "django.contrib.auth.models")
NETWORK = ("requests", "requests_oauthlib", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp")
MAIL = ("smtplib", "django.core.mail")
TALKS_TO_PROVIDERS = tuple(f"integrations.transport.{name}" for name in ("http", "sessions", "token_refresh"))
#: Call what people give, or the installation's own mail server, never a provider: no token is within their reach.
TALKS_OUTSIDE = (
    *(f"integrations.transport.{name}" for name in ("certificates", "exchange", "kept_sockets", "safe_fetch")),
    "integrations.connectors.mail.client",
    "integrations.connectors.mail.smtp",
)
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


#: Where Django is not set up when the module is read: what it needs is imported once it is.
LATE = re.compile(r"(^|\.)(apps|tasks|__main__)$")


def test_no_import_stands_inside_a_function() -> None:
    found = [
        f"{module.at(inner.lineno)} imports inside {outer.name}()"
        for module in modules().values()
        if not LATE.search(module.name)
        for outer in ast.walk(module.tree)
        if isinstance(outer, ast.FunctionDef)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert found == []


#: Django's own folders, whose meaning Django gives.
DJANGOS = {"migrations", "management", "commands", "templatetags", "static", "templates"}
MOST_MODULES = 15


def rooms() -> dict[str, list[Module]]:
    """Every package of ours with the modules that stand in it directly."""
    found: dict[str, list[Module]] = {}
    for module in modules().values():
        folder = module.path.parent
        if not DJANGOS & set(folder.parts):
            found.setdefault(str(folder.relative_to(ROOT)), []).append(module)
    return found


def test_every_room_says_what_lives_there_what_it_may_use_and_where_to_begin() -> None:
    silent = []
    for room in rooms():
        path = ROOT / room / "__init__.py"
        said = (ast.get_docstring(ast.parse(path.read_text())) or "") if path.exists() else ""
        if "Begin with" not in said or not re.search(r"\b([Mm]ay use|Uses|Knows)\b", said):
            silent.append(room)
    assert silent == []


def test_no_room_is_crowded() -> None:
    crowded = {room: len(found) for room, found in rooms().items()}
    assert {room: count for room, count in crowded.items() if count > MOST_MODULES + 1} == {}


def test_the_frame_of_pages_imports_nothing_of_ours() -> None:
    assert offences(having(FRAME), lambda found: below(found.module, "pinxero", "integrations", "workflows")) == []


def test_the_project_knows_no_connector_and_no_sandbox() -> None:
    assert offences(having("pinxero"), lambda found: below(found.module, *CONNECTORS, SANDBOX)) == []


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


def test_models_call_no_service() -> None:
    allowed = (
        "integrations.core.clock",
        "integrations.core.encryption",
        "integrations.core.exact_json",
        "integrations.models",
        "workflows.models",
    )
    ours = ("pinxero", "integrations", "workflows")
    assert (
        offences(
            having("integrations.models", "workflows.models"),
            lambda found: below(found.module, *ours) and found.module not in ours and not below(found.module, *allowed),
        )
        == []
    )


def test_one_module_imports_the_queue() -> None:
    users = [module for name, module in modules().items() if name != "workflows.runtime.broker"]
    assert offences(users, lambda found: below(found.module, "django_q")) == []


def test_two_modules_speak_to_providers_and_few_to_anything_else() -> None:
    speaking = (*TALKS_TO_PROVIDERS, *TALKS_OUTSIDE, SANDBOX, *TOOLS)
    silent = [module for name, module in modules().items() if not below(name, *speaking)]
    assert offences(silent, lambda found: below(found.module, *NETWORK), types_too=False) == []
    assert calls(silent, "socket.socket", "socket.create_connection", "socket.create_server") == []


def test_one_connector_sends_the_mails_of_workflows_and_three_modules_those_of_pinxero() -> None:
    mails = ("integrations.audit.signing", "integrations.people.invitation_mail", "workflows.notifications.email")
    sending = (*TALKS_OUTSIDE, "integrations.core.email_headers", *mails)
    silent = [module for module in having("integrations", "workflows") if not below(module.name, *sending)]
    assert offences(silent, lambda found: below(found.module, *MAIL)) == []


def test_what_calls_addresses_that_people_give_knows_no_token() -> None:
    secrets = (
        "integrations.transport.token_refresh",
        "integrations.transport.token_set",
        "integrations.core.encryption",
        *TABLES,
    )
    assert (
        offences(
            having(*TALKS_OUTSIDE, "integrations.transport.url_rules", "integrations.transport.header_secrets"),
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
    # The queue's own signal is how its monitor's heartbeat is seen; see workflows/runtime/broker.py.
    others = [module for name, module in modules().items() if name != "workflows.runtime.broker"]
    signals = ("django.dispatch", "django.db.models.signals", "django.core.signals", "django.contrib.auth.signals")
    assert offences(others, lambda found: below(found.module, *signals) or ".signals" in found.module) == []


# --- what nobody writes ---------------------------------------------------------------------------------------------

FORBIDDEN_NAMES = {"eval", "exec", "mark_safe", "csrf_exempt", "compile", "__import__"}
#: Called by programs, without a session that could be abused through them.
EXEMPT_VIEWS = ("integrations.views.webhook_receiver", "workflows.views.inbound")
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
