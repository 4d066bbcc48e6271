"""Expressions written to break out, to exhaust or to confuse: each is refused, or gives harmless plain data.

Objects that record every touch lie in the data where a breakout would look first, and the interpreter's own audit
events tell whether anything was opened, imported, compiled or started.
"""

import ast
import re
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import integrations
from tests.workflows.hostile import EXPRESSIONS, NAMES
from workflows.language import mapping, parser
from workflows.language.mapping import MappingError


class Sentinel:
    """Records whatever is done to it; nothing may be."""

    touched: list[str] = []


def _recorder(name: str) -> Any:
    def record(self: Any, *arguments: Any) -> Any:
        Sentinel.touched.append(f"{name}{arguments}")
        raise AssertionError(f"{name} was reached")

    return record


SPECIAL_METHODS = """
    __getattribute__ __getattr__ __setattr__ __getitem__ __contains__ __iter__ __len__ __bool__ __str__ __repr__
    __format__ __call__ __eq__ __hash__ __lt__ __gt__ __le__ __ge__ __add__ __radd__ __mul__ __rmul__ __neg__ __int__
    __float__ __index__ __html__
"""
for _name in SPECIAL_METHODS.split():
    setattr(Sentinel, _name, _recorder(_name))


class KeyedTable(dict[str, Any]):
    """A table with its own idea of looking up: the language must not ask it."""

    __missing__ = _recorder("__missing__")
    __getitem__ = _recorder("__getitem__")
    __contains__ = _recorder("__contains__")
    get = _recorder("get")


def data() -> dict[str, Any]:
    secret: Any = Sentinel()
    loop: list[Any] = []
    loop.append(loop)
    reachable: dict[str, Any] = dict.fromkeys(NAMES, secret)
    return {
        **reachable,
        "trigger": {
            "title": "Oak table",
            "price": Decimal("99.99"),
            "lines": [{"amount": 1}],
            "secret": secret,
            "vault": [secret],
            "keyed": KeyedTable(x=1),
            "long": "x" * 50_000,
            "many": list(range(5_000)),
            "loop": loop,
            "huge": 10**5000,
            "tiny": Decimal("1e-999999"),
        },
        "steps": {},
    }


_watching = False
_events: list[str] = []
_REACHING = re.compile(
    r"(open|import|exec|compile)$|(os|subprocess|socket|ctypes|pty|shutil|code|glob)\.|sys\._getframe"
)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and _REACHING.match(event):
        _events.append(f"{event} {arguments}")


@pytest.fixture(scope="module", autouse=True)
def _hook() -> None:
    sys.addaudithook(_audit)  # hooks cannot be removed; this one sleeps unless `_watching`
    for source in ("{{ '\\N{LATIN SMALL LETTER A}' | to_date | default('x') }}", "{{ 1 }}"):
        attempt(source, {})  # whatever Python loads lazily for itself, it loads now


@contextmanager
def watched() -> Iterator[None]:
    global _watching
    _events.clear()
    Sentinel.touched.clear()
    _watching = True
    try:
        yield
    finally:
        _watching = False


def attempt(source: str, held: dict[str, Any]) -> tuple[Any, MappingError | None]:
    try:
        mapping.references(source)
        return mapping.evaluate(source, held), None
    except MappingError as error:
        return None, error


def parts(value: Any) -> Iterator[Any]:
    yield value
    for item in list(value.values()) if type(value) is dict else value if type(value) is list else []:
        yield from parts(item)


def test_there_are_more_than_two_hundred_distinct_expressions() -> None:
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS)
    assert len(EXPRESSIONS) > 350


