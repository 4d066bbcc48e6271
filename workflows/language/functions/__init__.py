"""The functions a mapping can use after a pipe: `{{ trigger.title | upper }}`.

May use the rest of the language. Begin with `text.py`.

Adding one is a typed Python function under `@function`: its docstring is the summary, its annotations say how the
value and the arguments are read (str, Decimal, int, bool, date, datetime, list, Any), `context` receives what is known
about the organisation. The picker, the documentation and the tests read the same declaration; a test runs each
example. Functions are pure, return plain data and never more than the limits of `values` allow.
"""

from difflib import get_close_matches

from workflows.language.functions import data, days, lists, money, number, text
from workflows.language.functions.number import read_number
from workflows.language.signatures import FUNCTIONS, GROUPS, Function, Parameter, function
from workflows.language.values import MappingSyntaxError

__all__ = [
    "FUNCTIONS",
    "Function",
    "Parameter",
    "by_group",
    "data",
    "days",
    "find",
    "function",
    "lists",
    "money",
    "number",
    "read_number",
    "text",
]


def find(name: str) -> Function:
    """The function of this name, or a MappingSyntaxError that suggests similar ones."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    near = get_close_matches(name[:40], FUNCTIONS, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "The list of functions shows what there is."
    raise MappingSyntaxError(f'There is no function called "{name[:40]}". {hint}')


def by_group() -> list[tuple[str, list[Function]]]:
    """For the picker: each group's label with its functions, by their labels."""
    return [
        (label, sorted((each for each in FUNCTIONS.values() if each.kind == kind), key=lambda each: each.label))
        for kind, label in GROUPS.items()
    ]
