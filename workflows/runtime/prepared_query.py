"""A query whose SQL is built once per connection and then only executed, for what is asked before every run.

Building the SQL of a claim takes Django longer than the database takes to answer it. Nothing in the query may change
between two executions: times are the database's own, by functions in the SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.db.models.query import get_related_populators

_KEPT = "_pinxero_prepared"


class Prepared:
    """The first row of a queryset, as `first()` gives it, with what `select_related` and `annotate` add to it."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        compiler = queryset[:1].query.get_compiler(using=queryset.db)
        self.sql, self.params = compiler.as_sql()
        self.compiler = compiler
        self.converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
        info = compiler.klass_info
        assert info is not None
        fields = info["select_fields"]
        self.model: Any = info["model"]
        self.begin, self.end = fields[0], fields[-1] + 1
        self.names = [each[0].target.attname for each in compiler.select[self.begin : self.end]]
        # The stubs are those of a later Django, where it takes one more.
        self.related = get_related_populators(info, compiler.select, queryset.db)  # type: ignore[call-arg]
        self.db = queryset.db

    def first(self) -> Any:
        """Execute it; None where there is no row."""
        with connections[self.db].cursor() as cursor:
            cursor.execute(self.sql, self.params)
            row = cursor.fetchone()
        if row is None:
            return None
        if self.converters:
            row = next(iter(self.compiler.apply_converters([row], self.converters)))
        made = self.model.from_db(self.db, self.names, row[self.begin : self.end])
        for each in self.related:
            each.populate(row, made)
        for name, column in (self.compiler.annotation_col_map or {}).items():
            setattr(made, name, row[column])
        return made


def prepared(name: str, build: Callable[[], QuerySet[Any]]) -> Prepared:
    """The query of that name; its SQL is built the first time it is used on this connection."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    kept: dict[str, Prepared] | None = getattr(wrapper, _KEPT, None)
    if kept is None:
        kept = {}
        setattr(wrapper, _KEPT, kept)
    if name not in kept:
        kept[name] = Prepared(build())
    return kept[name]
