"""Entries as people read them: rows of the activity page and of its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db.models import QuerySet
from django.utils import timezone

from integrations.audit import objects
from integrations.audit.actions import label_of
from integrations.audit.word_changes import Change, changes
from integrations.core.address_values import number_of
from integrations.core.workbooks import Cell
from integrations.models import AuditEntry, AuditOrigin, Role

#: The columns of the files, and how wide they are in a workbook, in letters.
COLUMNS = {
    "Number": 8, "When": 19, "Who": 22, "Role": 10, "From": 16, "What": 26, "Kind": 14, "About": 30, "ID": 8,
    "Why": 34, "Before": 44, "After": 44, "Hash": 64,
}  # fmt: skip
_PORTION = 500
#: Longer texts are folded away, and texts longer than this are shown without working out how they differ.
_SHORT, _COMPARED = 60, 20_000
_ROLES = {role.value: role.name.capitalize() for role in Role} | {"superuser": "Superuser"}
_SELF, _STRANGER = "Pinxero", "Somebody who was not signed in"


@dataclass(frozen=True)
class ValueChange:
    """One value before and after; None where the entry has only the other. `changes` are the sentences that differ, of
    a long text that has both."""

    label: str
    before: str | None
    after: str | None
    changes: Sequence[Change] = ()

    @property
    def is_long(self) -> bool:
        """Whether it is folded away."""
        return any("\n" in text or len(text) > _SHORT for text in (self.before or "", self.after or ""))


@dataclass(frozen=True)
class EntryRow:
    """An entry with everything in words. `address` is the IP address that it came from, `url` the page of what it is
    about; each empty where there is none."""

    entry: AuditEntry
    what: str
    who: str
    role: str
    address: str
    kind: str
    name: str
    url: str

    @property
    def lead(self) -> str:
        """The kind, as it stands before the name."""
        return objects.titled(self.kind, self.name).removesuffix(self.name)

    @property
    def changes(self) -> list[ValueChange]:
        """What is different, value by value."""
        before, after = self.entry.before, self.entry.after
        return [_change(label, before.get(label), after.get(label)) for label in {**before, **after}]


def _change(label: str, before: str | None, after: str | None) -> ValueChange:
    change = ValueChange(label, before, after)
    if not change.is_long or before is None or after is None or len(before) + len(after) > _COMPARED:
        return change
    return ValueChange(label, before, after, changes(before, after))


def entry_rows(entries: Sequence[AuditEntry]) -> list[EntryRow]:
    """The entries of one chain, with names, addresses and pages in a few queries for all."""
    if not entries:
        return []
    things = {(each.object_type, each.object_id) for each in entries}
    ids = {each.person for each in entries if each.person is not None}
    ids |= {pk for kind, text in things if kind == objects.PERSON and (pk := number_of(text)) is not None}
    names = objects.people(ids)
    origins = {each.origin for each in entries if each.origin is not None}
    addresses = dict(AuditOrigin.objects.filter(pk__in=origins).values_list("pk", "address"))
    pages = objects.addresses(entries[0].chain, things)
    return [
        EntryRow(
            entry=each,
            what=label_of(each.action),
            who=_who(each, names),
            role=_ROLES.get(each.role, each.role),
            address="" if each.origin is None else addresses.get(each.origin, "an address that has been erased"),
            kind=objects.label_of(each.object_type),
            name=_name(each, names),
            url=pages.get((each.object_type, each.object_id), ""),
        )
        for each in entries
    ]


def _who(entry: AuditEntry, names: Mapping[int, str]) -> str:
    if entry.person is not None:
        return names.get(entry.person, objects.ERASED)
    return _STRANGER if entry.origin_seal else _SELF


def _name(entry: AuditEntry, names: Mapping[int, str]) -> str:
    pk = number_of(entry.object_id) if entry.object_type == objects.PERSON else None
    return entry.object_name if pk is None else names.get(pk, objects.ERASED)


def file_rows(found: QuerySet[AuditEntry]) -> Iterator[list[Cell]]:
    """The entries as rows of a file, read in parts."""
    entries = found.iterator(chunk_size=_PORTION)
    while portion := list(islice(entries, _PORTION)):
        yield from map(_cells, entry_rows(portion))


def _cells(row: EntryRow) -> list[Cell]:
    entry = row.entry
    when = timezone.localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S")
    return [
        entry.number, when, row.who, row.role, row.address, row.what, row.kind, row.name, entry.object_id,
        entry.reason, _lines(entry.before), _lines(entry.after), entry.hash,
    ]  # fmt: skip


def _lines(words: Mapping[str, str]) -> str:
    return "\n".join(f"{label}: {text}" for label, text in words.items())
