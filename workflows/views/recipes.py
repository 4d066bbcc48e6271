"""The gallery of recipes, and the form that makes a draft of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from integrations.framework import registry
from integrations.framework.base import Connector
from integrations.models import Connection
from integrations.schema.fields import Field
from integrations.teams.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows.definitions import compiler, export_import
from workflows.definitions.editing import Sources
from workflows.forms import schema_form
from workflows.forms.schema_form import Control, Loaded
from workflows.models import Preview, Workflow
from workflows.preview.items import item_named
from workflows.preview.service import preview
from workflows.recipes import making
from workflows.recipes.library import Recipe, find, places
from workflows.recipes.library import recipes as all_recipes
from workflows.triggers import sample_reading
from workflows.views.common import connections_by_provider, loader, missing_scopes, pick_connection

_RELOADS = ("_refresh", "_reload")


@require_GET
@allow(Can.LOOK)
def recipes(request: HttpRequest) -> HttpResponse:
    """All recipes by group; `?q=` searches in them, `?app=` shows those that use a connector."""
    search = request.GET.get("q", "").strip()[:100].replace("\x00", "")
    app = request.GET.get("app", "")
    apps = list(dict.fromkeys(connector for each in all_recipes() for connector in each.connectors))
    known = {connector.key for connector in apps}
    found = [each for each in all_recipes() if _fits(each, search, app if app in known else "")]
    context = {
        "groups": {group: [each for each in found if each.group == group] for group in _groups(found)},
        "apps": apps,
        "app": app,
        "search": search,
        "is_filtered": bool(search or app in known),
        "may_build": may(request, Can.BUILD),
    }
    return page(request, "recipes/list.html", context, title="Recipes")


def _groups(found: list[Recipe]) -> list[str]:
    return list(dict.fromkeys(each.group for each in found))


def _fits(recipe: Recipe, search: str, app: str) -> bool:
    text = recipe.words.casefold()
    is_found = all(word in text for word in search.casefold().split())
    return is_found and (not app or app in {connector.key for connector in recipe.connectors})


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def recipe(request: HttpRequest, recipe: str) -> HttpResponse:
    """Ask for what the recipe needs, and make a draft of it."""
    found = find(recipe)
    if found is None:
        raise Http404
    form = RecipePage(request, found)
    if request.method == "POST" and not any(name in request.POST for name in _RELOADS):
        made = form.make()
        if made is not None:
            messages.success(
                request, f"{made.name} was created as a draft. This is what it would do; nothing is switched on yet."
            )
            return redirect("preview", made.pk, _previewed(request, made).pk)
    return page(request, "recipes/recipe.html", form.context(), title=found.name)


def _previewed(request: HttpRequest, workflow: Workflow) -> Preview:
    """A preview of the draft with the newest real item there is, else with an invented one."""
    sample_reading.read_newest(workflow)
    item = item_named(workflow, "")
    assert isinstance(request.user, User)
    return preview(
        workflow,
        compiler.compile_plan(workflow),
        item.data,
        by=request.user,
        title=item.title,
        origin=item.origin,
        item=item.key,
    )


@dataclass(frozen=True)
class AccountChoice:
    """One connection that the recipe works with, and those that it can be."""

    key: str
    connector: Connector
    options: list[Connection]
    chosen: Connection | None
    problem: str
    lacking: list[str]


class RecipePage:
    """The form of one recipe."""

    def __init__(self, request: HttpRequest, recipe: Recipe) -> None:
        self.request = request
        self.recipe = recipe
        self.posted: QueryDict | None = request.POST if request.method == "POST" else None
        self.gaps = making.GapForm(recipe)
        self.errors: dict[str, str] = {}
        self.problem = ""
        self.name = request.POST.get("name", "").strip()[:120].replace("\x00", "")
        self.accounts = {each.key: each for each in self._accounts()}
        self.typed: Sources = schema_form.defaults(self.gaps)
        if self.posted is not None:
            self.typed = schema_form.read(self.gaps, self.posted)

    def make(self) -> Workflow | None:
        """The draft; None if something is missing, which the form then says."""
        self.errors = schema_form.problems(self.gaps, self.typed, takes_tokens=False)
        connections = {key: each.chosen for key, each in self.accounts.items() if each.chosen is not None}
        if self.errors or len(connections) < len(self.accounts):
            return None
        team = team_of(self.request)
        assert isinstance(self.request.user, User)
        try:
            return making.make(
                self.recipe,
                connections=connections,
                values=self.gaps.clean(self.typed),
                team=team,
                name=self.name or export_import.free_name(team, self.recipe.name),
                by=self.request.user,
            )
        except export_import.ImportFileError as error:
            self.problem = error.message
            return None

    def context(self) -> dict[str, Any]:
        """What the template shows."""
        return {
            "recipe": self.recipe,
            "name": self.name or export_import.free_name(team_of(self.request), self.recipe.name),
            "accounts": list(self.accounts.values()),
            "controls": self._controls(),
            "problem": self.problem,
            "has_errors": bool(self.problem or self.errors) or any(each.problem for each in self.accounts.values()),
            "connection": next((each.chosen for each in self.accounts.values() if each.chosen), None),
        }

    def _accounts(self) -> Iterator[AccountChoice]:
        mine = connections_by_provider(team_of(self.request))
        for key, told in self.recipe.file.connections.items():
            options = mine.get(told["provider"], [])
            posted = self.posted.get(f"connection.{key}") if self.posted is not None else None
            chosen, problem = pick_connection(options, posted, None)
            if self.posted is not None and chosen is None:
                problem = problem or "Choose a connection."
            yield AccountChoice(
                key, registry.connector(told["provider"]), options, chosen, problem, self._lacking(key, chosen)
            )

    def _lacking(self, key: str, chosen: Connection | None) -> list[str]:
        """The permissions that the connection lacks for what the recipe does with it."""
        if chosen is None:
            return []
        used = (
            registry.operation(each["operation"]) for each in places(self.recipe.file.plan) if each["connection"] == key
        )
        return list(dict.fromkeys(scope for operation in used for scope in missing_scopes(operation, chosen)))

    def _controls(self) -> list[Control]:
        refresh = self.posted.get("_refresh", "") if self.posted is not None else ""
        loaders = {key: loader(each.chosen, refresh=refresh) for key, each in self.accounts.items()}
        owner = {gap.name: gap.connection for gap in self.recipe.gaps}

        def load(field: Field, sources: Mapping[str, str], search: str) -> Loaded:
            # A form that has just been opened gives hints, not errors.
            is_chosen = self.accounts[owner[field.name]].chosen is not None
            return loaders[owner[field.name]](field, sources, search) if is_chosen else Loaded()

        made = schema_form.controls(self.gaps, self.typed, self.errors, load=load, takes_tokens=False, post=self.posted)
        for control in made:
            account = self.accounts.get(owner[control.path])
            if account is not None and account.chosen is None:
                control.help = f"Choose the {account.connector.name} {account.connector.account_noun} first."
        return made