@pytest.mark.parametrize("source", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_a_hostile_expression_reaches_nothing(source: str) -> None:
    held = data()
    with watched():
        result, error = attempt(source, held)
    assert Sentinel.touched == []
    assert _events == []
    if error is not None:
        assert error.message
        assert len(error.message) < 1_000
        return
    found = list(parts(result))
    assert {type(part) for part in found} <= {str, int, Decimal, bool, type(None), list, dict}
    assert len(found) <= 20_000
    assert not any("Sentinel" in part or "object at 0x" in part for part in found if isinstance(part, str))
    assert sum(len(part) for part in found if isinstance(part, str)) <= 1_000_000


def test_no_hostile_expression_runs_away_with_time_or_memory() -> None:
    held = data()
    slow: list[tuple[float, str]] = []
    for source in EXPRESSIONS:
        times = []
        for _ in range(3):
            parser.parse.cache_clear()
            started = time.process_time()
            attempt(source, held)
            times.append(time.process_time() - started)
        slow.append((min(times), source[:60]))
    # What runs away takes seconds; a bound near what it takes now would only measure the machine.
    assert max(slow)[0] < 1, max(slow)
    tracemalloc.start()
    try:
        for source in EXPRESSIONS:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            attempt(source, held)
            assert tracemalloc.get_traced_memory()[1] - before < 10_000_000, source[:60]
    finally:
        tracemalloc.stop()


def test_the_recorders_would_notice() -> None:
    with watched():
        for touch in (lambda: data()["trigger"]["secret"].x, lambda: str(data()["trigger"]["secret"])):
            with pytest.raises(AssertionError):
                touch()
        with Path(__file__).open():
            pass
    assert len(Sentinel.touched) == 2
    assert [event.split()[0] for event in _events] == ["open"]


LANGUAGE = Path(mapping.__file__).parent
#: Every module of the language, as operators.typed; what a new one does is looked at too.
MODULES = sorted(".".join(path.relative_to(LANGUAGE).with_suffix("").parts) for path in LANGUAGE.rglob("*.py"))
#: What the language reads with and inputs do too: as pure, and one layer down.
BELOW = ("integrations.core.moments", "integrations.core.numbers")
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "getattr", "setattr", "vars", "globals", "locals", "open",
    "from_string", "Template", "NativeEnvironment", "compile_expression", "render", "import_module", "system",
    "popen", "format", "format_map",
}  # fmt: skip
ALLOWED = {
    ("date_formats", "re.compile"),
    ("functions.days", "re.compile"),
    ("functions.money", "re.compile"),
    ("integrations.core.moments", "format"),  # format(Decimal, "f")
    ("integrations.core.moments", "re.compile"),
    ("integrations.core.numbers", "re.compile"),
    ("functions.text", "re.compile"),
    ("operators.typed", "re.compile"),
    ("references", "re.compile"),
    ("regex", "re2.compile"),  # linear time
    ("values", "re.compile"),
    ("values", "format"),  # format(Decimal, "f"): the pattern is fixed
    ("conditions", "self.operator.english.format_map"),  # the pattern is an operator's own English
}
STANDARD = {
    "__future__", "calendar", "collections", "dataclasses", "datetime", "decimal", "difflib", "email", "fractions",
    "functools", "hashlib", "html", "inspect", "json", "re", "time", "typing", "unicodedata", "urllib", "uuid",
    "zoneinfo",
}  # fmt: skip


def tree_of(module: str) -> ast.Module:
    root = Path(integrations.__file__).parent.parent if module in BELOW else LANGUAGE
    return ast.parse((root / f"{module.replace('.', '/')}.py").read_text())


@pytest.mark.parametrize("module", [*MODULES, *BELOW])
def test_the_language_never_uses_what_could_run_text(module: str) -> None:
    names = [ast.unparse(node.func) for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)]
    assert {(module, name) for name in names if name.rpartition(".")[2] in FORBIDDEN_CALLS} <= ALLOWED


@pytest.mark.parametrize("module", [*MODULES, *BELOW])
def test_the_language_needs_no_database_settings_or_network(module: str) -> None:
    imported: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module in ("workflows", "integrations"):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    ours = {name for name in imported if name.startswith(("workflows", "integrations"))}
    # How an input is declared: a list of kinds, without a table.
    known = {"workflows.language", "integrations.schema.fields", *BELOW}
    assert {name for name in ours if name not in known and not name.startswith("workflows.language.")} <= {
        f"integrations.core.{name.rpartition('.')[2]}" for name in BELOW
    } | {"integrations.core"}
    assert {name.partition(".")[0] for name in imported - ours} <= STANDARD | {"jinja2", "re2", "simplejson"}
