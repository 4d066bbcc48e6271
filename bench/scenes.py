"""What somebody else may do between a write and its lookup, and how the books show it.

In each scene a write or its answer is lost; then a person on the provider's own pages, or another app, does something
with the same record; then Pinxero finds out whether its write was carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bench.stage import Stage
from bench.writes import DAY, LATER, WRITES, Books, Maker, Setting

#: Neither the first attempt nor the repetition arrives; the first arrives and the repetition is answered with an error.
#: After either the key no longer helps, and the write is looked up.
LOST, DONE = ("lost: reset", "lost: 500"), ("done: reset", "lost: 500")
#: The same if the provider keeps no keys: there is no repetition before the lookup.
LOST_ONCE, DONE_ONCE = ("lost: reset",), ("done: reset",)


class Others:
    """The second actor. The ids of what it makes are kept, to distinguish it from what Pinxero makes."""

    def __init__(self, stage: Stage, maker: Maker, setting: Setting) -> None:
        self.stage, self.maker, self.setting, self.label = stage, maker, setting, setting.label
        self.made: set[str] = set()
        self.ours: set[str] = set()  # ids of what Pinxero wrote, if its label is about to be removed

    def change(self, what: str, key: str, **fields: Any) -> None:
        """A person changes a record."""
        self.stage.control("POST", "change", what=what, id=key, **fields)

    def make(self, what: str, **details: Any) -> str:
        """A person makes a record."""
        self.made.add(key := self.maker.make(what, **details))
        return key

    def xero(self, method: str, path: str, body: Any, *, plural: str = "", id_name: str = "") -> Any:
        """Another app writes to Xero."""
        return self._write(f"{self.stage.url}/{path}", method, body, _xero_headers(self.stage), plural, id_name)

    def pinterest(self, method: str, path: str, body: Any = None) -> Any:
        """Another app writes to Pinterest."""
        token = self.stage.control("POST", "tokens", provider="pinterest")["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return self._write(f"{self.stage.url}/v5/{path}", method, body, headers, "", "id")

    def _write(self, url: str, method: str, body: Any, headers: dict[str, str], plural: str, id_name: str) -> Any:
        answer = self.stage.session.request(method, url, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        told = answer.json() if answer.content else {}
        made = told[plural][0] if plural else told
        if id_name and method in {"PUT", "POST"}:
            self.made.add(str(made[id_name]))
        return made

    def written(self, plural: str) -> dict[str, Any]:
        """The document that Pinxero has just written."""
        from bench.witness import records

        return next(each for each in records(self.stage, plural) if self.label in str(each))

    def pin(self) -> str:
        """The pin that Pinxero has just made."""
        pins = self.stage.control("GET", "state")["pins"]
        return str(next(each["id"] for each in pins if each["title"] == self.label))


def _xero_headers(stage: Stage) -> dict[str, str]:
    from bench.witness import headers

    return headers(stage)


Act = Callable[[Others], None]
#: The ids of everything in the books that could be an effect of the write, deleted records too, whoever made it.
Found = Callable[[Books, Others], list[str]]


@dataclass(frozen=True)
class Scene:
    """`found` returns the effects, `is_kept` whether the other's change is still there. With `may_find` Pinxero may end
    with what the other made: because it finds or creates, or because the other made exactly what was sent, at a time
    when it could have been Pinxero. With `is_one` there may be no second, whoever made the first."""

    name: str
    operation: str
    faults: tuple[str, ...]
    act: Act
    found: Found
    is_kept: Callable[[Books, Others], bool] = lambda books, others: True
    before: Act | None = None
    given: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    may_find: bool = False
    is_one: bool = False

    def settle(self, maker: Maker, label: str) -> Setting:
        """The setting of the scene, with the inputs that it changes."""
        setting = WRITES[self.operation].settle(maker, label)
        given = {name: value.format(label=label) for name, value in self.given.items()}
        kept = {name: value for name, value in setting.inputs.items() if name not in self.without}
        return replace(setting, inputs=kept | given)


def listed(plural: str, id_name: str, *, name: str = "") -> Found:
    """The records that contain the label, in the named field or anywhere."""

    def found(books: Books, others: Others) -> list[str]:
        rows = [each for each in books.of[plural] if others.label in str(each[name] if name else each)]
        return [str(each[id_name]) for each in rows]

    return found


def of_email(books: Books, others: Others) -> list[str]:
    """The contacts with the label's e-mail address, whatever they are called."""
    wanted = others.setting.inputs["email"]
    return [str(each["ContactID"]) for each in books.of["Contacts"] if each["EmailAddress"] == wanted]


def as_wanted(operation: str) -> Found:
    """What the matrix counts, for effects that are not records themselves."""

    def found(books: Books, others: Others) -> list[str]:
        return [f"{number}" for number in range(WRITES[operation].count(books, others.setting))]

    return found


def once(books: Books, others: Others) -> list[str]:
    """The write arrived; what the other does to it later does not count."""
    return ["it"]


def nothing(others: Others) -> None:
    """Nobody does anything: it existed before."""


def line(amount: str = "10", account: str = "200", **more: Any) -> dict[str, Any]:
    return {"Quantity": 2, "UnitAmount": float(amount), "AccountCode": account, **more}


def document(others: Others, plural: str, id_name: str, *, amount: str = "10", **fields: Any) -> None:
    """Another app writes its own document."""
    account = "200" if fields.get("Type", "").startswith("ACCREC") else "310"
    lines = [line(amount, account, Description=f"{others.label} of another")]
    record = {"Contact": {"ContactID": others.maker.customer}, "Date": DAY, "LineItems": lines, **fields}
    if plural == "Invoices":
        record["DueDate"] = LATER
    others.xero("PUT", f"api.xro/2.0/{plural}", {plural: [record]}, plural=plural, id_name=id_name)


def changes(what: str, plural: str, id_name: str, **fields: Any) -> Act:
    """A person changes what Pinxero has just written."""

    def act(others: Others) -> None:
        record = others.written(plural)
        said = {name: value.format(label=others.label) for name, value in fields.items()}
        others.change(what, str(record[id_name]), **said)

    return act


def changes_target(what: str, **fields: Any) -> Act:
    """A person changes the record that the write concerns."""
    return lambda others: others.change(what, others.setting.ids[0], **fields)


def record_is(plural: str, id_name: str, **wanted: Any) -> Callable[[Books, Others], bool]:
    """Whether the record that the write concerns is as the person left it."""

    def is_kept(books: Books, others: Others) -> bool:
        record = books.by_id(plural, id_name, others.setting.ids[0])
        return all(record.get(name) == value for name, value in wanted.items())

    return is_kept
